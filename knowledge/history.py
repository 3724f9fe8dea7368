"""Events of both toxicities from the facts: samples in time order, charted grades, diagnoses.

Charted grades replace the data at their time and settle an end when they are 0. Coded diagnoses
only add history and lift a maximum.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from knowledge.assessment import Grade, Hours
from knowledge.course import Course, Recorder, Sample, in_hours, raise_maximum
from knowledge.crs_state import crs_state, freshness
from knowledge.facts import ChartedGrade, Diagnosis, Facts, ToxicityName, bispecific_doses
from knowledge.icans_state import icans_state
from knowledge.model import SiteRules
from knowledge.scale_model import CrsScale, IcansScale


def lookback(toxicity: ToxicityName, rules: SiteRules) -> timedelta:
    """How long after a dose an onset is still attributed to it."""
    days = rules.crs_lookback_days if toxicity == "crs" else rules.icans_lookback_days
    return timedelta(days=days)


def exposed(facts: Facts, at: datetime, span: timedelta) -> bool:
    """Whether a bispecific was, or may have been, given within `span` before `at`."""
    if "administrations" not in facts.answered and not bispecific_doses(facts):
        return True
    return any(
        dose.start <= at <= (dose.end or dose.start) + span for dose in bispecific_doses(facts)
    )


def crs_events(facts: Facts, scale: CrsScale, rules: SiteRules) -> tuple[Course, ...]:
    """All CRS events up to the evaluation time, oldest first."""
    threshold = scale.fever_cel.value
    charted = _charted(facts, "crs")
    starts = [r.at for r in facts.temperatures if r.value >= threshold]
    starts += [at for at, grade in charted.items() if grade.grade > 0]
    if not starts:
        return _with_diagnoses((), facts, "crs", rules)
    recorder = _recorder(facts, rules)
    span = lookback("crs", rules)
    ends = _abatements(facts, "crs")
    for at in _times(facts, min(starts), {*charted, *ends}):
        window = freshness(facts, rules, recorder.reached(2))
        if at in ends:
            recorder.add(_settled(at, window))
            continue
        grade = charted.get(at)
        if grade is not None:
            recorder.add(_charted_sample(at, grade, window))
            continue
        state = crs_state(
            facts, at, scale=scale, rules=rules, established=recorder.open, window=window
        )
        fever = state.fever.levels == frozenset({"present"})
        recorder.add(
            Sample(
                at=at,
                grade=state.grade,
                abnormal=state.abnormal,
                complete=state.complete and state.grade.at_most <= 1,
                onset=fever and exposed(facts, at, span),
                window=window,
            )
        )
    return _with_diagnoses(recorder.courses(), facts, "crs", rules)


def icans_events(facts: Facts, scale: IcansScale, rules: SiteRules) -> tuple[Course, ...]:
    """All ICANS events up to the evaluation time, oldest first."""
    charted = _charted(facts, "icans")
    series = (facts.ice, facts.capd, facts.arousal, facts.seizure, facts.motor, facts.raised_icp)
    ends = _abatements(facts, "icans")
    times = {item.at for part in series for item in part} | set(charted) | ends
    window = timedelta(hours=rules.ice_hours)
    recorder = _recorder(facts, rules)
    span = lookback("icans", rules)
    for at in sorted(t for t in times if t <= facts.evaluated_at):
        if at in ends:
            recorder.add(_settled(at, window))
            continue
        grade = charted.get(at)
        if grade is not None:
            recorder.add(_charted_sample(at, grade, window))
            continue
        state = icans_state(facts, at, scale=scale, rules=rules, since=None)
        recorder.add(
            Sample(
                at=at,
                grade=state.grade,
                abnormal=state.abnormal,
                complete=state.complete,
                onset=state.abnormal and exposed(facts, at, span),
                window=window,
            )
        )
    return _with_diagnoses(recorder.courses(), facts, "icans", rules)


def recurrent_at(
    earlier: Iterable[Course], event: Course, doses: Sequence[datetime], grade: int
) -> bool:
    """Whether an earlier separate event surely reached `grade` and a dose came in between."""
    return any(
        past.maximum.at_least >= grade
        and any((past.resolved or past.last_abnormal) < dose <= event.onset for dose in doses)
        for past in earlier
    )


def _recorder(facts: Facts, rules: SiteRules) -> Recorder:
    covered = [(i.start, i.end or facts.evaluated_at) for i in facts.infusions]
    doses = [dose.start for dose in bispecific_doses(facts)]
    return Recorder(doses, timedelta(hours=rules.resolved_free_hours), covered)


def _charted(facts: Facts, toxicity: ToxicityName) -> dict[datetime, ChartedGrade]:
    return {
        g.at: g
        for g in facts.grades
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


def _times(facts: Facts, start: datetime, charted: Iterable[datetime]) -> list[datetime]:
    readings = (facts.temperatures, facts.systolic, facts.mean_pressure, facts.saturations)
    times = {r.at for series in readings for r in series}
    times |= {c.at for series in (facts.oxygen, facts.support) for c in series}
    times |= {b.at for b in facts.boluses} | set(charted) | {facts.evaluated_at}
    for infusion in facts.infusions:
        times.add(infusion.start)
        if infusion.end is not None:
            times.add(infusion.end)
    return sorted(t for t in times if start <= t <= facts.evaluated_at)


def _with_diagnoses(
    courses: tuple[Course, ...], facts: Facts, toxicity: ToxicityName, rules: SiteRules
) -> tuple[Course, ...]:
    found = list(courses)
    for diagnosis in facts.diagnoses:
        if diagnosis.toxicity != toxicity or diagnosis.contradictory or diagnosis.onset is None:
            continue
        index = next((i for i, c in enumerate(found) if _same(c, diagnosis.onset)), None)
        grade = Grade(diagnosis.at_least, diagnosis.at_most)
        if index is not None:
            found[index] = raise_maximum(found[index], grade)
        else:
            found.append(_from_diagnosis(diagnosis, diagnosis.onset, grade, facts, rules))
    return tuple(sorted(found, key=lambda c: c.onset))


def _same(course: Course, onset: datetime) -> bool:
    """A diagnosis dated from a day before the onset to a day after the end is the same event."""
    day = timedelta(hours=24)
    return course.onset - day <= onset and (
        course.resolved is None or onset <= course.resolved + day
    )


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
