"""Fluid resuscitation from the administration record: a bolus, not maintenance and not a flush.

At least 250 mL within an hour. Where volume or time leave it open the bolus is possible, not
certain. Fluid that carries another medicine is no resuscitation.
"""

import re
from datetime import datetime
from decimal import Decimal

from fhir_mapping.administrations import Given
from fhir_mapping.codes import CodeSets
from fhir_mapping.datatypes import Dosage, Quantity
from fhir_mapping.drug_names import drug_in_concept
from fhir_mapping.medications import find_medication, name_of
from fhir_mapping.readings import Scope
from fhir_mapping.record import Record
from fhir_mapping.times import instant
from fhir_mapping.units import Kind, canonical
from knowledge.facts import Bolus


_BOLUS_ML = Decimal(250)  # the smallest volume charted as resuscitation, given within an hour
_HOUR = Decimal(3600)
_WORD = re.compile(r"[a-z]+")
# Beside the fluid's own name these say nothing about a second medicine.
_PLAIN = frozenset(
    {
        "a",
        "albumin",
        "bag",
        "bolus",
        "chloride",
        "fluid",
        "for",
        "hartmanns",
        "human",
        "in",
        "infusion",
        "injectable",
        "injection",
        "intravenous",
        "iv",
        "l",
        "lactate",
        "lactated",
        "liter",
        "litre",
        "lyte",
        "ml",
        "nacl",
        "normal",
        "of",
        "once",
        "plasma",
        "plasmalyte",
        "ringer",
        "ringers",
        "s",
        "saline",
        "sodium",
        "solution",
        "usp",
    }
)


def read_boluses(
    given: tuple[Given, ...], scope: Scope, record: Record, codes: CodeSets
) -> tuple[Bolus, ...]:
    """Boluses in the window, oldest first."""
    found: list[Bolus] = []
    for one in given:
        if one.drug.kind != "fluid" or one.start < scope.since or one.route not in {"iv", None}:
            continue
        plain = _is_plain(one, record, codes)
        certain = _is_bolus(one, scope) if plain is not False else False
        if certain is not False:
            found.append(Bolus(one.start, one.evidence, certain is True and plain is True))
    return tuple(found)


def _is_bolus(one: Given, scope: Scope) -> bool | None:
    """Whether it is one; None where the record leaves it open, which is said."""
    dosage = one.resource.dosage
    volume = _amount("volume", dosage.dose if dosage is not None else None)
    rate = _millilitres_an_hour(dosage)
    hours: Decimal | None = None
    end = one.end or _planned_end(one)
    if end is not None:
        hours = Decimal(int((end - one.start).total_seconds())) / _HOUR
    elif volume is not None and rate:
        hours = volume / rate
    if volume is None and rate is not None and hours is not None:
        volume = rate * hours
    name = one.drug.ingredient
    if volume is None:
        if rate is not None and rate >= _BOLUS_ML:
            _open(scope, f"{name} ran at {rate.normalize():f} mL/h for an unknown time")
            return None
        text = f"{name} was given, its volume is not charted in mL: not counted as a bolus"
        scope.notes.notice("fluid-volume-not-charted", text)
        return False
    if volume < _BOLUS_ML:
        return False
    if hours is not None and hours <= 1:
        return True
    if hours is not None and volume / hours < _BOLUS_ML:
        return False
    time = "an unknown time" if hours is None else "more than an hour"
    _open(scope, f"{volume.normalize():f} mL of {name} over {time}")
    return None


def _open(scope: Scope, text: str) -> None:
    scope.notes.notice("bolus-possible", f"{text}: a bolus is possible")


def _planned_end(one: Given) -> datetime | None:
    """The end of a fluid that still runs, as it is charted."""
    period = one.resource.effective_period
    return instant(period.end) if period is not None and period.end else None


def _amount(kind: Kind, quantity: Quantity | None) -> Decimal | None:
    """Millilitres, millilitres an hour or minutes; None if it is none of them or implausible."""
    value = canonical(kind, quantity) if quantity is not None else ""
    return None if isinstance(value, str) else value


def _millilitres_an_hour(dosage: Dosage | None) -> Decimal | None:
    quantity = dosage.rate_quantity if dosage is not None else None
    if quantity is not None:
        return _amount("volume-rate", quantity)
    ratio = dosage.rate_ratio if dosage is not None else None
    if ratio is None:
        return None
    volume, minutes = _amount("volume", ratio.numerator), _amount("time", ratio.denominator)
    return volume * 60 / minutes if volume is not None and minutes else None


def _is_plain(one: Given, record: Record, codes: CodeSets) -> bool | None:
    """True: nothing but fluid. False: it carries another medicine. None: other words beside it."""
    resource = one.resource
    medication = find_medication(resource, record.medications)
    if medication is not None:
        for item in medication.ingredient:
            drug = drug_in_concept(item.item_codeable_concept, codes)
            if drug is None or drug.kind != "fluid":
                return False
    if not one.drug.by_name:
        return True
    name = name_of(resource, record.medications)
    cut = name.endswith("…")  # what is not shown may be a medicine
    return True if not cut and _PLAIN.issuperset(_WORD.findall(name.lower())) else None
