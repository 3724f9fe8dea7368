"""What clinicians charted about the toxicity itself: grades, coded diagnoses, attributions.

A grade is usable when it is settled and a practitioner made it; only a practitioner can name
another cause. A diagnosis code is history and maximum only; it never becomes a live grade.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple

from fhir_mapping.bundles import Place
from fhir_mapping.codes import CodedDiagnosis, CodeSets
from fhir_mapping.datatypes import CodeableConcept, Period, Reference
from fhir_mapping.readings import Scope, is_preliminary, plain_number, reference_to, value_codes
from fhir_mapping.record import Record, Seen
from fhir_mapping.resources import Condition
from fhir_mapping.times import AHEAD, instant
from knowledge.facts import Attribution, ChartedGrade, Diagnosis, Evidence, ToxicityName


_GRADES: dict[str, ToxicityName] = {"crs-grade": "crs", "icans-grade": "icans"}
_HIGHEST_GRADE = 4
_PRACTITIONERS = frozenset({"Practitioner", "PractitionerRole"})
_CAUSES: dict[str, Literal["btce", "other-cause", "undetermined"]] = {
    "btce": "btce",
    "other-cause": "other-cause",
    "undetermined": "undetermined",
}
_TOXICITIES: dict[str, ToxicityName] = {"crs": "crs", "icans": "icans"}
_NOT_SO = frozenset({"refuted", "entered-in-error"})
_NOT_SURE = frozenset({"unconfirmed", "provisional", "differential"})


def read_grades(record: Record, scope: Scope) -> tuple[ChartedGrade, ...]:
    """Clinicians' grades 0 to 4, oldest first; of any age, as recurrence looks back."""
    found: list[ChartedGrade] = []
    for fact, toxicity in _GRADES.items():
        for seen in record.observations.get(fact, ()):
            at = scope.time_of(seen, fact)
            if at is None:
                continue
            grade = plain_number(seen.observation)
            if grade is None or not 0 <= grade <= _HIGHEST_GRADE or grade != int(grade):
                reason = f"{fact}: not a whole number from 0 to 4"
                scope.notes.rejected(fact, str(seen.place), reason)
                continue
            settled = not is_preliminary(seen.observation)
            usable = settled and _by_any_practitioner(seen)
            ref = reference_to(seen.observation)
            evidence = Evidence(ref, seen.concept.code, str(int(grade)), "", at)
            found.append(ChartedGrade(toxicity, int(grade), at, usable, evidence))
    return tuple(sorted(found, key=lambda one: (one.at, one.grade)))


def _by_any_practitioner(seen: Seen) -> bool:
    return any(map(_by_practitioner, seen.observation.performer))


def _by_practitioner(performer: Reference) -> bool:
    parts = (performer.reference or "").partition("/_history/")[0].split("/")
    named = parts[-2] if len(parts) > 1 else performer.type
    return named in _PRACTITIONERS


def read_attributions(record: Record, scope: Scope) -> tuple[Attribution, ...]:
    """Clinicians' statements about the cause of one toxicity, oldest first."""
    found: list[Attribution] = []
    for seen in record.observations.get("attribution", ()):
        at = scope.time_of(seen, "attribution")
        if at is None:
            continue
        causes = [_CAUSES[code] for code in value_codes(seen.observation) if code in _CAUSES]
        toxicities = _toxicities(seen)
        reason = ""
        if len(causes) != 1 or not toxicities or is_preliminary(seen.observation):
            reason = "attribution without a settled cause and toxicity: not used"
        elif causes[0] == "other-cause" and not _by_any_practitioner(seen):
            reason = "attribution to another cause without a practitioner: not used"
        if reason:
            scope.notes.rejected("attribution", str(seen.place), reason)
            continue
        ref = reference_to(seen.observation)
        evidence = Evidence(ref, seen.concept.code, causes[0], "", at)
        found.extend(Attribution(toxicity, causes[0], at, evidence) for toxicity in toxicities)
    return tuple(sorted(found, key=lambda one: (one.at, one.cause, one.toxicity)))


def _toxicities(seen: Seen) -> list[ToxicityName]:
    found: list[ToxicityName] = []
    for component in seen.observation.component:
        names = {coding.code for coding in component.code.coding} if component.code else set()
        if "toxicity" in names:
            said = value_codes(component)
            found.extend(_TOXICITIES[code] for code in said if code in _TOXICITIES)
    return found


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
        one = Diagnosis(
            coded.toxicity,
            at_least,
            coded.at_most,
            began.at,
            _ended(condition, coded, scope),
            Evidence(ref, coded.code, coded.code, "", began.at),
            coded.contradictory,
            began.day,
        )
        found.append(one)
    return tuple(sorted(found, key=lambda one: one.evidence.ref))


class _Began(NamedTuple):
    """When a diagnosis began: a time, or the span of a day, or neither."""

    at: datetime | None
    day: tuple[datetime, datetime] | None


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
    return _Began(at, day)


def _ended(condition: Condition, coded: CodedDiagnosis, scope: Scope) -> datetime | None:
    """When a diagnosis was charted as over; one that cannot be told is named."""
    text = condition.abatement_date_time or _period_end(condition)
    if not text:
        return None
    ended = instant(text) or _day_over(text, scope.now)
    if ended is not None and ended <= scope.now + AHEAD:
        return ended
    scope.notes.missing("diagnosis-end", f"when {coded.code} ended cannot be told")
    return None


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
