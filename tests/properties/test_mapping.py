"""What must hold for every chart, through the mapping and the decision."""

from datetime import UTC, timedelta, timezone
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds.pipeline import Evaluation
from tests.builders import (
    NOW,
    Json,
    assessment,
    bp,
    bundle,
    draft_order,
    hours_ago,
    oxygen_device,
    patient,
    spo2,
    teclistamab,
    temp,
    tocilizumab,
    weight,
)
from tests.properties.charts import (
    FACTS,
    KEYS,
    Chart,
    charts,
    in_fahrenheit_and_kilograms,
    is_statement,
    noise,
    outside_the_shorter_window,
    shifted,
    without_contradiction,
    without_sedation,
)
from tests.properties.figures import Figures
from tests.properties.service import VALIDATION, ask, assessed, conclusions, facts, how_many


# The normal run is the same every time; the long one looks further each time.
LONG = settings(
    max_examples=how_many(150, 5000),
    deadline=None,
    derandomize=not VALIDATION,
    database=None,
    suppress_health_check=list(HealthCheck),
)
PROTOCOLS = st.sampled_from(("us-label", "community-sop", "nhs-waht"))


def _ask(chart: Chart, protocol: str = "us-label") -> Evaluation:
    return ask(chart.prefetch(), chart.drafts, protocol=protocol)


@LONG
@given(charts(), st.randoms(use_true_random=False))
def test_the_order_of_resources_changes_nothing(
    figures: Figures, chart: Chart, random: Random
) -> None:
    entries = list(chart.entries)
    random.shuffle(entries)
    one, other = _ask(chart), _ask(chart._replace(entries=tuple(entries)))
    assert conclusions(one) == conclusions(other)
    assert facts(one) == facts(other)
    figures.add("the order of resources changes nothing")


@LONG
@given(charts(), st.data())
def test_a_resource_that_comes_twice_counts_once(
    figures: Figures, chart: Chart, data: st.DataObject
) -> None:
    again = []
    for _, resource in chart.entries:
        for key in data.draw(st.lists(st.sampled_from((*KEYS, "mine")), max_size=2)):
            again.append((key, resource))
    one, other = _ask(chart), _ask(chart._replace(entries=(*chart.entries, *again)))
    assert _wherever_it_came(one) == _wherever_it_came(other)
    assert facts(one) == facts(other)
    figures.add("a resource that comes twice counts once")


def _wherever_it_came(evaluation: Evaluation) -> dict[str, Any]:
    """The whole assessment; what was not used by its reason alone, since its place is the first one
    in the request, and a page before may hold it now."""
    made = assessed(evaluation)
    reasons = sorted(one["reason"] for one in made.get("unreadable", ()))
    return {**made, "unreadable": reasons}


@LONG
@given(charts(), PROTOCOLS)
def test_the_unit_of_a_value_changes_nothing(figures: Figures, chart: Chart, protocol: str) -> None:
    other = chart.mapped(in_fahrenheit_and_kilograms)
    assert conclusions(_ask(chart, protocol)) == conclusions(_ask(other, protocol))
    figures.add("Celsius or Fahrenheit, kilograms or pounds: the same conclusions")


@LONG
@given(charts(), st.integers(0, 30000), st.integers(-14, 14))
def test_the_same_course_at_another_time_or_in_another_zone_is_graded_the_same(
    figures: Figures, chart: Chart, minutes: int, hours: int
) -> None:
    by, zone = timedelta(minutes=minutes), timezone(timedelta(hours=hours))
    prefetch, drafts = shifted(chart.prefetch(), by, zone), shifted(list(chart.drafts), by, zone)
    later = conclusions(ask(prefetch, drafts, now=NOW + by))
    assert shifted(later, -by, UTC) == shifted(conclusions(_ask(chart)), timedelta(0), UTC)
    figures.add("the same course at another time or in another zone is graded the same")


@LONG
@given(charts(), noise(), st.booleans())
def test_what_says_nothing_about_now_changes_nothing(
    figures: Figures, chart: Chart, added: list[tuple[str, Json]], first: bool
) -> None:
    named = tuple((key, {**one, "id": f"n{index}"}) for index, (key, one) in enumerate(added))
    entries = (*named, *chart.entries) if first else (*chart.entries, *named)
    assert conclusions(_ask(chart._replace(entries=entries))) == conclusions(_ask(chart))
    figures.add("irrelevant, older, future and erroneous resources change nothing")


@LONG
@given(charts(), st.sampled_from(sorted(FACTS)), PROTOCOLS)
def test_hiding_a_fact_only_widens_a_grade(
    figures: Figures, chart: Chart, hidden: str, protocol: str
) -> None:
    is_hidden = FACTS[hidden]
    chart = without_contradiction(chart.mapped(outside_the_shorter_window))
    if hidden == "arousal":
        chart = without_sedation(chart)
    less = chart.mapped(lambda one: None if is_hidden(one) else one)
    _assert_wider(_ask(chart, protocol), _ask(less, protocol))
    figures.add("hiding a fact only widens a grade")


