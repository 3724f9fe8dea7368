"""Which drug is named: every ingredient, brands, codes, products, contained and referenced."""

import pytest

from tests.builders import (
    RXNORM,
    SNOMED,
    Json,
    administration,
    bundle,
    concept,
    hours_ago,
    quantity,
)
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
        # Every product NDC there is, in the ways of writing one: 10 digits with dashes, 11 digits
        # with and without, 10 without, labeller and product alone.
        (NDC, "82705-002-01", "epcoritamab"),
        (NDC, "82705-0010-01", "epcoritamab"),
        (NDC, "82705001001", "epcoritamab"),
        (NDC, "8270500201", "epcoritamab"),
        (NDC, "50242-125-01", "glofitamab"),
        (NDC, "50242012501", "glofitamab"),
        (NDC, "50242-201", "mosunetuzumab"),
        (NDC, "50242-0201-01", "mosunetuzumab"),
        (NDC, "50242020101", "mosunetuzumab"),
        (NDC, "55513-059-01", "tarlatamab"),
        (NDC, "55513005901", "tarlatamab"),
        (NDC, "80446-401-01", "tebentafusp"),
        (NDC, "80446-0401-01", "tebentafusp"),
        (NDC, "80446040101", "tebentafusp"),
        (NDC, "0069-4494-02", "elranatamab"),
        (NDC, "00069449402", "elranatamab"),
        ("urn:oid:2.16.840.1.113883.6.69", "57894-449-01", "teclistamab"),
        (RXNORM, "2637411", "epcoritamab"),
        (ATC, "L01FX07", "blinatumomab"),
        (ATC, "L01FX24", "teclistamab"),
        (ATC, "L01FX25", "mosunetuzumab"),
        (ATC, "L01FX27", "epcoritamab"),
        (ATC, "L01FX29", "talquetamab"),
        (ATC, "L01FX32", "elranatamab"),
        (ATC, "L01XX75", "tebentafusp"),
        (HCPCS, "J9039", "blinatumomab"),
        (HCPCS, "J9321", "epcoritamab"),
        (HCPCS, "J9026", "tarlatamab"),
        (HCPCS, "J9274", "tebentafusp"),
        (HCPCS, "J3262", "tocilizumab"),
        (HCPCS, "Q5156", "tocilizumab"),
        (RXNORM, "2679443", "tocilizumab"),
        (RXNORM, "2680294", "tocilizumab"),
        (RXNORM, "2705451", "tocilizumab"),
        (ATC, "L04AC07", "tocilizumab"),
        (RXNORM, "727714", "anakinra"),
        (ATC, "L04AC03", "anakinra"),
        (RXNORM, "1658141", "siltuximab"),
        (ATC, "L04AC11", "siltuximab"),
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


@pytest.mark.parametrize(
    ("medicine", "kind", "agent"),
    [
        (concept(RXNORM, "3264"), "steroid", "dexamethasone"),
        (concept(ATC, "H02AB04"), "steroid", "methylprednisolone"),
        (concept(ATC, "H02AB06"), "steroid", "prednisolone"),
        (concept(RXNORM, "8640"), "steroid", "prednisone"),
        (concept(ATC, "H02AB09"), "steroid", "hydrocortisone"),
        (concept(RXNORM, "1514"), "steroid", "betamethasone"),
        (concept(RXNORM, "161"), "antipyretic", "acetaminophen"),
        (concept(ATC, "N02BE01"), "antipyretic", "acetaminophen"),
        ({"text": "Paracetamol 1 g tablets"}, "antipyretic", "acetaminophen"),
        # dm+d and SNOMED codes of medicines are not verified: the words beside them are.
        (concept(SNOMED, "0", "Paracetamol 500 mg"), "antipyretic", "acetaminophen"),
        (concept("https://dmd.nhs.uk", "0", "Ibuprofen 400 mg"), "antipyretic", "ibuprofen"),
        (concept(ATC, "M01AB15"), "antipyretic", "ketorolac"),
    ],
)
def test_steroids_and_antipyretics_by_ingredient(medicine: Json, kind: str, agent: str) -> None:
    (masking,) = facts_of(administration(medicine)).masking
    assert (masking.kind, masking.agent) == (kind, agent)


