"""The cognition axis of ICANS as possible grades: ICE, or CAPD under the age the scale names.

An ICE that is newer than the last certain one and is not certain itself takes its place: what it
allows is possible, and one that was not performed or contradicts itself allows everything.
"""

from datetime import datetime, timedelta

from knowledge.facts import Charted, Evidence, Facts, Missing, Notice, Reading, bispecific_doses
from knowledge.grading import score_grade
from knowledge.levels import Axis
from knowledge.scale_model import IcansScale
from knowledge.series import any_within
from knowledge.settled import standing


ICE_BEST = 10


def cognition(facts: Facts, at: datetime, scale: IcansScale, window: timedelta) -> Axis:
    """The axis at `at`; `observed` where an assessment says something about the grade."""
    limit = int(scale.capd_under_age.value)
    unknown = frozenset(str(band.grade) for band in scale.ice)
    if facts.age_years is None:
        reason = "age unknown: ICE and CAPD cannot be told apart"
        return Axis(unknown, missing=(Missing("ice", reason),))
    child = facts.age_years < limit
    series, bands, fact = (
        (facts.capd, scale.capd, "capd") if child else (facts.ice, scale.ice, "ice")
    )
    notices: tuple[Notice, ...] = ()
    if facts.age_years == limit:
        text = "At this age sources differ on ICE or CAPD: ICE is used, CAPD may be preferred."
        notices = (Notice("capd-age-boundary", text),)

    def worst(reading: Reading) -> int:
        grade = score_grade(bands, int(reading.value))
        return max(band.grade for band in bands) if grade is None else grade

    reading = standing(series, at, window, worst)
    doubt = None if child else any_within(facts.ice_doubts, at, window)
    if doubt is not None and (reading is None or doubt.at > reading.at):
        return _doubtful(doubt, reading, scale, notices)
    if reading is None:
        reason = f"{fact.upper()} not assessed"
        if child and any_within(facts.ice, at, window) is not None:
            reason += f" (an ICE is charted, which is not used under {limit} years)"
        return Axis(unknown, missing=(Missing(fact, reason),))
    grade = score_grade(bands, int(reading.value))
    asleep = any_within(facts.arousal, at, window)
    if reading.value == 0 and asleep is not None and not asleep.levels:
        reason = f"{fact.upper()} 0 while arousal is charted as not assessable: not a score"
        return Axis(unknown | {"4"}, (reading.evidence,), (Missing(fact, reason),))
    if grade is None:
        reason = f"{fact.upper()} {reading.value} is not on the scale"
        return Axis(unknown, (reading.evidence,), (Missing(fact, reason),))
    level = frozenset({str(grade)})
    return Axis(level, (reading.evidence,), (), notices, grade > 0, observed=True)


def _doubtful(
    doubt: Charted, reading: Reading | None, scale: IcansScale, notices: tuple[Notice, ...]
) -> Axis:
    """What an uncertain ICE allows; a preliminary one leaves what the certain one says possible."""
    every = {str(band.grade) for band in scale.ice}
    grades = {str(score_grade(scale.ice, int(total))) for total in doubt.levels} or every
    evidence: tuple[Evidence, ...] = (doubt.evidence,)
    if doubt.preliminary and reading is not None:
        grades.add(str(score_grade(scale.ice, int(reading.value))))
        evidence = (doubt.evidence, reading.evidence)
    missing = (Missing("ice", doubt.evidence.note or "ICE not usable"),)
    observed = bool(doubt.levels)
    return Axis(frozenset(grades), evidence, missing, notices, "0" not in grades, observed=observed)


def baseline_notices(facts: Facts, at: datetime, window: timedelta) -> tuple[Notice, ...]:
    """The ICE before the first bispecific dose, where it was not full: the scale counts the score
    as it is charted, so a reader has to compare."""
    now = any_within(facts.ice, at, window)
    first = min((dose.start for dose in bispecific_doses(facts)), default=None)
    before = [one for one in facts.ice if first is not None and one.at < first]
    if now is None or not before or before[-1].value >= ICE_BEST:
        return ()
    text = (
        f"ICE was {before[-1].value} before the first dose and is {now.value} now; the scale counts"
        " it as charted: compare."
    )
    return (Notice("ice-baseline", text),)
