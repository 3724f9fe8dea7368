"""The patient's own record: merged into another one, not in use, linked to others."""

import pytest

from knowledge.facts import Facts
from tests.builders import Json, bundle, draft_order, patient, teclistamab, temp
from tests.unit.fhir_mapping.mapped import map_request, reasons


OTHER = {"reference": "Patient/p2"}


def _facts(**members: object) -> Facts:
    prefetch = {"patient": {**patient(), **members}, "vitals": bundle(temp(38.4), teclistamab())}
    return map_request(prefetch, drafts=bundle(draft_order())).facts


@pytest.mark.parametrize("other", [OTHER, {"display": "Ann"}, {"reference": "urn:uuid:1"}])
def test_of_a_record_that_was_merged_into_another_nothing_is_used(other: Json) -> None:
    link = [{"other": other, "type": "replaced-by"}]
    for members in ({"link": link}, {"link": link, "active": False}):
        facts = _facts(**members)
        assert facts.temperatures == ()
        assert facts.doses == ()
        assert facts.answered == frozenset()
        assert [order.ingredient for order in facts.orders] == ["teclistamab"]
        assert "patient-record: this record was merged into another one" in reasons(facts)
        assert facts.unreadable[0].reason.startswith("patient-unknown")
    assert _facts(link=[{"type": "replaced-by"}]).temperatures == ()


@pytest.mark.parametrize("kind", ["replaces", "refer", "seealso"])
def test_another_record_of_the_patient_is_named_and_this_one_is_used(kind: str) -> None:
    facts = _facts(link=[{"other": OTHER, "type": kind}])
    assert len(facts.temperatures) == 1
    assert [one.code for one in facts.notices] == ["linked-record"]


@pytest.mark.parametrize("other", [{"reference": "Patient/p1"}, {"reference": "RelatedPerson/r1"}])
def test_a_link_to_no_other_record_says_nothing(other: Json) -> None:
    facts = _facts(link=[{"other": other, "type": "replaced-by"}])
    assert len(facts.temperatures) == 1
    assert facts.notices == ()
    assert facts.unreadable == ()


def test_a_record_marked_as_not_in_use_is_named() -> None:
    assert "not in use" in reasons(_facts(active=False))
    assert "not in use" not in reasons(_facts(active=True))
    assert len(_facts(active=False).temperatures) == 1
