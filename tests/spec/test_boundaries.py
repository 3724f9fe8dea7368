"""Numbers at their edge, and facts that must not be mixed up: what a small slip would change.

Expectations: adults from 18 years (site rule `adult_years`); two seizures where two are charted;
a diagnosis may be dated a day before its event (project decision); what is charted at the time of
a grade was known to whoever charted it.
"""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from knowledge.assemble import Context
from knowledge.decide import decide
from knowledge.decision import Decision
from knowledge.facts import Charted, Dose
from knowledge.library import load
from knowledge.newer_data import after
from knowledge.seizures import seizures
from knowledge.tocilizumab import subcutaneous_given
from knowledge.toxicity import Standing, crs_standing
from tests.spec.chart import (
    ago,
    bolus,
    chart,
    charted,
    diagnosis,
    dose,
    infusion,
    normal_vitals,
    readings,
    teclistamab_order,
)


LIBRARY = load()


def crs(**changes: Any) -> Standing:
    return crs_standing(chart(**changes), LIBRARY.crs, LIBRARY.rules)


def decided(ingredient: str, given: float = 30, **changes: Any) -> Decision:
    orders = (teclistamab_order(ingredient=ingredient, display=ingredient),)
    facts = chart(orders=orders, doses=(dose(ingredient, given),), **changes)
    context = Context("demo", "live", "us-label", "0", LIBRARY.rules, ZoneInfo("UTC"))
    return decide(facts, LIBRARY, context)


@pytest.mark.parametrize(
    ("age", "least"),
    [
        pytest.param(17, 1, id="17 years: an adult's number is not used"),
        pytest.param(18, 2, id="18 years: it is"),
    ],
)
def test_the_limit_of_blood_pressure_counts_from_18_years_on(age: int, least: int) -> None:
    low = {
        **normal_vitals(1),
        "temperatures": readings("t", (1, 38.6)),
        "systolic": readings("b", (1, 85)),
        "boluses": (bolus(0.5),),
    }
    grade = crs(**low, age_years=age).state.grade
    assert grade is not None
    assert grade.at_least == least


@pytest.mark.parametrize(
    ("entries", "counted"),
    [
        pytest.param(charted("s", (5, "brief")), (1, 1), id="one"),
        pytest.param(charted("s", (5, "repetitive")), (2, 2), id="repetitive: two at least"),
        pytest.param(
            charted("s", (5, ("brief", "repetitive"))), (1, 2), id="one, or perhaps several"
        ),
        pytest.param(charted("s", (5, "none")), (0, 0), id="none"),
        pytest.param(charted("s", (40, "brief")), (0, 0), id="before the first dose: not counted"),
        pytest.param(
            charted("s", (6, "brief"), (5, "brief")), (1, 2), id="two entries may be of one seizure"
        ),
    ],
)
def test_how_many_seizures_there_were(
    entries: tuple[Charted, ...], counted: tuple[int, int]
) -> None:
    assert seizures(chart(seizure=entries), [ago(30)]) == counted


@pytest.mark.parametrize(
    ("entries", "action"),
    [
        pytest.param(
            charted("s", (3, "brief"), (1, "brief")),
            "withhold",
            id="perhaps more than one: held, permanent is not excluded",
        ),
        pytest.param(
            charted("s", (1, "brief")), "withhold", id="surely one: held, others are possible"
        ),
        pytest.param(
            charted("s", (1, "repetitive")),
            "discontinue-permanently",
            id="surely more than one: blinatumomab ends",
        ),
    ],
)
def test_more_than_one_seizure_ends_blinatumomab_where_it_is_certain(
    entries: tuple[Charted, ...], action: str
) -> None:
    found = decided(
        "blinatumomab",
        **normal_vitals(1),
        seizure=entries,
        ice=readings("i", (1, 10)),
        arousal=charted("a", (1, "alert")),
    ).assessment.disposition
    assert found.action == action
    if action == "withhold":
        assert found.reason.startswith("cannot exclude permanent discontinuation")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param((dose("tocilizumab", 20, "sc"),), True, id="tocilizumab under the skin"),
        pytest.param((dose("tocilizumab", 20, "iv"),), False, id="tocilizumab into a vein"),
        pytest.param((dose("teclistamab", 20, "sc"),), False, id="the bispecific under the skin"),
        pytest.param(
            (dose("teclistamab", 30, "sc"), dose("tocilizumab", 20, "iv")), False, id="both"
        ),
    ],
)
def test_subcutaneous_tocilizumab_is_that_drug_by_that_route(
    given: tuple[Dose, ...], expected: bool
) -> None:
    assert subcutaneous_given(given) is expected


def test_what_was_charted_with_a_grade_is_not_newer_than_it() -> None:
    facts = chart(
        boluses=(bolus(3), bolus(2)),
        infusions=(infusion("norepinephrine", 3, None), infusion("phenylephrine", 2, None)),
        temperatures=readings("t", (3, 38.6), (2, 38.7)),
    )
    newer = after(facts, ago(3))
    assert [one.at for one in newer.boluses] == [ago(2)]
    assert [one.agent for one in newer.infusions] == ["phenylephrine"]
    assert [one.at for one in newer.temperatures] == [ago(2)]


@pytest.mark.parametrize(
    ("dated", "events"),
    [
        pytest.param(23.5, 1, id="23.5 h before the first sign: the same event"),
        pytest.param(24.5, 2, id="24.5 h before: another one"),
    ],
)
def test_a_diagnosis_may_be_dated_a_day_before_its_event(dated: float, events: int) -> None:
    onset = 10
    found = crs(
        temperatures=readings("t", (onset, 38.6), (1, 38.6)),
        diagnoses=(diagnosis("crs", 1, 1, onset + dated),),
        doses=(dose("teclistamab", 60),),
    )
    assert len(found.events) == events


def test_more_than_a_week_that_is_only_possible_ends_nothing_where_the_weight_is_unknown() -> None:
    """Both weight bands of blinatumomab end it after 7 days; 8 days without a look are no proof."""
    days = (200, 1)  # hours ago
    found = decided(
        "blinatumomab",
        **normal_vitals(1),
        ice=readings("i", *((hours, 1) for hours in days)),
        arousal=charted("a", *((hours, "alert") for hours in days)),
        given=210,
    ).assessment
    assert found.icans.event is not None
    assert found.disposition.action == "withhold"
    assert found.disposition.reason.startswith("cannot exclude permanent discontinuation")
