"""What there is to say about the events of a patient, given what was said last. Pure.

A state is a grade as its range with the action beside it. A record that was not read whole ends no
event: what ended it may only not have been read.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

import msgspec
from msgspec import Struct

from cds.store.told import ToldRow
from knowledge.assessment import Action, Assessment, Event, Grade, ToxicityState
from knowledge.facts import ToxicityName


OVER = "over"
_TOXICITIES: tuple[ToxicityName, ToxicityName] = ("crs", "icans")
# From the least strict to the strictest; what is not listed asks for nothing.
_STRICT: tuple[Action, ...] = (
    "withhold",
    "interrupt",
    "discontinue-current",
    "discontinue-permanently",
)


class Said(Struct, frozen=True):
    """What was said of an event, to compare with."""

    at_least: int
    at_most: int
    action: str


class Change(Struct, frozen=True):
    """One event of which something else is to be said than last time.

    `last`: what was kept about it; its onset names the event for good, wherever the record moves
    it later. `said`: None: the event is over.
    """

    toxicity: ToxicityName
    onset: datetime
    last: ToldRow | None
    said: Said | None

    @property
    def text(self) -> str:
        """How it is kept."""
        return OVER if self.said is None else msgspec.json.encode(self.said).decode()


def changes(assessment: Assessment, told: Iterable[ToldRow], *, whole: bool) -> tuple[Change, ...]:
    """What is new, for each toxicity at most the end of old events and the state of one.

    `whole`: everything was read.
    """
    rows = tuple(told)
    found: list[Change] = []
    for toxicity in _TOXICITIES:
        state = assessment.crs if toxicity == "crs" else assessment.icans
        mine = [row for row in rows if row.toxicity == toxicity]
        running = [row for row in mine if row.said != OVER]
        found += _of_one(toxicity, state, assessment.disposition.action, running, mine, whole)
    return tuple(found)


def upwards(change: Change) -> bool:
    """Whether more is said than last time: a higher bound, or a stricter action."""
    if change.said is None:
        return False
    if change.last is None or change.last.said == OVER:
        return True
    old, new = msgspec.json.decode(change.last.said, type=Said), change.said
    return (
        new.at_least > old.at_least
        or new.at_most > old.at_most
        or _strictness(new.action) > _strictness(old.action)
    )


def event_key(site: str, patient: str, toxicity: str, onset: datetime) -> str:
    """The name of an event on a FHIR server; nothing of the patient can be read from it."""
    return _digest(site, patient, toxicity, onset.isoformat())


def step_key(site: str, patient: str, change: Change) -> str:
    """The name of one step of an event: from what was said then to what is said now."""
    before = ("", "") if change.last is None else (change.last.said, change.last.at.isoformat())
    return _digest(site, patient, change.toxicity, change.onset.isoformat(), *before, change.text)


def _of_one(
    toxicity: ToxicityName,
    state: ToxicityState,
    action: str,
    running: list[ToldRow],
    mine: list[ToldRow],
    whole: bool,
) -> Iterable[Change]:
    event, grade = state.event, _shown(state)
    if event is None or event.resolved_at is not None or grade is None:
        ended = whole and (event is None or event.resolved_at is not None)
        return [Change(toxicity, row.onset, row, None) for row in running if ended]
    row = _same(event, running) or next((one for one in mine if one.onset == event.onset), None)
    onset = event.onset if row is None else row.onset
    now = Change(toxicity, onset, row, Said(grade.at_least, grade.at_most, action))
    others = [Change(toxicity, one.onset, one, None) for one in running if one is not row and whole]
    new = row is None or row.said != now.text
    return [*others, now] if new else others


def _same(event: Event, running: list[ToldRow]) -> ToldRow | None:
    """The row of this event: of its onset, else the last that is not over: corrections of the
    record move an onset, and two events of one toxicity are never open at the same time."""
    return next(
        (row for row in running if row.onset == event.onset), running[-1] if running else None
    )


def _shown(state: ToxicityState) -> Grade | None:
    return (state.acting or state.grade) if state.assessed else None


def _strictness(action: str) -> int:
    return next((n for n, name in enumerate(_STRICT, 1) if name == action), 0)


def _digest(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode(errors="surrogatepass")).hexdigest()[:40]
