"""Several processes on one database, some of which die: nothing said to be stored is missing."""

import signal
import subprocess
import time
from contextlib import ExitStack

import pytest

from cds.store import Spool, Store, open_store
from tests.store.process import child
from tests.store.rows import decision, uuid


PROCESSES = 3


def started_together(*arguments: str) -> list[list[str]]:
    """What each of several processes said after all of them were let go at the same time."""
    with ExitStack() as stack:
        children = [stack.enter_context(child(*arguments)) for _ in range(PROCESSES)]
        for one in children:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in children:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        return [(one.communicate(timeout=60)[0]).split() for one in children]


def _rest(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.read().split()  # what was read of a line before is kept


def test_of_several_processes_exactly_one_is_the_first_to_use_a_jwt_id(migrated: str) -> None:
    said = started_together("first_use", migrated, "40")

    assert [len(lines) for lines in said] == [40] * PROCESSES
    for answers in zip(*said, strict=True):
        assert sorted(answers) == ["False"] * (PROCESSES - 1) + ["True"]


def test_several_processes_may_migrate_at_the_same_time(engine_url: str) -> None:
    assert started_together("migrate", engine_url) == [["migrated"]] * PROCESSES

    store = open_store(engine_url)
    store.ready()
    store.close()


def test_several_processes_drain_the_spool_and_each_decision_is_stored_once(
    store: Store, migrated: str, spool: Spool
) -> None:
    names = [f"d{number}" for number in range(30)]
    for name in names:
        spool.keep(decision(name))

    started_together("drain", migrated, str(spool.path))

    assert sorted(row.id for row in store.decisions()) == sorted(map(uuid, names))
    assert (spool.state().waiting, spool.state().set_aside) == (0, 0)


@pytest.mark.parametrize("attempt", range(3))
def test_every_decision_a_killed_process_had_stored_is_there_with_its_cards(
    store: Store, migrated: str, attempt: int
) -> None:
    with child("record", migrated, "a") as first, child("record", migrated, "b") as second:
        for one in (first, second):
            assert one.stdout is not None
            one.stdout.readline()
        time.sleep(0.15 + 0.1 * attempt)
        for one in (first, second):
            one.send_signal(signal.SIGKILL)
        said = [line for one in (first, second) for line in _rest(one)]

    found = {row.id: row for row in store.decisions()}
    assert said
    assert set(said) <= set(found)
    assert len(found) <= len(said) + 4  # the first lines read above, and one each cut off
    assert {len(row.cards) for row in found.values()} == {2}
