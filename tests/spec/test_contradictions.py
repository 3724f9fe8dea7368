"""Where the documents contradict each other or themselves: what the decision makes of it.

knowledge/DEPARTURES.md names the tests; what the cases or other modules show is not repeated here.
"""

import dataclasses
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from knowledge.assemble import Context
from knowledge.assessment import ToxicityState
from knowledge.decide import decide
from knowledge.decision import Decision
from knowledge.library import DATA, Library, load
from tests.spec.chart import (
    bolus,
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
FEVER: dict[str, Any] = {**normal_vitals(1), "temperatures": readings("t", (1, 38.6))}
ALERT: dict[str, Any] = {"ice": readings("ice", (1, 10)), "arousal": charted("a", (1, "alert"))}
LOW_FLOW = {"oxygen": charted("o2", (1, "low-flow"))}
NOREPI = infusion("norepinephrine", 2, None)
PHENYL = infusion("phenylephrine", 2, None)
PROTOCOLS = ("us-label", "community-sop", "nhs-waht")


def decided(protocol: str = "us-label", library: Library = LIBRARY, **changes: Any) -> Decision:
    context = Context("demo", "live", protocol, "0", library.rules, ZoneInfo("Europe/London"))
    return decide(chart(**changes), library, context)


def on(ingredient: str) -> dict[str, Any]:
    """The product given 30 hours ago and drafted again."""
    order = teclistamab_order(ingredient=ingredient, display=ingredient)
    return {"doses": (dose(ingredient, 30),), "orders": (order,)}


def codes(found: Decision) -> set[str]:
    return {notice.code for notice in found.assessment.notices}


def said(found: Decision) -> str:
    """All statements and notes of the rows reached."""
    rows = [row for row in found.rows if row.reached]
    return " ".join(text for row in rows for text in (*row.statements, row.note))


def span(state: ToxicityState) -> tuple[int, int]:
    assert state.grade is not None
    return state.grade.at_least, state.grade.at_most


@pytest.mark.parametrize("name", ["elranatamab", "mosunetuzumab", "tarlatamab", "tebentafusp"])
def test_a_doubtful_frequency_is_marked(name: str) -> None:
    incidence = LIBRARY.products[name].incidence
    assert incidence is not None
    assert incidence.crs.discrepancy


@pytest.mark.parametrize("name", ["blinatumomab", "glofitamab"])
def test_a_frequency_that_was_not_checked_is_an_open_question(name: str) -> None:
    questions = " ".join(LIBRARY.products[name].open_questions)
    assert "rate" in questions
    assert "label" in questions


@pytest.mark.parametrize("name", sorted(LIBRARY.products))
def test_a_printed_frequency_never_decides_anything(name: str) -> None:
    without = msgspec.structs.replace(LIBRARY.products[name], incidence=None)
    library = dataclasses.replace(LIBRARY, products={**LIBRARY.products, name: without})
    changes = {**FEVER, **ALERT, **on(name)}
    assert decided(library=library, **changes) == decided(**changes)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("name", "most", "noticed"),
    [
        pytest.param("teclistamab", 2, False, id="low flow on the scale"),
        pytest.param("mosunetuzumab", 3, True, id="high flow in the label: grade 3 possible"),
    ],
)
def test_exactly_6_l_min(protocol: str, name: str, most: int, noticed: bool) -> None:
    (device,) = charted("o2", (1, "low-flow"))
    oxygen = (msgspec.structs.replace(device, flow=Decimal(6)),)
    found = decided(protocol, **{**FEVER, **on(name), "oxygen": oxygen})
    assert span(found.assessment.crs) == (2, most)
    assert ("label-high-flow" in codes(found)) is noticed


@pytest.mark.parametrize("name", sorted(set(LIBRARY.products) - {"teclistamab"}))
def test_step_up_is_checked_only_where_a_document_gives_the_days(name: str) -> None:
    changes = {**normal_vitals(1), **on(name), "doses": (dose(name, 1),)}
    (order,) = decided(**changes).orders
    assert order.step_up == ""


