"""The store fails; the clinician is still answered, and no decision is lost or kept twice."""

import json
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cds.config import Settings
from cds.store import Spool, open_store
from cds.store.migrations import migrate
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.conformance.tokens import EPIC
from tests.functional.bodies import Json, fever, order_sign
from tests.functional.deployed import (
    Deployed,
    another_call,
    assessment,
    counted,
    deploy,
    logged,
)
from tests.functional.hospitals import bearer, bearer_now, hospitals, signed_config
from tests.functional.serving import Served, served


Failure = Callable[[Path], AbstractContextManager[None]]
CALL_BODY = order_sign(*fever())


@contextmanager
def removed(file: Path) -> Iterator[None]:
    """Somebody moved the database away, and puts it back."""
    elsewhere = file.parent / "elsewhere"
    elsewhere.mkdir()
    for one in file.parent.glob(f"{file.name}*"):
        one.rename(elsewhere / one.name)
    yield
    for one in elsewhere.iterdir():
        one.rename(file.parent / one.name)
    elsewhere.rmdir()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process writes and does not come to an end."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def read_only(file: Path) -> Iterator[None]:
    """Its own header says so, which stops root too; a connection that saw it has to be reopened."""
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = _change_byte(file, 18, 9)
    yield
    _change_byte(file, 18, before)


@contextmanager
def not_migrated(file: Path) -> Iterator[None]:
    """An empty database is in its place."""
    with removed(file):
        file.touch()
        yield
        for one in file.parent.glob(f"{file.name}*"):
            one.unlink()


@contextmanager
def damaged(file: Path) -> Iterator[None]:
    """A text is in its place."""
    with removed(file):
        file.write_bytes(b"this is a text, and no database " * 100)
        yield
        for one in file.parent.glob(f"{file.name}*"):
            one.unlink()


def _change_byte(file: Path, at: int, value: int) -> int:
    with file.open("r+b") as found:
        found.seek(at)
        before = found.read(1)[0]
        found.seek(at)
        found.write(bytes([value]))
    return before


FAILURES: dict[str, Failure] = {
    "removed": removed,
    "locked": locked,
    "read-only": read_only,
    "not migrated": not_migrated,
    "damaged": damaged,
}
PASSING = {name: failure for name, failure in FAILURES.items() if failure is not read_only}
every_failure = pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
every_passing_failure = pytest.mark.parametrize("failure", PASSING.values(), ids=PASSING)


@pytest.fixture
def deployed(settings: Settings, tmp_path: Path, library: Library, codes: CodeSets) -> Deployed:
    return deploy(settings, tmp_path, library, codes)


def requests_of(lines: list[Json]) -> list[Json]:
    return [line for line in lines if line["event"] == "request"]


def without(notices: list[Json], card: Json) -> Json:
    """The card without what it says of these notices."""
    said = {f"- {one['text']}" for one in notices}
    lines = card["detail"].splitlines()
    assert said <= set(lines)
    return {**card, "detail": "\n".join(line for line in lines if line not in said)}


# --- the answer ----------------------------------------------------------------------------------


@every_failure
def test_without_the_store_the_answer_is_the_same_and_says_that_the_history_is_not_read(
    deployed: Deployed, failure: Failure
) -> None:
    well = deployed.client.call(CALL_BODY)
    assert well.get_json()["cards"]
    with failure(deployed.file):
        ill = deployed.client.call(CALL_BODY)
    assert ill.status_code == 200
    found, expected = assessment(ill), assessment(well)
    told = [one for one in found["notices"] if one not in expected["notices"]]
    reads = failure in {locked, read_only}  # what was kept can be read, nothing can be added
    assert [one["code"] for one in told] == ([] if reads else ["history-not-read"])
    assert found | {"notices": expected["notices"]} == expected
    assert [without(told, card) for card in ill.get_json()["cards"]] == well.get_json()["cards"]


@every_passing_failure
def test_the_answer_is_the_same_where_the_store_was_never_there(
    settings: Settings, tmp_path: Path, library: Library, codes: CodeSets, failure: Failure
) -> None:
    """A process that starts while the store is down."""
    migrate(f"sqlite:///{tmp_path / 'store.db'}")
    with failure(tmp_path / "store.db"):
        one = deploy(settings, tmp_path, library, codes, ready=False)
        assert one.client.call(CALL_BODY).get_json()["cards"]
        assert len(one.waiting()) == 1
    one.client.call(another_call())
    assert len(one.decisions()) == 2


