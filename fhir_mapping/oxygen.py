"""Oxygen: what is delivered by which device at which flow over time, on the ASTCT levels.

Device first, flow second. Nothing charted is not room air; a device that is not recognised leaves
every level possible; of devices used at the same time the highest counts.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from fhir_mapping.codes import CodeSets
from fhir_mapping.datatypes import Quantity
from fhir_mapping.device_times import while_in_use
from fhir_mapping.devices import Use
from fhir_mapping.oxygen_device import LEVELS, device_tiers, highest, is_coded, tier_levels
from fhir_mapping.readings import Scope, is_preliminary, reference_to, unusable
from fhir_mapping.record import Record, Seen
from fhir_mapping.units import canonical, oxygen_fraction
from knowledge.facts import Charted, Evidence


_NEAR = timedelta(minutes=30)
_AMOUNTS = frozenset({"oxygen-flow", "oxygen-fraction"})
_CARRIERS = (*sorted(_AMOUNTS), "saturation", "saturation-room-air", "oxygen-device")
_AT = attrgetter("at")
_AIR = Decimal(21)  # percent of oxygen


class Flow(NamedTuple):
    """Litres per minute, or the inspired oxygen in percent, at one time; None: not usable."""

    at: datetime
    rate: Decimal | None
    seen: Seen
    fact: str


def read_oxygen(
    record: Record,
    scope: Scope,
    codes: CodeSets,
    on_room_air: Iterable[Charted],
    uses: Sequence[Use] = (),
) -> tuple[Charted, ...]:
    """What was delivered, oldest first; several levels where the record cannot tell."""
    amounts = _amounts(record, scope, codes)
    amounts.sort(key=lambda one: one.at)
    flows = [one for one in amounts if one.fact == "oxygen-flow" and one.rate is not None]
    fractions = [one for one in amounts if one.fact != "oxygen-flow" and one.rate is not None]
    own = {id(one.seen): one for one in flows if one.seen.concept.fact == "oxygen-device"}
    charted = list(on_room_air)
    for seen in record.observations.get("oxygen-device", ()):
        at = scope.time_of(seen, "oxygen-device")
        if at is None:
            unusable(seen, "oxygen-device", scope)
            continue
        flow = own.get(id(seen)) or _nearest(flows, at)
        charted.append(_charted(seen, at, flow, _nearest(fractions, at), scope, codes))
    charted = while_in_use(uses, _highest_rates(flows), charted, scope)
    devices = sorted(one.at for one in charted)
    on_air = set(devices) - {one.at for one in charted if one.levels != LEVELS[:1]}
    for amount in amounts:
        if not _has_device(devices, amount.at):
            charted.extend(_without_device(amount, scope))
        elif amount.at in on_air and _delivers(amount):
            scope.notes.missing("oxygen-device", "room air and oxygen are charted at the same time")
            charted.append(_open(amount))
    return tuple(_concurrent(charted))


def _highest_rates(flows: Iterable[Flow]) -> list[tuple[datetime, Decimal]]:
    """Litres per minute by time, oldest first; of several at one time the highest."""
    return [(at, max(map(_number, same))) for at, same in groupby(flows, key=_AT)]


def _has_device(devices: Sequence[datetime], at: datetime) -> bool:
    place = bisect_left(devices, at - _NEAR)
    return place < len(devices) and devices[place] <= at + _NEAR


def _amounts(record: Record, scope: Scope, codes: CodeSets) -> list[Flow]:
    """Flows and fractions of their own, and as a component of a saturation or a device."""
    found: list[Flow] = []
    for fact in _CARRIERS:
        for seen in record.observations.get(fact, ()):
            if seen.observation.component or fact in _AMOUNTS:
                found.extend(_own(seen, scope, codes))
    return found


def _own(seen: Seen, scope: Scope, codes: CodeSets) -> Iterator[Flow]:
    """The amounts this Observation itself carries, as its value or in its components."""
    for fact, quantity in _quantities(seen, codes):
        at = scope.time_of(seen, fact)
        if at is None:
            unusable(seen, "oxygen-device", scope)
            continue
        rate = canonical("flow", quantity) if fact == "oxygen-flow" else oxygen_fraction(quantity)
        if isinstance(rate, str):
            scope.notes.rejected(fact, str(seen.place), rate)
        yield Flow(at, rate if isinstance(rate, Decimal) else None, seen, fact)


def _quantities(seen: Seen, codes: CodeSets) -> Iterator[tuple[str, Quantity]]:
    own = seen.observation.value_quantity
    if seen.concept.fact in _AMOUNTS and own is not None:
        yield seen.concept.fact, own
    for component in seen.observation.component:
        for coding in component.code.coding if component.code is not None else ():
            concept = codes.observations.get((coding.system, coding.code))
            if concept is not None and concept.fact in _AMOUNTS:
                if component.value_quantity is not None:
                    yield concept.fact, component.value_quantity
                break


def _nearest(amounts: Sequence[Flow], at: datetime) -> Flow | None:
    """The amount charted closest to the device, within half an hour; the later, then the higher."""
    first = bisect_left(amounts, at - _NEAR, key=_AT)
    last = bisect_right(amounts, at + _NEAR, lo=first, key=_AT)
    if last - first <= 1:
        return amounts[first] if first < last else None
    near = amounts[first:last]
    return min(near, key=lambda one: (abs(one.at - at), at - one.at, -_number(one)))


def _number(amount: Flow) -> Decimal:
    return amount.rate if amount.rate is not None else Decimal(0)


def _charted(
    seen: Seen,
    at: datetime,
    flow: Flow | None,
    fraction: Flow | None,
    scope: Scope,
    codes: CodeSets,
) -> Charted:
    observation = seen.observation
    words, tiers = device_tiers(observation, codes)
    rate = flow.rate if flow is not None else None
    levels: tuple[str, ...] = ()
    for tier in tiers:
        levels = highest(levels, tier_levels(tier, rate, scope))
    said = [
        "" if is_coded(observation, codes) or not levels else "read from text",
        "" if rate is None else f"{_plain(rate)} L/min",
        "" if fraction is None else f"FiO2 {_plain(_number(fraction))} %",
    ]
    note = ", ".join(text for text in said if text)
    evidence = Evidence(reference_to(observation), seen.concept.code, words, "", at, note)
    if levels:
        return Charted(at, levels, evidence, is_preliminary(observation), rate)
    reason = f"oxygen device not recognised: {words}" if words else "oxygen device not stated"
    scope.notes.rejected("oxygen-device", str(seen.place), reason)
    return Charted(at, LEVELS, evidence, is_preliminary(observation))


def _without_device(amount: Flow, scope: Scope) -> Iterator[Charted]:
    """Oxygen by something; an amount that cannot be used leaves it open whether any was given."""
    observation = amount.seen.observation
    code = amount.seen.concept.code
    if amount.rate is None:
        yield _open(amount)
        return
    if not _delivers(amount):
        return
    is_flow = amount.fact == "oxygen-flow"
    name = "an oxygen flow" if is_flow else "an inspired oxygen fraction"
    scope.notes.missing("oxygen-device", f"{name} is charted without a device")
    unit = "L/min" if is_flow else "%"
    evidence = Evidence(reference_to(observation), code, _plain(amount.rate), unit, amount.at)
    yield Charted(amount.at, LEVELS[1:], evidence, is_preliminary(observation))


def _delivers(amount: Flow) -> bool:
    """Whether more than room air is given; False where the amount is not usable."""
    least = Decimal(0) if amount.fact == "oxygen-flow" else _AIR
    return amount.rate is not None and amount.rate > least


def _open(amount: Flow) -> Charted:
    """Every level possible: whether oxygen was given at this time cannot be told."""
    observation = amount.seen.observation
    evidence = Evidence(reference_to(observation), amount.seen.concept.code, at=amount.at)
    return Charted(amount.at, LEVELS, evidence, is_preliminary(observation))


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _concurrent(charted: Iterable[Charted]) -> Iterable[Charted]:
    """Devices charted at the same time are in use together: the highest counts."""
    for at, group in groupby(sorted(charted, key=_AT), key=_AT):
        items = list(group)
        levels: tuple[str, ...] = ()
        for item in items:
            levels = highest(levels, item.levels)
        # The evidence shown is that of the device that makes the level.
        top = max(items, key=_rank)
        yield Charted(at, levels, top.evidence, top.preliminary, top.flow)


def _rank(one: Charted) -> tuple[int, Decimal, str]:
    """By level, then by flow, then by name, so that the order of the request says nothing."""
    flow = one.flow if one.flow is not None else Decimal(-1)
    return LEVELS.index(one.levels[-1]), flow, one.evidence.ref
