"""One patient: every spelling of a reference, and what happens to each."""

import pytest

from fhir_mapping.errors import AnotherPatient
from tests.builders import (
    BASE,
    Json,
    as_bytes,
    bundle,
    draft_order,
    hours_ago,
    patient,
    teclistamab,
    temp,
)
from tests.unit.fhir_mapping.mapped import facts_of, map_request


IDENTIFIER = {"system": "urn:hospital:mrn", "value": "778"}


def _read(
    subject: object, *, base: str | None = BASE, others: tuple[Json, ...] = ()
) -> tuple[int, str]:
    made = temp(38.4)
    del made["subject"]
    if subject is not None:
        made["subject"] = subject
    facts = map_request({"vitals": bundle(made, *others)}, fhir_base=base).facts
    return len(facts.temperatures), " ".join(one.reason for one in facts.unreadable)


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param("Patient/p1", id="relative"),
        pytest.param("Patient/p1/_history/3", id="versioned"),
        pytest.param(f"{BASE}/Patient/p1", id="absolute on the base"),
        pytest.param(f"{BASE}/Patient/p1/_history/3", id="absolute and versioned"),
        pytest.param("https://EHR.example/fhir/Patient/p1", id="host in capitals"),
        pytest.param("https://ehr.example:443/fhir/Patient/p1", id="default port"),
        pytest.param("HTTPS://ehr.example/fhir/Patient/p1", id="scheme in capitals"),
    ],
)
def test_this_patient(reference: str) -> None:
    assert _read({"reference": reference}) == (1, "")


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param("Patient/p2", id="another id"),
        pytest.param("Patient/P1", id="ids differ by case"),
        pytest.param("Patient/p1x/_history/1", id="another id with a version"),
        pytest.param(f"{BASE}/Patient/p2", id="another id on the base"),
        pytest.param("https://other.example/fhir/Patient/p1", id="another base"),
        pytest.param("https://ehr.example/fhir2/Patient/p1", id="another path"),
        pytest.param("http://ehr.example/fhir/Patient/p1", id="another scheme"),
        pytest.param("https://ehr.example.evil/fhir/Patient/p1", id="a longer host"),
        pytest.param("https://[/Patient/p1", id="a broken address"),
        pytest.param("https://ehr.example/fhir/t2/Patient/p1", id="a tenant below the base"),
        pytest.param("https://ehr.example/fhir/../r2/Patient/p1", id="a path that climbs"),
        pytest.param("https://ehr.example/fhir?at=/Patient/p1", id="a question, no path"),
        pytest.param("https://ehr.example/fhir#/Patient/p1", id="a part of a page, no path"),
    ],
)
def test_another_patient_or_base(reference: str) -> None:
    with pytest.raises(AnotherPatient) as caught:
        _read({"reference": reference})
    assert caught.value.where == "prefetch.vitals.entry[0]"
    assert "p2" not in str(caught.value)


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(None, id="no subject"),
        pytest.param({}, id="an empty reference"),
        pytest.param({"display": "Ann"}, id="only a name"),
        pytest.param({"reference": "#p1"}, id="contained"),
        pytest.param({"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}, id="urn:uuid"),
        pytest.param({"identifier": IDENTIFIER}, id="an identifier nobody knows"),
        pytest.param({"identifier": {"value": "778"}}, id="an identifier without a system"),
        pytest.param({"reference": "Patient?identifier=778"}, id="conditional"),
        pytest.param({"reference": "Group/p1"}, id="a group"),
        pytest.param({"reference": "patient/p1"}, id="type in lower case"),
        pytest.param({"reference": "p1"}, id="a bare id"),
        pytest.param({"reference": "Patient/p1/extra"}, id="more segments"),
        pytest.param({"reference": f"{BASE}/Group/p1"}, id="an absolute group"),
        pytest.param({"reference": f"{BASE}/Patient/"}, id="an absolute reference without id"),
        pytest.param({"reference": ""}, id="an empty text"),
        pytest.param({"reference": "Patient/p1", "type": "Group"}, id="another type beside it"),
        pytest.param({"reference": "Patient/p1#x"}, id="a part of the patient"),
    ],
)
def test_patient_unknown(subject: Json | None) -> None:
    used, reason = _read(subject)
    assert used == 0
    assert reason.startswith("patient-unknown")


