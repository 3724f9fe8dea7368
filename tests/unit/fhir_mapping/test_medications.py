"""Which drug is named: every ingredient, brands, codes, products, contained and referenced."""

import pytest

from tests.builders import RXNORM, SNOMED, Json, administration, bundle, concept, hours_ago
from tests.unit.fhir_mapping.mapped import facts_of, map_request, reasons


ATC, HCPCS = "http://www.whocc.no/atc", "urn:oid:2.16.840.1.113883.6.285"
NDC = "http://hl7.org/fhir/sid/ndc"


def _ingredients(medicine: Json, **options: object) -> list[str]:
    return [one.ingredient for one in facts_of(administration(medicine, **options)).doses]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "ingredient"),
    [
        ("blinatumomab", "blinatumomab"),
        ("BLINCYTO 35 mcg vial", "blinatumomab"),
        ("elranatamab-bcmm", "elranatamab"),
        ("Elrexfio", "elranatamab"),
        ("epcoritamab-bysp", "epcoritamab"),
        ("Epkinly", "epcoritamab"),
        ("Tepkinly", "epcoritamab"),
        ("glofitamab-gxbm", "glofitamab"),
        ("Columvi", "glofitamab"),
        ("linvoseltamab-gcpt", "linvoseltamab"),
        ("Lynozyfic", "linvoseltamab"),
        ("mosunetuzumab-axgb", "mosunetuzumab"),
        ("Lunsumio Velo", "mosunetuzumab"),
        ("talquetamab-tgvs", "talquetamab"),
        ("Talvey", "talquetamab"),
        ("tarlatamab-dlle", "tarlatamab"),
        ("Imdelltra", "tarlatamab"),
        ("tebentafusp-tebn", "tebentafusp"),
        ("Kimmtrak", "tebentafusp"),
        ("teclistamab-cqyv", "teclistamab"),
        ("TECVAYLI (teclistamab) 153 mg/1.7 mL", "teclistamab"),
        ("tocilizumab", "tocilizumab"),
        ("Actemra", "tocilizumab"),
        ("tocilizumab-aazg (Tyenne)", "tocilizumab"),
        ("Tofidence", "tocilizumab"),
        ("Avtozma", "tocilizumab"),
        ("Kineret", "anakinra"),
        ("siltuximab", "siltuximab"),
    ],
)
def test_names(name: str, ingredient: str) -> None:
    assert _ingredients({"text": name}) == [ingredient]
    assert _ingredients({"coding": [{"system": "urn:local", "code": "1", "display": name}]}) == [
        ingredient
    ]


@pytest.mark.parametrize(
    "name",
    ["amivantamab", "emicizumab", "faricimab", "teclistamabx", "anti teclistamabs", "saline", ""],
)
def test_names_that_are_no_dose(name: str) -> None:
    assert _ingredients({"text": name}) == []


@pytest.mark.parametrize(
    ("system", "code", "ingredient"),
    [
        (RXNORM, "1597258", "blinatumomab"),
        ("urn:oid:2.16.840.1.113883.6.88", "2637392", "epcoritamab"),
        (RXNORM, "2619438", "teclistamab"),
        (RXNORM, "2644464", "talquetamab"),
        (RXNORM, "2625138", "mosunetuzumab"),
        (RXNORM, "2590754", "tebentafusp"),
        (RXNORM, "2644888", "elranatamab"),
        (ATC, "L01FX28", "glofitamab"),
        (ATC, "L01FX33", "tarlatamab"),
        (HCPCS, "J9380", "teclistamab"),
        (HCPCS, "Q5133", "tocilizumab"),
        (NDC, "57894-449-01", "teclistamab"),
        (NDC, "57894-0449-01", "teclistamab"),
        (NDC, "57894044901", "teclistamab"),
        (NDC, "5789444901", "teclistamab"),
        (NDC, "0069-2522-02", "elranatamab"),
        (NDC, "00069-2522-02", "elranatamab"),
        (NDC, "0069252202", "elranatamab"),
        (NDC, "55513-077", "tarlatamab"),
    ],
)
def test_codes(system: str, code: str, ingredient: str) -> None:
    assert _ingredients(concept(system, code)) == [ingredient]


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (RXNORM, "0"),
        (NDC, "57894-450-01"),
        (NDC, "x-1-2"),
        (NDC, "1-2-3-4"),
        (NDC, "123"),
        (NDC, ""),
    ],
)
def test_codes_that_are_no_dose(system: str, code: str) -> None:
    assert _ingredients(concept(system, code)) == []


