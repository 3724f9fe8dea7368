"""Draft orders: drug, dose, route, planned start, selection."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fhir_mapping.errors import AnotherPatient
from tests.builders import BASE, RXNORM, Json, as_bytes, bundle, concept, draft_order, quantity
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
    assert map_request(drafts=bundle(outside, coded)).facts.orders[0].display == "7"
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


TEC, TOCI, DEX = (concept(RXNORM, code) for code in ("2619444", "612865", "3264"))


def _read(*drafts: Json) -> list[tuple[str, str, str]]:
    return [(o.kind, o.ingredient, o.ref) for o in map_request(drafts=bundle(*drafts)).facts.orders]


@pytest.mark.parametrize("resource_type", ["MedicationRequest", "ServiceRequest"])
def test_a_regimen_by_name_is_one_order_of_each_medicine(resource_type: str) -> None:
    draft = draft_order("Dexamethasone 16 mg then Tecvayli C1D1", resource_type=resource_type)
    ref = f"{resource_type}/d1"
    assert _read(draft) == [
        ("btce", "teclistamab", ref),
        ("corticosteroid", "dexamethasone", ref),
    ]


def test_a_regimen_by_codes_is_one_order_of_each_medicine() -> None:
    medicine = {"coding": [*DEX["coding"], *TEC["coding"], *TOCI["coding"]], "text": "C1D1"}
    draft = {**draft_order(), "medicationCodeableConcept": medicine}
    kinds = [kind for kind, _, _ in _read(draft)]
    assert kinds == ["btce", "tocilizumab", "corticosteroid"]


def _regimen(*ingredients: Json, code: Json | None = None) -> Json:
    made: Json = {
        "resourceType": "Medication",
        "id": "m1",
        "ingredient": [{"itemCodeableConcept": one} for one in ingredients],
    }
    return made if code is None else {**made, "code": code}


@pytest.mark.parametrize(
    ("medication", "ingredients"),
    [
        pytest.param(_regimen(TEC, DEX), ["teclistamab", "dexamethasone"], id="by ingredient"),
        pytest.param(
            _regimen({"text": "tocilizumab"}, {"text": "sodium chloride 0.9 %"}),
            ["tocilizumab"],
            id="what dilutes it is no order",
        ),
        pytest.param(
            _regimen(DEX, code={"text": "Tecvayli with dexamethasone"}),
            ["teclistamab", "dexamethasone"],
            id="named by the product, coded by the ingredient",
        ),
        pytest.param(_regimen({"text": "0.9 % sodium chloride"}), ["sodium chloride"], id="fluid"),
        pytest.param(_regimen(code={"text": "platinum"}), [""], id="none of ours"),
    ],
)
def test_a_contained_or_referenced_regimen(medication: Json, ingredients: list[str]) -> None:
    draft = _without_drug("MedicationRequest")
    inside = {**draft, "medicationReference": {"reference": "#m1"}, "contained": [medication]}
    outside = {**draft, "medicationReference": {"reference": "Medication/m1", "display": "x"}}
    service = {**draft_order("C1", resource_type="ServiceRequest"), "contained": [medication, 7]}
    for drafts in ((inside,), (outside, medication), (service,)):
        assert [ingredient for _, ingredient, _ in _read(*drafts)] == ingredients


def test_a_regimen_whose_ingredients_are_medications_of_their_own() -> None:
    """Two levels down is looked at, a product that is its own ingredient is no endless one."""
    tec: Json = {"resourceType": "Medication", "id": "tec", "code": TEC}
    kit: Json = {
        "resourceType": "Medication",
        "id": "kit",
        "ingredient": [{"itemReference": {"reference": "Medication/tec"}}, {}],
    }
    whole: Json = {
        "resourceType": "Medication",
        "id": "whole",
        "ingredient": [
            {"itemReference": {"reference": "Medication/kit"}},
            {"itemReference": {"reference": "Medication/whole"}},
        ],
    }
    draft = _without_drug("MedicationRequest")
    order = {**draft, "medicationReference": {"reference": "Medication/whole"}}
    assert [name for _, name, _ in _read(order, whole, kit, tec)] == ["teclistamab"]


def test_the_details_of_a_service_name_its_medicines() -> None:
    service = draft_order("Immunotherapy day 1", resource_type="ServiceRequest")
    detail = [{"text": "teclistamab step-up 1"}, DEX]
    found = _read({**service, "orderDetail": detail})
    assert [name for _, name, _ in found] == ["teclistamab", "dexamethasone"]
    contained = [{"resourceType": "Medication", "code": TEC}, {"resourceType": "Device"}]
    assert [name for _, name, _ in _read({**service, "contained": contained})] == [""]


def test_the_dose_and_route_of_a_regimen_belong_to_nobody() -> None:
    draft = draft_order("tocilizumab, dexamethasone", dose=quantity(560, "mg"), route="IV")
    draft["dosageInstruction"][0]["timing"] = {"event": [TEXT]}
    facts = map_request(drafts=bundle(draft)).facts
    for order in facts.orders:
        assert (order.dose_mg, order.route, order.planned_start) == (None, None, START)
    (notice,) = facts.notices
    assert notice.code == "several-drugs-named"
    assert "tocilizumab, dexamethasone" in notice.text
    assert "a change of it changes all" in notice.text


def test_a_code_outranks_the_words_beside_it_and_what_they_add_is_said() -> None:
    """An order coded as dexamethasone "before teclistamab" orders dexamethasone."""
    medicine = {**DEX, "text": "dexamethasone one hour before teclistamab, sodium chloride"}
    draft = {**draft_order(), "medicationCodeableConcept": medicine}
    facts = map_request(drafts=bundle(draft)).facts
    assert [order.ingredient for order in facts.orders] == ["dexamethasone"]
    (notice,) = facts.notices
    assert notice.code == "several-drugs-named"
    assert "its text also names teclistamab: check the order" in notice.text


@pytest.mark.parametrize("by_reference", [False, True])
def test_an_order_whose_words_contradict_its_code_is_read_as_both(by_reference: bool) -> None:
    draft: Json = {**draft_order(), "medicationCodeableConcept": {**TEC, "text": "Epkinly 48 mg"}}
    if by_reference:
        draft = _without_drug("MedicationRequest")
        draft["medicationReference"] = {"reference": "#m1", "display": "Epkinly 48 mg"}
        draft["contained"] = [_regimen(code=TEC)]
    draft["dosageInstruction"] = [{"doseAndRate": [{"doseQuantity": quantity(48, "mg")}]}]
    facts = map_request(drafts=bundle(draft)).facts
    assert [(o.ingredient, o.dose_mg) for o in facts.orders] == [
        ("teclistamab", None),
        ("epcoritamab", None),
    ]
    (missing,) = facts.missing
    assert missing.fact == "ordered-medicine"
    assert "the code says teclistamab, the words say epcoritamab" in missing.reason


def test_a_code_for_the_fluid_that_carries_a_drug_does_not_hide_the_drug() -> None:
    medicine = concept(RXNORM, "9863", "tocilizumab 560 mg in sodium chloride 0.9 % 100 mL")
    draft = {**draft_order(), "medicationCodeableConcept": medicine}
    facts = map_request(drafts=bundle(draft)).facts
    assert [order.ingredient for order in facts.orders] == ["tocilizumab"]
    assert "contradicts itself" in reasons(facts)


def test_a_draft_whose_subject_and_patient_differ_is_refused() -> None:
    ours, theirs = {"reference": "Patient/p1"}, {"reference": "Patient/p2"}
    for kind in ("MedicationRequest", "ServiceRequest", "NutritionOrder"):
        for members in ({"subject": ours, "patient": theirs}, {"subject": theirs, "patient": ours}):
            draft = {**draft_order(resource_type=kind), **members}
            with pytest.raises(AnotherPatient):
                map_request(drafts=bundle(draft))
        unknown = {**draft_order(resource_type=kind), "subject": ours, "patient": {"display": "x"}}
        facts = map_request(drafts=bundle(unknown)).facts
        assert facts.orders == ()
        assert ("patient-unknown" in reasons(facts)) is (kind != "NutritionOrder")
    both = {**draft_order(), "subject": ours, "patient": ours}
    assert len(map_request(drafts=bundle(both)).facts.orders) == 1


FAR = "https://other.example/fhir/Medication/m1"


@pytest.mark.parametrize(
    "reference",
    [
        FAR,
        f"{FAR}/_history/1",
        "HTTPS://other.example/fhir/Medication/m1",
        f"{BASE}/t2/Medication/m1",
        f"{BASE}?at=/Medication/m1",
        "http://ehr.example/fhir/Medication/m1",
    ],
)
def test_a_reference_to_another_base_does_not_lead_to_our_medication(reference: str) -> None:
    draft = _without_drug("MedicationRequest")
    order = {**draft, "medicationReference": {"reference": reference}}
    ours = _regimen(code=TEC)
    for facts in (
        map_request(drafts=bundle(order, ours)).facts,
        map_request({"mine": bundle(ours)}, drafts=bundle(order)).facts,
        map_request(drafts=bundle({**order, "contained": [ours]})).facts,
    ):
        assert facts.orders == ()
        said = [one.reason for one in facts.unreadable]
        assert said == [
            "its Medication is on another FHIR base: not used",
            "an order with neither code nor text",
        ]
    shown = {**draft, "medicationReference": {"reference": reference, "display": "Talvey"}}
    facts = map_request(drafts=bundle(shown, ours)).facts
    assert [one.ingredient for one in facts.orders] == ["talquetamab"]
    assert "another FHIR base" in reasons(facts)


def test_a_medication_of_another_base_is_none_of_ours_and_known_by_its_url() -> None:
    draft = _without_drug("MedicationRequest")

    def read(reference: str, url: str) -> list[str]:
        order = {**draft, "medicationReference": {"reference": reference}}
        entries = [{"resource": order}, {"fullUrl": url, "resource": _regimen(code=TEC)}]
        made = {"resourceType": "Bundle", "entry": entries}
        return [one.ingredient for one in map_request(drafts=made).facts.orders]

    assert read("Medication/m1", FAR) == []
    assert read(FAR, FAR) == ["teclistamab"]
    assert read("Medication/m1", f"{BASE}/Medication/m1") == ["teclistamab"]
    assert read(f"{BASE}/Medication/m1", "urn:uuid:1") == ["teclistamab"]


def test_another_patients_resource_inside_a_medication_is_refused() -> None:
    flag = {"resourceType": "Flag", "subject": {"reference": "Patient/p2"}}
    made = {**_regimen(code=TEC), "contained": [flag]}
    for prefetch, drafts in (({"mine": bundle(made)}, bundle()), ({}, bundle(made))):
        with pytest.raises(AnotherPatient):
            map_request(prefetch, drafts=drafts)


def test_a_bundle_among_the_drafts_is_named() -> None:
    facts = map_request(drafts=bundle(bundle(draft_order()), draft_order())).facts
    assert len(facts.orders) == 1
    assert [one.at for one in facts.unreadable] == ["context.draftOrders.entry[0]"]


def test_an_order_known_by_its_name_alone_is_marked() -> None:
    named, coded = draft_order("teclistamab"), {**draft_order(), "medicationCodeableConcept": TEC}
    assert map_request(drafts=bundle(named)).facts.orders[0].by_name
    assert not map_request(drafts=bundle(coded)).facts.orders[0].by_name
    both = {**TEC, "text": "teclistamab-cqyv"}
    draft = {**draft_order(), "medicationCodeableConcept": both}
    assert not map_request(drafts=bundle(draft)).facts.orders[0].by_name


@pytest.mark.parametrize(
    ("medicine", "subcutaneous"),
    [
        (concept("http://hl7.org/fhir/sid/ndc", "50242-201-01"), True),
        ({"text": "Lunsumio VELO 45 mg/mL"}, True),
        ({"text": "LUNSUMIO (mosunetuzumab-axgb) VELO"}, True),
        (concept("http://www.whocc.no/atc", "L01FX25", "Lunsumio Velo"), True),
        ({"text": "mosunetuzumab subcutaneous"}, True),
        ({"text": "Lunsumio 30 mg/30 mL"}, False),
        (concept(RXNORM, "2625138"), False),
        ({"text": "Lunsumio, low velocity"}, False),
        (concept(RXNORM, "612865", "tocilizumab 162 mg/0.9 mL auto-injector"), True),
        ({"text": "tocilizumab pen injector"}, True),
        (concept(RXNORM, "2705432"), True),
        (concept(RXNORM, "2705453"), False),
        ({"text": "teclistamab subcutaneous"}, False),
    ],
)
def test_a_product_for_under_the_skin_is_one_of_its_own(medicine: Json, subcutaneous: bool) -> None:
    """Mosunetuzumab and tocilizumab exist both ways; the other products in one way each."""
    draft = {**draft_order(), "medicationCodeableConcept": medicine}
    assert map_request(drafts=bundle(draft)).facts.orders[0].subcutaneous_product is subcutaneous


@pytest.mark.parametrize("resource_type", ["MedicationRequest", "ServiceRequest"])
@pytest.mark.parametrize(
    "name",
    [
        "amivantamab-vmjw 1050 mg IV",
        "Rybrevant",
        "emicizumab-kxwh",
        "Hemlibra 60 mg",
        "faricimab-svoa intravitreal",
        "Vabysmo",
        "teclistamablike",
        "tec",
    ],
)
def test_other_bispecifics_are_other_orders(name: str, resource_type: str) -> None:
    draft = draft_order(name, resource_type=resource_type)
    assert _read(draft) == [("other", "", f"{resource_type}/d1")]


def test_a_draft_without_an_id_is_known_by_its_address_or_place() -> None:
    draft = {key: value for key, value in draft_order().items() if key != "id"}
    entries = [{"fullUrl": "urn:uuid:1", "resource": draft}, {"resource": draft}]
    facts = map_request(drafts={"resourceType": "Bundle", "entry": entries}).facts
    assert [one.ref for one in facts.orders] == ["urn:uuid:1", "context.draftOrders.entry[1]"]


@pytest.mark.parametrize("value", ["text", 7, [], {}, draft_order()])
def test_drafts_that_are_no_bundle_are_named(value: object) -> None:
    facts = map_request(drafts=value).facts
    assert facts.unreadable[0].at == "context.draftOrders"


NAMELESS = {**draft_order(), "medicationCodeableConcept": 5}


@pytest.mark.parametrize(
    "bad",
    [
        7,
        {},
        None,
        {**draft_order(), "subject": "p1"},
        {name: value for name, value in draft_order().items() if name != "subject"},
        pytest.param(NAMELESS, id="a drug that cannot be read"),
        pytest.param({"resourceType": "Bundle", "subject": {"reference": "Patient/p1"}}, id="nest"),
    ],
)
def test_a_bad_draft_is_named_and_the_others_are_read(bad: object) -> None:
    value = {"resourceType": "Bundle", "entry": [{"resource": bad}, {"resource": draft_order()}]}
    facts = map_request(drafts=value).facts
    assert len(facts.orders) == 1
    assert {one.at for one in facts.unreadable} == {"context.draftOrders.entry[0]"}
    assert [one.at for one in facts.unread_orders] == ["context.draftOrders.entry[0]"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        pytest.param("status", 7, id="status"),
        pytest.param("dosageInstruction", [{"doseAndRate": {"a": 1}}], id="a dose as an object"),
        pytest.param("dosageInstruction", "1.5 mg/kg", id="a dose as text"),
    ],
)
def test_an_order_keeps_its_drug_where_another_member_cannot_be_read(
    member: str, value: object
) -> None:
    facts = map_request(drafts=bundle({**draft_order(), member: value})).facts
    (order,) = facts.orders
    assert (order.ingredient, order.dose_mg) == ("teclistamab", None)
    assert any(member in one.reason for one in facts.missing)
    assert facts.unread_orders == ()


def test_an_order_that_is_bad_in_each_part_and_as_a_whole_is_not_read() -> None:
    both = {**draft_order(), "resourceType": "MedicationRequest", "meta": 5, "contained": {}}
    facts = map_request(drafts=bundle(both)).facts
    assert facts.orders == ()
    assert len(facts.unread_orders) == 1


def test_no_drafts() -> None:
    assert map_request().facts.orders == ()
    assert _orders() == []
