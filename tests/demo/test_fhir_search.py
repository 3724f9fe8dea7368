"""Each search parameter of each type, found by what it means and not by what it does not.

http://hl7.org/fhir/R4/search.html and the search parameters of each resource type.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from cds.demo.fhir import Quirks
from cds.demo.fhir.definitions import COMMON, TYPES
from tests.demo.fhir_sandbox import LOINC, NOW, Client, Json, observation, patient, served


SNOMED = "http://snomed.info/sct"
DAY = "2026-11-20"


def concept(code: str, system: str = SNOMED) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def to(reference: str) -> Json:
    return {"reference": reference}


PERIOD = {"start": "2026-11-20T08:00:00Z", "end": "2026-11-20T18:00:00Z"}
CODE = (f"{SNOMED}|111", f"{SNOMED}|222")
DATE = (DAY, "2026-11-21")

# By type: one resource, and for each parameter a value that finds it and one that does not.
TABLE: dict[str, tuple[Json, dict[str, tuple[str, str]]]] = {
    "AllergyIntolerance": (
        {
            "patient": to("Patient/p1"),
            "category": ["medication"],
            "code": concept("111"),
            "clinicalStatus": concept("active"),
            "recordedDate": DAY,
        },
        {
            "patient": ("p1", "p2"),
            "category": ("medication", "food"),
            "code": CODE,
            "clinical-status": ("active", "resolved"),
            "date": DATE,
        },
    ),
    "Communication": (
        {
            "status": "completed",
            "category": [concept("111")],
            "encounter": to("Encounter/e1"),
            "sent": "2026-11-20T10:00:00Z",
            "received": "2026-11-20T11:00:00Z",
            "recipient": [to("Practitioner/d1")],
        },
        {
            "status": ("completed", "in-progress"),
            "category": CODE,
            "encounter": ("e1", "e2"),
            "sent": DATE,
            "received": DATE,
            "recipient": ("Practitioner/d1", "Practitioner/d2"),
        },
    ),
    "Condition": (
        {
            "code": concept("111"),
            "category": [concept("problem-list-item")],
            "encounter": to("Encounter/e1"),
            "clinicalStatus": concept("active"),
            "verificationStatus": concept("confirmed"),
            "recordedDate": DAY,
            "onsetDateTime": "2026-11-20T10:00:00+01:00",
            "abatementPeriod": PERIOD,
        },
        {
            "code": CODE,
            "category": ("problem-list-item", "encounter-diagnosis"),
            "encounter": ("e1", "e2"),
            "clinical-status": ("active", "resolved"),
            "verification-status": ("confirmed", "refuted"),
            "recorded-date": DATE,
            "onset-date": DATE,
            "abatement-date": DATE,
        },
    ),
    "Device": (
        {"patient": to("Patient/p1"), "status": "active", "type": concept("111")},
        {"patient": ("p1", "p2"), "status": ("active", "inactive"), "type": CODE},
    ),
    "Encounter": (
        {
            "status": "in-progress",
            "class": {"system": "urn:act", "code": "IMP"},
            "type": [concept("111")],
            "period": {"start": "2026-11-20T08:00:00Z"},
        },
        {
            "status": ("in-progress", "finished"),
            "class": ("urn:act|IMP", "urn:act|AMB"),
            "type": CODE,
            "date": (f"ge{DAY}", f"lt{DAY}"),
        },
    ),
    "Flag": (
        {
            "status": "active",
            "code": concept("111"),
            "encounter": to("Encounter/e1"),
            "period": PERIOD,
            "author": to("Device/this"),
        },
        {"encounter": ("e1", "e2"), "date": DATE, "author": ("Device/this", "Device/other")},
    ),
    "Medication": (
        {"code": concept("111"), "status": "active"},
        {"code": CODE, "status": ("active", "inactive")},
    ),
    "MedicationAdministration": (
        {
            "status": "completed",
            "medicationCodeableConcept": concept("111"),
            "effectivePeriod": PERIOD,
            "context": to("Encounter/e1"),
            "request": to("MedicationRequest/r1"),
        },
        {
            "status": ("completed", "not-done"),
            "code": CODE,
            "effective-time": DATE,
            "context": ("Encounter/e1", "Encounter/e2"),
            "request": ("r1", "r2"),
        },
    ),
    "MedicationRequest": (
        {
            "status": "active",
            "intent": "order",
            "category": [concept("inpatient")],
            "medicationReference": to("Medication/m1"),
            "encounter": to("Encounter/e1"),
            "authoredOn": "2026-11-20T10:00:00Z",
            "requester": to("Practitioner/d1"),
        },
        {
            "status": ("active,on-hold", "stopped"),
            "intent": ("order", "plan"),
            "category": ("inpatient", "outpatient"),
            "medication": ("m1", "m2"),
            "encounter": ("e1", "e2"),
            "authoredon": DATE,
            "requester": ("Practitioner/d1", "Practitioner/d2"),
        },
    ),
    "Observation": (
        {
            "status": "final",
            "code": concept("111"),
            "component": [{"code": concept("8480-6", LOINC)}],
            "category": [concept("vital-signs")],
            "encounter": to("Encounter/e1"),
            "effectiveInstant": "2026-11-20T10:00:00.5Z",
            "valueCodeableConcept": concept("333"),
            "device": to("Device/v1"),
            "performer": [to("Practitioner/d1")],
        },
        {
            "status": ("final", "preliminary"),
            "code": CODE,
            "combo-code": (f"{LOINC}|8480-6", f"{LOINC}|8462-4"),
            "component-code": ("8480-6", "111"),
            "category": ("vital-signs", "laboratory"),
            "encounter": ("e1", "e2"),
            "date": DATE,
            "value-concept": ("333", "111"),
            "device": ("v1", "v2"),
            "performer": ("Practitioner/d1", "Practitioner/d2"),
        },
    ),
    "Organization": (
        {"name": "Sample Clinic", "active": True},
        {"name": ("sample", "clinic"), "active": ("true", "false")},
    ),
    "Patient": (
        {
            "name": [{"family": "Müller", "given": ["Ada", "Jo"]}],
            "birthDate": "1950-03-01",
            "gender": "female",
        },
        {
            "name": ("ada", "da"),
            "family": ("MULLER", "ada"),
            "given": ("jo", "muller"),
            "birthdate": ("1950-03", "1950-04"),
            "gender": ("female", "male"),
        },
    ),
    "Practitioner": (
        {"name": [{"family": "Sample", "given": ["Doc"]}], "active": False},
        {
            "name": ("sam", "x"),
            "family": ("sample", "doc"),
            "given": ("doc", "sample"),
            "active": ("false", "true"),
        },
    ),
    "PractitionerRole": (
        {"practitioner": to("Practitioner/d1"), "organization": to("Organization/o1")},
        {"practitioner": ("d1", "d2"), "organization": ("o1", "o2")},
    ),
    "Procedure": (
        {
            "status": "completed",
            "code": concept("111"),
            "category": concept("333"),
            "encounter": to("Encounter/e1"),
            "performedPeriod": PERIOD,
        },
        {
            "status": ("completed", "stopped"),
            "code": CODE,
            "category": ("333", "111"),
            "encounter": ("e1", "e2"),
            "date": DATE,
        },
    ),
    "Provenance": (
        {"target": [to("Observation/t1")], "recorded": "2026-11-20T10:00:00Z", "agent": [{}]},
        {"target": ("Observation/t1", "Observation/t2"), "recorded": DATE},
    ),
    "Questionnaire": (
        {"status": "draft", "url": "http://example.org/q"},
        {"status": ("draft", "active"), "url": ("http://example.org/q", "http://example.org/")},
    ),
    "QuestionnaireResponse": (
        {
            "status": "completed",
            "encounter": to("Encounter/e1"),
            "questionnaire": "http://example.org/q",
            "authored": DAY,
        },
        {
            "status": ("completed", "amended"),
            "encounter": ("e1", "e2"),
            "questionnaire": ("http://example.org/q", "http://example.org/other"),
            "authored": DATE,
        },
    ),
    "ServiceRequest": (
        {
            "status": "active",
            "intent": "order",
            "code": concept("111"),
            "category": [concept("333")],
            "encounter": to("Encounter/e1"),
            "authoredOn": DAY,
        },
        {
            "status": ("active", "draft"),
            "intent": ("order", "plan"),
            "code": CODE,
            "category": ("333", "111"),
            "encounter": ("e1", "e2"),
            "authored": DATE,
        },
    ),
    "Subscription": (
        {
            "status": "off",
            "reason": "test",
            "criteria": "Observation?patient=p1",
            "channel": {
                "type": "rest-hook",
                "endpoint": "http://127.0.0.1:1/a",
                "payload": "application/fhir+json",
            },
        },
        {
            "status": ("off", "active"),
            "criteria": ("observation", "encounter"),
            "url": ("http://127.0.0.1:1/a", "http://127.0.0.1:1/"),
            "type": ("rest-hook", "websocket"),
            "payload": ("application/fhir%2Bjson", "application/fhir%2Bxml"),
        },
    ),
}
# What many types have under the same name and with the same meaning.
SHARED: dict[str, tuple[Json, tuple[str, str]]] = {
    "identifier": ({"identifier": [{"system": "urn:s", "value": "7"}]}, ("urn:s|7", "urn:s|8")),
    "patient": ({"subject": to("Patient/p1")}, ("Patient/p1", "Patient/p2")),
    "subject": ({"subject": to("Patient/p1")}, ("Patient/p1", "Group/p1")),
}
# Parameters of an element that can have one type only: tried on a resource of their own.
CHOICES: dict[tuple[str, str], tuple[Json, tuple[str, str]]] = {
    ("MedicationAdministration", "medication"): (
        {
            "status": "completed",
            "medicationReference": to("Medication/m1"),
            "effectiveDateTime": DAY,
            "subject": to("Patient/p1"),
        },
        ("Medication/m1", "Medication/m2"),
    ),
    ("MedicationRequest", "code"): (
        {
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": concept("111"),
            "subject": to("Patient/p1"),
        },
        CODE,
    ),
    ("Observation", "value-quantity"): (
        {
            "status": "final",
            "code": concept("111"),
            "valueQuantity": {"value": 5.4, "system": "urn:u", "code": "mg"},
        },
        ("5.4|urn:u|mg", "5.4|urn:u|g"),
    ),
}


def rows() -> Iterator[Any]:
    """Type, parameter, resource, value that finds it, value that does not."""
    for kind, definition in TYPES.items():
        resource, asked = TABLE[kind]
        for name in definition.parameters.keys() - {one.name for one in COMMON}:
            if name in asked:
                whole, pair = resource, asked[name]
            elif (kind, name) in CHOICES:
                whole, pair = CHOICES[kind, name]
            else:
                more, pair = SHARED[name]
                whole = {**resource, **more}
            if "subject" in definition.required:
                whole = {"subject": to("Patient/p1"), **whole}
            yield pytest.param(kind, name, whole, *pair, id=f"{kind}-{name}")


@pytest.fixture(scope="module")
def fhir() -> Iterator[Client]:
    with served() as client:
        yield client


@pytest.mark.parametrize(("kind", "name", "resource", "finds", "misses"), list(rows()))
def test_parameter_finds_what_it_means_and_nothing_else(
    fhir: Client, kind: str, name: str, resource: Json, finds: str, misses: str
) -> None:
    made = fhir.create({"resourceType": kind, **resource})
    mine = f"{kind}?_id={made['id']}&"
    assert fhir.ids(f"{mine}{name}={finds}") == [f"{kind}/{made['id']}"]
    assert fhir.ids(f"{mine}{name}={misses}") == []
    assert fhir.ids(f"{mine}{name}:missing=false") == [f"{kind}/{made['id']}"]
    assert fhir.ids(f"{mine}{name}:missing=true") == []


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_has_the_common_parameters(fhir: Client, kind: str) -> None:
    resource = {"meta": {"tag": [{"system": "urn:t", "code": kind}], "profile": ["urn:p"]}}
    if "subject" in TYPES[kind].required:
        resource["subject"] = to("Patient/p1")
    made = fhir.create({"resourceType": kind, **TABLE[kind][0], **resource})
    here = [f"{kind}/{made['id']}"]
    assert fhir.ids(f"{kind}?_id={made['id']},nobody&_tag=urn:t|{kind}") == here
    assert fhir.ids(f"{kind}?_tag=urn:t|{kind}&_profile=urn:p&_lastUpdated=2026-11-21") == here
    assert fhir.ids(f"{kind}?_id={made['id']}&_tag=urn:other|{kind}") == []
    assert fhir.ids(f"{kind}?_id={made['id']}&_profile=urn:q") == []
    assert fhir.ids(f"{kind}?_id={made['id']}&_lastUpdated=lt2026-11-21") == []


TOKENS = [
    # query value, finds {system: LOINC, code: 8310-5}, finds a code without system
    (f"{LOINC}|8310-5", True, False),
    ("8310-5", True, True),
    ("|8310-5", False, True),
    (f"{LOINC}|", True, False),
    ("8310", False, False),
    (f"x,{LOINC}|8310-5", True, False),
    ("x\\,8310-5", False, False),
]


@pytest.mark.parametrize(("value", "with_system", "without"), TOKENS)
def test_token_forms(fhir: Client, value: str, with_system: bool, without: bool) -> None:
    coded = fhir.create(observation(""))
    bare = fhir.create({**observation(""), "code": {"coding": [{"code": "8310-5"}]}})
    found = fhir.ids(f"Observation?_id={coded['id']},{bare['id']}&code={value}")
    assert (f"Observation/{coded['id']}" in found) is with_system
    assert (f"Observation/{bare['id']}" in found) is without


def test_a_code_with_a_comma_and_a_bar_is_found_when_escaped(fhir: Client) -> None:
    made = fhir.create(
        {**observation(""), "code": {"coding": [{"system": "urn:l", "code": "a,b|c"}]}}
    )
    assert fhir.ids("Observation?code=urn:l|a\\,b\\|c") == [f"Observation/{made['id']}"]


def test_repeated_parameters_must_all_be_met(fhir: Client) -> None:
    two = {"coding": [{"code": "one"}, {"code": "two"}]}
    both = fhir.create({**observation(""), "code": two})
    fhir.create({**observation(""), "code": {"coding": [{"code": "one"}]}})
    assert fhir.ids("Observation?code=one&code=two") == [f"Observation/{both['id']}"]


@pytest.mark.parametrize("plus", ["+", "%2B"])
def test_a_time_zone_is_read_with_its_plus_sign_encoded_or_not(fhir: Client, plus: str) -> None:
    made = fhir.create(observation("", effectiveDateTime="2026-11-21T10:00:00+05:00"))
    mine = f"Observation?_id={made['id']}&date="
    assert len(fhir.ids(f"{mine}2026-11-21T06:00:00{plus}01:00")) == 1
    assert fhir.ids(f"{mine}2026-11-21T06:00:00{plus}02:00") == []


def test_modifiers(fhir: Client) -> None:
    made = fhir.create(patient("", name=[{"family": "Ångström"}], gender="male"))
    mine = f"Patient?_id={made['id']}"
    here = [f"Patient/{made['id']}"]
    assert fhir.ids(f"{mine}&family:exact=Ångström") == here
    assert fhir.ids(f"{mine}&family:exact=angstrom") == []
    assert fhir.ids(f"{mine}&family:contains=STR") == here
    assert fhir.ids(f"{mine}&gender:not=female") == here
    assert fhir.ids(f"{mine}&gender:not=male") == []
    watched = fhir.create(observation("", of="Patient/same"))
    path = f"Observation?_id={watched['id']}&subject"
    assert fhir.ids(f"{path}:Patient=same") == [f"Observation/{watched['id']}"]
    assert fhir.ids(f"{path}:Group=same") == []


@pytest.mark.parametrize(
    "query",
    ["code:in=x", "code:above=x", "date=yesterday", "date=ap2026", "_count=-1", "code=,", "code=|"],
)
def test_what_cannot_be_asked_is_refused(fhir: Client, query: str) -> None:
    answer = fhir.get(f"Observation?{query}")
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_reference_of_another_server_is_found_by_its_whole_url_only(fhir: Client) -> None:
    far = "http://elsewhere.test/fhir/Patient/p9"
    made = fhir.create(observation("", of=far))
    mine = f"Observation?_id={made['id']}"
    assert fhir.ids(f"{mine}&patient={far}") == [f"Observation/{made['id']}"]
    assert fhir.ids(f"{mine}&patient=p9") == []
    assert fhir.ids(f"{mine}&patient=Patient/p9") == []


def test_reference_stored_absolute_or_versioned_is_found_by_its_id(fhir: Client) -> None:
    for of in (f"{fhir.base}/Patient/p7", "Patient/p7/_history/3"):
        made = fhir.create(observation("", of=of))
        assert fhir.ids(f"Observation?_id={made['id']}&patient=p7") == [f"Observation/{made['id']}"]


def test_sort_by_several_keys_with_missing_values_last(fhir: Client) -> None:
    with served() as alone:
        alone.store.load(
            [
                observation("a", code="2", effectiveDateTime="2026-11-20"),
                observation("b", code="1", effectiveDateTime="2026-11-21"),
                observation("c", code="1", effectiveDateTime="2026-11-20"),
                {**observation("d", code="1"), "effectiveDateTime": None},
            ],
            now=NOW,
        )
        order = {
            "_sort=code,-date": "bcda",
            "_sort=-code,date": "acbd",
            "_sort=-date,_id": "bacd",
            "_sort=date": "acbd",
        }
        for query, expected in order.items():
            found = alone.ids(f"Observation?{query}")
            assert "".join(one[-1] for one in found) == expected, query


def test_sort_by_what_is_unknown_is_an_unknown_parameter(fhir: Client) -> None:
    strict = fhir.get("Observation?_sort=-date,shoe-size", Prefer="handling=strict")
    assert strict.status_code == 400
    lenient = fhir.bundle("Observation?_sort=-date,shoe-size")
    assert lenient["link"][0]["url"] == f"{fhir.base}/Observation"


def test_sort_goes_by_the_least_value_up_and_by_the_greatest_down() -> None:
    with served() as alone:
        two = patient("two", name=[{"given": ["Ada", "Zoe"]}])
        alone.store.load([two, patient("one", name=[{"given": ["Max"]}])], now=NOW)
        assert alone.ids("Patient?_sort=given") == ["Patient/two", "Patient/one"]
        assert alone.ids("Patient?_sort=-given") == ["Patient/two", "Patient/one"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("5.4", "5.35 5.4 5.44"),
        ("5.40", "5.4"),
        ("ne5.4", "5.34 5.45"),
        ("gt5.4", "5.44 5.45"),
        ("lt5.4", "5.34 5.35"),
        ("ge5.4", "5.4 5.44 5.45"),
        ("le5.4", "5.34 5.35 5.4"),
        ("5e0", "5.34 5.35 5.4 5.44 5.45"),
    ],
)
def test_a_number_stands_for_what_rounds_to_it(asked: str, found: str) -> None:
    with served() as alone:
        there = [5.34, 5.35, 5.4, 5.44, 5.45]
        alone.store.load(
            [observation(f"q{one}", valueQuantity={"value": one}) for one in there], now=NOW
        )
        shown = alone.ids(f"Observation?value-quantity={asked}")
        assert shown == [f"Observation/q{one}" for one in found.split()]


def test_a_device_is_included_and_an_absent_one_is_not(fhir: Client) -> None:
    device = fhir.create({"resourceType": "Device", "type": concept("111")})
    watched = fhir.create({**observation(""), "device": to(f"Device/{device['id']}")})
    path = f"Observation?_id={watched['id']}&_include=Observation:device"
    assert fhir.ids(path, "include") == [f"Device/{device['id']}"]
    fhir.ask("DELETE", f"Device/{device['id']}")
    assert fhir.ids(path, "include") == []


def test_a_medication_is_included_once_for_two_administrations(fhir: Client) -> None:
    drug = fhir.create({"resourceType": "Medication", "code": concept("111")})
    given = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "subject": to("Patient/two"),
        "medicationReference": to(f"Medication/{drug['id']}"),
        "effectiveDateTime": DAY,
    }
    fhir.create(given)
    fhir.create(given)
    path = "MedicationAdministration?patient=two&_include=MedicationAdministration:medication"
    assert len(fhir.ids(path)) == 2
    assert fhir.ids(path, "include") == [f"Medication/{drug['id']}"]


def test_what_is_found_is_not_included_as_well() -> None:
    with served() as alone:
        of_other = {"resourceType": "Provenance", "recorded": f"{DAY}T10:00:00Z", "agent": [{}]}
        names = {"v1": "Provenance/v2", "v2": "Observation/o1"}
        alone.store.load(
            [{**of_other, "id": id_, "target": [to(name)]} for id_, name in names.items()], now=NOW
        )
        path = "Provenance?_include=Provenance:target"
        assert alone.ids(path) == ["Provenance/v1", "Provenance/v2"]
        assert alone.ids(path, "include") == []
        assert alone.ids(f"{path}&_id=v1", "include") == ["Provenance/v2"]


def test_total_can_be_left_out_and_count_zero_means_a_count(fhir: Client) -> None:
    fhir.create(observation("", of="Patient/total"))
    assert "total" not in fhir.bundle("Observation?patient=total&_total=none")
    assert fhir.bundle("Observation?patient=total&_total=accurate")["total"] == 1
    counted = fhir.bundle("Observation?patient=total&_count=0")
    assert (counted["total"], "entry" in counted) == (1, False)


def test_quirks_are_seen() -> None:
    quirks = Quirks(
        left_out=frozenset({"Subscription"}),
        ignored=frozenset({"_sort"}),
        largest_page=2,
        total_of_page=True,
    )
    with served(quirks=quirks) as fhir:
        fhir.store.load(
            [observation(name, effectiveDateTime=f"2026-11-2{name}") for name in "012"], now=NOW
        )
        found = fhir.bundle("Observation?_sort=-date&_count=100")
        assert [one["resource"]["id"] for one in found["entry"]] == ["0", "1"]
        assert found["total"] == 2
        assert "_sort" not in found["link"][0]["url"]
        assert fhir.get("Observation?_sort=-date", Prefer="handling=strict").status_code == 400
        assert fhir.get("Subscription").status_code == 404
        types = {one["type"] for one in fhir.get("metadata").json()["rest"][0]["resource"]}
        assert "Subscription" not in types