@LONG
@given(charts(), PROTOCOLS)
def test_hiding_a_clinicians_statement_only_widens_a_grade_where_it_overrules_nothing(
    figures: Figures, chart: Chart, protocol: str
) -> None:
    """A statement outranks what is inferred, in both directions; here nothing can be inferred."""
    chart = chart.mapped(outside_the_shorter_window)
    chart = chart.mapped(lambda one: None if FACTS["pressures"](one) else one)
    less = chart.mapped(lambda one: None if is_statement(one) else one)
    full, other = (
        ask(one.prefetch(without=["administrations"]), one.drafts, protocol=protocol)
        for one in (chart, less)
    )
    _assert_wider(full, other)
    figures.add("hiding a clinician's statement that overrules nothing only widens a grade")


@LONG
@given(charts(), st.sampled_from(("none", "fluids", "one-vasopressor", "multiple-vasopressors")))
def test_a_clinicians_statement_outranks_what_is_inferred(
    figures: Figures, chart: Chart, stated: str
) -> None:
    """A low pressure beside the word that nothing is needed changes no level: it is shown."""
    made = assessment("hypotension-support", stated, at=hours_ago(0), resource_id="stated")
    chart = chart.mapped(lambda one: None if is_statement(one) else one)
    whole = assessed(_ask(chart._replace(entries=(*chart.entries, ("assessments", made)))))
    found = whole["crs"]
    if found["assessed"]:
        assert found["axes"]["hypotension"]["level"] == stated
        first, *beside = (one["ref"] for one in found["axes"]["hypotension"]["evidence"])
        assert first == "Observation/stated"
        contradicted = "pressure-below-limit" in {one["code"] for one in whole.get("notices", ())}
        assert bool(beside) is contradicted
        assert stated == "none" or not contradicted
        pressures = {
            f"Observation/{one['id']}" for _, one in chart.entries if FACTS["pressures"](one)
        }
        assert set(beside) <= pressures
        figures.add("a clinician's statement outranks what is inferred")


@LONG
@given(charts(), PROTOCOLS)
def test_hiding_the_administrations_only_widens_a_grade(
    figures: Figures, chart: Chart, protocol: str
) -> None:
    """Without a clinician's statement: that settles the circulation, given drugs or not, until a
    pressor that began after it is seen."""
    chart = chart.mapped(outside_the_shorter_window)
    chart = chart.mapped(lambda one: None if is_statement(one) else one)
    less = ask(chart.prefetch(without=["administrations"]), chart.drafts, protocol=protocol)
    _assert_wider(_ask(chart, protocol), less)
    figures.add("hiding a fact only widens a grade")


@pytest.mark.parametrize("fever_before", [True, False])
def test_without_the_administrations_nobody_knows_that_no_drug_hides_a_fever(
    fever_before: bool,
) -> None:
    """Nine in ten facts are there; the one drug that counts is not: DESIGN rule 1."""
    vitals = [temp(37, resource_id="now"), oxygen_device("hfnc"), bp(120, 70), spo2(95)]
    if fever_before:
        vitals.append(temp(39, at=hours_ago(6), resource_id="before"))
    given = [teclistamab(at=hours_ago(40)), tocilizumab(at=hours_ago(5))]
    chart = Chart(
        (
            *(("vitals", one) for one in vitals),
            *(("administrations", one) for one in given),
        ),
        (draft_order(),),
    )
    full = _ask(chart)
    less = ask(chart.prefetch(without=["administrations"]), chart.drafts)
    assert assessed(full)["crs"]["grade"]["atMost"] == 3
    _assert_wider(full, less)


def _assert_wider(full: Evaluation, less: Evaluation) -> None:
    for toxicity in ("crs", "icans"):
        before, after = assessed(full)[toxicity], assessed(less)[toxicity]
        if after["assessed"] and before["assessed"]:
            assert after["grade"]["atLeast"] <= before["grade"]["atLeast"], toxicity
            assert after["grade"]["atMost"] >= before["grade"]["atMost"], toxicity


@LONG
@given(
    st.lists(st.integers(2000, 300000), min_size=2, max_size=2).map(sorted),
    st.sampled_from(("community-sop", "nhs-waht")),
)
def test_the_tocilizumab_dose_grows_with_weight_and_never_passes_800_mg(
    figures: Figures, grams: list[int], protocol: str
) -> None:
    given_doses = [_tocilizumab(one / 1000, protocol) for one in grams]
    doses = [one["doseMg"] for one in given_doses if "doseMg" in one]
    assert doses == sorted(doses)
    assert all(0 < dose <= 800 for dose in map(float, doses))
    for one, gram in zip(given_doses, grams, strict=True):
        assert ("doseMg" in one) is (gram > 30000)  # DESIGN 9: none at or under 30 kg
    figures.add("the tocilizumab dose grows with weight and never passes 800 mg")


def _tocilizumab(kilograms: float, protocol: str) -> dict[str, Any]:
    vitals = bundle(temp(39), bp(80, 40), weight(kilograms))
    given = bundle(teclistamab(at=hours_ago(30)))
    prefetch = {"patient": patient(), "vitals": vitals, "administrations": given}
    found = assessed(ask(prefetch, [draft_order("tocilizumab")], protocol=protocol))
    made: dict[str, Any] = found["tocilizumab"]
    return made
