"""What must be true of a store after processes were killed; every question is asked of the rows."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from sqlalchemy import text

from cds.clock import system_clock
from cds.store import Store
from cds.store.inbox import Inbox
from cds.store.verify import verify
from tests.crash.child import SITE, result_of


class Aftermath(Struct, frozen=True):
    """Events that were acknowledged and are lost; wake-ups done twice, or done and without their
    decision; decisions without all their cards, or of no wake-up; what the chain does not hold."""

    lost: tuple[str, ...]
    twice: tuple[int, ...]
    undone: tuple[int, ...]
    half: tuple[str, ...]
    stray: tuple[str, ...]
    chain: tuple[str, ...]


CLEAN = Aftermath((), (), (), (), (), ())


def drain(inbox: Inbox, now: datetime) -> None:
    """Read everybody who waits, as a worker does."""
    while True:
        with inbox.claim(now) as claim:
            if claim is None:
                return
            claim.finish(result_of(claim), now=now, not_before=now)


def aftermath(store: Store, acked: Collection[str]) -> Aftermath:
    """Of a store on which no process works any more; what still waits is read first."""
    inbox = Inbox(store)
    drain(inbox, system_clock() + timedelta(hours=1))
    inbox.close()
    with store.engine.connect() as connection:
        rows = connection.execute(text("SELECT id, event, decision, done_at FROM inbox")).all()
    made = {row.id: row for row in store.decisions()}
    answers = {
        name: msgspec.json.decode(row.assessment, type=list[int]) for name, row in made.items()
    }
    counted = Counter(number for numbers in answers.values() for number in numbers)
    done = {row.decision for row in rows}
    return Aftermath(
        lost=tuple(set(acked) - {row.event for row in rows}),
        twice=tuple(number for number, times in counted.items() if times > 1),
        undone=tuple(
            row.id
            for row in rows
            if row.done_at is None or row.id not in answers.get(row.decision, ())
        ),
        half=tuple(name for name, row in made.items() if len(row.cards) != 2),
        stray=tuple(set(made) - done),
        chain=tuple(str(problem) for problem in verify(store, SITE)),
    )