@pytest.mark.parametrize(
    "medicine",
    [
        {"coding": [{"system": ATC, "code": "S01EA01", "display": "epinephrine"}]},
        {"coding": [{"system": ATC, "code": "R01AA04"}, {"system": RXNORM, "code": "8163"}]},
    ],
)
def test_a_code_for_local_use_wins_over_every_other_sign(medicine: Json) -> None:
    """ATC knows epinephrine for the eye and phenylephrine for the nose: neither is a pressor."""
    given = administration(medicine, status="in-progress", rate={"value": 5}, route="IV")
    assert facts_of(given).infusions == ()


def test_a_product_for_local_use_bars_its_ingredient_and_no_other() -> None:
    """Eye drops coded as such, their ingredient coded as any epinephrine; and a mixture of two."""
    made = administration({}, status="in-progress", rate={"value": 5}, route="IV")
    del made["medicationCodeableConcept"]
    drops: Json = {
        "resourceType": "Medication",
        "id": "drops",
        "code": concept(ATC, "S01EA01"),
        "ingredient": [{"itemCodeableConcept": concept(RXNORM, "3992")}],
    }
    given = {**made, "medicationReference": {"reference": "#drops"}, "contained": [drops]}
    assert facts_of(given).infusions == ()
    both = [{"system": ATC, "code": "S01EA01"}, {"system": RXNORM, "code": "2619444"}]
    assert _ingredients({"coding": both}) == ["teclistamab"]


def test_what_dilutes_a_drug_is_not_what_was_given() -> None:
    name = "sodium chloride 0.9 % 100 mL with tocilizumab 560 mg"
    assert _ingredients({"text": name}) == ["tocilizumab"]


def test_what_is_known_by_its_name_alone_is_marked() -> None:
    (named,) = facts_of(administration({"text": "Tecvayli"})).doses
    assert named.evidence.note == "by name: Tecvayli"
    (coded,) = facts_of(administration(concept(RXNORM, "2619444", "Tecvayli"))).doses
    assert coded.evidence.note == "Tecvayli"


TEC_CODE, DEX_CODE = concept(RXNORM, "2619444"), concept(RXNORM, "3264")


def _mixture(*names: str, **members: object) -> Json:
    """An administration of a contained product made of these, 560 mg of it."""
    made = administration({}, at=hours_ago(2), dose=quantity(560, "mg"), route="IV")
    del made["medicationCodeableConcept"]
    parts = [{"itemCodeableConcept": {"text": name}} for name in names]
    mix = {"resourceType": "Medication", "id": "mix", "ingredient": parts, **members}
    return {**made, "medicationReference": {"reference": "#mix"}, "contained": [mix]}


@pytest.mark.parametrize(
    ("made", "doses", "masking", "agents"),
    [
        pytest.param(
            _mixture("acetaminophen", "codeine"), [], ["acetaminophen"], [], id="one of ours"
        ),
        pytest.param(
            _mixture("acetaminophen", "ibuprofen"),
            [],
            ["acetaminophen", "ibuprofen"],
            [],
            id="two antipyretics",
        ),
        pytest.param(
            _mixture("teclistamab", "dexamethasone", "acetaminophen"),
            ["teclistamab"],
            ["acetaminophen", "dexamethasone"],
            [],
            id="a regimen charted as one",
        ),
        pytest.param(
            _mixture("norepinephrine", "vasopressin", "sodium chloride"),
            [],
            [],
            ["norepinephrine", "vasopressin"],
            id="two in one bag",
        ),
        pytest.param(
            administration({"coding": [*TEC_CODE["coding"], *DEX_CODE["coding"]]}),
            ["teclistamab"],
            ["dexamethasone"],
            [],
            id="two codes",
        ),
        pytest.param(
            administration({"text": "dexamethasone, then acetaminophen"}),
            [],
            ["acetaminophen", "dexamethasone"],
            [],
            id="two names",
        ),
    ],
)
def test_every_drug_of_an_administration_counts(
    made: Json, doses: list[str], masking: list[str], agents: list[str]
) -> None:
    facts = facts_of(made)
    assert [one.ingredient for one in facts.doses] == doses
    assert sorted({one.agent for one in facts.masking}) == masking
    assert sorted({one.agent for one in facts.infusions}) == agents
    several = len(doses) + len(masking) + len(agents) > 1
    assert [one.code for one in facts.notices if "given" in one.code] == (
        ["several-drugs-given"] if several else []
    )


