"""A process to be killed: it puts wake-ups or does what a worker does, and says where it is.

Run as `python -m tests.crash.child`. What it says on stdout is a line each: `ack EVENT` once the
store has returned, `at POINT` where it then waits for its end, `up` when it begins.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from uuid import uuid4

import msgspec
from sqlalchemy import event

from cds.clock import system_clock
from cds.store import Store, StoreDown, open_store
from cds.store.inbox import Inbox
from cds.store.inbox_claim import Claim
from cds.store.rows import DecisionRow, WakeUp
from tests.store.rows import card, decision


SITE = "north"
PATIENTS = 40
PAUSE = timedelta(milliseconds=50)  # between two readings of a patient
BEFORE = 3  # things done before the one at which it stops
_REST = 0.02  # seconds between two puts of one thread, or two looks for work


def main(what: str, *arguments: str) -> None:
    """Do one of the things below."""
    DEEDS[what](*arguments)


def put(url: str, name: str, threads: str, point: str = "") -> None:
    """Put wake-ups for ever, in so many threads; stop at `point`: `before-commit`, `committed`."""
    inbox = Inbox(_store(url, point))
    _say("up")
    for number in range(int(threads)):
        writing = threading.Thread(target=_put, args=(inbox, f"{name}/{number}", point))
        writing.start()


def acknowledge(url: str, puts: str, threads: str) -> None:
    """Put so many; `put EVENT` is said before and `ack EVENT` after each."""
    inbox = Inbox(_store(url, ""))

    def go(name: int) -> None:
        for number in range(int(puts)):
            key = f"{name}/{number}"
            _say(f"put {key}")
            inbox.put([_wake_up(key, number)])
            _say(f"ack {key}")

    for name in range(int(threads)):
        threading.Thread(target=go, args=(name,)).start()


def work(url: str, point: str = "") -> None:
    """Claim and finish for ever; stop at `point`, one of `claimed`, `read` and those of `put`."""
    inbox = Inbox(_store(url, point))
    _say("up")
    for number in count():
        try:
            with inbox.claim(system_clock()) as claim:
                if claim is not None:
                    _finish(claim, point if number >= BEFORE else "")
                    continue
        except StoreDown:
            pass
        time.sleep(_REST)


def claim_once(url: str) -> None:
    """What becomes of one claim here."""
    store = open_store(url)
    with Inbox(store).claim(system_clock()) as claim:
        _say("nothing" if claim is None else f"{claim.site} {claim.patient}")
        sys.stdin.readline()


DEEDS: dict[str, Callable[..., None]] = {
    "put": put,
    "acknowledge": acknowledge,
    "work": work,
    "claim_once": claim_once,
}


def result_of(claim: Claim) -> DecisionRow:
    """A decision that says which wake-ups it is the answer to."""
    name = str(uuid4())
    return decision(
        name,
        id=name,
        site=claim.site,
        patient=claim.patient,
        assessment=msgspec.json.encode(claim.ids).decode(),
        cards=(card(f"{name} a"), card(f"{name} b")),
    )


def _put(inbox: Inbox, name: str, point: str) -> None:
    for number in count():
        key = f"{name}/{number}"
        while not _kept(inbox, key, number):
            time.sleep(_REST)
        if point == "committed" and number >= BEFORE:
            _stop(point)
        _say(f"ack {key}")
        time.sleep(_REST)


def _kept(inbox: Inbox, key: str, number: int) -> bool:
    try:
        inbox.put([_wake_up(key, number)])
    except StoreDown:
        return False
    return True


def _wake_up(key: str, number: int) -> WakeUp:
    patient = f"p{number % PATIENTS}"
    return WakeUp(site=SITE, source="child", event=key, received_at=system_clock(), patient=patient)


def _finish(claim: Claim, point: str) -> None:
    if point == "claimed":
        _stop(point)
    found = result_of(claim)
    if point == "read":
        _stop(point)
    now = system_clock()
    claim.finish(found, now=now, not_before=now + PAUSE)
    if point == "committed":
        _stop(point)


def _store(url: str, point: str) -> Store:
    store = open_store(url)
    if point == "before-commit":
        commits = count()

        @event.listens_for(store.engine, "commit")
        def about_to(_: object) -> None:
            if next(commits) >= BEFORE * 4:
                _stop(point)

    return store


def _stop(point: str) -> None:
    _say(f"at {point}")
    sys.stdin.readline()


def _say(line: str) -> None:
    """At once and whole, whatever happens to this process next."""
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