def test_an_absolute_reference_counts_by_id_where_no_base_is_known() -> None:
    assert _read({"reference": "https://any.example/r4/Patient/p1"}, base=None) == (1, "")
    with pytest.raises(AnotherPatient):
        _read({"reference": "https://any.example/r4/Patient/p2"}, base=None)


def test_urn_uuid_is_resolved_inside_the_bundle() -> None:
    url = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    observation = {**temp(38.4), "subject": {"reference": url}}
    for found, used in ((patient(), 1), ({"resourceType": "Patient"}, 0)):
        entries = [{"fullUrl": url, "resource": found}, {"resource": observation}]
        value = {"resourceType": "Bundle", "entry": entries}
        assert len(map_request({"vitals": value}).facts.temperatures) == used
    entries = [{"fullUrl": url, "resource": patient("p2")}, {"resource": observation}]
    with pytest.raises(AnotherPatient):
        map_request({"vitals": {"resourceType": "Bundle", "entry": entries}})


def test_an_identifier_of_the_patient_leads_to_the_patient() -> None:
    known = {**patient(), "identifier": [IDENTIFIER, {"value": "no system"}]}
    assert _read({"identifier": IDENTIFIER}, others=(known,)) == (1, "")


def test_a_reference_that_contradicts_itself_leads_nowhere() -> None:
    known = {**patient(), "identifier": [IDENTIFIER]}
    other = {**IDENTIFIER, "value": "779"}
    elsewhere = {"system": "urn:another:hospital", "value": "1"}
    for said, used in ((IDENTIFIER, 1), (other, 0), (elsewhere, 1)):
        subject = {"reference": "Patient/p1", "type": "Patient", "identifier": said}
        assert _read(subject, others=(known,))[0] == used
    assert _read({"reference": "Patient/p1", "identifier": other})[0] == 1  # nothing to compare
    with pytest.raises(AnotherPatient):
        _read({"reference": "Patient/p2", "identifier": IDENTIFIER}, others=(known,))
    uri = "http://hl7.org/fhir/StructureDefinition/Patient"
    assert _read({"identifier": IDENTIFIER, "type": uri}, others=(known,))[0] == 1
    assert _read({"identifier": IDENTIFIER, "type": "Practitioner"}, others=(known,))[0] == 0


@pytest.mark.parametrize(
    ("contained", "used"),
    [
        pytest.param({"identifier": [IDENTIFIER]}, 1, id="the patient's number"),
        pytest.param({"identifier": [{**IDENTIFIER, "value": "779"}]}, 0, id="another number"),
        pytest.param({"name": [{"text": "Ann"}]}, 0, id="a name"),
        pytest.param({"id": "q"}, 0, id="another contained patient"),
        pytest.param({"resourceType": "Group"}, 0, id="no patient"),
        pytest.param({"identifier": 7}, 0, id="malformed"),
    ],
)
def test_a_contained_patient_is_known_by_an_identifier_alone(contained: Json, used: int) -> None:
    known = {**patient(), "identifier": [IDENTIFIER]}
    made = {
        **temp(38.4),
        "subject": {"reference": "#p"},
        "contained": [{"resourceType": "Patient", "id": "p", **contained}],
    }
    facts = facts_of(known, made)
    assert len(facts.temperatures) == used
    assert len(facts.unreadable) == 1 - used


def test_the_url_of_an_entry_is_held_to_the_base() -> None:
    for url, fine in (
        (f"{BASE}/Observation/t1", True),
        (f"{BASE}/Observation/t1/_history/2", True),
        (f"{BASE}/Observation", True),
        ("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", True),
        (f"{BASE}/tenant2/Observation/t1", False),
        (f"{BASE}/../other/Observation/t1", False),
        ("https://other.example/fhir/Observation/t1", False),
    ):
        for subject in ("Patient/p1", f"{BASE}/Patient/p1"):
            entry = {"fullUrl": url, "resource": {**temp(38.4), "subject": {"reference": subject}}}
            value = {"resourceType": "Bundle", "entry": [entry]}
            if fine:
                assert map_request({"vitals": value}).facts.temperatures
            else:
                with pytest.raises(AnotherPatient):
                    map_request({"vitals": value})


