"""Vasoactive infusions as intervals, from the administration record; an order is never enough.

One infusion is often several records (new bag, rate change): intervals of one agent may overlap,
and who counts agents counts each once. Drugs put into the nose or the eye are no infusion.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Literal

from fhir_mapping.administrations import Given
from fhir_mapping.readings import Scope
from fhir_mapping.units import number
from knowledge.facts import Infusion


_ENDED = frozenset({"on-hold", "stopped"})
# Also pens, nasal drops, eye drops and additives to local anaesthetics: only into a vein.
_ONLY_WITH_PROOF = frozenset({"epinephrine", "phenylephrine"})
_KINDS: dict[str, Literal["vasopressor", "vasopressin", "inotrope"]] = {
    "vasopressor": "vasopressor",
    "vasopressin": "vasopressin",
    "inotrope": "inotrope",
}


def read_infusions(given: tuple[Given, ...], scope: Scope) -> tuple[Infusion, ...]:
    """Intervals that reach into the window, oldest first."""
    found = [one for one in _infusions(given, scope) if one.end is None or one.end >= scope.since]
    _name_not_counted(given, scope)
    return tuple(found)


def _infusions(given: tuple[Given, ...], scope: Scope) -> Iterator[Infusion]:
    pressors = [one for one in given if one.drug.kind in _KINDS and _into_a_vein(one, scope)]
    for index, one in enumerate(pressors):
        later = (
            other.start
            for other in pressors[index + 1 :]
            if other.drug.ingredient == one.drug.ingredient and other.start > one.start
        )
        end = _end(one, next(later, None), scope)
        yield Infusion(one.drug.ingredient, _KINDS[one.drug.kind], one.start, end, one.evidence)


def _into_a_vein(one: Given, scope: Scope) -> bool:
    if one.route == "iv":
        return True
    if one.route is not None:
        return False
    if one.drug.ingredient not in _ONLY_WITH_PROOF or _rate(one) is not None or _has_period(one):
        return True
    if one.start >= scope.since:
        text = f"{one.drug.ingredient} given without a route or rate: not counted as an infusion"
        scope.notes.notice("vasopressor-route", text)
    return False


def _has_period(one: Given) -> bool:
    return one.resource.effective_period is not None


def _rate(one: Given) -> Decimal | None:
    dosage = one.resource.dosage
    quantity = dosage.rate_quantity if dosage is not None else None
    return number(quantity.value) if quantity is not None else None


def _end(one: Given, next_record: datetime | None, scope: Scope) -> datetime | None:
    """When it stopped: charted, or held, or at rate zero, or at the next record of the agent.

    A rate charted at one moment says it was running, not until when: without a later record it
    counts as still running, and that is said. A dose at one moment is a push.
    """
    if one.end is not None:
        return one.end
    status = one.resource.status
    if status in _ENDED or _rate(one) == 0:
        return one.start
    if status == "in-progress":
        return None if _has_period(one) else next_record
    if _has_period(one) or _rate(one) is not None:
        if next_record is None and one.start >= scope.since:
            text = f"the end of the {one.drug.ingredient} infusion is not charted"
            scope.notes.notice("infusion-end-not-charted", text)
        return next_record
    return one.start


def _name_not_counted(given: tuple[Given, ...], scope: Scope) -> None:
    names = {
        one.drug.ingredient
        for one in given
        if one.drug.kind == "not-counted" and one.start >= scope.since
    }
    for name in sorted(names):
        text = f"{name} was given: it is not counted as a vasopressor infusion"
        scope.notes.notice("not-counted-as-vasopressor", text)
