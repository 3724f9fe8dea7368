"""Fever that treatment may hide, by antipyretic, steroid or anti-cytokine drug: one row, one case.

Rule: ASTCT 2019 footnote, clinical review 4.1, DESIGN 6a. It holds only once CRS is established in
the event; without that a masked fever is possible and never certain. Hours are site settings.
"""

from typing import Any

import pytest

from knowledge.decision import Decision
from tests.builders import (
    ICD10CM,
    Json,
    acetaminophen,
    administration,
    charted_grade,
    concept,
    dexamethasone,
    hours_ago,
    norepinephrine,
    quantity,
    tocilizumab,
)
from tests.spec.bedside import (
    bedside,
    condition,
    fever,
    grade,
    level,
    missing,
    notices,
    on,
    pressure,
)
from tests.unit.fhir_mapping.mapped import facts_of


AFEBRILE = fever(36.9)
EARLIER = fever(38.9, hours=6, name="earlier")
MASK = on("simple mask")
PRESSOR = norepinephrine(at=hours_ago(2))


def given(name: str, hours: float, route: str = "", **options: Any) -> Json:
    return administration({"text": name}, at=hours_ago(hours), route=route, **options)


def afebrile(*more: Json, o: Json | None = None, dosed: float = 30) -> Decision:
    """No fever now; whatever `more` says was before or is beside it."""
    return bedside(*more, t=AFEBRILE, o=o or on(), dosed=dosed)


@pytest.mark.parametrize(
    ("drug", "masks"),
    [
        pytest.param(acetaminophen(at=hours_ago(8)), True, id="acetaminophen masks for 8 h"),
        pytest.param(acetaminophen(at=hours_ago(8.1)), False, id="and no longer"),
        pytest.param(given("ibuprofen", 5, "oral"), True, id="ibuprofen masks"),
        pytest.param(given("paracetamol", 5, "rectal"), True, id="a suppository masks"),
        pytest.param(given("aspirin 81 mg", 5, "oral"), False, id="low-dose aspirin does not"),
        pytest.param(dexamethasone(at=hours_ago(36)), True, id="dexamethasone masks for 36 h"),
        pytest.param(dexamethasone(at=hours_ago(36.1)), False, id="and no longer"),
        pytest.param(given("methylprednisolone", 20, "IV"), True, id="methylprednisolone masks"),
        pytest.param(given("hydrocortisone", 20, "topical"), False, id="a cream does not"),
        pytest.param(given("dexamethasone", 20, "ophthalmic"), False, id="eye drops do not"),
        pytest.param(
            given("prednisolone eye drops", 20), False, id="nor eye drops known by their name"
        ),
        pytest.param(tocilizumab(at=hours_ago(20 * 24)), True, id="tocilizumab masks for days"),
        pytest.param(tocilizumab(at=hours_ago(22 * 24)), False, id="and not for more than 21"),
        pytest.param(given("anakinra", 48, "subcutaneous"), True, id="anakinra masks for days"),
        pytest.param(given("siltuximab", 48, "IV"), True, id="siltuximab masks for days"),
        pytest.param(
            {**acetaminophen(at=hours_ago(5)), "status": "not-done"}, False, id="not given"
        ),
        pytest.param(
            {**acetaminophen(at=hours_ago(5)), "status": "entered-in-error"}, False, id="an error"
        ),
        pytest.param(acetaminophen(at=hours_ago(-1)), False, id="in the future"),
        pytest.param(
            given("dexamethasone", 60, "IV", until=hours_ago(30)),
            True,
            id="an infusion masks from its end",
        ),
        pytest.param(
            given("anakinra", 30 * 24, "IV", status="in-progress"), True, id="and while it runs"
        ),
    ],
)
def test_which_drugs_mask_and_for_how_long(drug: Json, masks: bool) -> None:
    """CRS was established six hours ago; the patient is on a mask and has no fever now."""
    found = afebrile(EARLIER, drug, o=MASK)
    assert (level(found, "fever"), grade(found)) == (
        ("masked", (3, 3)) if masks else ("absent", (0, 0))
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param((), (0, 1), id="both axes normal: 0 or 1"),
        pytest.param((PRESSOR,), (3, 3), id="on one vasopressor: 3"),
    ],
)
def test_masked_fever_in_an_established_event(
    more: tuple[Json, ...], expected: tuple[int, int]
) -> None:
    found = afebrile(EARLIER, acetaminophen(at=hours_ago(5)), *more)
    assert grade(found) == expected
    assert level(found, "fever") == "masked"


