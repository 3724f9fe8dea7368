"""Oxygen: what is delivered by which device at which flow over time, on the ASTCT levels.

Device first, flow second. Nothing charted is not room air; a device that is not recognised leaves
every level possible; of devices used at the same time the highest counts.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from fhir_mapping.codes import CodeSets
from fhir_mapping.datatypes import Quantity
from fhir_mapping.oxygen_device import LEVELS, device_tiers, highest, tier_levels
from fhir_mapping.readings import Scope, in_order, is_preliminary, reference_to
from fhir_mapping.record import Record, Seen
from fhir_mapping.units import canonical
from knowledge.facts import Charted, Evidence


_NEAR = timedelta(minutes=30)


class Flow(NamedTuple):
    """Litres per minute at one time."""

    at: datetime
    rate: Decimal
    seen: Seen


def read_oxygen(
    record: Record, scope: Scope, codes: CodeSets, on_room_air: Iterable[Charted]
) -> tuple[Charted, ...]:
    """What was delivered, oldest first; several levels where the record cannot tell."""
    flows = _flows(record, scope, codes)
    charted = list(on_room_air)
    used: set[datetime] = set()
    for seen in record.observations.get("oxygen-device", ()):
        at = scope.time_of(seen, "oxygen-device")
        if at is None:
            continue
        flow = _own_flow(seen, scope, codes) or _nearest(flows, at)
        if flow is not None:
            used.add(flow.at)
        charted.append(_charted(seen, at, flow, scope, codes))
    devices = [one.at for one in charted]
    for flow in flows:
        lonely = all(abs(flow.at - at) > _NEAR for at in devices)
        if flow.rate > 0 and flow.at not in used and lonely:
            charted.append(_without_device(flow, scope))
    return tuple(_concurrent(charted))


def _flows(record: Record, scope: Scope, codes: CodeSets) -> list[Flow]:
    """Flows of their own and as a component of a saturation."""
    found: list[Flow] = []
    for seen in record.observations.get("oxygen-flow", ()):
        at = scope.time_of(seen, "oxygen-flow")
        flow = _own_flow(seen, scope, codes) if at is not None else None
        if flow is not None:
            found.append(flow)
    for fact in ("saturation", "saturation-room-air"):
        for seen in record.observations.get(fact, ()):
            if seen.observation.component:
                flow = _own_flow(seen, scope, codes)
                if flow is not None and scope.since <= flow.at:
                    found.append(flow)
    return found


def _own_flow(seen: Seen, scope: Scope, codes: CodeSets) -> Flow | None:
    """The flow this Observation itself carries, as its value or in a component."""
    quantity = _flow_quantity(seen, codes)
    at = scope.time_of(seen, "oxygen-flow") if quantity is not None else None
    if quantity is None or at is None:
        return None
    rate = canonical("flow", quantity)
    if isinstance(rate, str):
        scope.notes.rejected("oxygen-flow", str(seen.place), rate)
        return None
    return Flow(at, rate, seen)


def _flow_quantity(seen: Seen, codes: CodeSets) -> Quantity | None:
    if seen.concept.fact == "oxygen-flow" and seen.observation.value_quantity is not None:
        return seen.observation.value_quantity
    for component in seen.observation.component:
        for coding in component.code.coding if component.code is not None else ():
            concept = codes.observations.get((coding.system, coding.code))
            if concept is not None and concept.fact == "oxygen-flow":
                return component.value_quantity
    return None


def _nearest(flows: Iterable[Flow], at: datetime) -> Flow | None:
    """The flow charted closest to the device, within half an hour; of equals the later."""
    near = [flow for flow in flows if abs(flow.at - at) <= _NEAR]
    return min(near, key=lambda flow: (abs(flow.at - at), at - flow.at), default=None)


def _charted(seen: Seen, at: datetime, flow: Flow | None, scope: Scope, codes: CodeSets) -> Charted:
    observation = seen.observation
    words, tiers = device_tiers(observation, codes)
    levels: tuple[str, ...] = ()
    for tier in tiers:
        levels = highest(levels, tier_levels(tier, flow.rate if flow else None, scope))
    note = f"{flow.rate.normalize():f} L/min" if flow else ""
    evidence = Evidence(reference_to(observation), seen.concept.code, words, "", at, note)
    if levels:
        rate = flow.rate if flow else None
        return Charted(at, levels, evidence, is_preliminary(observation), rate)
    reason = f"oxygen device not recognised: {words}" if words else "oxygen device not stated"
    scope.notes.rejected("oxygen-device", str(seen.place), reason)
    return Charted(at, LEVELS, evidence, is_preliminary(observation))


def _without_device(flow: Flow, scope: Scope) -> Charted:
    scope.notes.missing("oxygen-device", "an oxygen flow is charted without a device")
    observation = flow.seen.observation
    text = f"{flow.rate.normalize():f}"
    code = flow.seen.concept.code
    evidence = Evidence(reference_to(observation), code, text, "L/min", flow.at)
    return Charted(flow.at, LEVELS[1:], evidence, is_preliminary(observation))


def _concurrent(charted: Iterable[Charted]) -> Iterable[Charted]:
    """Devices charted at the same time are in use together: the highest counts."""
    for at, group in groupby(in_order(charted), key=lambda one: one.at):
        items = list(group)
        levels: tuple[str, ...] = ()
        for item in items:
            levels = highest(levels, item.levels)
        # The evidence shown is that of the device that makes the level.
        top = max(items, key=lambda one: LEVELS.index(one.levels[-1]))
        yield Charted(at, levels, top.evidence, top.preliminary, top.flow)
