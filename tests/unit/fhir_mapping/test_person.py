"""Age, sex, setting, weight, allergies and active orders."""

from decimal import Decimal

import pytest

from tests.builders import (
    LOINC,
    NOW,
    RXNORM,
    Json,
    bundle,
    concept,
    draft_order,
    hours_ago,
    observation,
    patient,
    quantity,
    weight,
)
from tests.unit.fhir_mapping.mapped import facts_of, map_request, reasons


@pytest.mark.parametrize(
    ("birth", "age"),
    [
        ("1960-05-17", 66),
        ("1960-11-21", 66),
        ("1960-11-22", 65),
        ("2008-11-22", 17),
        ("1960", 65),
        ("1960-11", 65),
        ("1960-10", 66),
        ("2027-01-01", None),
        ("1960-13-01", None),
        ("0000", None),
        ("17 May 1960", None),
        ("", None),
    ],
)
def test_age(birth: str, age: int | None) -> None:
    assert map_request({"patient": patient(birth_date=birth)}).facts.age_years == age


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"deceasedBoolean": True}, True),
        ({"deceasedDateTime": "2026-11-01"}, True),
        ({"deceasedBoolean": False}, False),
        ({}, False),
    ],
)
def test_a_patient_recorded_as_deceased_is_named(members: Json, named: bool) -> None:
    facts = map_request({"patient": {**patient(), **members}}).facts
    assert ("living-patient" in {one.fact for one in facts.missing}) is named


def test_no_patient_no_age_and_no_sex() -> None:
    facts = map_request({}).facts
    assert (facts.patient, facts.age_years, facts.sex) == ("Patient/p1", None, None)
    assert facts.evaluated_at == NOW


def _encounter(code: str | None, status: str = "in-progress", **members: object) -> Json:
    return {
        "resourceType": "Encounter",
        "id": f"e-{code}-{status}",
        "status": status,
        "subject": {"reference": "Patient/p1"},
        **({"class": {"code": code}} if code else {}),
        **members,
    }


@pytest.mark.parametrize(
    ("encounters", "setting"),
    [
        *[
            ((_encounter(code),), True)
            for code in ("IMP", "ACUTE", "NONAC", "EMER", "OBSENC", "SS")
        ],
        *[((_encounter(code),), False) for code in ("AMB", "HH", "VR")],
        ((_encounter("XX"),), None),
        ((_encounter(None),), None),
        ((), None),
        ((_encounter("IMP", "finished"),), None),
        ((_encounter("IMP", "planned"),), None),
        ((_encounter("AMB"), _encounter("EMER", "arrived")), True),
        ((_encounter("AMB"), _encounter("IMP", "finished")), False),
        ((_encounter("IMP", period={"end": hours_ago(1)}),), None),
        ((_encounter("IMP", period={"start": hours_ago(9)}),), True),
        ((_encounter("IMP", period={"end": hours_ago(-9)}),), True),
    ],
)
def test_setting(encounters: tuple[Json, ...], setting: bool | None) -> None:
    assert map_request({"encounter": bundle(*encounters)}).facts.in_hospital is setting


@pytest.mark.parametrize(
    ("value", "unit", "kilograms"),
    [
        (70, "kg", "70"),
        (70000, "g", "70.000"),
        (154, "[lb_av]", "69.85322498"),
        (2469, "[oz_av]", "69.994972595625"),
        (2, "kg", "2"),
        (300, "kg", "300"),
    ],
)
def test_weight(value: float, unit: str, kilograms: str) -> None:
    (reading,) = facts_of(weight(value, unit)).weights
    assert reading.value == Decimal(kilograms)


@pytest.mark.parametrize(
    ("value", "unit"), [(0, "kg"), (1.9, "kg"), (301, "kg"), (70000, "kg"), (70, "stone")]
)
def test_weight_refused_and_named(value: float, unit: str) -> None:
    facts = facts_of(weight(value, unit))
    assert facts.weights == ()
    assert facts.missing[0].fact == "weight"


@pytest.mark.parametrize(
    ("codes", "used"),
    [
        (["29463-7"], 1),
        (["3141-9"], 1),
        (["3142-7"], 0),
        (["75292-3"], 0),
        (["29463-7", "3142-7"], 0),
    ],
)
def test_only_measured_weights(codes: list[str], used: int) -> None:
    coding = [{"system": LOINC, "code": code} for code in codes]
    made = observation("w", {"coding": coding}, {"valueQuantity": quantity(70, "kg")})
    assert len(facts_of(made).weights) == used


def test_a_weight_by_a_method_that_does_not_measure_is_named() -> None:
    facts = facts_of({**weight(70), "method": {"text": "Stated by patient"}})
    assert facts.weights == ()
    assert "not measured" in reasons(facts)
    assert facts_of({**weight(70), "method": {"text": "Bed scale"}}).weights


def test_old_weights_are_kept_with_their_time() -> None:
    assert facts_of(weight(70, at=hours_ago(24 * 200))).weights[0].value == 70


def _allergy(text: str, **members: object) -> Json:
    return {
        "resourceType": "AllergyIntolerance",
        "id": "al",
        "patient": {"reference": "Patient/p1"},
        "code": {"text": text},
        **members,
    }


def test_allergies() -> None:
    (allergy,) = facts_of(_allergy("Tocilizumab")).allergies
    assert (allergy.ingredient, allergy.evidence.ref) == ("tocilizumab", "AllergyIntolerance/al")
    assert facts_of(_allergy("penicillin")).allergies == ()
    assert facts_of({**_allergy("x"), "code": concept(RXNORM, "72435")}).allergies
    refuted = {"coding": [{"code": "refuted"}]}
    assert facts_of(_allergy("tocilizumab", verificationStatus=refuted)).allergies == ()
    active = {"coding": [{"code": "active"}]}
    assert facts_of(_allergy("tocilizumab", clinicalStatus=active)).allergies
    no_code = _allergy("x")
    del no_code["code"]
    assert facts_of(no_code).allergies == ()


@pytest.mark.parametrize(
    ("name", "members", "active"),
    [
        ("tocilizumab", {"status": "active"}, True),
        ("dexamethasone", {"status": "active"}, True),
        ("acetaminophen", {"status": "active"}, True),
        ("teclistamab", {"status": "active"}, False),
        ("norepinephrine", {"status": "active"}, False),
        ("metformin", {"status": "active"}, False),
        ("tocilizumab", {"status": "completed"}, False),
        ("tocilizumab", {"status": "active", "intent": "proposal"}, False),
        ("tocilizumab", {"status": "active", "doNotPerform": True}, False),
    ],
)
def test_active_orders(name: str, members: Json, active: bool) -> None:
    made = {**draft_order(name, resource_id="o1"), **members}
    assert bool(facts_of(made).active_orders) is active


def test_a_draft_is_no_active_order() -> None:
    made = {**draft_order("tocilizumab"), "status": "active"}
    mapped = map_request({"orders": bundle(made)}, drafts=bundle(draft_order("tocilizumab")))
    assert mapped.facts.active_orders == ()
