"""The life of a worker: the store away and back, the spool, the end, and what others see of it."""

import os
import signal
import threading

import pytest

from cds.store import Spool, StoreDown, StoreRefused
from cds.worker.backlog import backlog, check
from cds.worker.compose import stop_on_signals
from tests.builders import temp
from tests.store.rows import decision
from tests.unit.cds.worker.hospital import of
from tests.unit.cds.worker.ward import Ward


class Patience:
    """Ends the worker at the given sleep; before it, something may happen."""

    def __init__(self, sleeps: int, then: object = None) -> None:
        self.left, self.then, self.slept = sleeps, then, []  # type: ignore[var-annotated]

    def is_set(self) -> bool:
        return self.left <= 0

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        self.slept.append(timeout)
        if callable(self.then):
            self.then()
        return self.is_set()


def test_a_store_that_is_down_is_waited_for_and_nothing_is_lost(ward: Ward) -> None:
    ward.admit()
    ward.wake()
    file = ward.folder / "store.db"
    away = file.with_name("away.db")
    ward.store.close()
    file.rename(away)
    stop = Patience(2, lambda: away.rename(file) if away.exists() else None)
    ran = ward.worker.run(stop)
    assert ran.store_down == 1
    assert ran.turns == {"kept": 1}
    assert len(ward.decisions()) == 1


def test_with_once_a_store_that_is_down_is_told(ward: Ward) -> None:
    ward.store.close()
    (ward.folder / "store.db").rename(ward.folder / "away.db")
    with pytest.raises(StoreDown):
        ward.worker.run(threading.Event(), once=True)


def test_what_waits_in_the_spool_is_put_back(ward: Ward) -> None:
    Spool(ward.folder / "spool").keep(decision(site="demo", patient="p9"))
    ward.work()
    assert len(ward.decisions("p9")) == 1


def test_a_spool_that_cannot_be_read_keeps_nobody_from_being_read(ward: Ward) -> None:
    ward.admit()
    ward.wake()

    def faulty() -> None:
        raise ZeroDivisionError

    ward.place.records.drain = faulty  # type: ignore
    assert ward.worker.run(Patience(1)).turns == {"kept": 1}


def test_sigterm_ends_the_worker_after_the_claim_in_hand(ward: Ward) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        stop = stop_on_signals()
        for name in ("p1", "p2"):
            ward.admit(name)
            ward.wake(name)
        read = ward.hospital.everything

        def interrupted(*args: object) -> object:
            os.kill(os.getpid(), signal.SIGTERM)
            return read(*args)  # type: ignore[arg-type]

        ward.hospital.everything = interrupted  # type: ignore
        assert ward.worker.run(stop).turns == {"kept": 1}
        assert ward.place.inbox.waiting(ward.now).count == 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_others_see_what_waits_and_that_nobody_polls(ward: Ward) -> None:
    def seen():
        place = ward.place
        return backlog(place.inbox, place.cohort, place.history, place.sites(), ward.now)

    ward.admit()
    ward.wake()
    assert (seen().waiting, seen().unpolled) == (1, ())
    assert check(seen()).status == "ready"
    ward.later(minutes=6)
    assert seen().oldest_seconds == 360
    assert check(seen()).status == "degraded"
    ward.work()
    assert check(seen()).status == "ready"
    ward.later(minutes=14)
    assert seen().unpolled == ()
    ward.later(minutes=20)
    assert seen().unpolled == ("demo",)
    assert check(seen()).status == "degraded"
    ward.work()
    assert seen().unpolled == ()


def test_a_decision_the_store_refuses_holds_up_nobody(ward: Ward) -> None:
    """PostgreSQL refuses what SQLite takes; the claim is then ended without it, and it waits."""
    for name in ("p1", "p2"):
        ward.admit(name)
        ward.hospital.put(of(temp(38.5, resource_id=name), name))
        ward.wake(name)
    real = ward.place.inbox.claim

    class Refusing:
        def __init__(self, claim) -> None:
            self._claim = claim

        def __getattr__(self, name: str) -> object:
            return getattr(self._claim, name)

        def finish(self, decision, **when):
            if decision is not None and self._claim.patient == "p1":
                raise StoreRefused("it does not fit")
            self._claim.finish(decision, **when)

    class Gate:
        def __init__(self, now) -> None:
            self._inner = real(now)

        def __enter__(self):
            claim = self._inner.__enter__()
            return None if claim is None else Refusing(claim)

        def __exit__(self, *error):
            return self._inner.__exit__(*error)

    ward.place.inbox.claim = Gate  # type: ignore
    assert ward.work().turns == {"kept": 2}
    assert len(ward.decisions("p2")) == 1
    assert ward.place.inbox.waiting(ward.now).count == 0
