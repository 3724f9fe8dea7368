"""Teclistamab: every row of its label, from the facts to the disposition and the next dose."""

import dataclasses
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from knowledge.assemble import Context
from knowledge.decide import decide
from knowledge.decision import Decision
from knowledge.library import Library, load
from tests.spec.chart import (
    attribution,
    chart,
    charted,
    dose,
    graded,
    infusion,
    masking,
    normal_vitals,
    readings,
    teclistamab_order,
)


LIBRARY = load()


def decided(protocol: str = "us-label", library: Library = LIBRARY, **changes: Any) -> Decision:
    context = Context("demo", "live", protocol, "0", library.rules, ZoneInfo("UTC"))
    return decide(chart(**changes), library, context)


def without(ingredient: str) -> Library:
    """The library as it would be without one product."""
    kept = {name: file for name, file in LIBRARY.products.items() if name != ingredient}
    return dataclasses.replace(LIBRARY, products=kept)


def fever(**more: Any) -> dict[str, Any]:
    return {**normal_vitals(1), "temperatures": readings("t", (3, 38.6), (1, 38.6)), **more}


NOREPI: dict[str, Any] = {"infusions": (infusion("norepinephrine", 5, None),)}
TWO: dict[str, Any] = {
    "infusions": (
        infusion("norepinephrine", 5, None),
        infusion("phenylephrine", 3, None),
    )
}
LONG: dict[str, Any] = {
    "temperatures": readings("t", (52, 38.6), (1, 38.6)),
    "infusions": (infusion("norepinephrine", 50, None),),
    "doses": (dose("teclistamab", 60),),
}
EARLIER_GRADE_3: dict[str, Any] = {
    "doses": (dose("teclistamab", 400), dose("teclistamab", 30)),
    "grades": (graded("crs", 3, 390), graded("crs", 0, 340)),
}
EARLIER_GRADE_1: dict[str, Any] = {
    "doses": (dose("teclistamab", 400), dose("teclistamab", 30)),
    "grades": (graded("crs", 1, 390), graded("crs", 0, 340)),
}


def neuro(ice: int, arousal: str = "alert", **more: Any) -> dict[str, Any]:
    return {
        **normal_vitals(1),
        "ice": readings("ice", (1, ice)),
        "arousal": charted("arousal", (1, arousal)),
        **more,
    }


EARLIER_ICANS_3: dict[str, Any] = {
    "doses": (dose("teclistamab", 400), dose("teclistamab", 30)),
    "grades": (graded("icans", 3, 390), graded("icans", 0, 340)),
}


@pytest.mark.parametrize(
    ("changes", "action", "confirmed", "rule"),
    [
        pytest.param(fever(), "withhold", False, "crs-1", id="CRS 1: withhold"),
        pytest.param(
            fever(oxygen=charted("o", (1, "low-flow"))),
            "withhold",
            False,
            "crs-2",
            id="CRS 2: withhold",
        ),
        pytest.param(
            fever(**NOREPI), "withhold", False, "crs-3-under-48h", id="CRS 3 under 48 h: withhold"
        ),
        pytest.param(
            fever(**LONG),
            "discontinue-permanently",
            False,
            "crs-3-from-48h",
            id="CRS 3 for 50 h: meets permanent discontinuation, unconfirmed",
        ),
        pytest.param(
            fever(**LONG, grades=(graded("crs", 3, 2),)),
            "discontinue-permanently",
            True,
            "crs-3-from-48h",
            id="CRS 3 for 50 h with a clinician's grade 3: confirmed",
        ),
        pytest.param(
            fever(**NOREPI, **EARLIER_GRADE_3),
            "discontinue-permanently",
            False,
            "crs-3-recurrent",
            id="CRS 3 again after a later dose: permanent",
        ),
        pytest.param(
            fever(**NOREPI, **EARLIER_GRADE_1),
            "withhold",
            False,
            "crs-3-under-48h",
            id="an earlier milder event does not make grade 3 recurrent",
        ),
        pytest.param(
            fever(**TWO), "discontinue-permanently", False, "crs-4", id="CRS 4: permanent"
        ),
        pytest.param(neuro(8), "withhold", False, "icans-1", id="ICE 8: ICANS 1, withhold"),
        pytest.param(neuro(5), "withhold", False, "icans-2", id="ICE 5: ICANS 2, withhold"),
        pytest.param(
            neuro(10, "voice"), "withhold", False, "icans-2", id="ICE 10, wakes to voice: ICANS 2"
        ),
        pytest.param(
            neuro(2), "withhold", False, "icans-3-first", id="ICE 2 and alert: ICANS 3, withhold"
        ),
        pytest.param(
            neuro(2, **EARLIER_ICANS_3),
            "discontinue-permanently",
            False,
            "icans-3-recurrent",
            id="ICANS 3 again after a later dose: permanent",
        ),
        pytest.param(
            neuro(10, seizure=charted("s", (1, "prolonged"))),
            "discontinue-permanently",
            False,
            "icans-4",
            id="a seizure of 5 minutes or more: ICANS 4, permanent",
        ),
    ],
)
def test_label_row(changes: dict[str, Any], action: str, confirmed: bool, rule: str) -> None:
    found = decided(**changes).assessment.disposition
    assert found.action == action
    assert found.confirmed is confirmed
    assert f"teclistamab-label@2#{rule}" in found.rules