def test_the_pressure_to_call_for_is_either_sign_and_the_printed_words_are_shown() -> None:
    found = decided("community-sop", **FEVER)
    assert "systolic pressure below 90 mm Hg, a fall of 10 mm Hg or more" in said(found)
    assert "less than 10 mm Hg below baseline and under 90 systolic" in said(found)


def test_prescriber_and_setting_are_both_told_to_report_and_the_patient_to_carry_the_card() -> None:
    duties = decided(**normal_vitals(1), **ALERT).rems_duties
    told = {duty.role for duty in duties if duty.text.startswith("Report serious")}
    assert told == {"prescriber", "pharmacy-and-setting"}
    assert [duty.role for duty in duties if duty.text.startswith("Carry")] == ["patient"]


def test_a_label_that_has_changed_since_is_said_with_its_date() -> None:
    found = decided(**FEVER, **on("elranatamab"))
    (text,) = [n.text for n in found.assessment.notices if n.code == "label-newer"]
    assert "2025-07-10" in text


def test_the_high_levetiracetam_dose_is_printed_with_a_word_of_caution() -> None:
    found = decided("nhs-waht", **{**normal_vitals(1), **ALERT, "ice": readings("i", (1, 8))})
    (medicine,) = [m for m in found.assessment.medications if m.agent == "levetiracetam"]
    assert (medicine.dose, medicine.dose_to) == (Decimal(500), Decimal(2000))
    assert medicine.strength == "consider"
    assert "check it against its product information and renal function" in said(found)


@pytest.mark.parametrize("misprint", ["Mosenutuzumab", "Tarlatab", "ASCTC", "ATSC", "mm/Kg"])
def test_misprints_of_the_documents_are_not_carried_over(misprint: str) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(DATA.rglob("*.yaml")))
    assert misprint.lower() not in text.lower().replace(" ", "")


def test_another_protocols_lower_count_is_information_and_no_block() -> None:
    given = {"doses": (dose("teclistamab", 30), dose("tocilizumab", 20), dose("tocilizumab", 10))}
    febrile = {"temperatures": readings("t", (25, 38.6), (12, 38.6), (1, 38.6))}
    found = decided("nhs-waht", **{**FEVER, **febrile, **given}, weights=readings("w", (2, 70)))
    assert found.assessment.tocilizumab is not None
    assert found.assessment.tocilizumab.status == "allowed"
    lines = [line.text for line in found.tocilizumab_lines]
    assert "For information, community-sop: at most 2 doses per CRS event" in lines
    assert any("does not say whether 4 doses are meant per event" in line for line in lines)


DEX_PO = ("dexamethasone", Decimal(10), "12 h", "administer")
DEX_IV = ("dexamethasone", Decimal(10), "6 h", "consider")


@pytest.mark.parametrize(
    ("protocol", "steroids", "first"),
    [
        pytest.param("us-label", (), "", id="the label of teclistamab names neither"),
        pytest.param(
            "community-sop", (DEX_PO,), "about 4-6 h after its dose", id="dexamethasone first"
        ),
        pytest.param(
            "nhs-waht", (DEX_IV,), "6-8 h after the first tocilizumab", id="tocilizumab first"
        ),
    ],
)
def test_grade_2_keeps_the_dose_and_the_order_of_the_active_protocol(
    protocol: str, steroids: tuple[Any, ...], first: str
) -> None:
    found = decided(protocol, **{**FEVER, **LOW_FLOW})
    medicines = found.assessment.medications
    named = [m for m in medicines if m.agent == "dexamethasone"]
    assert tuple((m.agent, m.dose, m.every, m.strength) for m in named) == steroids
    assert first in said(found)
    assert {m.rule.partition("@")[0] for m in medicines} <= {protocol}