@every_failure
def test_the_decision_waits_in_the_spool_where_only_its_owner_can_read_it(
    deployed: Deployed, failure: Failure
) -> None:
    deployed.client.call(another_call())
    with failure(deployed.file), logged() as lines:
        deployed.client.call(CALL_BODY)
    (file,) = deployed.waiting()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    (request,) = requests_of(lines)
    assert request["decision"] in file.name
    (spooled,) = [line for line in lines if line["event"] == "spooled"]
    assert (spooled["decision"], spooled["code"]) == (request["decision"], "store-down")
    assert request["decision"] not in deployed.decisions()


@every_passing_failure
def test_once_the_store_is_back_what_waited_is_put_there_exactly_once(
    deployed: Deployed, failure: Failure
) -> None:
    deployed.client.call(another_call())
    with failure(deployed.file), logged() as lines:
        for _ in range(3):
            deployed.client.call(another_call(*fever()))
    assert len(deployed.waiting()) == 3
    for _ in range(3):
        deployed.client.call(another_call())
    assert deployed.waiting() == []
    kept = deployed.decisions()
    assert len(kept) == len(set(kept)) == 7
    assert {line["decision"] for line in requests_of(lines)} <= set(kept)


def test_what_was_spooled_is_the_row_that_would_have_been_stored(deployed: Deployed) -> None:
    deployed.client.call(CALL_BODY)
    with locked(deployed.file):
        deployed.client.call(CALL_BODY)
    deployed.client.call(another_call())
    one, other = (
        row for row in deployed.store.decisions() if row.hook_instance == CALL_BODY["hookInstance"]
    )
    assert {**_members(one), "id": ""} == {**_members(other), "id": ""}


def _members(row: Any) -> Json:
    return {name: getattr(row, name) for name in row.__struct_fields__}


@every_failure
def test_what_an_earlier_process_left_is_put_back_by_the_next_one(
    settings: Settings, tmp_path: Path, library: Library, codes: CodeSets, failure: Failure
) -> None:
    first = deploy(settings, tmp_path, library, codes)
    with failure(first.file):
        first.client.call(CALL_BODY)
    first.store.close()
    second = deploy(settings, tmp_path, library, codes)
    second.client.call(another_call())
    assert second.waiting() == []
    assert len(second.decisions()) == 2


def test_a_file_of_the_spool_that_cannot_be_read_holds_up_no_other(deployed: Deployed) -> None:
    with locked(deployed.file):
        deployed.client.call(another_call())
        deployed.client.call(CALL_BODY)
    first, _ = deployed.waiting()
    first.write_bytes(b"x" + first.read_bytes())
    deployed.client.call(another_call())
    assert len(deployed.decisions()) == 2
    (aside,) = deployed.waiting()
    assert aside.parent.name == "set-aside"
    ready = deployed.client.get("/readyz").get_json()
    assert (ready["status"], ready["checks"]["spool"]["status"]) == ("degraded", "degraded")


def test_the_writes_are_counted_by_where_they_went(deployed: Deployed) -> None:
    deployed.client.call(another_call())
    with locked(deployed.file):
        deployed.client.call(another_call())
    assert counted(deployed.client, "btce_store_writes_total") == {
        'btce_store_writes_total{to="store"}': 1,
        'btce_store_writes_total{to="spool"}': 1,
    }


@every_failure
def test_a_signed_call_is_answered_while_the_store_is_down_and_its_token_is_good_once(
    tmp_path: Path, library: Library, codes: CodeSets, failure: Failure
) -> None:
    settings = hospitals(tmp_path, "https://keys.example.org/jwks.json", library)
    one = deploy(settings, tmp_path, library, codes)
    one.client.call(another_call(), **bearer(EPIC))
    with failure(one.file):
        token = bearer(EPIC)
        assert one.client.call(another_call(), **token).status_code == 200
        assert one.client.call(another_call(), **token).status_code == 401


@every_passing_failure
def test_ready_is_said_as_it_is(deployed: Deployed, failure: Failure) -> None:
    deployed.client.call(another_call())
    assert deployed.client.get("/readyz").get_json()["status"] == "ready"
    with failure(deployed.file):
        deployed.client.call(another_call())
        down = deployed.client.get("/readyz")
    assert (down.status_code, down.get_json()["status"]) == (200, "degraded")
    assert down.get_json()["checks"]["spool"]["says"] == "1 decisions wait for the store"
    deployed.client.call(another_call())
    assert deployed.client.get("/readyz").get_json()["status"] == "ready"


# --- neither store nor spool ---------------------------------------------------------------------


