"""Events of both toxicities from the facts: samples in time order, charted grades, diagnoses.

Charted grades replace the data at their time and settle an end when they are 0. Coded diagnoses
only add history and lift a maximum.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from knowledge.assessment import Grade, Hours
from knowledge.course import (
    Course,
    Recorder,
    Sample,
    free_at,
    in_hours,
    raise_maximum,
    unread_since,
)
from knowledge.crs_state import CrsState, crs_state, freshness
from knowledge.exposure import attributed_to, exposed, lookback, separate_doses
from knowledge.facts import ChartedGrade, Diagnosis, Facts, ToxicityName
from knowledge.icans_state import icans_state
from knowledge.model import SiteRules
from knowledge.newer_data import after
from knowledge.remembered import completed, remembered, seeds
from knowledge.scale_model import CrsScale, IcansScale


def crs_events(facts: Facts, scale: CrsScale, rules: SiteRules) -> tuple[Course, ...]:
    """All CRS events up to the evaluation time, oldest first."""
    now = facts.evaluated_at
    threshold = scale.fever_cel.value
    charted = _charted(facts, "crs")
    starts = [r.at for r in facts.temperatures if r.value >= threshold]
    starts += [at for at, grade in charted.items() if grade.grade > 0]
    known = remembered(facts, "crs", rules)
    seeded = seeds(known)
    starts += [event.onset for event in known]
    if not starts:
        return _with_diagnoses((), facts, "crs", rules)
    times = _times(facts)
    remembers = min(starts) in {event.onset for event in known}
    recorder = _crs_recorder(facts, rules, _before(min(starts), facts, unread=not remembers))
    span = lookback("crs", rules)
    ends = _abatements(facts, "crs")
    seen = facts
    for at in sorted(t for t in {*times, *charted, *ends, *seeded, now} if min(starts) <= t <= now):
        window = freshness(facts, rules, recorder.reached(2))
        if at in ends:
            recorder.add(_settled(at, window))
            seen = after(facts, at)  # what was seen before the end does not open it again
            continue
        grade = charted.get(at)
        if grade is not None:
            recorder.add(_charted_sample(at, grade, window))
            seen = facts if grade.grade else after(facts, at)
            continue
        if at in seeded:
            for sample in seeded[at]:
                recorder.add(sample)
                seen = after(facts, at) if sample.settles else seen
            continue
        state = crs_state(
            seen, at, scale=scale, rules=rules, established=recorder.open, window=window
        )
        fever = state.fever.levels == frozenset({"present"})
        recorder.add(
            Sample(
                at=at,
                grade=state.grade,
                abnormal=state.abnormal,
                complete=at in times and _seen_free(state),
                onset=fever and exposed(facts, at, span),
                window=window,
                whole=state.complete,
            )
        )
    return completed(_with_diagnoses(recorder.courses(), facts, "crs", rules), known)


def icans_events(facts: Facts, scale: IcansScale, rules: SiteRules) -> tuple[Course, ...]:
    """All ICANS events up to the evaluation time, oldest first."""
    charted = _charted(facts, "icans")
    series = (
        facts.ice,
        facts.ice_doubts,
        facts.capd,
        facts.arousal,
        facts.seizure,
        facts.motor,
        facts.raised_icp,
    )
    ends = _abatements(facts, "icans")
    times = {item.at for part in series for item in part}
    known = remembered(facts, "icans", rules)
    seeded = seeds(known)
    points = {*times, *charted, *ends, *seeded, facts.evaluated_at}
    window = timedelta(hours=rules.ice_hours)
    recorder = Recorder(separate_doses(facts), timedelta(hours=rules.resolved_free_hours))
    span = lookback("icans", rules)
    since: datetime | None = None
    for at in sorted(t for t in points if t <= facts.evaluated_at):
        if at in ends:
            recorder.add(_settled(at, window))
            since = at
            continue
        grade = charted.get(at)
        if grade is not None:
            recorder.add(_charted_sample(at, grade, window))
            since = None if grade.grade else at
            continue
        if at in seeded:
            for sample in seeded[at]:
                recorder.add(sample)
                since = at if sample.settles else since
            continue
        newer = None if since is None else since + timedelta(microseconds=1)
        state = icans_state(facts, at, scale=scale, rules=rules, since=newer)
        recorder.add(
            Sample(
                at=at,
                grade=state.grade,
                abnormal=state.abnormal,
                complete=at in times and state.complete and state.grade.at_most == 0,
                onset=state.abnormal and exposed(facts, at, span),
                window=window,
            )
        )
    return completed(_with_diagnoses(recorder.courses(), facts, "icans", rules), known)


def recurrent_at(
    earlier: Iterable[Course], event: Course, doses: Sequence[datetime], grade: int
) -> bool:
    """Whether an earlier separate event surely reached `grade` and a dose came in between."""
    return any(
        past.maximum.at_least >= grade
        and any((past.resolved or past.last_abnormal) < dose <= event.onset for dose in doses)
        for past in earlier
    )


def _before(first: datetime, facts: Facts, *, unread: bool) -> Sample | None:
    """What is known of the time before the first sign: the last temperature, or the last dose.

    An event begins with a fever after a dose, so nothing else is a look. Where the vital signs were
    not read back to there, it may have been of any grade meanwhile.
    """
    looks = [r.at for r in facts.temperatures if r.at < first]
    doses = [dose for dose in separate_doses(facts) if dose <= first]
    since = max([*looks, *doses], default=None)
    if since is None:
        return None
    reach = facts.read_back_to.get("vitals", since)
    cut = unread and "vitals" not in facts.answered and since < reach
    return unread_since(since) if cut else free_at(since)


def _crs_recorder(facts: Facts, rules: SiteRules, before: Sample | None) -> Recorder:
    """An event is not over while, or soon after, a pressor or a masking drug keeps a sign away."""
    covered = [(i.start, i.end or facts.evaluated_at) for i in facts.infusions if not i.doubt]
    counted = [i for i in facts.infusions if i.kind != "uncounted"]
    treated = [(i.start, i.end) for i in counted if i.end is not None]
    treated += [(m.at, m.at) for m in facts.masking]
    free = timedelta(hours=rules.resolved_free_hours)
    return Recorder(separate_doses(facts), free, covered, treated, before)


def _charted(facts: Facts, toxicity: ToxicityName) -> dict[datetime, ChartedGrade]:
    """Usable grades by their time; of two at one time the higher."""
    grades = sorted(facts.grades, key=lambda g: g.grade)
    return {
        g.at: g
        for g in grades
        if g.toxicity == toxicity and g.usable and g.at <= facts.evaluated_at
    }


def _abatements(facts: Facts, toxicity: ToxicityName) -> set[datetime]:
    """When a clinician charted a diagnosis of this toxicity as over."""
    return {d.abated for d in facts.diagnoses if d.toxicity == toxicity and d.abated is not None}


def _settled(at: datetime, window: timedelta) -> Sample:
    return Sample(at, Grade(0, 0), False, True, False, window, settles=True)


def _charted_sample(at: datetime, charted: ChartedGrade, window: timedelta) -> Sample:
    return Sample(
        at=at,
        grade=Grade(charted.grade, charted.grade),
        abnormal=charted.grade > 0,
        complete=True,
        onset=charted.grade > 0,
        window=window,
        settles=charted.grade == 0,
    )


def _seen_free(state: CrsState) -> bool:
    """A whole set with a settled temperature; masked by treatment is as free as it can look."""
    return state.complete and state.fever.observed and state.grade.at_most <= 1


def _times(facts: Facts) -> set[datetime]:
    """When anything was charted that the CRS axes rest on."""
    readings = (facts.temperatures, facts.systolic, facts.mean_pressure, facts.saturations)
    times = {r.at for series in readings for r in series}
    times |= {c.at for series in (facts.oxygen, facts.support) for c in series}
    times |= {b.at for b in facts.boluses}
    for infusion in facts.infusions:
        times.add(infusion.start)
        if infusion.end is not None:
            times.add(infusion.end)
    return times


def _with_diagnoses(
    courses: tuple[Course, ...], facts: Facts, toxicity: ToxicityName, rules: SiteRules
) -> tuple[Course, ...]:
    """The courses with what coded diagnoses add, each with the products it is attributed to."""
    found = list(courses)
    for diagnosis in facts.diagnoses:
        span = _span(diagnosis)
        if diagnosis.toxicity != toxicity or diagnosis.contradictory or span is None:
            continue
        index = next((i for i, c in enumerate(found) if _same(c, *span, _slack(diagnosis))), None)
        grade = Grade(diagnosis.at_least, diagnosis.at_most)
        if index is not None:
            found[index] = _begun(raise_maximum(found[index], grade), diagnosis, facts)
        else:
            found.append(_from_diagnosis(diagnosis, span[1], grade, facts, rules))
    reach = lookback(toxicity, rules)
    return tuple(
        msgspec.structs.replace(c, agents=attributed_to(c.onset, facts, reach))
        for c in sorted(found, key=lambda c: c.onset)
    )


def _span(diagnosis: Diagnosis) -> tuple[datetime, datetime] | None:
    """When a diagnosis began: a moment, or a whole day."""
    return diagnosis.day if diagnosis.onset is None else (diagnosis.onset, diagnosis.onset)


def _slack(diagnosis: Diagnosis) -> timedelta:
    """How far a charted time may be off; a date is wide enough as it is."""
    return timedelta(0) if diagnosis.onset is None else timedelta(hours=24)


def _same(course: Course, first: datetime, last: datetime, slack: timedelta) -> bool:
    """A diagnosis dated from a day before the onset to a day after the end is the same event."""
    return course.onset - slack <= last and (
        course.resolved is None or first <= course.resolved + slack
    )


def _begun(course: Course, diagnosis: Diagnosis, facts: Facts) -> Course:
    """A diagnosis with a time may show that the event began earlier, if no dose was in between."""
    onset = diagnosis.onset
    if onset is None or onset >= course.onset:
        return course
    if any(onset < dose <= course.onset for dose in separate_doses(facts)):
        return course
    return msgspec.structs.replace(course, onset=onset)


def _from_diagnosis(
    diagnosis: Diagnosis, onset: datetime, grade: Grade, facts: Facts, rules: SiteRules
) -> Course:
    recent = facts.evaluated_at - onset <= lookback(diagnosis.toxicity, rules)
    end = diagnosis.abated or (None if recent else onset)
    # A code tells no duration: anything up to the whole span is possible.
    span = Hours(Decimal(0), in_hours((end or facts.evaluated_at) - onset))
    return Course(
        onset=onset,
        last_abnormal=onset,
        maximum=grade,
        hours=(span, span, span),
        resolved=end,
        confirmed_end=diagnosis.abated is not None,
        free_since=diagnosis.abated,
        mild_since=diagnosis.abated,
    )
