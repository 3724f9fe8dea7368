"""Coded diagnoses of the toxicities: when each began and ended, as far as the record says.

A diagnosis code is history and maximum only; it never becomes a live grade.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from fhir_mapping.bundles import Place
from fhir_mapping.codes import CodedDiagnosis, CodeSets
from fhir_mapping.datatypes import CodeableConcept, Period
from fhir_mapping.readings import Scope
from fhir_mapping.record import Record
from fhir_mapping.resources import Condition
from fhir_mapping.times import AHEAD, instant
from knowledge.facts import Diagnosis, Evidence


_NOT_SO = frozenset({"refuted", "entered-in-error"})
_NOT_SURE = frozenset({"unconfirmed", "provisional", "differential"})
_PRESENT = frozenset({"active", "recurrence", "relapse"})
_OVER = frozenset({"inactive", "remission", "resolved"})


def read_diagnoses(record: Record, scope: Scope, codes: CodeSets) -> tuple[Diagnosis, ...]:
    """Coded CRS and ICANS diagnoses; a date without a time is a whole day, never midnight.

    An end that is a date is over when the day is over everywhere.
    """
    found: list[Diagnosis] = []
    for condition, place in record.conditions:
        coded = _coded(condition.code, codes)
        statuses = _status_codes(condition.verification_status)
        if coded is None or statuses & _NOT_SO:
            continue
        began = _began(condition, coded, place, scope)
        if began is None:
            continue
        at_least = 0 if statuses & _NOT_SURE else coded.at_least
        ref = f"Condition/{condition.id}" if condition.id else str(place)
        ended = _ended(condition, coded, scope)
        one = Diagnosis(
            coded.toxicity,
            at_least,
            coded.at_most,
            began.at,
            ended,
            Evidence(ref, coded.code, coded.code, "", began.at, began.note),
            coded.contradictory,
            began.day,
        )
        found.append(one)
    return tuple(sorted(found, key=lambda one: one.evidence.ref))


class _Began(NamedTuple):
    """When a diagnosis began: a time, or a span, or neither; and what to show beside it."""

    at: datetime | None
    day: tuple[datetime, datetime] | None
    note: str = ""


def _began(
    condition: Condition, coded: CodedDiagnosis, place: Place, scope: Scope
) -> _Began | None:
    """None for one that starts in the future."""
    onset = _moment(condition.onset_date_time, condition.onset_period)
    at = instant(onset) if onset else None
    day = _day(onset, scope.now) if at is None else None
    first = at if day is None else day[0]
    if first is not None and first > scope.now + AHEAD:
        reason = f"diagnosis {coded.code} starts in the future: not used"
        scope.notes.rejected("conditions", str(place), reason)
        return None
    if onset and at is None:
        reason = f"the onset of {coded.code} has no time or zone: it cannot be ordered"
        scope.notes.rejected("diagnosis-onset", str(place), reason)
    if at is None and day is None:
        return _recorded(condition, coded, place, scope)
    return _Began(at, day)


def _recorded(condition: Condition, coded: CodedDiagnosis, place: Place, scope: Scope) -> _Began:
    """Without an onset, when it was recorded: it had begun by then, nobody knows when.

    An event is looked for no further back than the window; a record from the future says nothing.
    """
    text = condition.recorded_date
    if not text:
        return _Began(None, None)
    at, day = instant(text), _day(text, scope.now)
    first = at or (day[0] if day is not None else None)
    if first is None or first > scope.now + AHEAD:
        reason = f"when {coded.code} was recorded cannot be told"
        scope.notes.rejected("diagnosis-onset", str(place), reason)
        return _Began(None, None)
    latest = min(at or scope.now, scope.now) if day is None else day[1]
    reason = f"the onset of {coded.code} is not charted: it began when it was recorded or before"
    scope.notes.missing("diagnosis-onset", reason)
    note = f"recorded {text[:32]}; began then or before"
    return _Began(None, (latest - (scope.now - scope.since), latest), note)


def _ended(condition: Condition, coded: CodedDiagnosis, scope: Scope) -> datetime | None:
    """When a diagnosis was charted as over.

    An end that cannot be told is named: the event stays open until somebody says when it was over.
    One that is active has not ended, whatever is beside it.
    """
    text = condition.abatement_date_time or _period_end(condition)
    status = _status_codes(condition.clinical_status)
    notes = scope.notes
    if not text:
        if not status.isdisjoint(_OVER) and status.isdisjoint(_PRESENT):
            reason = f"{coded.code} is charted as over: when it ended is not charted"
            notes.missing("diagnosis-end", reason)
        return None
    ended = instant(text) or _day_over(text, scope.now)
    if ended is None or ended > scope.now + AHEAD:
        notes.missing("diagnosis-end", f"when {coded.code} ended cannot be told")
        return None
    if not status.isdisjoint(_PRESENT):
        said = f"{coded.code} is charted as active and as ended {ended:%Y-%m-%dT%H:%MZ}"
        notes.notice("diagnosis-active-and-ended", f"{said}: the end is not used; confirm.")
        notes.missing("diagnosis-end", f"{said}: which holds cannot be told")
        return None
    return ended


# A local day begins fourteen hours before it does in UTC, and ends twelve hours after it.
_FIRST_ZONE, _LAST_ZONE = timedelta(hours=14), timedelta(hours=12)


def _day(text: str | None, now: datetime) -> tuple[datetime, datetime] | None:
    """The earliest and the latest moment a date can mean, the latest not after `now`."""
    try:
        start = datetime.combine(date.fromisoformat(text or ""), time(), UTC)
        last = start + timedelta(days=1) + _LAST_ZONE
        return start - _FIRST_ZONE, max(min(last, now), start - _FIRST_ZONE)
    except (ValueError, OverflowError):
        return None


def _day_over(text: str, now: datetime) -> datetime | None:
    """When a date is over in every zone of the world; None if that is still to come."""
    span = _day(text, datetime.max.replace(tzinfo=UTC))
    return span[1] if span is not None and span[1] <= now else None


def _coded(code: CodeableConcept | None, codes: CodeSets) -> CodedDiagnosis | None:
    """The most specific toxicity code of a diagnosis: the one with the narrowest grades."""
    codings = code.coding if code is not None else ()
    pairs = ((coding.system, (coding.code or "").upper()) for coding in codings)
    found = [codes.diagnoses.get(pair) for pair in pairs]
    known = [one for one in found if one is not None]
    return min(known, key=lambda one: one.at_most - one.at_least, default=None)


def _status_codes(status: CodeableConcept | None) -> frozenset[str]:
    return frozenset(coding.code or "" for coding in status.coding) if status else frozenset()


def _moment(moment: str | None, period: Period | None) -> str | None:
    return moment or (period.start if period is not None else None)


def _period_end(condition: Condition) -> str | None:
    for period in (condition.abatement_period, condition.onset_period):
        if period is not None and period.end:
            return period.end
    return None