def no_folder(path: Path) -> Spool:
    """A file is where the folder should be."""
    path.write_text("a file")
    return Spool(path)


def no_parent(path: Path) -> Spool:
    """A file is where the folder of the folder should be."""
    path.write_text("a file")
    return Spool(path / "spool")


def full(path: Path) -> Spool:
    """Its limit is reached."""
    return Spool(path, max_files=0)


@pytest.fixture(params=[no_folder, no_parent, full], ids=["no folder", "no parent", "full"])
def nowhere(
    request: Any, settings: Settings, tmp_path: Path, library: Library, codes: CodeSets
) -> Deployed:
    """A deployment whose spool takes nothing."""
    spool = request.param(tmp_path / "spool")
    return deploy(settings, tmp_path, library, codes, spool=spool)


def test_without_store_and_spool_the_answer_is_the_same_and_the_gap_is_logged(
    nowhere: Deployed,
) -> None:
    well = nowhere.client.call(CALL_BODY)
    with locked(nowhere.file), logged() as lines:
        ill = nowhere.client.call(CALL_BODY)
    assert (ill.status_code, ill.data) == (200, well.data)
    (gap,) = [line for line in lines if line["event"] == "not-recorded"]
    (request,) = requests_of(lines)
    assert (gap["level"], gap["decision"]) == ("error", request["decision"])
    assert not [line for line in lines if line["event"] == "spooled"]


@every_failure
def test_without_store_and_spool_it_is_not_ready(nowhere: Deployed, failure: Failure) -> None:
    nowhere.client.call(CALL_BODY)
    with failure(nowhere.file):
        nowhere.client.call(CALL_BODY)
        down = nowhere.client.get("/readyz")
    assert down.get_json(force=True)["status"] == "not-ready"
    assert down.status_code == 503


def test_with_the_store_but_no_spool_it_is_degraded(nowhere: Deployed) -> None:
    ready = nowhere.client.get("/readyz")
    assert (ready.status_code, ready.get_json()["status"]) == (200, "degraded")


# --- before the answer ---------------------------------------------------------------------------


def test_every_answered_call_has_its_row_by_the_id_of_its_log_line(deployed: Deployed) -> None:
    with logged() as lines:
        for _ in range(5):
            deployed.client.call(another_call(*fever()))
        deployed.client.call({"hook": "order-sign"})
    answered = [line for line in requests_of(lines) if line["status"] == 200]
    assert sorted(line["decision"] for line in answered) == sorted(deployed.decisions())
    assert "decision" not in requests_of(lines)[-1]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as one:
        yield one


def test_the_row_is_there_when_the_answer_is_whatever_happens_to_the_server(
    server: Served,
) -> None:
    body = another_call(*fever())
    answer = server.post(body)
    server.kill()
    assert answer.status_code == 200
    with closing(open_store(server.store)) as store:
        (row,) = store.decisions()
    assert row.hook_instance == body["hookInstance"]
    kept = answer.json()["extension"]["org.btce-cds.assessment"]
    assert json.loads(row.assessment) == kept
    (line,) = [one for one in server.lines() if one.get("event") == "request" and "decision" in one]
    assert line["decision"] == row.id
    assert (server.folder / "store.db").stat().st_mode & 0o077 == 0


def test_a_server_that_starts_while_the_store_is_down_answers_and_spools(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"this is a text, and no database " * 100)
    with served(tmp_path) as one:
        answer = one.post(another_call(*fever()))
    assert answer.status_code == 200
    assert answer.json()["cards"]
    (file,) = (tmp_path / "spool").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_store_that_stays_locked_makes_no_call_late(tmp_path: Path) -> None:
    """A backup that hangs, two dozen calls at a time: none waits for it as long as a hook has.

    Against the same calls with the store free, because a busy machine makes those late too.
    """
    config = signed_config(tmp_path)

    def call(_: int) -> tuple[int, float]:
        body, token, started = another_call(*fever()), bearer_now(), time.monotonic()
        return one.post(body, **token).status_code, time.monotonic() - started

    with served(tmp_path, config) as one:
        call(0)
        with ThreadPoolExecutor(24) as pool:
            free = list(pool.map(call, range(48)))
            with locked(tmp_path / "store.db"):
                answers = list(pool.map(call, range(48)))
    assert {status for status, _ in (*free, *answers)} == {200}
    assert max(seconds for _, seconds in answers) < max(seconds for _, seconds in free) + 2
    assert len(list((tmp_path / "spool").iterdir())) == 48
