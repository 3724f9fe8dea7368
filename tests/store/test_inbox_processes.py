"""The inbox among several processes: who is refused, who gets whom, and what a death leaves."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from cds.clock import system_clock
from cds.store import Store
from cds.store.errors import AnotherWorker
from cds.store.inbox import Inbox
from tests.crash.processes import ROOT
from tests.store.wake_ups import wake


@contextmanager
def another(url: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """What another process got, which has it until the block ends or it is killed."""
    with subprocess.Popen(  # noqa: S603 - this interpreter, words of this repository
        [sys.executable, "-m", "tests.crash.child", "claim_once", url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


@pytest.fixture
def inbox(store: Store) -> Iterator[Inbox]:
    opened = Inbox(store)
    early = system_clock() - timedelta(seconds=5)
    opened.put([wake("e1", "p1", received_at=early), wake("e2", "p2", received_at=system_clock())])
    yield opened
    opened.close()


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
def test_sqlite_has_one_worker_process_until_that_one_is_gone(inbox: Inbox, migrated: str) -> None:
    with another(migrated) as (got, process):
        assert got == "north p1"
        with pytest.raises(AnotherWorker), inbox.claim(system_clock()):
            pass
        assert inbox.put([wake("e3", "p3", received_at=system_clock())]) == 1
        process.kill()
        process.wait()

    with inbox.claim(system_clock()) as claim:
        assert claim is not None
        assert claim.patient == "p1"


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
def test_a_worker_that_closes_its_inbox_lets_another_process_work(
    inbox: Inbox, migrated: str
) -> None:
    with inbox.claim(system_clock()):
        pass
    with another(migrated) as (got, _):
        assert got == ""
    inbox.close()

    with another(migrated) as (got, _):
        assert got == "north p1"


@pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)
def test_on_postgresql_every_process_gets_somebody_else_and_a_dead_one_keeps_nobody(
    inbox: Inbox, migrated: str
) -> None:
    with another(migrated) as (first, process), another(migrated) as (second, _):
        assert (first, second) == ("north p1", "north p2")
        with inbox.claim(system_clock()) as claim:
            assert claim is None
        process.kill()
        process.wait()
        until = system_clock() + timedelta(seconds=10)
        found = ""
        while not found and system_clock() < until:  # the server hears of it a moment later
            with inbox.claim(system_clock()) as claim:
                found = "" if claim is None else claim.patient

    assert found == "p1"
