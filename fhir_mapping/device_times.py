"""Devices in use beside what else is charted: the state of oxygen at each time that matters.

Of devices in use together the highest counts. Another entry charted while a device is in use is
either true beside it or in its place: nobody charted which, so both stay possible.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import TypeAlias

import msgspec

from fhir_mapping.devices import LEAST, Use
from fhir_mapping.notes import Notes
from fhir_mapping.oxygen_device import LEVELS, highest, tier_levels
from fhir_mapping.readings import Scope
from knowledge.facts import Charted


Rates: TypeAlias = Sequence[tuple[datetime, Decimal]]  # L/min, oldest first, one a time
_AT = attrgetter("at")
_NEAR = timedelta(minutes=30)
# Project decisions: how long a flow or another entry is taken to hold beside a device in use.
_FLOW_HOLDS = timedelta(hours=2)
_ENTRY_HOLDS = timedelta(hours=4)
_REPEAT = timedelta(hours=12)  # a use that goes on is seen beside a dose this often
_POSITIVE = LEVELS[-1]


def while_in_use(
    uses: Sequence[Use], rates: Rates, charted: Iterable[Charted], scope: Scope
) -> list[Charted]:
    """What is charted, and the state at each start, flow and end of a device in use, and now."""
    others = sorted(charted, key=_AT)
    if not uses:
        return others
    entries = {at: list(same) for at, same in groupby(others, key=_AT)}
    ended = {use.end: use for use in uses if use.end is not None}
    found: list[Charted] = []
    for at, active in _active(uses, _times(uses, rates, others, scope)):
        here = entries.get(at, [])
        if active:
            loud = scope if at == scope.now else scope._replace(notes=Notes())
            state = _state(active, at, rates, loud)
            found.extend(
                [_beside(one, state) for one in here] or [_since(state, active, others, loud)]
            )
        elif here:
            found.extend(here)
        elif at in ended:
            found.append(Charted(at, LEVELS, ended[at].evidence))
    return found


def _times(
    uses: Sequence[Use], rates: Rates, others: Iterable[Charted], scope: Scope
) -> list[datetime]:
    """When anything begins, ends or is charted; and now, and regularly before now."""
    times = {scope.now, *(one.at for one in others), *(at for at, _ in rates)}
    for use in uses:
        times.add(use.start)
        if use.end is not None:
            times |= {max(use.start, use.end - LEAST), use.end}
    at = scope.now
    while at > max(scope.since, uses[0].start):
        times.add(at)
        at -= _REPEAT
    entries = {one.at for one in others}
    return sorted(at for at in times if at in entries or scope.since <= at <= scope.now)


def _active(
    uses: Sequence[Use], times: Iterable[datetime]
) -> Iterator[tuple[datetime, tuple[Use, ...]]]:
    """Which devices are in use at each time: of each kind the one begun last."""
    kinds: dict[tuple[tuple[str, ...], bool], dict[int, Use]] = {}
    begin, number = 0, len(uses)
    ends = sorted((one.end, index) for index, one in enumerate(uses) if one.end is not None)
    finish = 0
    for at in times:
        while begin < number and uses[begin].start <= at:
            use = uses[begin]
            kinds.setdefault((use.tiers, use.other), {})[begin] = use
            begin += 1
        while finish < len(ends) and ends[finish][0] <= at:
            index = ends[finish][1]
            del kinds[uses[index].tiers, uses[index].other][index]
            finish += 1
        yield at, tuple(next(reversed(same.values())) for same in kinds.values() if same)


def _state(active: Sequence[Use], at: datetime, rates: Rates, scope: Scope) -> Charted:
    """The devices of one time by themselves; the evidence is that of the highest."""
    since = max(use.start for use in active)
    rate = _rate(rates, at, since)
    each = [(use, _levels(use, rate, scope)) for use in active]
    levels: tuple[str, ...] = ()
    for _, one in each:
        levels = highest(levels, one)
    top = max(
        each, key=lambda pair: (LEVELS.index(pair[1][-1]), pair[0].start, pair[0].evidence.ref)
    )
    said = "in use" if rate is None else f"in use, {rate.normalize():f} L/min"
    evidence = msgspec.structs.replace(top[0].evidence, note=said)
    return Charted(at, levels, evidence, flow=rate)


def _levels(use: Use, rate: Decimal | None, scope: Scope) -> tuple[str, ...]:
    levels: tuple[str, ...] = ()
    for tier in use.tiers:
        levels = highest(levels, tier_levels(tier, rate, scope))
    return LEVELS if use.other and _POSITIVE in levels else levels


def _rate(rates: Rates, at: datetime, since: datetime) -> Decimal | None:
    """The flow closest to a time, or the last one charted not long before it during the use."""
    place = bisect_right(rates, at, key=itemgetter(0))
    around = rates[max(place - 1, 0) : place + 1]
    near = [one for one in around if abs(one[0] - at) <= _NEAR]
    if near:
        return min(near, key=lambda one: (abs(one[0] - at), at - one[0]))[1]
    if place and rates[place - 1][0] >= max(since, at - _FLOW_HOLDS):
        return rates[place - 1][1]
    return None


def _beside(entry: Charted, state: Charted) -> Charted:
    """An entry while a device is in use: both together, or the entry alone."""
    together = highest(entry.levels, state.levels)
    top = max(entry, state, key=lambda one: LEVELS.index(one.levels[-1]))
    return msgspec.structs.replace(
        entry, levels=_in_order(entry.levels, together), evidence=top.evidence
    )


def _since(
    state: Charted, active: Sequence[Use], others: Sequence[Charted], scope: Scope
) -> Charted:
    """The state of a device in use, with what was charted last since it began."""
    place = bisect_left(others, state.at, key=_AT)
    last = others[place - 1] if place else None
    if last is None or last.at <= max(use.start for use in active):
        return state
    fresh = state.at - last.at <= _ENTRY_HOLDS
    base = highest(state.levels, last.levels) if fresh else state.levels
    levels = _in_order(base, last.levels)
    if levels != state.levels:
        text = "a device in use and what was charted after it began differ: which holds is unclear"
        scope.notes.missing("oxygen-device", text)
    return msgspec.structs.replace(state, levels=levels)


def _in_order(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(level for level in LEVELS if level in one or level in other)
