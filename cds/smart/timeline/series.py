"""Everything charted that a timeline shows, as one list in time; judges nothing.

Texts of the record are one line each without characters that hide or reorder text.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import chain

from msgspec import Struct

from cards.escape import plain
from cds.smart.timeline.given import drugs, infusions
from cds.smart.timeline.item import Item, What
from cds.smart.timeline.shown import said, temperature, value_of
from knowledge.facts import Charted, Facts, QueryName, Reading


_ANSWERS: Mapping[What, tuple[QueryName, ...]] = {
    "temperature": ("vitals",),
    "systolic": ("vitals",),
    "mean-pressure": ("vitals",),
    "saturation": ("vitals",),
    "oxygen": ("oxygen", "vitals"),
    "vasopressor": ("administrations",),
    "bispecific": ("administrations",),
    "tocilizumab": ("administrations",),
    "steroid": ("administrations",),
    "antipyretic": ("administrations",),
    "ice": ("assessments",),
    "capd": ("assessments",),
    "crs-charted": ("assessments",),
    "icans-charted": ("assessments",),
}


_VITALS: tuple[What, ...] = ("temperature", "systolic", "mean-pressure", "saturation")
_CHILD: tuple[What, What] = ("capd", "ice")


class Series(Struct, frozen=True, kw_only=True):
    """What was charted from `since` to `until`, oldest first.

    `unread`: of these nothing can be said, because the record was not read for them. `back_to`: how
    far back their answer reaches, where it does not reach `since`. `scores`: as `scores_of`.
    """

    since: datetime
    until: datetime
    items: tuple[Item, ...]
    unread: frozenset[What] = frozenset()
    back_to: Mapping[What, datetime] = {}
    scores: tuple[What, ...] = ("ice",)

    def of(self, *wanted: What) -> tuple[Item, ...]:
        """The items of these kinds, oldest first."""
        return tuple(one for one in self.items if one.what in wanted)

    @property
    def numbers(self) -> tuple[What, ...]:
        """The kinds that are drawn as a curve and of which the extremes are said."""
        return (*_VITALS, *self.scores)


def series_of(
    facts: Facts, marks: Mapping[str, str], since: datetime, *, capd_under: int = 0
) -> Series:
    """Of the facts, from `since` to the time they were evaluated. `marks`: as `marks_of` has it.

    `capd_under`: the age in years under which the scale counts CAPD.
    """
    until = facts.evaluated_at
    found = chain(_numbers(facts), _states(facts), _rest(facts), drugs(facts), infusions(facts))
    items = [
        _marked(one, marks)
        for one in found
        if one.at <= until and ((one.until or one.at) >= since or one.running)
    ]
    short = {
        what: reached
        for what, queries in _ANSWERS.items()
        for query in queries[:1]
        if (reached := facts.read_back_to.get(query)) is not None and reached > since
    }
    return Series(
        since=since,
        until=until,
        items=tuple(sorted(items, key=lambda one: (one.at, one.what, one.ref, one.shown))),
        unread=frozenset(
            what for what, queries in _ANSWERS.items() if facts.answered.isdisjoint(queries)
        ),
        back_to=short,
        scores=scores_of(items, facts.age_years, capd_under=capd_under),
    )


def scores_of(items: Iterable[Item], age: int | None, *, capd_under: int) -> tuple[What, ...]:
    """The score that the scale counts at this age, and the other one where it is charted; both
    where the age is not known."""
    child = age is not None and age < capd_under
    counted, other = _CHILD if child else reversed(_CHILD)
    there = age is None or any(one.what == other for one in items)
    return (counted, other) if there else (counted,)


def _numbers(facts: Facts) -> Iterator[Item]:
    for one in facts.temperatures:
        yield _number("temperature", one, temperature(one.evidence, one.value))
    named: tuple[tuple[What, tuple[Reading, ...]], ...] = (
        ("systolic", facts.systolic),
        ("mean-pressure", facts.mean_pressure),
        ("saturation", facts.saturations),
        ("ice", facts.ice),
        ("capd", facts.capd),
    )
    for what, readings in named:
        for one in readings:
            yield _number(what, one, value_of(one.evidence))


def _number(what: What, one: Reading, shown: str) -> Item:
    return Item(
        at=one.at,
        what=what,
        shown=shown,
        ref=plain(one.evidence.ref),
        value=one.value,
        marks=(*_early(one.preliminary), *said(one.evidence.note)),
    )


def _states(facts: Facts) -> Iterator[Item]:
    named: tuple[tuple[What, tuple[Charted, ...]], ...] = (
        ("oxygen", facts.oxygen),
        ("arousal", facts.arousal),
        ("seizure", facts.seizure),
        ("motor", facts.motor),
        ("raised-icp", facts.raised_icp),
        ("support", facts.support),
        ("ice-doubt", facts.ice_doubts),
    )
    for what, states in named:
        for one in states:
            yield _state(what, one)


def _state(what: What, one: Charted) -> Item:
    return Item(
        at=one.at,
        what=what,
        shown=value_of(one.evidence) or "no word charted",
        ref=plain(one.evidence.ref),
        levels=one.levels,
        flow=one.flow,
        marks=(*_early(one.preliminary), *said(one.evidence.note)),
    )


def _rest(facts: Facts) -> Iterator[Item]:
    for grade in facts.grades:
        yield Item(
            at=grade.at,
            what="crs-charted" if grade.toxicity == "crs" else "icans-charted",
            shown=f"grade {grade.grade}",
            ref=plain(grade.evidence.ref),
            value=Decimal(grade.grade),
            marks=() if grade.usable else ("not used as a clinician's grade",),
        )
    for bolus in facts.boluses:
        yield Item(
            at=bolus.at,
            what="bolus",
            shown=value_of(bolus.evidence) or "amount not stated",
            ref=plain(bolus.evidence.ref),
            marks=(*_unless(bolus.certain, "may be maintenance"), *said(bolus.evidence.note)),
        )
    for one in facts.consciousness:
        yield Item(
            at=one.at,
            what="consciousness",
            shown=plain(f"{one.scale} {one.value}"),
            ref=plain(one.evidence.ref),
        )
    for bad in facts.unusable:
        yield Item(
            at=bad.at,
            what="not-used",
            shown=f"{bad.fact.replace('-', ' ')}: {value_of(bad.evidence) or 'value not usable'}",
            ref=plain(bad.evidence.ref),
            marks=("cannot be used",),
        )


def _early(preliminary: bool) -> tuple[str, ...]:
    return ("preliminary",) if preliminary else ()


def _unless(sure: bool, word: str) -> tuple[str, ...]:
    return () if sure else (word,)


def _marked(item: Item, marks: Mapping[str, str]) -> Item:
    """With the state of its resource, said once."""
    state = marks.get(item.ref, "")
    if not state or state in item.marks:
        return item
    rest = (one for one in item.marks if one != "preliminary")
    return item.with_marks((state, *rest))


def charted_times(items: Iterable[Item], since: datetime) -> tuple[datetime, ...]:
    """When something was charted from `since` on: each time once, oldest first."""
    return tuple(sorted({one.at for one in items if one.at >= since}))