@pytest.mark.parametrize(
    ("changes", "hospital", "premedicate"),
    [
        pytest.param(fever(), None, "required", id="after CRS 1: premedication, no hospital stay"),
        pytest.param(
            fever(oxygen=charted("o", (1, "low-flow"))), 48, "required", id="after CRS 2: 48 h"
        ),
        pytest.param(fever(**NOREPI), 48, "required", id="after CRS 3 under 48 h: 48 h"),
        pytest.param(neuro(5), 48, None, id="after ICANS 2: 48 h, premedication not stated"),
        pytest.param(neuro(2), 48, None, id="after ICANS 3: 48 h, premedication not stated"),
    ],
)
def test_next_dose(changes: dict[str, Any], hospital: int | None, premedicate: str | None) -> None:
    found = decided(**changes).assessment.next_dose
    assert found is not None
    stay = found.hospitalize
    assert (None if stay is None else stay.hours) == hospital
    assert (None if found.premedicate is None else found.premedicate.strength) == premedicate


def test_icans_1_puts_no_condition_on_the_next_dose() -> None:
    assert decided(**neuro(8)).assessment.next_dose is None


def test_only_the_upper_bound_at_a_permanent_row_withholds() -> None:
    found = decided(**fever(oxygen=())).assessment.disposition
    assert found.action == "withhold"
    assert "cannot exclude" in found.reason


def test_after_the_event_the_next_dose_has_conditions() -> None:
    vitals: dict[str, Any] = {
        "temperatures": readings("t", (60, 38.4), (30, 36.9), (1, 36.9)),
        "systolic": readings("b", (60, 120), (30, 120), (1, 120)),
        "saturations": readings("s", (60, 97), (30, 97), (1, 97)),
        "oxygen": charted("o", (60, "low-flow"), (30, "none"), (1, "none")),
        "doses": (dose("teclistamab", 70),),
    }
    found = decided(**vitals).assessment
    assert found.disposition.action == "resume-with-conditions"
    assert found.next_dose is not None
    assert found.next_dose.hospitalize is not None
    assert found.next_dose.hospitalize.hours == 48


def test_conditions_end_with_the_next_dose() -> None:
    vitals: dict[str, Any] = {
        "temperatures": readings("t", (160, 38.4), (130, 36.9), (1, 36.9)),
        "systolic": readings("b", (160, 120), (130, 120), (1, 120)),
        "saturations": readings("s", (160, 97), (130, 97), (1, 97)),
        "oxygen": charted("o", (160, "none"), (130, "none"), (1, "none")),
        "doses": (dose("teclistamab", 170), dose("teclistamab", 48)),
    }
    found = decided(**vitals).assessment
    assert found.disposition.action == "no-toxicity"
    assert found.next_dose is None


def test_nothing_wrong_is_no_toxicity() -> None:
    assert decided(**neuro(10)).assessment.disposition.action == "no-toxicity"


def test_nothing_abnormal_but_inputs_missing_is_no_hold() -> None:
    changes = {**normal_vitals(1), "temperatures": ()}
    assert decided(**changes).assessment.disposition.action == "cannot-evaluate"


def test_fever_before_a_first_dose_is_no_crs_row() -> None:
    found = decided(**fever(doses=())).assessment
    assert found.disposition.action == "not-stated"
    assert found.crs.reason == "not-exposed"