@pytest.mark.parametrize(
    ("protocol", "name", "agent", "mg"),
    [
        ("us-label", "blinatumomab", "dexamethasone", 8),
        ("us-label", "tebentafusp", "methylprednisolone", 2),
        ("community-sop", "blinatumomab", "dexamethasone", 20),
        ("nhs-waht", "blinatumomab", "methylprednisolone", 1000),
    ],
)
def test_grade_4_names_the_one_steroid_of_the_active_protocol(
    protocol: str, name: str, agent: str, mg: int
) -> None:
    changes = {**FEVER, **on(name), "infusions": (NOREPI, PHENYL)}
    found = decided(protocol, **changes, weights=readings("w", (2, 70)))
    steroids = {"dexamethasone", "methylprednisolone", "corticosteroid"}
    named = [(m.agent, m.dose) for m in found.assessment.medications if m.agent in steroids]
    assert named == [(agent, Decimal(mg))]


@pytest.mark.parametrize("flow", [5, 6])
def test_a_mask_under_6_l_min_may_be_grade_2_only_where_the_protocol_grades_by_flow(
    flow: int,
) -> None:
    (device,) = charted("o2", (1, "high-flow"))
    changes = {**FEVER, "oxygen": (msgspec.structs.replace(device, flow=Decimal(flow)),)}
    found = decided("us-label", **changes)
    assert span(found.assessment.crs) == (3, 3)
    assert "graded-by-flow" not in codes(found)
    found = decided("nhs-waht", **changes)
    assert span(found.assessment.crs) == (2 if flow < 6 else 3, 3)
    assert ("graded-by-flow" in codes(found)) is (flow < 6)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_fever_hidden_by_treatment_does_not_lower_the_grade(protocol: str) -> None:
    changes = {
        **FEVER,
        "temperatures": readings("t", (6, 38.9), (1, 36.9)),
        "masking": (masking("antipyretic", 4),),
        "infusions": (NOREPI,),
    }
    found = decided(protocol, **changes).assessment.crs
    assert span(found) == (3, 3)
    assert found.axes["fever"].level == "masked"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("others", "noticed"),
    [
        pytest.param((NOREPI,), False, id="beside one vasopressor: not counted"),
        pytest.param((), True, id="alone: one vasopressor, with a notice"),
    ],
)
def test_vasopressin_makes_grade_3_and_never_4(
    protocol: str, others: tuple[Any, ...], noticed: bool
) -> None:
    vasopressin = infusion("vasopressin", 2, None, "vasopressin")
    found = decided(protocol, **{**FEVER, "infusions": (*others, vasopressin)})
    assert span(found.assessment.crs) == (3, 3)
    assert ("vasopressin-alone" in codes(found)) is noticed


def test_a_low_dose_vasopressor_started_at_grade_2_makes_it_grade_3() -> None:
    low = {**FEVER, "systolic": readings("bp", (3, 82), (1, 84)), "boluses": (bolus(3),)}
    before = decided("nhs-waht", **low)
    assert span(before.assessment.crs) == (2, 2)
    assert "Once one runs the grade is 3" in said(before)
    assert span(decided("nhs-waht", **low, infusions=(NOREPI,)).assessment.crs) == (3, 3)


def test_from_grade_1_the_ice_is_taken_three_to_four_times_a_day() -> None:
    found = decided("nhs-waht", **{**normal_vitals(1), **ALERT, "ice": readings("i", (1, 8))})
    assert "ICE three to four times a day" in said(found)


@pytest.mark.parametrize(
    ("name", "hours"),
    [("tarlatamab", 22), ("elranatamab", 48), ("linvoseltamab", 24)],
)
def test_the_longer_monitoring_of_the_label_is_shown_under_the_procedure(
    name: str, hours: int
) -> None:
    found = decided("community-sop", **{**FEVER, **LOW_FLOW, **on(name)}).assessment.next_dose
    assert found is not None
    assert found.monitor is not None
    assert found.monitor.strength == "required"
    assert found.monitor.hours == hours


