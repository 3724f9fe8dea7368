"""A PostgreSQL that cannot be used: `StoreDown` with a cause, in time, and whole afterwards."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import create_engine, select, text

from cds.store import Spool, Store, StoreDown, open_store
from cds.store.engine import reading
from cds.store.migrations import migrate
from cds.store.postgresql import PAUSE_SECONDS, Breaker
from cds.store.tables import decisions
from tests.postgres import Cluster, cluster
from tests.store.rows import NOW, answer, decision, uuid
from tests.store.test_down import CALLS, READS


HOOK_SECONDS = 2.0  # a hook answers within; it calls the store up to three times
FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END
$$
"""
every_call = pytest.mark.parametrize("call", (CALLS | READS).values(), ids=CALLS | READS)


@pytest.fixture
def engine_url(postgres_database: str) -> str:
    """PostgreSQL alone."""
    return postgres_database


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    """A server that these tests may stop."""
    with cluster() as one:
        yield one


@pytest.fixture
def theirs(own: Cluster) -> Iterator[Store]:
    """A store on the server that may be stopped, with one decision in it."""
    url = own.new_database()
    migrate(url)
    store = open_store(url)
    store.record(decision())
    yield store
    store.close()


def cause(call: Callable[[], object]) -> str:
    with pytest.raises(StoreDown) as down:
        call()
    return down.value.cause


def a_hook(store: Store) -> float:
    """What a hook asks of a store, each in vain; the seconds that took."""
    started = time.monotonic()
    for call in ("first_use", "acknowledged", "record"):
        assert cause(lambda call=call: (CALLS | READS)[call](store)) == "unreachable"  # type: ignore[misc]
    return time.monotonic() - started


@contextmanager
def locked(url: str, statement: str) -> Iterator[None]:
    """Another session holds a lock and does not come to an end."""
    with psycopg.connect(url.replace("+psycopg", "")) as other:
        other.execute(statement.encode())
        yield
        other.rollback()


@pytest.mark.parametrize("call", ["record", "add_feedback"])
def test_a_lock_on_the_head_is_waited_for_within_the_deadline_of_a_hook(
    store: Store, migrated: str, call: str
) -> None:
    store.record(decision())
    with locked(migrated, "SELECT * FROM chain_heads FOR UPDATE"):
        started = time.monotonic()
        assert cause(lambda: CALLS[call](store)) == "locked"
        assert time.monotonic() - started < 1.5
        hasty = time.monotonic()
        assert cause(lambda: CALLS[call](store)) == "locked"
        assert time.monotonic() - hasty < 0.4
        assert [row.id for row in store.decisions()] == [uuid("decision")]
    CALLS[call](store)


def test_another_site_does_not_wait_for_the_lock(store: Store, migrated: str) -> None:
    store.record(decision())
    with locked(migrated, "SELECT * FROM chain_heads FOR UPDATE"):
        store.record(decision("south", site="south"))


@every_call
def test_an_empty_database_is_not_migrated(
    engine_url: str, call: Callable[[Store], object]
) -> None:
    store = open_store(engine_url)

    assert cause(lambda: call(store)) == "not-migrated"
    migrate(engine_url)
    call(store)
    store.close()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_database_that_may_only_be_read_says_so(
    store: Store, migrated: str, postgres: Cluster, call: Callable[[Store], object]
) -> None:
    name = migrated.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    assert cause(lambda: call(store)) == "read-only"
    assert list(store.decisions()) == []


def test_a_disk_without_room_is_said_and_nothing_of_the_call_is_kept(
    store: Store, migrated: str
) -> None:
    """As the server says it: the code is the one of `disk_full`."""
    engine = create_engine(migrated)
    with engine.begin() as connection:
        connection.execute(text(FULL))
        connection.execute(
            text("CREATE TRIGGER no_room BEFORE INSERT ON cards EXECUTE FUNCTION no_room()")
        )
    engine.dispose()

    assert cause(lambda: store.record(decision())) == "full"
    with reading(store.engine) as connection:
        assert connection.execute(select(decisions)).all() == []


@every_call
def test_a_server_that_is_stopped_is_unreachable_at_once_and_used_again_when_it_is_back(
    own: Cluster, theirs: Store, call: Callable[[Store], object]
) -> None:
    own.stop("fast")
    try:
        started = time.monotonic()
        assert cause(lambda: call(theirs)) == "unreachable"
        assert time.monotonic() - started < 0.5
    finally:
        own.start()
    call(theirs)


@pytest.mark.parametrize("how", ["killed", "immediate"])
def test_what_was_acknowledged_outlives_a_crash_of_the_server(
    own: Cluster, theirs: Store, spool: Spool, how: str
) -> None:
    theirs.add_feedback([answer()], NOW)
    if how == "killed":
        own.kill()
    else:
        own.stop("immediate")
    assert cause(lambda: theirs.record(decision("spooled"))) == "unreachable"
    spool.keep(decision("spooled"))
    own.start()

    assert spool.drain(theirs).stored == 1
    assert {row.id for row in theirs.decisions()} == {uuid("decision"), uuid("spooled")}


def test_a_server_that_accepts_and_says_nothing_holds_up_no_hook(
    own: Cluster, theirs: Store
) -> None:
    theirs.close()  # nothing in the pool: each call would connect
    own.pause()
    try:
        assert a_hook(theirs) < HOOK_SECONDS
        assert a_hook(theirs) < 0.1  # nobody waits in vain again
    finally:
        own.resume()


def test_a_server_whose_sessions_say_nothing_any_more_holds_up_no_hook(
    own: Cluster, theirs: Store
) -> None:
    theirs.record(decision("in the pool"))
    own.freeze()
    try:
        assert a_hook(theirs) < HOOK_SECONDS
        assert a_hook(theirs) < 0.1
    finally:
        own.resume()
    time.sleep(PAUSE_SECONDS)
    theirs.record(decision("again"))
    assert uuid("again") in {row.id for row in theirs.decisions()}


def test_a_socket_that_never_answers_holds_up_no_hook() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        store = open_store(f"postgresql+psycopg://a:b@127.0.0.1:{port}/c")
        assert a_hook(store) < HOOK_SECONDS
        assert a_hook(store) < 0.1
        store.close()


def test_a_breaker_refuses_during_its_pause_and_then_lets_one_through() -> None:
    now = [100.0]
    breaker = Breaker(lambda: now[0], pause=2.0)
    assert not breaker.refuses()
    breaker.open()
    assert breaker.refuses()
    now[0] = 101.9
    assert breaker.refuses()
    now[0] = 102.0
    assert [breaker.refuses() for _ in range(3)] == [False, True, True]
    now[0] = 104.0
    assert not breaker.refuses()
    breaker.close()
    assert [breaker.refuses() for _ in range(2)] == [False, False]