def test_the_dose_of_a_mixture_belongs_to_none_of_its_drugs() -> None:
    (dose,) = facts_of(_mixture("tocilizumab", "dexamethasone")).doses
    assert (dose.mg, dose.route, dose.evidence.value) == (None, "iv", "")
    (alone,) = facts_of(_mixture("tocilizumab", "sodium chloride")).doses
    assert alone.mg == 560
    old = {**_mixture("tocilizumab", "dexamethasone"), "effectiveDateTime": hours_ago(24 * 60)}
    assert facts_of(old).notices == ()


def test_words_that_contradict_the_code_are_named_and_may_be_so() -> None:
    """Teclistamab by its code, epcoritamab in words: one was given, the other may have been."""
    made = administration({**TEC_CODE, "text": "epcoritamab 48 mg"}, at=hours_ago(2))
    facts = map_request({"administrations": bundle(made)}).facts
    assert [one.ingredient for one in facts.doses] == ["teclistamab"]
    said = reasons(facts)
    assert "the code says teclistamab, the words say epcoritamab" in said
    assert "may have been one of epcoritamab" in said
    assert "administrations" not in facts.answered
    assert {one.at for one in facts.unreadable} == {"prefetch.administrations.entry[0]"}


def test_a_drug_that_words_mention_is_no_dose_and_no_doubt_where_it_has_its_own() -> None:
    premedication = administration(
        {**DEX_CODE, "text": "dexamethasone 1 h before teclistamab"}, at=hours_ago(3)
    )
    dose = administration(TEC_CODE, at=hours_ago(2), resource_id="own")
    for given, answered in (((premedication,), False), ((premedication, dose), True)):
        facts = map_request({"administrations": bundle(*given)}).facts
        assert len(facts.doses) == len(given) - 1
        assert [one.agent for one in facts.masking] == ["dexamethasone"]
        assert ("administrations" in facts.answered) is answered
        assert "its words also name teclistamab" in reasons(facts)
        assert "contradicts" not in reasons(facts)
    old = {**premedication, "effectiveDateTime": hours_ago(24 * 60)}
    assert "administrations" in map_request({"administrations": bundle(old)}).facts.answered


def test_an_administration_by_a_medication_of_another_base_is_unnamed() -> None:
    made = administration({}, at=hours_ago(2))
    del made["medicationCodeableConcept"]
    far = {"reference": "https://other.example/fhir/Medication/m1"}
    for others in ((TEC,), ()):
        given = bundle({**made, "medicationReference": far, "contained": [TEC]}, *others)
        facts = map_request({"administrations": given}).facts
        assert facts.doses == ()
        assert "its Medication is on another FHIR base" in reasons(facts)
        assert "administrations" not in facts.answered
    named = {**made, "medicationReference": {**far, "display": "Talvey"}}
    facts = map_request({"administrations": bundle(named, TEC)}).facts
    assert [one.ingredient for one in facts.doses] == ["talquetamab"]
    assert "another FHIR base" in reasons(facts)