def test_the_url_of_the_patient_names_the_patient() -> None:
    def read_at(url: str) -> int | None:
        value = {"resourceType": "Bundle", "entry": [{"fullUrl": url, "resource": patient()}]}
        return map_request({"patient": value}).facts.age_years

    for url in (f"{BASE}/Patient/p1", f"{BASE}/Patient/p1/_history/4", f"{BASE}/x", "urn:uuid:1"):
        assert read_at(url) == 66
    with pytest.raises(AnotherPatient):
        read_at(f"{BASE}/Patient/p2")


def test_a_malformed_patient_is_another_patient_all_the_same() -> None:
    with pytest.raises(AnotherPatient):
        facts_of(temp(38.4), {**patient("p2"), "birthDate": 7})
    with pytest.raises(AnotherPatient):
        map_request({"patient": {**patient("p2"), "birthDate": 7}})


def test_a_bundle_in_a_bundle_is_not_read_but_of_the_same_patient() -> None:
    mine = bundle(temp(39, resource_id="mine"), bundle(temp(39, resource_id="deeper")))
    facts = facts_of(temp(38.4), {**mine, "id": "b"})
    assert len(facts.temperatures) == 1
    assert [one.at for one in facts.unreadable] == ["prefetch.vitals.entry[1]"]
    other = {**temp(39), "subject": {"reference": "Patient/p2"}}
    for inner in (bundle(other), bundle(bundle(other)), bundle(patient("p2"))):
        with pytest.raises(AnotherPatient):
            facts_of(temp(38.4), inner)
    odd = {"resourceType": "Bundle", "entry": [7, {"resource": 7}]}
    assert facts_of(temp(38.4), odd).temperatures


def test_subject_and_patient_are_both_looked_at() -> None:
    both = {"subject": {"reference": "Patient/p1"}, "patient": {"reference": "Patient/p2"}}
    with pytest.raises(AnotherPatient):
        facts_of(temp(38.4), {"resourceType": "Flag", **both})
    with pytest.raises(AnotherPatient):
        facts_of({**temp(38.4), "contained": [{"resourceType": "Flag", **both}]})


def test_a_product_of_another_base_does_not_stand_for_one_of_ours() -> None:
    ours = {"resourceType": "Medication", "id": "m1", "code": {"text": "teclistamab"}}
    theirs = {**ours, "code": {"text": "saline"}}
    far = "https://other.example/fhir/Medication/m1"
    given = teclistamab()
    del given["medicationCodeableConcept"]
    given["medicationReference"] = {"reference": "Medication/m1"}
    entries = [
        {"fullUrl": f"{BASE}/Medication/m1", "resource": ours},
        {"fullUrl": far, "resource": theirs},
        {"resource": given},
    ]
    for order in (entries, entries[::-1]):
        value = {"resourceType": "Bundle", "entry": order}
        assert map_request({"orders": value}).facts.doses[0].ingredient == "teclistamab"


def test_a_relative_reference_is_relative_to_where_the_resource_came_from() -> None:
    for base in ("https://other.example/fhir", "https://other.example/fhir/"):
        with pytest.raises(AnotherPatient):
            map_request({"vitals": bundle(temp(38.4), base=base)})
    with pytest.raises(AnotherPatient):
        map_request({"vitals": bundle(temp(38.4), base="HTTPS://other.example/fhir")})
    for base in ("HTTPS://ehr.example/fhir", "https://EHR.example/fhir"):
        assert map_request({"vitals": bundle(temp(38.4), base=base)}).facts.temperatures
    assert map_request({"vitals": bundle(temp(38.4))}, fhir_base=None).facts.temperatures
    assert facts_of(temp(38.4)).temperatures
    entry = {"fullUrl": f"{BASE}/Observation/t1/_history/2", "resource": temp(38.4)}
    value = {"resourceType": "Bundle", "entry": [entry]}
    assert map_request({"vitals": value}).facts.temperatures


