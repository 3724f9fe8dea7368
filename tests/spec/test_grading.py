"""ASTCT 2019: the worst axis decides; unknown inputs widen the grade and nothing else does."""

from collections.abc import Iterator
from itertools import chain, combinations, product

import pytest

from knowledge.assessment import Grade
from knowledge.grading import grade_crs, grade_icans, score_grade
from knowledge.library import load


LIBRARY = load()
CRS, ICANS = LIBRARY.crs, LIBRARY.icans
FEVER = ("absent", "masked", "present")
SUPPORT = ("none", "fluids", "one-vasopressor", "multiple-vasopressors")
OXYGEN = ("none", "low-flow", "high-flow", "positive-pressure")

# Written from ASTCT 2019 Table 2, not from the code: rows are hypotension, columns oxygen.
TABLE = {
    "none": (1, 2, 3, 4),
    "fluids": (2, 2, 3, 4),
    "one-vasopressor": (3, 3, 3, 4),
    "multiple-vasopressors": (4, 4, 4, 4),
}


def truth(fever: str, support: str, oxygen: str) -> set[int]:
    worst = TABLE[support][OXYGEN.index(oxygen)]
    if fever == "absent":
        return {0}
    if fever == "masked" and worst == 1:
        return {0, 1}
    return {worst}


def subsets(levels: tuple[str, ...]) -> Iterator[frozenset[str]]:
    sizes = (combinations(levels, n) for n in range(1, len(levels) + 1))
    return (frozenset(chosen) for chosen in chain.from_iterable(sizes))


def test_crs_interval_is_exactly_the_range_over_all_completions() -> None:
    checked = 0
    for fever, support, oxygen in product(subsets(FEVER), subsets(SUPPORT), subsets(OXYGEN)):
        completions = set(
            chain.from_iterable(truth(*one) for one in product(fever, support, oxygen))
        )
        expected = Grade(min(completions), max(completions))
        assert grade_crs(CRS, fever, support, oxygen) == expected, (fever, support, oxygen)
        checked += 1
    assert checked == 7 * 15 * 15


def test_worse_hypotension_or_oxygen_never_lowers_a_crs_grade() -> None:
    for fever in FEVER:
        for worse, milder in zip(SUPPORT[1:], SUPPORT, strict=False):
            for oxygen in OXYGEN:
                high = grade_crs(CRS, frozenset({fever}), frozenset({worse}), frozenset({oxygen}))
                low = grade_crs(CRS, frozenset({fever}), frozenset({milder}), frozenset({oxygen}))
                assert high.at_least >= low.at_least
                assert high.at_most >= low.at_most
        for worse, milder in zip(OXYGEN[1:], OXYGEN, strict=False):
            for support in SUPPORT:
                high = grade_crs(CRS, frozenset({fever}), frozenset({support}), frozenset({worse}))
                low = grade_crs(CRS, frozenset({fever}), frozenset({support}), frozenset({milder}))
                assert high.at_least >= low.at_least
                assert high.at_most >= low.at_most


# ASTCT 2019 Table 6, written from the table.
SIGNS = {
    "arousal": {
        "alert": 0,
        "spontaneous": 1,
        "voice": 2,
        "tactile": 3,
        "vigorous": 4,
        "unarousable": 4,
    },
    "seizure": {
        "none": 0,
        "brief": 3,
        "nonconvulsive-resolved": 3,
        "prolonged": 4,
        "repetitive": 4,
    },
    "motor": {"none": 0, "focal-weakness": 4},
    "raised_icp": {
        "none": 0,
        "focal-edema": 3,
        "diffuse-edema": 4,
        "posturing": 4,
        "cn6-palsy": 4,
        "papilledema": 4,
        "cushing-triad": 4,
    },
}


def known_or_not(levels: dict[str, int]) -> list[frozenset[str]]:
    return [frozenset({level}) for level in levels] + [frozenset(levels)]


def test_icans_interval_is_exactly_the_range_over_all_completions() -> None:
    cognition = [frozenset({g}) for g in range(4)] + [frozenset(range(4))]
    axes = [known_or_not(levels) for levels in SIGNS.values()]
    checked = 0
    for ice, signs in product(cognition, product(*axes)):
        worst = {
            max(g, *(levels[s] for s, levels in zip(one, SIGNS.values(), strict=True)))
            for g, one in product(ice, product(*signs))
        }
        assert grade_icans(ICANS, ice, *signs) == Grade(min(worst), max(worst))
        checked += 1
    assert checked == 5 * 7 * 6 * 3 * 8


@pytest.mark.parametrize(
    ("ice", "grade"),
    [(10, 0), (9, 1), (8, 1), (7, 1), (6, 2), (5, 2), (4, 2), (3, 2), (2, 3), (1, 3), (0, 3)],
)
def test_ice_bands(ice: int, grade: int) -> None:
    assert score_grade(ICANS.ice, ice) == grade


@pytest.mark.parametrize(("capd", "grade"), [(0, 0), (1, 1), (8, 1), (9, 3), (32, 3)])
def test_capd_bands(capd: int, grade: int) -> None:
    assert score_grade(ICANS.capd, capd) == grade


def test_a_score_off_the_scale_has_no_grade() -> None:
    assert score_grade(ICANS.ice, 11) is None


def test_a_worse_sign_never_lowers_an_icans_grade() -> None:
    mild = [frozenset({"alert"}), *(frozenset({"none"}) for _ in range(3))]
    for ice in range(4):
        for axis, levels in enumerate(SIGNS.values()):
            ordered = sorted(levels, key=lambda word, known=levels: known[word])  # type: ignore[misc]
            grades = []
            for word in ordered:
                signs = list(mild)
                signs[axis] = frozenset({word})
                grades.append(grade_icans(ICANS, frozenset({ice}), *signs).at_least)
            assert grades == sorted(grades)
            assert grades[-1] == max(ice, *levels.values())
    for worse in range(1, 4):
        high = grade_icans(ICANS, frozenset({worse}), *mild)
        low = grade_icans(ICANS, frozenset({worse - 1}), *mild)
        assert high.at_least > low.at_least