def test_nothing_abnormal_before_a_first_dose_is_no_toxicity() -> None:
    changes = {**normal_vitals(1), "doses": ()}
    assert decided(**changes).assessment.disposition.action == "no-toxicity"


def test_attribution_to_another_cause_is_not_stated_and_named() -> None:
    found = decided(**fever(attributions=(attribution("crs", "other-cause", 1),)))
    assert found.assessment.disposition.action == "not-stated"
    assert found.other_cause == ("crs",)


def test_the_strictest_of_two_toxicities_wins_and_both_are_shown() -> None:
    both = {**neuro(2), "temperatures": readings("t", (1, 38.6)), **TWO}
    found = decided(**both)
    assert found.assessment.disposition.action == "discontinue-permanently"
    assert {row.toxicity for row in found.rows} == {"crs", "icans"}


def test_another_bispecific_is_held_while_the_event_is_open() -> None:
    orders = (teclistamab_order(ingredient="talquetamab"),)
    found = decided(**fever(orders=orders)).assessment.disposition
    assert found.action == "withhold"


def test_a_product_without_rules_cannot_be_evaluated() -> None:
    library = without("talquetamab")
    orders = (teclistamab_order(ingredient="talquetamab"),)
    changes = {**neuro(10), "orders": orders, "doses": (dose("talquetamab", 30),)}
    found = decided(library=library, **changes)
    assert found.assessment.disposition.action == "cannot-evaluate"
    assert not found.orders[0].known


def test_rems_is_shown_under_a_us_protocol_and_never_under_the_nhs() -> None:
    assert decided(**neuro(10)).assessment.rems is not None
    assert decided("community-sop", **neuro(10)).assessment.rems is not None
    assert decided("nhs-waht", **neuro(10)).assessment.rems is None


@pytest.mark.parametrize(
    ("doses", "problem"),
    [
        pytest.param((30,), True, id="30 h after the first step-up dose is under 2 days"),
        pytest.param((60,), False, id="60 h after the first step-up dose is within 2-4 days"),
        pytest.param((200, 60), False, id="60 h after the second step-up dose is within"),
        pytest.param((300, 200, 24), False, id="after the step-up doses nothing is checked"),
        pytest.param((), False, id="no dose given: nothing to check"),
    ],
)
def test_step_up_interval(doses: tuple[float, ...], problem: bool) -> None:
    given = tuple(dose("teclistamab", h) for h in doses)
    found = decided(**neuro(10), doses=given)
    assert bool(found.orders[0].step_up) is problem


def test_step_up_is_not_checked_without_administrations() -> None:
    facts = {**neuro(10), "doses": (dose("teclistamab", 30),)}
    found = decided(**facts, answered=frozenset({"vitals"}))
    assert not found.orders[0].step_up


def test_nhs_stops_the_current_dose_at_grade_2_and_shows_no_permanent_word() -> None:
    found = decided("nhs-waht", **fever(oxygen=charted("o", (1, "low-flow"))))
    assert found.assessment.disposition.action == "discontinue-current"
    assert found.assessment.next_dose is not None
    assert found.assessment.next_dose.resolved is not None
    assert found.assessment.next_dose.resolved.strict


def test_nhs_shows_a_stricter_label_row_as_information() -> None:
    found = decided("nhs-waht", **fever(**LONG))
    assert found.assessment.disposition.action == "discontinue-current"
    assert "label-stricter" in {n.code for n in found.assessment.notices}


def test_community_procedure_takes_the_disposition_from_the_label_and_says_so() -> None:
    found = decided("community-sop", **fever(oxygen=charted("o", (1, "low-flow"))))
    assert found.assessment.disposition.rules == ("teclistamab-label@2#crs-2",)
    assert "disposition-from-label" in {n.code for n in found.assessment.notices}
    doses = {(m.agent, m.dose) for m in found.assessment.medications}
    assert ("dexamethasone", Decimal(10)) in doses


def test_masked_fever_with_normal_axes_holds_until_resolved() -> None:
    vitals: dict[str, Any] = {
        **normal_vitals(1),
        "temperatures": readings("t", (6, 38.9), (1, 37.0)),
        "masking": (masking("antipyretic", 5),),
    }
    assert decided(**vitals).assessment.disposition.action == "withhold"
