"""Vasoactive infusions as intervals, from the administration record; an order is never enough.

One infusion is often several records (new bag, rate change): intervals of one agent may overlap,
and who counts agents counts each once. Drugs put into the nose or the eye are no infusion.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from fhir_mapping.administrations import Given
from fhir_mapping.codes import CodeSets
from fhir_mapping.medications import drugs_of
from fhir_mapping.readings import Scope
from fhir_mapping.record import Record
from fhir_mapping.units import number
from knowledge.facts import Infusion


_ENDED = frozenset({"on-hold", "stopped"})
# Also pens, nasal drops, eye drops and additives to local anaesthetics: not surely into a vein.
_ALSO_ELSEWHERE = frozenset({"epinephrine", "phenylephrine"})
# Raise the pressure and are no infusion the scale counts; the others of their kind are only named.
_SUPPORTING = frozenset({"midodrine", "droxidopa", "ephedrine"})
_KINDS: dict[str, Literal["vasopressor", "vasopressin", "inotrope"]] = {
    "vasopressor": "vasopressor",
    "vasopressin": "vasopressin",
    "inotrope": "inotrope",
}


def read_infusions(
    record: Record, given: tuple[Given, ...], scope: Scope, codes: CodeSets
) -> tuple[Infusion, ...]:
    """Intervals that reach into the window, oldest first."""
    found = [*_infusions(given, scope), *_not_counted(given, scope)]
    _name_ordered(record, given, scope, codes)
    kept = (one for one in found if one.end is None or one.end >= scope.since)
    return tuple(sorted(kept, key=lambda one: (one.start, one.evidence.ref)))


def _infusions(given: tuple[Given, ...], scope: Scope) -> Iterator[Infusion]:
    agents: dict[str, list[Given]] = {}
    for one in given:
        if one.drug.kind not in _KINDS or one.route not in {"iv", None}:
            continue
        if one.sure:
            agents.setdefault(one.drug.ingredient, []).append(one)
            continue
        for found in _intervals(one, (), (), scope):  # only words name it: it may be so
            doubt = found.doubt if found.doubt == "push" else "uncertain"
            yield _interval(one, found.start, found.end, doubt)
    for records in agents.values():
        for index, one in enumerate(records):
            yield from _intervals(one, records[:index], records[index + 1 :], scope)


def _intervals(
    one: Given, earlier: Sequence[Given], later: Sequence[Given], scope: Scope
) -> Iterator[Infusion]:
    """One record as an interval: it ends as charted, or at the next record of the agent.

    A rate charted at one moment says it was running, not until when: without a later record it
    may still run, and that is said. A dose at one moment is a push.
    """
    ends = (other.start for other in later if other.start > one.start and not _is_push(other))
    following = next(ends, None)
    stops = (other.start for other in later if other.start > one.start and _is_stop(other))
    stopped = next(stops, None)
    status = one.resource.status
    if not one.timed:
        yield _interval(one, one.start, one.start, "push")
    elif one.end is not None:
        yield _interval(one, one.start, one.end)
    elif _is_stop(one):
        if _has_period(one) and _rate(one) != 0:  # it ran, and stopped at an unknown time
            yield _interval(one, one.start, following or scope.now, "uncertain")
        else:
            yield _interval(one, one.start, one.start)
    elif status == "in-progress" and _has_period(one):
        yield _interval(one, one.start, stopped)
        if stopped is not None:  # the two records contradict each other
            yield _interval(one, stopped, None, "uncertain")
    elif status == "in-progress":
        yield _interval(one, one.start, following)
    elif not _is_push(one) and (_rate(one) is not None or _has_period(one) or _runs(earlier)):
        yield _interval(one, one.start, following, "" if following else "end-not-charted")
        if following is None and one.start >= scope.since:
            text = f"the end of the {one.drug.ingredient} infusion is not charted"
            scope.notes.notice("infusion-end-not-charted", text)
    else:
        _name_push(one, scope)
        yield _interval(one, one.start, one.start, "push")


def _interval(
    one: Given,
    start: datetime,
    end: datetime | None,
    doubt: Literal["", "push", "end-not-charted", "uncertain"] = "",
) -> Infusion:
    agent = one.drug.ingredient
    return Infusion(agent, _KINDS[one.drug.kind], start, end, one.evidence, doubt)


def _has_period(one: Given) -> bool:
    return one.resource.effective_period is not None


def _is_stop(one: Given) -> bool:
    return one.end is None and (one.resource.status in _ENDED or _rate(one) == 0)


def _is_push(one: Given) -> bool:
    dosage = one.resource.dosage
    moment = one.resource.status not in _ENDED | {"in-progress"} and not _has_period(one)
    return moment and _rate(one) is None and dosage is not None and dosage.dose is not None


def _runs(earlier: Sequence[Given]) -> bool:
    """Whether the record before said that it was running."""
    return bool(earlier) and not _is_stop(earlier[-1]) and _rate(earlier[-1]) is not None


def _rate(one: Given) -> Decimal | None:
    dosage = one.resource.dosage
    if dosage is None:
        return None
    ratio = dosage.rate_ratio
    quantity = dosage.rate_quantity or (ratio.numerator if ratio is not None else None)
    return number(quantity.value) if quantity is not None else None


def _name_push(one: Given, scope: Scope) -> None:
    if one.start < scope.since:
        return
    agent = one.drug.ingredient
    if one.route is None and agent in _ALSO_ELSEWHERE:
        text = f"{agent} given without a route or rate: it may be no vasopressor"
        scope.notes.notice("vasopressor-route", text)
    else:
        text = f"{agent} given at one moment, without a rate or a duration"
        scope.notes.notice("vasopressor-push", text)


def _not_counted(given: tuple[Given, ...], scope: Scope) -> Iterator[Infusion]:
    for one in given:
        name = one.drug.ingredient
        if one.drug.kind != "not-counted" or one.start < scope.since:
            continue
        text = f"{name} was given: it is not counted as a vasopressor infusion"
        scope.notes.notice("not-counted-as-vasopressor", text)
        if name in _SUPPORTING and one.route != "local":
            end = one.end or one.start
            yield Infusion(name, "uncounted", one.start, end, one.evidence, "push")


def _name_ordered(record: Record, given: tuple[Given, ...], scope: Scope, codes: CodeSets) -> None:
    """A vasopressor that is ordered and not charted as given: shown, never counted."""
    known = {one.drug.ingredient for one in given if one.start >= scope.since}
    names: set[str] = set()
    for request, _ in record.requests:
        if request.status == "active":
            drugs = drugs_of(request, record.medications, codes)
            names |= {drug.ingredient for drug in drugs if drug.kind in _KINDS}
    for name in sorted(names - known):
        text = f"{name} is ordered and not charted as given: not counted"
        scope.notes.notice("vasopressor-only-ordered", text)