def test_what_a_product_of_another_base_is_made_of_is_there_too() -> None:
    made = administration({})
    del made["medicationCodeableConcept"]
    far = "https://other.example/fhir/Medication/"
    kit = {
        "resourceType": "Medication",
        "id": "kit",
        "ingredient": [{"itemReference": {"reference": "Medication/m1"}}],
    }
    given = {**made, "medicationReference": {"reference": f"{far}kit"}}
    theirs = {**TEC, "code": {"text": "talquetamab"}}
    entries = [
        {"resource": given},
        {"resource": TEC},
        {"fullUrl": f"{far}kit", "resource": kit},
        {"fullUrl": f"{far}m1", "resource": theirs},
    ]
    for sent, ingredients in ((entries, ["talquetamab"]), (entries[:3], [])):
        facts = map_request({"vitals": {"resourceType": "Bundle", "entry": sent}}).facts
        assert [one.ingredient for one in facts.doses] == ingredients
        assert ("another FHIR base" in reasons(facts)) is not bool(ingredients)


def test_a_local_reference_is_local_to_the_resource_it_stands_in() -> None:
    """`#a` in a Medication is what that Medication contains, not what the administration does."""
    made = administration({})
    del made["medicationCodeableConcept"]
    inside = {"resourceType": "Medication", "id": "a", "code": {"text": "dexamethasone"}}
    kit = {
        "resourceType": "Medication",
        "id": "kit",
        "ingredient": [{"itemReference": {"reference": "#a"}}],
        "contained": [inside],
    }
    given = {
        **made,
        "medicationReference": {"reference": "Medication/kit"},
        "contained": [{**inside, "code": {"text": "teclistamab"}}],
    }
    facts = facts_of(given, kit)
    assert (facts.doses, [one.agent for one in facts.masking]) == ((), ["dexamethasone"])


def test_a_contained_product_that_cannot_be_read_is_named() -> None:
    made = administration({})
    del made["medicationCodeableConcept"]
    reference = {"reference": "#m", "display": "infusion"}
    broken = {"resourceType": "Medication", "id": "m", "code": 7}
    facts = facts_of({**made, "medicationReference": reference, "contained": [broken]})
    assert [one.reason for one in facts.unreadable] == [
        "a contained Medication that cannot be read: not used"
    ]


def _ring(length: int) -> list[Json]:
    return [
        {
            "resourceType": "Medication",
            "id": f"m{index}",
            "ingredient": [{"itemReference": {"reference": f"Medication/m{(index + 1) % length}"}}],
        }
        for index in range(length)
    ]


@pytest.mark.parametrize(
    "products",
    [
        pytest.param(_ring(400), id="products within products without end"),
        pytest.param(
            [{"resourceType": "Medication", "id": "m0", "ingredient": [{}] * 20000}], id="wide"
        ),
        pytest.param(
            [
                {
                    "resourceType": "Medication",
                    "id": "m0",
                    "code": {"coding": [{"code": "1"}] * 9999},
                }
            ],
            id="codes without end",
        ),
    ],
)
def test_a_product_of_too_many_parts_is_named_and_may_be_anything(products: list[Json]) -> None:
    made = administration({}, at=hours_ago(2))
    del made["medicationCodeableConcept"]
    made["medicationReference"] = {"reference": "Medication/m0", "display": "mixture"}
    facts = map_request({"administrations": bundle(made, *products)}).facts
    assert "too many parts" in reasons(facts)
    assert "administrations" not in facts.answered


def test_a_ring_of_products_is_gone_round_once() -> None:
    made = administration({}, at=hours_ago(2))
    del made["medicationCodeableConcept"]
    made["medicationReference"] = {"reference": "Medication/m0", "display": "Tecvayli"}
    facts = map_request({"administrations": bundle(made, *_ring(3))}).facts
    assert [one.ingredient for one in facts.doses] == ["teclistamab"]
    assert reasons(facts) == ""
