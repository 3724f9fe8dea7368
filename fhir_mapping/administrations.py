"""Medicines that were given: doses of bispecifics and anti-cytokine drugs, and what masks fever.

Not done or entered in error is no administration; on hold or stopped is one that has ended.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from fhir_mapping.codes import CodeSets, Drug, RouteWord
from fhir_mapping.datatypes import Quantity
from fhir_mapping.medications import drug_of, is_identified, name_of, read_route, says_local
from fhir_mapping.readings import Scope
from fhir_mapping.record import Record
from fhir_mapping.resources import MedicationAdministration
from fhir_mapping.times import read_when
from fhir_mapping.units import canonical, find_unit
from knowledge.facts import Bolus, Dose, Evidence, Masking, MaskingKind, Route


_NOT_GIVEN = frozenset({"not-done", "entered-in-error"})
_DOSED = frozenset({"btce", "tocilizumab", "anakinra", "siltuximab"})
_MASKING: dict[str, MaskingKind] = {
    "tocilizumab": "anticytokine",
    "anakinra": "anticytokine",
    "siltuximab": "anticytokine",
    "corticosteroid": "steroid",
    "antipyretic": "antipyretic",
}
_BOLUS_ML = Decimal(250)  # the smallest volume charted as resuscitation, given within an hour
_BOLUS_TIME = timedelta(hours=1)
_MILLILITRES = {"mL": 1, "ml": 1, "L": 1000}


class Given(NamedTuple):
    """One administration that happened, with its drug, times and route."""

    resource: MedicationAdministration
    drug: Drug
    start: datetime
    end: datetime | None
    route: RouteWord | None
    evidence: Evidence


def read_given(record: Record, scope: Scope, codes: CodeSets) -> tuple[Given, ...]:
    """Every administration of a drug that is known here, oldest first; of any age."""
    found = sorted(_given(record, scope, codes), key=lambda one: one.start)
    return tuple(found)


def _given(record: Record, scope: Scope, codes: CodeSets) -> Iterator[Given]:
    for resource, place in record.administrations:
        if resource.status in _NOT_GIVEN:
            continue
        name = name_of(resource, record.medications)
        drug = drug_of(resource, record.medications, codes)
        if drug is None:
            continue
        when = read_when(resource.effective_date_time, resource.effective_period, scope.now)
        if when.start is None:
            reason = f"{drug.ingredient} given: {when.problem}"
            scope.notes.rejected("administrations", str(place), reason)
            continue
        dosage = resource.dosage
        route = read_route((dosage.route if dosage else None,), codes)
        if route is None and says_local((name,), codes):
            route = "local"
        if route is None and drug.subcutaneous:
            route = "sc"
        value, unit = _recorded(dosage.dose if dosage else None)
        ref = f"MedicationAdministration/{resource.id}" if resource.id else str(place)
        evidence = Evidence(ref, drug.ingredient, value, unit, when.start, name)
        end = when.end if resource.effective_date_time is None else None
        yield Given(resource, drug, when.start, end, route, evidence)


def unnamed_in_window(record: Record, scope: Scope, codes: CodeSets) -> bool:
    """Whether a medicine nobody can name was given: it may be any of those looked for here.

    Each is named by its place. One that ended before the window does not matter.
    """
    found = False
    for resource, place in record.administrations:
        if resource.status in _NOT_GIVEN or is_identified(resource, record.medications, codes):
            continue
        if drug_of(resource, record.medications, codes) is not None:
            continue
        when = read_when(resource.effective_date_time, resource.effective_period, scope.now)
        if when.start is None or (when.end or when.start) >= scope.since:
            reason = "an administration of an unnamed medicine: a local code without a name"
            scope.notes.rejected("administrations", str(place), reason)
            found = True
    return found


def _recorded(quantity: Quantity | None) -> tuple[str, str]:
    if quantity is None:
        return "", ""
    return bytes(quantity.value).decode()[:24], (quantity.code or quantity.unit or "")[:24]


def read_doses(given: tuple[Given, ...]) -> tuple[Dose, ...]:
    """Doses of bispecifics, tocilizumab, anakinra and siltuximab."""
    return tuple(
        Dose(
            one.drug.ingredient,
            one.start,
            one.end,
            one.evidence,
            to_route(one.route),
            milligrams(one.resource.dosage.dose if one.resource.dosage else None),
            *_rate(one.resource.dosage.rate_quantity if one.resource.dosage else None),
        )
        for one in given
        if one.drug.kind in _DOSED
    )


def _rate(quantity: Quantity | None) -> tuple[Decimal | None, str]:
    """The rate of an infusion in mcg/day; any other unit says nothing about the dose level."""
    value = canonical("rate", quantity) if quantity is not None else ""
    return (None, "") if isinstance(value, str) else (value, "mcg/day")


def to_route(word: RouteWord | None) -> Route | None:
    """The route as the facts know it; a local route is some other one."""
    return "other" if word == "local" else word


def milligrams(quantity: Quantity | None) -> Decimal | None:
    """A dose in mg, or None if it is not a mass or not plausible."""
    if quantity is None:
        return None
    unit = find_unit("dose", quantity.system, quantity.code, quantity.unit)
    value = canonical("dose", quantity)
    return None if isinstance(value, str) or unit is None or "/" in unit.name else value


def read_masking(given: tuple[Given, ...]) -> tuple[Masking, ...]:
    """Drugs that may hide fever, unless they acted only where they were put."""
    return tuple(
        Masking(one.start, _MASKING[one.drug.kind], one.drug.ingredient, one.evidence)
        for one in given
        if one.drug.kind in _MASKING and one.route != "local"
    )


def read_boluses(given: tuple[Given, ...], scope: Scope) -> tuple[Bolus, ...]:
    """Fluid resuscitation by the administration record: at least 250 mL within an hour."""
    found = [
        Bolus(one.start, one.evidence)
        for one in given
        if one.drug.kind == "fluid" and one.start >= scope.since and _is_bolus(one)
    ]
    return tuple(sorted(found, key=lambda one: one.at))


def _is_bolus(one: Given) -> bool:
    dosage = one.resource.dosage
    quantity = dosage.dose if dosage is not None else None
    if quantity is None or one.route not in {"iv", None} or one.end is None:
        return False
    factor = _MILLILITRES.get(quantity.code or quantity.unit or "")
    text = bytes(quantity.value).decode()
    if factor is None or not text.replace(".", "", 1).isdigit() or len(text) > 12:
        return False
    return Decimal(text) * factor >= _BOLUS_ML and one.end - one.start <= _BOLUS_TIME