def test_the_patient_resource_must_be_the_patient() -> None:
    assert map_request({"patient": patient()}).facts.age_years == 66
    for value in (patient("p2"), bundle(patient("p2"))):
        with pytest.raises(AnotherPatient):
            map_request({"patient": value})
    with pytest.raises(AnotherPatient):
        map_request({"patient": bundle(patient(), base="https://other.example/fhir")})


@pytest.mark.parametrize(
    ("focus", "used"),
    [({"reference": "Patient/p1"}, 1), ({"reference": "Patient/p2"}, 0), ({"display": "fetus"}, 0)],
)
def test_an_observation_about_something_else_is_not_used(focus: Json, used: int) -> None:
    facts = facts_of({**temp(38.4), "focus": [focus]})
    assert len(facts.temperatures) == used
    assert [one.reason.split(":")[0] for one in facts.unreadable] == ["patient-unknown"] * (
        1 - used
    )


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param({"resourceType": "DiagnosticReport"}, id="a type that is not read"),
        pytest.param({"resourceType": "Observation", "status": 7}, id="a malformed resource"),
        pytest.param({"resourceType": "Encounter"}, id="an encounter"),
        pytest.param(
            {
                **temp(38.4),
                "contained": [
                    {"resourceType": "Observation", "subject": {"reference": "Patient/p2"}}
                ],
            },
            id="a contained resource",
        ),
    ],
)
def test_another_patient_anywhere_refuses_the_request(resource: Json) -> None:
    made = {"subject": {"reference": "Patient/p2"}, **resource}
    with pytest.raises(AnotherPatient):
        facts_of(temp(38.4), made)
    if "contained" not in made:
        with pytest.raises(AnotherPatient):
            map_request({"vitals": made})


def test_another_patient_by_the_patient_element() -> None:
    made = {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p2"}}
    with pytest.raises(AnotherPatient):
        facts_of(made)
    with pytest.raises(AnotherPatient):
        facts_of({**made, "resourceType": "Flag"})


def test_a_draft_for_another_patient_refuses_the_request() -> None:
    wrong = {**draft_order(), "subject": {"reference": "Patient/p2"}}
    for made in (wrong, {**wrong, "resourceType": "NutritionOrder"}):
        with pytest.raises(AnotherPatient) as caught:
            map_request(drafts=bundle(draft_order(), made))
        assert caught.value.where == "context.draftOrders.entry[1]"


def test_a_draft_without_a_patient_is_not_used() -> None:
    made = draft_order()
    del made["subject"]
    facts = map_request(drafts=bundle(made)).facts
    assert facts.orders == ()
    assert facts.unreadable[0].reason.startswith("patient-unknown")


def test_types_without_a_patient_are_exempt() -> None:
    medication = {"resourceType": "Medication", "id": "m1", "code": {"text": "teclistamab"}}
    given = teclistamab()
    del given["medicationCodeableConcept"]
    given["medicationReference"] = {"reference": "Medication/m1"}
    assert facts_of(medication, given).doses[0].ingredient == "teclistamab"


def test_contained_garbage_is_passed_over() -> None:
    made = as_bytes({**temp(38.4), "contained": [7, {"resourceType": "Patient", "id": "x"}]})
    value = b'{"resourceType":"Bundle","entry":[{"resource":' + made + b"}]}"
    assert map_request({"vitals": value}).facts.temperatures


def test_a_local_reference_leads_to_the_one_contained_resource_it_names() -> None:
    inside = [
        {"resourceType": "Basic", "id": "dev1"},
        {"resourceType": "Device", "id": "dev1", "type": {"text": "simple mask"}},
    ]
    use = {
        "resourceType": "DeviceUseStatement",
        "status": "active",
        "subject": {"reference": "Patient/p1"},
        "timingPeriod": {"start": hours_ago(3)},
        "device": {"reference": "#dev1"},
        "contained": inside,
    }
    assert facts_of(use).oxygen != ()