@pytest.mark.parametrize(
    ("more", "o", "expected"),
    [
        pytest.param((), None, (0, 0), id="premedication and everything normal: 0"),
        pytest.param((), MASK, (0, 3), id="premedication and a mask, never a fever: 0 to 3"),
        pytest.param((PRESSOR,), None, (0, 3), id="premedication and a vasopressor: 0 to 3"),
        pytest.param((), on("CPAP"), (0, 4), id="premedication and CPAP: 0 to 4"),
    ],
)
def test_without_an_earlier_fever_nothing_is_certain(
    more: tuple[Json, ...], o: Json | None, expected: tuple[int, int]
) -> None:
    assert grade(afebrile(dexamethasone(at=hours_ago(31)), *more, o=o)) == expected


def test_without_any_masking_drug_and_fever_it_is_not_crs() -> None:
    assert grade(afebrile(o=MASK)) == (0, 0)
    assert grade(afebrile(PRESSOR)) == (0, 0)


def test_premedication_and_low_pressure_is_0_to_2() -> None:
    found = bedside(dexamethasone(at=hours_ago(31)), t=AFEBRILE, p=pressure(84))
    assert grade(found) == (0, 2)


def test_a_clinicians_grade_establishes_the_event() -> None:
    earlier = charted_grade("crs", 1, at=hours_ago(6))
    found = afebrile(earlier, acetaminophen(at=hours_ago(5)), o=MASK)
    assert grade(found) == (3, 3)


def test_a_coded_diagnosis_leaves_the_event_open_with_its_temperature_masked() -> None:
    coded = condition(concept(ICD10CM, "D89.831"), onsetDateTime=hours_ago(6))
    found = afebrile(coded, acetaminophen(at=hours_ago(5)), o=MASK)
    event = found.assessment.crs.event
    assert event is not None
    assert event.resolved_at is None
    assert grade(found) == (3, 3)


def test_a_fever_before_the_dose_establishes_nothing() -> None:
    found = afebrile(fever(38.9, hours=31, name="before"), acetaminophen(at=hours_ago(5)), o=MASK)
    assert grade(found) == (0, 3)


def test_fever_in_spite_of_treatment_is_fever() -> None:
    found = bedside(acetaminophen(at=hours_ago(2)))
    assert (grade(found), level(found, "fever")) == ((1, 1), "present")


def test_a_missing_temperature_under_treatment_keeps_fever_and_masking_possible() -> None:
    found = bedside(EARLIER, acetaminophen(at=hours_ago(5)), t=None, o=MASK)
    assert grade(found) == (3, 3)
    assert grade(bedside(EARLIER, t=None, o=MASK)) == (0, 3)


def test_administrations_that_were_not_available_may_hide_a_fever() -> None:
    found = bedside(EARLIER, t=AFEBRILE, o=MASK, unanswered="administrations")
    assert grade(found) == (0, 4)
    assert "masking: administrations were not available" in missing(found)
    assert grade(bedside(EARLIER, t=AFEBRILE, o=MASK)) == (0, 0)


def test_the_drug_that_may_hide_the_fever_is_shown() -> None:
    found = afebrile(EARLIER, acetaminophen(at=hours_ago(5)), o=MASK)
    refs = [one.ref for one in found.assessment.crs.axes["fever"].evidence]
    assert "MedicationAdministration/apap1" in refs


def test_the_guideline_is_silent_and_the_scale_rule_is_named() -> None:
    found = bedside(
        EARLIER, acetaminophen(at=hours_ago(5)), t=AFEBRILE, o=MASK, protocol="nhs-waht"
    )
    assert grade(found) == (3, 3)
    assert "scale-masked-fever" in notices(found)


def test_a_short_infusion_of_a_steroid_is_two_moments_of_one_administration() -> None:
    made = administration(
        {"text": "dexamethasone"},
        at=hours_ago(3),
        until=hours_ago(2.5),
        dose=quantity(10, "mg"),
        route="IV",
    )
    assert len({one.evidence.ref for one in facts_of(made).masking}) == 1
    assert len(facts_of(made).masking) == 2
