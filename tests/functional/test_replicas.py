"""Two replicas, one PostgreSQL and the shipped proxy: what a client sees when one of them is gone.

Skipped, saying so, without nginx or PostgreSQL; both are required in CI.
"""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import repeat
from pathlib import Path

import pytest

from cds.store.migrations import migrate
from tests.functional.bodies import fever
from tests.functional.deployed import another_call
from tests.functional.replicas import (
    CLIENTS,
    Load,
    Replica,
    call,
    client,
    fresh_token,
    proxied,
    readiness,
    replicas,
    stored,
    unusual,
    wait_until,
)
from tests.postgres import cluster, postgres, postgres_database


__all__ = ["postgres", "postgres_database"]  # fixtures
pytestmark = pytest.mark.live
ROUNDS = 20 if os.environ.get("BTCE_VALIDATION") else 1
DRAIN_SECONDS = "10"  # longer than nginx remembers that a replica was away


@pytest.fixture
def store(postgres_database: str) -> str:
    migrate(postgres_database)
    return postgres_database


def arrived(load: Load, store: str, both: tuple[Replica, Replica]) -> None:
    """Each call that was answered 200 is in the store, once; none is twice."""
    assert [one.waiting() for one in both] == [0, 0]
    found = stored(store)
    answered = [one.instance for one in load.answers if one.status == 200]
    assert len(set(answered)) == len(answered) > 0
    assert [one for one in answered if found.get(one) != 1] == []
    assert set(found.values()) == {1}


def goes_on(load: Load, since: float) -> bool:
    """Whether each client, as they are equally fast, was answered again since then."""
    return load.after(since) >= CLIENTS


def answers(replica: Replica) -> bool:
    """Whether the proxy sends it calls again since it was started."""
    return replica.answered() >= CLIENTS


def settle(url: str, both: tuple[Replica, Replica]) -> None:
    """Call until nothing waits in a spool: a busy database may have made one of them spool."""
    with client() as session:
        for _ in range(600):
            if not any(one.waiting() for one in both):
                return
            call(session, url, another_call(*fever()))
            time.sleep(0.1)
    raise AssertionError("the spools are not empty")


@pytest.mark.parametrize("drain", ["0", DRAIN_SECONDS], ids=["ends-at-once", "drains-first"])
def test_a_rolling_restart_under_load_fails_no_call(drain: str, tmp_path: Path, store: str) -> None:
    """One that drains stays until the proxy knows that the other one is back."""
    options = ("--drain-seconds", drain)
    with replicas(tmp_path, store, *options) as both, proxied(tmp_path / "proxy", both) as url:
        with Load(url) as load:
            wait_until(lambda: load.after(0) >= 3 * CLIENTS, 60)
            for one in both * ROUNDS:
                one.send(signal.SIGTERM)
                assert one.ended() == 0
                wait_until(partial(goes_on, load, since=time.monotonic()), 60)
                one.start()
                if drain == "0":  # the next one goes once the proxy knows this one is back
                    wait_until(partial(answers, one), 60)
        assert load.failed() == [], unusual(tmp_path / "proxy")
        settle(url, both)
        arrived(load, store, both)
        assert len(load.answers) > 6 * CLIENTS * ROUNDS  # the clients did call while it happened


def test_a_token_is_good_for_one_call_at_whichever_replica(tmp_path: Path, store: str) -> None:
    with replicas(tmp_path, store) as both, ThreadPoolExecutor(4) as pool, client() as session:

        def use(replica: Replica, token: str) -> int:
            return call(session, replica.url, another_call(), token).status_code

        for one in both * 8:  # connected to the store, so that no slow start makes one do without
            assert use(one, fresh_token()) == 200
        for first, second in (both, both[::-1]) * 10:
            token = fresh_token()
            assert [use(first, token), use(second, token), use(first, token)] == [200, 401, 401]
        for order in (both, both[::-1]) * 20:
            token = fresh_token()
            statuses = pool.map(use, order * 2, repeat(token))
            assert sorted(statuses) == [200, 401, 401, 401]


def test_when_a_replica_is_killed_the_other_answers_every_later_call(
    tmp_path: Path, store: str
) -> None:
    """A call it had begun may be lost, or refused at the other: its token may be spent."""
    with replicas(tmp_path, store) as both, proxied(tmp_path / "proxy", both) as url:
        with Load(url) as load:
            wait_until(lambda: load.after(0) >= 5 * CLIENTS, 60)
            both[0].kill()
            dead = time.monotonic()
            wait_until(lambda: load.after(dead) >= 20 * CLIENTS, 120)
        failed = load.failed()
        assert [one for one in failed if one.began > dead] == [], unusual(tmp_path / "proxy")
        assert len(failed) <= CLIENTS
        assert {one.status for one in failed} <= {401, 503}
        both[0].start()  # what it could not store is in its spool
        settle(url, both)
        arrived(load, store, both)


def test_calls_are_answered_while_the_database_is_away_and_arrive_when_it_is_back(
    tmp_path: Path,
) -> None:
    with cluster() as server:
        store = server.new_database()
        migrate(store)
        with replicas(tmp_path, store) as both, proxied(tmp_path / "proxy", both) as url:
            assert readiness(url)[1]["status"] == "ready"
            with Load(url) as load:
                wait_until(lambda: load.after(0) >= 3 * CLIENTS, 60)
                server.stop()
                away = time.monotonic()
                wait_until(lambda: load.after(away) >= 10 * CLIENTS, 120)
                for one in both:
                    status, page = one.readiness()
                    assert (status, page["status"]) == (200, "degraded")
                    assert page["checks"]["store"]["says"].startswith("not reachable")
                    assert page["checks"]["spool"]["says"].endswith("decisions wait for the store")
                server.start()
                back = time.monotonic()
                wait_until(lambda: load.after(back) >= 5 * CLIENTS, 120)
            assert load.failed() == [], unusual(tmp_path / "proxy")
            settle(url, both)
            arrived(load, store, both)
            assert [one.readiness()[1]["status"] for one in both] == ["ready", "ready"]


def test_the_bedside_app_is_behind_the_proxy_too_and_a_person_gets_a_page(
    tmp_path: Path, store: str
) -> None:
    with replicas(tmp_path, store) as both, proxied(tmp_path / "proxy", both) as url:
        with client() as session:
            refused = session.get(f"{url}/smart/launch?iss=https://other.example.org", timeout=30)
            assert refused.status_code == 400
            assert "<h1" in refused.text
            assert "default-src 'none'" in refused.headers["Content-Security-Policy"]
            assert session.get(f"{url}/smart/static/app.css", timeout=30).status_code == 200
            assert session.get(f"{url}/metrics", timeout=30).status_code == 404
            for one in both:
                one.kill()
            gone = session.get(f"{url}/smart/launch?iss=https://other.example.org", timeout=30)
        assert gone.status_code == 503
        assert gone.headers["Content-Type"].startswith("text/html")
        assert "Grade and chart in the EHR" in gone.text
