"""Oxygen saturation in percent, and what some of its codes say about the air that was breathed."""

from typing import NamedTuple

from fhir_mapping.readings import Scope, in_order, lowest_last, reading, unusable
from fhir_mapping.record import Record
from fhir_mapping.units import canonical, recorded_unit
from knowledge.facts import Charted, Reading


class Saturations(NamedTuple):
    """Readings in percent, and the statements "on room air" some codes make."""

    readings: tuple[Reading, ...]
    on_room_air: tuple[Charted, ...]


def read_saturations(record: Record, scope: Scope) -> Saturations:
    """Every usable saturation in the window, oldest first."""
    found: list[Reading] = []
    room_air: list[Charted] = []
    for fact in ("saturation", "saturation-room-air"):
        for seen in record.observations.get(fact, ()):
            at = scope.time_of(seen, "saturation")
            quantity = seen.observation.value_quantity
            if at is None:
                if quantity is not None:
                    unusable(seen, "saturation", scope, canonical("saturation", quantity))
                continue
            if quantity is None:
                scope.notes.rejected("saturation", str(seen.place), "saturation without a value")
                continue
            value = canonical("saturation", quantity)
            if isinstance(value, str):
                scope.notes.rejected("saturation", str(seen.place), value)
                unusable(seen, "saturation", scope)
                continue
            ratio = recorded_unit(quantity) == "1"
            note = f"recorded as a ratio, used as {value.normalize():f} %" if ratio else ""
            one = reading(seen, quantity, value, at, note=note)
            found.append(one)
            if fact == "saturation-room-air":
                room_air.append(Charted(at, ("none",), one.evidence, one.preliminary))
    return Saturations(lowest_last(found), in_order(room_air))
