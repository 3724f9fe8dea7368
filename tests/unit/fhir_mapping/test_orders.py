"""Draft orders: drug, dose, route, planned start, selection."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.builders import RXNORM, Json, as_bytes, bundle, concept, draft_order, quantity
from tests.unit.fhir_mapping.mapped import map_request, reasons


def _orders(*drafts: Json, selections: tuple[str, ...] | None = None) -> list[object]:
    return list(map_request(drafts=bundle(*drafts), selections=selections).facts.orders)


@pytest.mark.parametrize(
    ("name", "kind", "ingredient"),
    [
        ("teclistamab", "btce", "teclistamab"),
        ("Lunsumio Velo", "btce", "mosunetuzumab"),
        ("Actemra", "tocilizumab", "tocilizumab"),
        ("anakinra", "anakinra", "anakinra"),
        ("dexamethasone", "corticosteroid", "dexamethasone"),
        ("Tylenol", "antipyretic", "acetaminophen"),
        ("siltuximab", "other", "siltuximab"),
        ("norepinephrine", "other", "norepinephrine"),
        ("metformin", "other", ""),
    ],
)
@pytest.mark.parametrize("resource_type", ["MedicationRequest", "ServiceRequest"])
def test_kinds(name: str, kind: str, ingredient: str, resource_type: str) -> None:
    draft = draft_order(name, resource_type=resource_type)
    mapped = map_request(drafts=bundle(draft))
    (order,) = mapped.facts.orders
    assert (order.kind, order.ingredient, order.display) == (kind, ingredient, name)
    assert order.ref == f"{resource_type}/d1"
    assert mapped.drafts == {order.ref: as_bytes(draft)}


@pytest.mark.parametrize(
    ("dose", "mg", "per_kg"),
    [
        (quantity(560, "mg"), "560", None),
        (quantity(8, "mg/kg"), None, "8"),
        ({"value": 8, "unit": "mg/kg"}, None, "8"),
        (quantity(0.5, "g"), "500", None),
        (quantity(1, "{vial}"), None, None),
        ({"value": 560}, None, None),
        ({"value": "560", "unit": "mg"}, None, None),
        (None, None, None),
    ],
)
def test_dose(dose: Json | None, mg: str | None, per_kg: str | None) -> None:
    (order,) = map_request(drafts=bundle(draft_order("tocilizumab", dose=dose))).facts.orders
    assert order.dose_mg == (None if mg is None else Decimal(mg))
    assert order.dose_mg_per_kg == (None if per_kg is None else Decimal(per_kg))


def test_different_doses_in_one_order_are_no_dose() -> None:
    draft = draft_order("teclistamab")
    doses = [{"doseAndRate": [{"doseQuantity": quantity(mg, "mg")}, {}]} for mg in (10, 30)]
    (order,) = map_request(drafts=bundle({**draft, "dosageInstruction": doses})).facts.orders
    assert order.dose_mg is None


def test_route_and_product() -> None:
    (order,) = map_request(drafts=bundle(draft_order("tocilizumab", route="IV"))).facts.orders
    assert (order.route, order.subcutaneous_product) == ("iv", False)
    pen = {**draft_order(), "medicationCodeableConcept": concept(RXNORM, "2106073", "pen")}
    assert map_request(drafts=bundle(pen)).facts.orders[0].subcutaneous_product
    named = draft_order("tocilizumab 162 mg/0.9 mL prefilled syringe")
    assert map_request(drafts=bundle(named)).facts.orders[0].subcutaneous_product
    eye = draft_order("dexamethasone", route="ophthalmic")
    assert map_request(drafts=bundle(eye)).facts.orders[0].route == "other"


START = datetime(2026, 11, 21, 16, tzinfo=UTC)
TEXT = "2026-11-21T16:00:00Z"


@pytest.mark.parametrize(
    ("members", "planned"),
    [
        ({"dosageInstruction": [{"timing": {"event": [TEXT]}}]}, START),
        (
            {"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": TEXT}}}}]},
            START,
        ),
        ({"dosageInstruction": [{"timing": {"repeat": {}}}]}, None),
        ({"dosageInstruction": [{"timing": {"event": ["2026-11-22"]}}]}, None),
        ({"dosageInstruction": [{"text": "now"}]}, None),
        ({"dosageInstruction": [{"timing": {"event": ["2026-11-22T00:00:00Z", TEXT]}}]}, START),
    ],
)
def test_planned_start_of_a_medication(members: Json, planned: datetime | None) -> None:
    (order,) = map_request(drafts=bundle({**draft_order(), **members})).facts.orders
    assert order.planned_start == planned


@pytest.mark.parametrize(
    "members",
    [
        {"occurrenceDateTime": TEXT},
        {"occurrencePeriod": {"start": TEXT}},
        {"occurrenceTiming": {"event": [TEXT]}},
    ],
)
def test_planned_start_of_a_service(members: Json) -> None:
    draft = {**draft_order(resource_type="ServiceRequest"), **members}
    assert map_request(drafts=bundle(draft)).facts.orders[0].planned_start == START


def test_selections() -> None:
    drafts = draft_order(resource_id="a"), draft_order(resource_id="b")

    def chosen(selections: tuple[str, ...] | None) -> list[bool]:
        facts = map_request(drafts=bundle(*drafts), selections=selections).facts
        return [one.selected for one in facts.orders]

    assert chosen(None) == [True, True]
    assert chosen(("MedicationRequest/b",)) == [False, True]
    assert chosen(("https://ehr.example/fhir/MedicationRequest/a/_history/1",)) == [True, False]
    assert chosen(()) == [False, False]


def _without_drug(resource_type: str) -> Json:
    draft = draft_order(resource_type=resource_type)
    return {
        key: value
        for key, value in draft.items()
        if key not in {"medicationCodeableConcept", "code"}
    }


@pytest.mark.parametrize(
    "draft",
    [
        _without_drug("MedicationRequest"),
        _without_drug("ServiceRequest"),
        {**draft_order(), "medicationCodeableConcept": {}},
        {**draft_order(resource_type="ServiceRequest"), "code": {"coding": [{"system": "x"}]}},
    ],
)
def test_an_order_with_neither_code_nor_text_is_named(draft: Json) -> None:
    facts = map_request(drafts=bundle(draft)).facts
    assert facts.orders == ()
    assert facts.unreadable[0].at == "context.draftOrders.entry[0]"
    assert "neither code nor text" in facts.unreadable[0].reason


def test_an_unknown_code_is_an_order_for_something_else() -> None:
    draft = {**draft_order(), "medicationCodeableConcept": concept("urn:local", "4711")}
    (order,) = map_request(drafts=bundle(draft)).facts.orders
    assert (order.kind, order.display) == ("other", "4711")
    service = {**draft_order(resource_type="ServiceRequest"), "code": concept("urn:local", "12")}
    assert map_request(drafts=bundle(service)).facts.orders[0].display == "12"


def test_medications_beside_the_drafts_inside_them_or_in_prefetch() -> None:
    medication: Json = {"resourceType": "Medication", "id": "m1"}
    medication["code"] = concept("urn:local", "7")
    medication["ingredient"] = [{"itemCodeableConcept": {"text": "Tecvayli"}}]
    draft = _without_drug("MedicationRequest")
    outside = {**draft, "medicationReference": {"reference": "Medication/m1"}}
    inside = {**draft, "medicationReference": {"reference": "#m1"}, "contained": [medication]}
    for mapped in (
        map_request(drafts=bundle(outside, medication)),
        map_request({"mine": bundle(medication)}, drafts=bundle(outside)),
        map_request(drafts=bundle(inside)),
    ):
        (order,) = mapped.facts.orders
        assert (order.ingredient, order.display) == ("teclistamab", "Tecvayli")
    coded = {**medication, "ingredient": []}
    assert map_request(drafts=bundle(outside, coded)).facts.orders[0].display == "medication"
    bad = {**medication, "code": 7}
    assert "malformed Medication" in reasons(map_request(drafts=bundle(outside, bad)).facts)
    shown = {**draft, "medicationReference": {"reference": "Medication/x", "display": "Talvey"}}
    assert map_request(drafts=bundle(shown)).facts.orders[0].ingredient == "talquetamab"


@pytest.mark.parametrize(
    "draft",
    [
        {"resourceType": "NutritionOrder", "id": "n"},
        {"resourceType": "Medication", "id": "m"},
        {**draft_order(), "status": "cancelled"},
        {**draft_order(), "status": "entered-in-error"},
        {**draft_order(), "doNotPerform": True},
    ],
)
def test_what_orders_nothing_is_passed_over(draft: Json) -> None:
    facts = map_request(drafts=bundle(draft)).facts
    assert (facts.orders, facts.unreadable) == ((), ())


def test_several_drugs_in_one_text() -> None:
    facts = map_request(drafts=bundle(draft_order("teclistamab with dexamethasone first"))).facts
    assert facts.orders[0].ingredient == "teclistamab"
    assert facts.notices[0].code == "several-drugs-named"


def test_a_draft_without_an_id_is_known_by_its_address_or_place() -> None:
    draft = {key: value for key, value in draft_order().items() if key != "id"}
    entries = [{"fullUrl": "urn:uuid:1", "resource": draft}, {"resource": draft}]
    facts = map_request(drafts={"resourceType": "Bundle", "entry": entries}).facts
    assert [one.ref for one in facts.orders] == ["urn:uuid:1", "context.draftOrders.entry[1]"]


@pytest.mark.parametrize("value", ["text", 7, [], {}, draft_order()])
def test_drafts_that_are_no_bundle_are_named(value: object) -> None:
    facts = map_request(drafts=value).facts
    assert facts.unreadable[0].at == "context.draftOrders"


@pytest.mark.parametrize("bad", [7, {}, {**draft_order(), "status": 7}, None])
def test_a_bad_draft_is_named_and_the_others_are_read(bad: object) -> None:
    value = {"resourceType": "Bundle", "entry": [{"resource": bad}, {"resource": draft_order()}]}
    facts = map_request(drafts=value).facts
    assert len(facts.orders) == 1
    assert [one.at for one in facts.unreadable] == ["context.draftOrders.entry[0]"]


def test_no_drafts() -> None:
    assert map_request().facts.orders == ()
    assert _orders() == []
