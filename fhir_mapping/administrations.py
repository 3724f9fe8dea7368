"""Medicines that were given: doses of bispecifics and anti-cytokine drugs, and what masks fever.

Not done or entered in error is no administration; on hold or stopped is one that has ended.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from fhir_mapping.bundles import Page
from fhir_mapping.codes import CodeSets, Drug, RouteWord
from fhir_mapping.datatypes import Quantity
from fhir_mapping.medications import Named, is_identified, name_of, read_route, says_local
from fhir_mapping.medications import given as given_by
from fhir_mapping.products import TOO_MUCH
from fhir_mapping.readings import Scope, in_order
from fhir_mapping.record import Record
from fhir_mapping.resources import MedicationAdministration
from fhir_mapping.times import latest, read_when
from fhir_mapping.units import canonical, find_unit
from knowledge.facts import Dose, Evidence, Masking, MaskingKind, Route


_NOT_GIVEN = frozenset({"not-done", "entered-in-error"})
_DOSED = frozenset({"btce", "tocilizumab", "anakinra", "siltuximab"})
_MASKING: dict[str, MaskingKind] = {
    "tocilizumab": "anticytokine",
    "anakinra": "anticytokine",
    "siltuximab": "anticytokine",
    "corticosteroid": "steroid",
    "antipyretic": "antipyretic",
}
_VASOACTIVE = frozenset({"vasopressor", "vasopressin", "inotrope"})


class Given(NamedTuple):
    """One administration that happened, with its drug, times and route.

    `timed` False: the record cannot be ordered, and `start` is the latest time it can mean.
    `alone` False: one record gave several drugs, and its dose belongs to none of them.
    `sure` False: only words beside the drug's name or code mention this one.
    """

    resource: MedicationAdministration
    drug: Drug
    start: datetime
    end: datetime | None
    route: RouteWord | None
    evidence: Evidence
    timed: bool = True
    alone: bool = True
    sure: bool = True


def read_given(record: Record, scope: Scope, codes: CodeSets) -> tuple[Given, ...]:
    """Every administration of a drug that is known here, oldest first; of any age."""
    found = sorted(_given(record, scope, codes), key=lambda one: (one.start, one.evidence.ref))
    return tuple(found)


def _given(record: Record, scope: Scope, codes: CodeSets) -> Iterator[Given]:
    for resource, place in record.administrations:
        if resource.status in _NOT_GIVEN:
            continue
        named = given_by(resource, record.medications, codes)
        for reason in named.lost:
            scope.notes.unreadable(str(place), reason)
        drugs = _counted(named)
        if not drugs:
            continue
        when = read_when(resource.effective_date_time, resource.effective_period, scope.now)
        _name_several(named, str(place), when.start, scope)
        if when.start is None:
            names = ", ".join(drug.ingredient for drug in drugs)
            scope.notes.rejected("administrations", str(place), f"{names} given: {when.problem}")
        name = name_of(resource, record.medications)
        dosage = resource.dosage
        route = read_route((dosage.route if dosage else None,), codes)
        if route is None and says_local((name,), codes):
            route = "local"
        alone = len(drugs) == 1
        value, unit = _recorded(dosage.dose if dosage and alone else None)
        ref = f"MedicationAdministration/{resource.id}" if resource.id else str(place)
        end = when.end if resource.effective_date_time is None else None
        for drug in drugs:
            start = when.start or _untimed(resource, drug, scope)
            if start is None:
                continue
            note = f"by name: {name}" if drug.by_name else name
            evidence = Evidence(ref, drug.ingredient, value, unit, start, note)
            into = "sc" if route is None and drug.subcutaneous else route
            timed, sure = when.start is not None, drug in named.drugs
            yield Given(resource, drug, start, end, into, evidence, timed, alone, sure)


def _counted(named: Named) -> tuple[Drug, ...]:
    """The drugs named for sure, of fluids the first; and those beside them that may act.

    A dose that only words beside a name or code mention is not counted.
    """
    fluid = bool(named.drugs) and named.drugs[0].kind == "fluid"
    beside = (drug for drug in named.beside if drug.kind not in _DOSED)
    return (*(named.drugs[:1] if fluid else named.drugs), *beside)


def _name_several(named: Named, at: str, start: datetime | None, scope: Scope) -> None:
    """Says how the record contradicts itself, or which medicines it names beside the first."""
    names = ", ".join(drug.ingredient for drug in named.drugs)
    if named.contradiction:
        text = f"an administration contradicts itself: {named.contradiction}"
        scope.notes.rejected("administrations", at, text)
    if start is None or start < scope.since:
        return
    if len(_counted(named)) > 1:
        text = f"one administration names several medicines: {names}; its dose belongs to none"
        scope.notes.notice("several-drugs-given", text)
    beside = ", ".join(drug.ingredient for drug in named.beside)
    if beside:
        text = f"an administration is read as {names}; its words also name {beside}: check it"
        scope.notes.notice("other-drug-named", text)


def _untimed(resource: MedicationAdministration, drug: Drug, scope: Scope) -> datetime | None:
    """The latest time a vasoactive drug of unknown time may have been given: it may run now."""
    if drug.kind not in _VASOACTIVE:
        return None
    at = latest(resource.effective_date_time, resource.effective_period, scope.now)
    return at if at is not None and at >= scope.since else None


def unnamed_in_window(
    record: Record, given: tuple[Given, ...], scope: Scope, codes: CodeSets
) -> bool:
    """Whether a medicine nobody can name was given: it may be any of those looked for here.

    Each is named by its place. One that ended before the window does not matter, nor does a dose
    that words mention beside another drug where the record has one of its own.
    """
    found = False
    known = {one.drug.ingredient for one in given}
    for resource, place in record.administrations:
        if resource.status in _NOT_GIVEN:
            continue
        named = given_by(resource, record.medications, codes)
        doses = {drug.ingredient for drug in named.beside if drug.kind in _DOSED} - known
        identified = is_identified(resource, record.medications, codes)
        if not doses and (identified or (named.drugs and TOO_MUCH not in named.lost)):
            continue
        when = read_when(resource.effective_date_time, resource.effective_period, scope.now)
        if when.start is None or (when.end or when.start) >= scope.since:
            reason = "an administration of an unnamed medicine: a local code without a name"
            if doses:
                reason = f"an administration that may have been one of {', '.join(sorted(doses))}"
            elif TOO_MUCH in named.lost:
                reason = f"an administration of {TOO_MUCH}"
            scope.notes.rejected("administrations", str(place), reason)
            found = True
    return found


def any_lost(pages: Iterable[Page], scope: Scope) -> bool:
    """Whether an administration was sent that cannot be read: it may have been of any drug.

    Its place has been named; in the answer to the query for them anything unreadable may be one.
    """
    for page in pages:
        known = {one.place.index for one in page.strangers}
        lost = any(
            one.head.resource_type == "MedicationAdministration" and not one.nested
            for one in page.strangers
        )
        if page.name == "administrations":
            gone = (i for i, entry in enumerate(page.entries) if entry.resource is None)
            lost = lost or not known.issuperset(gone)
        if lost:
            scope.notes.missing("administrations", "an administration cannot be read")
            return True
    return False


def _recorded(quantity: Quantity | None) -> tuple[str, str]:
    if quantity is None:
        return "", ""
    return bytes(quantity.value).decode()[:24], (quantity.code or quantity.unit or "")[:24]


def read_doses(given: tuple[Given, ...]) -> tuple[Dose, ...]:
    """Doses of bispecifics, tocilizumab, anakinra and siltuximab."""
    return tuple(_dose(one) for one in given if one.drug.kind in _DOSED)


def _dose(one: Given) -> Dose:
    dosage = one.resource.dosage if one.alone else None
    return Dose(
        one.drug.ingredient,
        one.start,
        one.end,
        one.evidence,
        to_route(one.route),
        milligrams(dosage.dose if dosage else None),
        *_rate(dosage.rate_quantity if dosage else None),
        running=_is_running(one),
    )


def _is_running(one: Given) -> bool:
    """Charted as in progress over a period that has no end yet."""
    period = one.resource.effective_period
    return one.resource.status == "in-progress" and period is not None and one.end is None


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


def read_masking(given: tuple[Given, ...], scope: Scope) -> tuple[Masking, ...]:
    """Drugs that may hide fever, unless they acted only where they were put.

    One given over a period acts from its start and still at its end.
    """
    found = [
        Masking(at, _MASKING[one.drug.kind], one.drug.ingredient, one.evidence)
        for one in given
        if one.drug.kind in _MASKING and one.route != "local"
        for at in _acting(one, scope)
    ]
    return in_order(found)


def _acting(one: Given, scope: Scope) -> tuple[datetime, ...]:
    running = one.resource.status == "in-progress" and one.resource.effective_period is not None
    end = scope.now if one.end is None and running else one.end
    return (one.start,) if end is None or end == one.start else (one.start, end)
