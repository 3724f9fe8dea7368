"""Oxygen: saturation, and what is delivered by which device at which flow, on the ASTCT levels.

Device first, flow second. Nothing charted is not room air; a device that is not recognised leaves
every level possible; of devices used at the same time the highest counts.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, product
from typing import NamedTuple

from fhir_mapping.codes import CodeSets
from fhir_mapping.readings import (
    Scope,
    in_order,
    is_preliminary,
    plain,
    reading,
    reference_to,
    shown,
)
from fhir_mapping.record import Record, Seen
from fhir_mapping.resources import Observation, Quantity
from fhir_mapping.units import canonical, recorded_unit
from knowledge.facts import Charted, Evidence, Reading


LEVELS = ("none", "low-flow", "high-flow", "positive-pressure")
LOW_FLOW_MAX = Decimal(6)  # L/min by cannula, ASTCT 2019: low flow up to and including 6
_NEAR = timedelta(minutes=30)
_TIERS: dict[str, tuple[str, ...]] = {
    "room-air": ("none",),
    "blow-by": ("low-flow",),
    "mask": ("high-flow",),
    "high-concentration": ("high-flow", "positive-pressure"),
    "positive-pressure": ("positive-pressure",),
    "tracheostomy": LEVELS,
    "unplaced": LEVELS,
}


class Saturations(NamedTuple):
    """Readings in percent, and the statements "on room air" some codes make."""

    readings: tuple[Reading, ...]
    on_room_air: tuple[Charted, ...]


class Flow(NamedTuple):
    """Litres per minute at one time."""

    at: datetime
    rate: Decimal
    seen: Seen


def read_saturations(record: Record, scope: Scope) -> Saturations:
    """Every usable saturation in the window, oldest first."""
    found: list[Reading] = []
    room_air: list[Charted] = []
    for fact in ("saturation", "saturation-room-air"):
        for seen in record.observations.get(fact, ()):
            at = scope.time_of(seen, "saturation")
            quantity = seen.observation.value_quantity
            if at is None:
                continue
            if quantity is None:
                scope.notes.rejected("saturation", str(seen.place), "saturation without a value")
                continue
            value = canonical("saturation", quantity)
            if isinstance(value, str):
                scope.notes.rejected("saturation", str(seen.place), value)
                continue
            ratio = recorded_unit(quantity) == "1"
            note = f"recorded as a ratio, used as {value.normalize():f} %" if ratio else ""
            one = reading(seen, quantity, value, at, note=note)
            found.append(one)
            if fact == "saturation-room-air":
                room_air.append(Charted(at, ("none",), one.evidence, one.preliminary))
    return Saturations(in_order(found), in_order(room_air))


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
        levels = _highest(levels, tier_levels(tier, flow.rate if flow else None, scope))
    note = f"{flow.rate.normalize():f} L/min" if flow else ""
    evidence = Evidence(reference_to(observation), seen.concept.code, words, "", at, note)
    if levels:
        return Charted(at, levels, evidence, is_preliminary(observation))
    reason = f"oxygen device not recognised: {words}" if words else "oxygen device not stated"
    scope.notes.rejected("oxygen-device", str(seen.place), reason)
    return Charted(at, LEVELS, evidence, is_preliminary(observation))


def device_tiers(observation: Observation, codes: CodeSets) -> tuple[str, tuple[str, ...]]:
    """The device as written, and its tiers: by code, else by the whole text, else by its parts.

    One unrecognised part makes the whole unrecognised: it might be the highest.
    """
    concept = observation.value_codeable_concept
    texts = [observation.value_string]
    if concept is not None:
        found = [codes.devices.get((coding.system, coding.code)) for coding in concept.coding]
        local = [codes.device_texts.get(plain(coding.code)) for coding in concept.coding]
        texts = [concept.text, *(coding.display for coding in concept.coding)]
        tiers = tuple(tier for tier in (*found, *local) if tier is not None)
        if tiers:
            return shown(next((text for text in texts if text), tiers[0])), tiers
    for text in texts:
        tiers = _text_tiers(text, codes)
        if tiers:
            return shown(text or ""), tiers
    return shown(next((text for text in texts if text), "")), ()


def _text_tiers(text: str | None, codes: CodeSets) -> tuple[str, ...]:
    whole = codes.device_texts.get(plain(text))
    if whole is not None:
        return (whole,)
    parts = plain(text).replace("/", ";").replace(",", ";").split(";")
    tiers = [codes.device_texts.get(part.strip()) for part in parts if part.strip()]
    return tuple(tier for tier in tiers if tier is not None) if None not in tiers else ()


def tier_levels(tier: str, rate: Decimal | None, scope: Scope) -> tuple[str, ...]:
    """The ASTCT levels a device of this tier can mean at this flow (L/min)."""
    notes = scope.notes
    if tier == "cannula":
        if rate is None:
            notes.missing("oxygen-flow", "nasal cannula without a flow")
            return ("low-flow", "high-flow")
        if rate == LOW_FLOW_MAX:
            text = "nasal cannula at exactly 6 L/min: low flow on the ASTCT scale"
            notes.notice("flow-boundary", text)
        if rate == 0:
            return ("none", "low-flow")
        return ("high-flow",) if rate > LOW_FLOW_MAX else ("low-flow",)
    if tier == "high-flow-cannula":
        if rate is not None and rate <= LOW_FLOW_MAX:
            text = "high-flow nasal cannula at 6 L/min or less: low or high flow"
            notes.notice("high-flow-device-low-flow", text)
            return ("low-flow", "high-flow")
        return ("high-flow",)
    if tier == "tracheostomy":
        notes.missing("oxygen-device", "tracheostomy: its device has no place on the ASTCT scale")
    if tier == "unplaced":
        notes.missing("oxygen-device", "oxygen charted by a device without a place on the scale")
    return _TIERS[tier]


def _without_device(flow: Flow, scope: Scope) -> Charted:
    scope.notes.missing("oxygen-device", "an oxygen flow is charted without a device")
    observation = flow.seen.observation
    text = f"{flow.rate.normalize():f}"
    code = flow.seen.concept.code
    evidence = Evidence(reference_to(observation), code, text, "L/min", flow.at)
    return Charted(flow.at, LEVELS[1:], evidence, is_preliminary(observation))


def _highest(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """The levels possible for the higher of two, in order."""
    if not one or not other:
        return one or other
    ranks = {max(LEVELS.index(a), LEVELS.index(b)) for a, b in product(one, other)}
    return tuple(LEVELS[rank] for rank in sorted(ranks))


def _concurrent(charted: Iterable[Charted]) -> Iterable[Charted]:
    """Devices charted at the same time are in use together: the highest counts."""
    for at, group in groupby(in_order(charted), key=lambda one: one.at):
        items = list(group)
        levels: tuple[str, ...] = ()
        for item in items:
            levels = _highest(levels, item.levels)
        # The evidence shown is that of the device that makes the level.
        top = max(items, key=lambda one: LEVELS.index(one.levels[-1]))
        yield Charted(at, levels, top.evidence, top.preliminary)