def test_every_coding_is_tried_and_a_code_outranks_the_text() -> None:
    medicine = {
        "coding": [{"system": "urn:local", "code": "1"}, {"system": RXNORM, "code": "2619444"}],
        "text": "talquetamab",
    }
    assert _ingredients(medicine) == ["teclistamab"]


def _by_reference(reference: Json, *others: Json, contained: tuple[object, ...] = ()) -> list[str]:
    made = administration({})
    del made["medicationCodeableConcept"]
    made = {**made, "medicationReference": reference, "contained": list(contained)}
    return [one.ingredient for one in facts_of(made, *others).doses]


TEC: Json = {"resourceType": "Medication", "id": "m1", "code": {"text": "Tecvayli"}}


@pytest.mark.parametrize(
    "reference",
    ["Medication/m1", "Medication/m1/_history/2", "https://ehr.example/fhir/Medication/m1"],
)
def test_a_referenced_medication(reference: str) -> None:
    assert _by_reference({"reference": reference}, TEC) == ["teclistamab"]


def test_a_contained_medication() -> None:
    assert _by_reference({"reference": "#m1"}, contained=(TEC,)) == ["teclistamab"]
    diluted = {
        "resourceType": "Medication",
        "id": "mix",
        "ingredient": [
            {"itemCodeableConcept": {"text": "sodium chloride 0.9 %"}},
            {"itemCodeableConcept": concept(RXNORM, "612865")},
            {},
        ],
    }
    assert _by_reference({"reference": "#mix"}, contained=(diluted,)) == ["tocilizumab"]
    assert _by_reference({"reference": "#m2"}, contained=(TEC, 7)) == []
    assert _by_reference({"reference": "#m1"}, contained=({**TEC, "code": 7},)) == []


def test_a_reference_that_leads_nowhere_still_has_its_words() -> None:
    assert _by_reference({"reference": "Medication/x", "display": "Tecvayli"}) == ["teclistamab"]
    assert _by_reference({"display": "saline"}) == []
    assert _by_reference({"reference": "Medication/x"}) == []


def test_an_unnamed_administration_is_named_by_its_place() -> None:
    made = administration({})
    del made["medicationCodeableConcept"]
    assert "unnamed medicine" in reasons(facts_of(made))
    assert reasons(facts_of(administration({"text": "metformin"}))) == ""


@pytest.mark.parametrize(("hours", "named"), [(2, True), (24 * 60, False)])
def test_an_unnamed_medicine_matters_only_within_the_window(hours: float, named: bool) -> None:
    unnamed = {"coding": [{"system": "urn:local", "code": "221906"}]}
    made = administration(unnamed, at=hours_ago(hours))
    facts = map_request({"administrations": bundle(made)}).facts
    assert ("unnamed medicine" in reasons(facts)) is named
    assert ("administrations" in facts.answered) is not named


def test_a_local_code_without_words_may_be_the_name_itself() -> None:
    made = administration({"coding": [{"system": "urn:local", "code": "norepinephrine"}]})
    assert "unnamed medicine" not in reasons(facts_of(made))


@pytest.mark.parametrize(
    ("medicine", "route", "expected"),
    [
        pytest.param({"text": "tocilizumab"}, {"text": "IV Piggyback"}, "iv", id="iv by words"),
        pytest.param({"text": "tocilizumab"}, concept(SNOMED, "34206005"), "sc", id="sc by code"),
        pytest.param({"text": "tocilizumab"}, concept("urn:l", "SUBCUT"), "sc", id="local code"),
        pytest.param({"text": "tocilizumab"}, {"text": "by magic"}, None, id="an unknown route"),
        pytest.param(concept(RXNORM, "1441527"), None, "sc", id="a product for under the skin"),
        pytest.param({"text": "tocilizumab"}, None, None, id="no route"),
        pytest.param(
            {"text": "dexamethasone, tocilizumab eye"}, None, None, id="another drug first"
        ),
    ],
)
def test_routes(medicine: Json, route: Json | None, expected: str | None) -> None:
    made = administration(medicine, at=hours_ago(3))
    facts = facts_of({**made, "dosage": {"route": route}} if route else made)
    assert [one.route for one in facts.doses] == ([] if "eye" in str(medicine) else [expected])