@pytest.mark.parametrize(
    ("protocol", "changes", "prompt"),
    [
        ("community-sop", {}, "infection first"),
        ("community-sop", LOW_FLOW, "infection first"),
        ("community-sop", {"infusions": (NOREPI,)}, "Evaluate for sepsis"),
        ("community-sop", {"infusions": (NOREPI, PHENYL)}, "infection first"),
        ("nhs-waht", {}, "neutropenic sepsis guideline"),
        ("nhs-waht", LOW_FLOW, "neutropenic sepsis guideline"),
        ("nhs-waht", {"infusions": (NOREPI,)}, "neutropenic sepsis guideline"),
        ("nhs-waht", {"infusions": (NOREPI, PHENYL)}, "neutropenic sepsis guideline"),
    ],
)
def test_the_procedures_ask_for_infection(
    protocol: str, changes: dict[str, Any], prompt: str
) -> None:
    assert prompt in said(decided(protocol, **{**FEVER, **changes}))


@pytest.mark.parametrize(
    ("arousal", "grade"),
    [
        pytest.param("alert", 3, id="ICE 0 and awake"),
        pytest.param("unarousable", 4, id="ICE 0 and not to be woken"),
    ],
)
def test_ice_0_alone_is_grade_3_under_the_guideline_too(arousal: str, grade: int) -> None:
    changes = {
        **normal_vitals(1),
        "ice": readings("i", (1, 0)),
        "arousal": charted("a", (1, arousal)),
    }
    found = decided("nhs-waht", **changes)
    assert span(found.assessment.icans) == (grade, grade)
    assert {row.grade for row in found.rows if row.reached and not row.other_source} == {grade}


def test_what_happens_to_the_running_infusion_is_told_apart_from_the_next_dose() -> None:
    found = decided(**FEVER, **on("glofitamab")).assessment
    assert found.next_dose is not None
    assert found.next_dose.current_infusion is not None
    assert found.next_dose.current_infusion.action == "restart-slower"
    assert found.next_dose.rate is not None
    assert found.disposition.action == "withhold"
    grade_3 = {**FEVER, **on("blinatumomab"), "infusions": (NOREPI,)}
    stopped = decided(**grade_3, weights=readings("w", (2, 70))).assessment.disposition
    assert stopped.action == "interrupt"


@pytest.mark.parametrize(
    ("mild", "action"),
    [
        pytest.param(71, "withhold", id="71 h: not yet 3 days"),
        pytest.param(72, "resume-with-conditions", id="exactly 72 h: at least 3 days"),
    ],
)
def test_three_days_count_from_the_first_time_at_grade_1(mild: float, action: str) -> None:
    worst, steps = mild + 6, (mild, *(h for h in (60, 50, 40, 30, 20, 10, 1)))
    points = [(worst, 2), *((h, 8) for h in steps)]
    changes = {
        **normal_vitals(1),
        **on("blinatumomab"),
        "doses": (dose("blinatumomab", worst + 40),),
        "ice": readings("ice", *points),
        "arousal": charted("a", *((h, "alert") for h, _ in points)),
    }
    found = decided(**changes, weights=readings("w", (2, 70))).assessment
    assert span(found.icans) == (1, 1)
    assert found.disposition.action == action


@pytest.mark.parametrize(
    ("earlier", "pressors", "words"),
    [
        pytest.param((), (NOREPI, PHENYL), "at grade 4", id="grade 4"),
        pytest.param(
            (graded("crs", 3, 390), graded("crs", 0, 340)),
            (NOREPI,),
            "recurrent grade 3",
            id="grade 3 again",
        ),
    ],
)
def test_tarlatamab_is_held_and_the_omission_says_what_is_printed_elsewhere(
    earlier: tuple[Any, ...], pressors: tuple[Any, ...], words: str
) -> None:
    given = {**on("tarlatamab"), "doses": (dose("tarlatamab", 400), dose("tarlatamab", 30))}
    found = decided(**{**FEVER, **ALERT, **given, "grades": earlier, "infusions": pressors})
    assert found.assessment.disposition.action == "withhold"
    assert "us-label@3#crs-principle" in found.assessment.disposition.rules
    texts = [n.text for n in found.assessment.notices if n.code == "source-omission"]
    assert any("permanently discontinue" in text and words in text for text in texts)
