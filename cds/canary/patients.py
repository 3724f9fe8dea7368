"""The canary's patients, each with the hook request that is sent for it. Pure.

The data are those the rules of `expected` are about, chosen away from every number that a site may
set and from every rule that asks whether an event is the first one.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cds.canary.charted import (
    CANNULA,
    IDENTIFIERS,
    NOREPINEPHRINE,
    PHENYLEPHRINE,
    PREFIX,
    ROOM_AIR,
    TECLISTAMAB,
    TOCILIZUMAB,
    Chart,
)


_VEIN = ("47625008", "Intravenous route")
_SKIN = ("34206005", "Subcutaneous route")
SERVICES: Mapping[str, str] = MappingProxyType(
    {"order-sign": "btce-order-sign", "patient-view": "btce-patient-view"}
)


def request(name: str, now: datetime) -> dict[str, Any]:
    """The hook request for the patient `canary-<name>`; raises `KeyError` for another one."""
    chart = Chart(f"{PREFIX}{name}", now).given(40, TECLISTAMAB, "21")
    order = _DRAWN[name](chart)
    hook = "patient-view" if order is None else "order-sign"
    context: dict[str, Any] = {
        "userId": f"Practitioner/{PREFIX}clinician",
        "patientId": chart.patient,
    }
    if order is not None:
        entries = [{"resource": order}]
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return {
        "hook": hook,
        "hookInstance": str(uuid5(NAMESPACE_URL, f"{IDENTIFIERS}/{name}/{now.isoformat()}")),
        "context": context,
        "prefetch": chart.prefetch(),
    }


def _next_dose(chart: Chart) -> dict[str, Any]:
    return chart.draft(TECLISTAMAB, "110", _SKIN)


def _well(chart: Chart) -> Chart:
    chart.signs(0.5, celsius="36.8", pressure=(124, 78), saturation=98)
    return chart.breathing(0.5, ROOM_AIR).neurology(0.5, ice=10)


def _feverish(chart: Chart) -> Chart:
    """Fever, a normal pressure, and 2 L/min by nasal cannula: one organ, low flow."""
    chart.signs(0.5, celsius="39.0", pressure=(124, 78), saturation=94)
    return chart.breathing(0.5, CANNULA, 2).neurology(0.5, ice=10)


def _crs_2(chart: Chart) -> dict[str, Any]:
    return _next_dose(_feverish(chart))


def _crs_4(chart: Chart) -> dict[str, Any]:
    chart.signs(0.5, celsius="39.0", pressure=(86, 48), saturation=97)
    chart.breathing(0.5, ROOM_AIR).neurology(0.5, ice=10)
    chart.infusing(3, NOREPINEPHRINE, "0.1", "ug/kg/min")
    chart.infusing(3, PHENYLEPHRINE, "0.5", "ug/kg/min")
    return _next_dose(chart)


def _icans_2(chart: Chart) -> dict[str, Any]:
    chart.signs(0.5, celsius="36.8", pressure=(124, 78), saturation=98)
    return _next_dose(chart.breathing(0.5, ROOM_AIR).neurology(0.5, ice=5))


def _tocilizumab_cap(chart: Chart) -> dict[str, Any]:
    return _feverish(chart).weight(24, 110).draft(TOCILIZUMAB, "880", _VEIN)


def _tocilizumab_weight(chart: Chart) -> dict[str, Any]:
    return _feverish(chart).weight(24, 28).draft(TOCILIZUMAB, "224", _VEIN)


def _after_crs_2(chart: Chart) -> dict[str, Any]:
    """A grade 2 two days after an earlier dose, charted as over, and well since."""
    chart.administrations.clear()
    chart.given(168, TECLISTAMAB, "21")
    chart.grade(96, "crs", 0).grade(120, "crs", 2)
    return _next_dose(_well(chart))


def _nothing_charted(chart: Chart) -> dict[str, Any]:
    return _next_dose(chart)


def _opened(chart: Chart) -> None:
    _well(chart)


def _foreign(chart: Chart) -> dict[str, Any]:
    other = Chart(f"{PREFIX}another-patient", datetime.fromisoformat("2020-01-01T00:00:00+00:00"))
    _well(other)
    chart.vitals += other.vitals
    return _next_dose(chart)


_DRAWN = MappingProxyType(
    {
        "crs-2": _crs_2,
        "crs-4": _crs_4,
        "icans-2": _icans_2,
        "tocilizumab-cap": _tocilizumab_cap,
        "tocilizumab-weight": _tocilizumab_weight,
        "after-crs-2": _after_crs_2,
        "nothing-charted": _nothing_charted,
        "well": _opened,
        "foreign": _foreign,
    }
)
