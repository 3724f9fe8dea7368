"""The numbers a site may set for itself, and what each of them means.

Their defaults are `knowledge/data/site-defaults.yaml`; the types are those of its model.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from cds.config.kinds import Kind, Refused
from cds.config.setting import Setting
from knowledge.model import Header, SiteRules


_HEADER = {field.name for field in msgspec.structs.fields(Header)}
_TYPES = {f.name: f.type for f in msgspec.structs.fields(SiteRules) if f.name not in _HEADER}
_MAY_BE_ZERO = {"dose_tolerance_percent", "switch_minutes"}

_SAYS = {
    "crs_lookback_days": "Days after a dose within which an onset of CRS is attributed to it.",
    "icans_lookback_days": "Days after a dose within which an onset of ICANS is attributed to it.",
    "vitals_hours_in_hospital": "Hours vital signs and oxygen count as current in ED or hospital.",
    "vitals_hours_after_grade2": "The same once the event reached grade 2.",
    "vitals_hours_elsewhere": "The same outside ED and hospital.",
    "ice_hours": "Hours an ICE score counts as current.",
    "bolus_hours": "Hours a fluid bolus counts towards hypotension.",
    "antipyretic_hours": "Hours an antipyretic may hide fever.",
    "steroid_hours": "Hours a systemic corticosteroid may hide fever.",
    "anticytokine_days": "Days anti-cytokine therapy may hide fever.",
    "resolved_free_hours": "Hours observed free of every sign after which an event counts as over.",
    "systolic_below": "Systolic pressure, mmHg, below which an adult counts as hypotensive.",
    "mean_pressure_below": "Mean arterial pressure, mmHg, below which an adult counts as"
    " hypotensive.",
    "saturation_below": "Oxygen saturation, %, below which a patient counts as hypoxic.",
    "adult_years": "Years of age from which the pressure limits are used.",
    "oxygen_absent_means": "What no oxygen record means; `room-air` only where charting is shown"
    " to be mapped and complete.",
    "dose_tolerance_percent": "Percent by which an ordered dose may differ without a warning.",
    "switch_minutes": "Minutes between two vasopressors up to which one replaces the other.",
    "rems_stale_days": "Days after which the status of a REMS is to be confirmed.",
    "knowledge_stale_days": "Days after its last check when a knowledge file is due for review.",
}


def _kind(name: str, wanted: Any) -> Kind:
    def read(value: Any, folder: Path) -> Any:
        try:
            found = msgspec.convert(value, wanted)
        except msgspec.ValidationError as error:
            raise Refused(("", str(error))) from None
        if isinstance(found, int | Decimal):
            _refuse_nonsense(name, Decimal(found))
        return found

    return Kind(_words(wanted), read, None)


def _refuse_nonsense(name: str, number: Decimal) -> None:
    lowest = "0 or more" if name in _MAY_BE_ZERO else "above 0"
    if not number.is_finite() or number < 0 or (number == 0 and name not in _MAY_BE_ZERO):
        raise Refused(("", f"must be a number {lowest}"))


def _words(wanted: Any) -> str:
    if wanted is int:
        return "whole number"
    return "number" if wanted is Decimal else '`"unknown"` or `"room-air"`'


RULES = tuple(
    Setting(name=name, kind=_kind(name, wanted), says=_SAYS[name], default=None)
    for name, wanted in _TYPES.items()
)
