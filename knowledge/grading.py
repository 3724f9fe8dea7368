"""Grading: the worst axis decides, for CRS behind the fever gate. Intervals in, intervals out.

A set of levels per axis stands for what is not known. The answer is the exact range over every way
of filling the gaps; `tests/spec` proves that by enumeration. Source: Lee et al. 2019 (ASTCT).
"""

from collections.abc import Iterable, Mapping

from knowledge.assessment import Grade
from knowledge.scale_model import CrsScale, IcansScale, ScoreBand


FEVER_LEVELS = ("absent", "masked", "present")


def grade_crs(
    scale: CrsScale,
    fever: frozenset[str],
    hypotension: frozenset[str],
    hypoxia: frozenset[str],
) -> Grade:
    """The CRS grade range for the possible levels of fever, hypotension and hypoxia.

    `fever` is a set of absent, masked and present. Masked: CRS was established in this event and
    treatment may hide the fever, so hypotension and hypoxia decide; with both normal, 0 or 1.
    """
    low, high = _worst(
        (scale.hypotension.levels, hypotension),
        (scale.hypoxia.levels, hypoxia),
    )
    least = {"absent": 0, "masked": low if low > 1 else 0, "present": max(low, 1)}
    most = {"absent": 0, "masked": max(high, 1), "present": max(high, 1)}
    return Grade(min(map(least.__getitem__, fever)), max(map(most.__getitem__, fever)))


def grade_icans(
    scale: IcansScale,
    cognition: frozenset[int],
    arousal: frozenset[str],
    seizure: frozenset[str],
    motor: frozenset[str],
    raised_icp: frozenset[str],
) -> Grade:
    """The ICANS grade range; `cognition` is the set of grades the ICE or CAPD score may mean."""
    low, high = _worst(
        ({str(g): g for g in range(5)}, frozenset(str(g) for g in cognition)),
        (scale.arousal.levels, arousal),
        (scale.seizure.levels, seizure),
        (scale.motor.levels, motor),
        (scale.raised_icp.levels, raised_icp),
    )
    return Grade(low, high)


def score_grade(bands: Iterable[ScoreBand], score: int) -> int | None:
    """The grade a whole score means, or None when no band of the scale holds it."""
    return next((b.grade for b in bands if b.low <= score <= b.high), None)


def _worst(*axes: tuple[Mapping[str, int], frozenset[str]]) -> tuple[int, int]:
    grades = [[levels[word] for word in words] for levels, words in axes]
    return max(map(min, grades)), max(map(max, grades))
