"""Fluid resuscitation from the administration record: a bolus, not maintenance and not a flush.

At least 250 mL within an hour. Where volume or time leave it open, or smaller amounts come to it
together, a bolus is possible, not certain. Fluid that carries another medicine is no resuscitation.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from fhir_mapping.administrations import Given
from fhir_mapping.codes import CodeSets
from fhir_mapping.datatypes import CodeableConcept, Dosage, Quantity
from fhir_mapping.drug_names import drugs_in_concept
from fhir_mapping.medications import display_of
from fhir_mapping.products import Products, said_by
from fhir_mapping.readings import Scope
from fhir_mapping.record import Record
from fhir_mapping.times import instant
from fhir_mapping.units import Kind, canonical
from knowledge.facts import Bolus


_BOLUS_ML = Decimal(250)  # the smallest volume charted as resuscitation, given within an hour
_HOUR = Decimal(3600)
_SALTS = frozenset({"potassium", "calcium"})
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


class Flow(NamedTuple):
    """Millilitres, millilitres an hour and hours of one administration, as far as known."""

    volume: Decimal | None
    rate: Decimal | None
    hours: Decimal | None


def read_boluses(
    given: tuple[Given, ...], scope: Scope, record: Record, codes: CodeSets, hours: int
) -> tuple[Bolus, ...]:
    """Boluses in the window, oldest first; `hours`: how long a bolus counts."""
    found: list[Bolus] = []
    small: list[tuple[Given, Decimal]] = []
    for one in given:
        if one.drug.kind != "fluid" or one.start < scope.since or one.route not in {"iv", None}:
            continue
        plain = _is_plain(one, record.medications, codes)
        if plain is False:
            continue
        flow = _flow(one)
        certain = _is_bolus(one, flow, scope)
        if certain is not False:
            found.append(Bolus(one.start, one.evidence, certain is True and plain is True))
        elif flow.volume is not None and flow.volume < _BOLUS_ML and not _is_slow(flow):
            small.append((one, flow.volume))
    found += _together(small, timedelta(hours=hours), scope)
    return tuple(sorted(found, key=lambda one: one.at))


def _together(small: list[tuple[Given, Decimal]], span: timedelta, scope: Scope) -> Iterator[Bolus]:
    """Amounts too small for a bolus that are one together, as long as a bolus counts.

    No source says whether they are added up: that they were resuscitation is possible.
    """
    text = ""
    first, total = 0, Decimal(0)
    for count, (one, volume) in enumerate(small, 1):
        total += volume
        while one.start - small[first][0].start > span:
            total -= small[first][1]
            first += 1
        if total >= _BOLUS_ML:
            text = f"{count - first} smaller amounts of fluid, {total.normalize():f} mL in all"
            yield Bolus(one.start, one.evidence, certain=False)
    if text:
        scope.notes.notice("small-amounts-of-fluid", f"{text}: a bolus is possible")


def _flow(one: Given) -> Flow:
    """What is charted of volume, rate and time; one of them by the other two."""
    dosage = one.resource.dosage
    volume = _amount("volume", dosage.dose if dosage is not None else None)
    rate = _millilitres_an_hour(dosage)
    hours: Decimal | None = None
    end = one.end or _planned_end(one)
    if end is not None and end >= one.start:
        hours = Decimal(int((end - one.start).total_seconds())) / _HOUR
    elif volume is not None and rate:
        hours = volume / rate
    if volume is None and rate is not None and hours is not None:
        volume = rate * hours
    return Flow(volume, rate, hours)


def _is_slow(flow: Flow) -> bool:
    """Slower than the slowest bolus, as far as the time is known."""
    return bool(flow.volume and flow.hours and flow.volume / flow.hours < _BOLUS_ML)


def _is_bolus(one: Given, flow: Flow, scope: Scope) -> bool | None:
    """Whether it is one; None where the record leaves it open, which is said."""
    volume, rate, hours = flow
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
    if _is_slow(flow):
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


def _is_plain(one: Given, products: Products, codes: CodeSets) -> bool | None:
    """True: nothing but fluid. False: it carries another medicine. None: nobody can say."""
    said = said_by(one.resource, products)
    kinds = {_is_fluid(concept, codes) for concept in said.ingredients}
    if False in kinds:
        return False
    open_to_doubt = None in kinds or said.blank or bool(said.lost)
    texts = (text for concept in said.concepts for text in _texts(concept))
    words = _WORD.findall(" ".join((*texts, display_of(one.resource))).lower())
    return True if _PLAIN.issuperset(words) and not open_to_doubt else None


def _is_fluid(ingredient: CodeableConcept, codes: CodeSets) -> bool | None:
    """None if it has no words, and for a salt: part of Ringer's, or added to a slow drip."""
    drugs = drugs_in_concept(ingredient, codes)
    if drugs:
        return drugs[0].kind == "fluid"
    words = {word for text in _texts(ingredient) for word in _WORD.findall(text.lower())}
    return None if words <= _SALTS | _PLAIN else False


def _texts(concept: CodeableConcept) -> tuple[str, ...]:
    """Its words, each apart."""
    return tuple(filter(None, (concept.text, *(coding.display for coding in concept.coding))))
