"""A `modifierExtension` may turn a resource into its opposite, and none is known here: not used.

FHIR R4, Extensibility, "Modifier extensions": who does not know one must not process the element.
"""

from decimal import Decimal

import pytest

from tests.builders import bundle, draft_order, teclistamab, temp
from tests.unit.fhir_mapping.mapped import facts_of, map_request, numbers, reasons


URL = "https://ehr.example.org/not-given"
MODIFIED = {"modifierExtension": [{"url": URL, "valueBoolean": True}]}
SAID = "with a modifierExtension, which may change what it says"


def test_a_normal_value_that_may_mean_something_else_is_no_normal_value() -> None:
    facts = facts_of({**temp(36.6), **MODIFIED})
    assert facts.temperatures == ()
    assert f"Observation {SAID}" in reasons(facts)


def test_an_abnormal_one_stays_possible() -> None:
    """It is not known to be there, and not known to be absent."""
    facts = facts_of({**temp(39.2), **MODIFIED}, temp(36.8, resource_id="t2"))
    assert numbers(facts.temperatures) == [Decimal("36.8")]
    assert [one.fact for one in facts.unusable] == ["temperature"]


def test_a_dose_that_may_not_have_been_given_is_no_dose() -> None:
    facts = facts_of({**teclistamab(), **MODIFIED})
    assert facts.doses == ()
    assert f"MedicationAdministration {SAID}" in reasons(facts)


@pytest.mark.parametrize("part", ["dosage", "component"])
def test_inside_of_a_resource_it_counts_as_much(part: str) -> None:
    inside = {
        "dosage": {**teclistamab(), "dosage": {**teclistamab().get("dosage", {}), **MODIFIED}},
        "component": {**temp(36.6), "component": [MODIFIED]},
    }
    facts = facts_of(inside[part])
    assert reasons(facts).count(SAID) == 1


def test_an_order_with_one_is_still_an_order_of_that_drug_and_named() -> None:
    """It can be held; what else it says is not used."""
    facts = map_request(drafts=bundle({**draft_order(), **MODIFIED})).facts
    assert [(one.ingredient, one.dose_mg) for one in facts.orders] == [("teclistamab", None)]
    assert f"MedicationRequest {SAID}" in reasons(facts)


def test_an_empty_list_changes_nothing() -> None:
    facts = facts_of({**temp(39.2), "modifierExtension": []})
    assert numbers(facts.temperatures) == [Decimal("39.2")]
