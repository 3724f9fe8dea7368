"""What a FHIR R4 server has to do to be worth testing against, each asked over a real socket.

http://hl7.org/fhir/R4/http.html and search.html. Not asked: validation against profiles and
terminology, which this server does not do (docs/sandbox-fhir.md).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.demo.fhir_sandbox import (
    LOINC,
    NOW,
    Client,
    Json,
    Subscriber,
    observation,
    patient,
    ref,
    served,
)


@pytest.fixture
def fhir() -> Iterator[Client]:
    with served() as client:
        client.store.load(
            [
                patient("p1", name=[{"family": "Probe"}]),
                patient("p2"),
                observation("t1", valueQuantity={"value": 38.5, "unit": "Cel"}),
                observation("t2", effectiveDateTime="2026-11-20T10:00:00Z"),
                observation("s1", code="59408-5", valueQuantity={"value": 91, "unit": "%"}),
                observation("x1", of="Patient/p2"),
                {
                    **observation("i1", code="ice-total"),
                    "category": [{"coding": [{"code": "survey"}]}],
                },
            ],
            now=NOW,
        )
        yield client


def test_create_gives_an_id_a_version_and_a_location(fhir: Client) -> None:
    answer = fhir.ask("POST", "Patient", {"resourceType": "Patient", "id": "mine"})
    made = answer.json()
    assert answer.status_code == 201
    assert made["id"] != "mine"
    assert made["meta"]["versionId"] == "1"
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.headers["Location"] == f"{fhir.base}/Patient/{made['id']}/_history/1"


def test_read_gives_the_resource_with_its_version(fhir: Client) -> None:
    answer = fhir.get("Patient/p1")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/fhir+json")
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.json()["name"] == [{"family": "Probe"}]
    assert fhir.get("Patient/nobody").status_code == 404


def test_update_makes_a_new_version(fhir: Client) -> None:
    answer = fhir.put(patient("p1", gender="female"))
    assert answer.status_code == 200
    assert answer.json()["meta"]["versionId"] == "2"
    assert fhir.get("Patient/p1").json()["gender"] == "female"
    assert fhir.put(patient("new-one")).status_code == 201


def _transaction(*entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def _post(resource: Json, full_url: str = "") -> Json:
    request = {"method": "POST", "url": resource["resourceType"]}
    return {"fullUrl": full_url, "resource": resource, "request": request}


def test_transaction_resolves_urn_uuid(fhir: Client) -> None:
    urn = "urn:uuid:5a4ff0b6-0d8a-4a6a-9f5e-0f6b9d9a0c11"
    answer = fhir.ask(
        "POST", "", _transaction(_post(observation("", of=urn)), _post(patient(""), urn))
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "transaction-response"
    watched, made = (one["resource"] for one in answer.json()["entry"])
    assert made["resourceType"] == "Patient"
    assert fhir.get(ref(watched)).json()["subject"] == {"reference": ref(made)}


def test_transaction_that_fails_leaves_nothing(fhir: Client) -> None:
    bad = {"resourceType": "Observation"}
    answer = fhir.ask("POST", "", _transaction(_post(patient("")), _post(bad)))
    assert answer.status_code == 422
    assert "Bundle.entry[1]" in answer.json()["issue"][0]["diagnostics"]
    assert fhir.ids("Patient") == ["Patient/p1", "Patient/p2"]


@pytest.mark.parametrize("value", ["p2", "Patient/p2", "{base}/Patient/p2"])
def test_search_by_patient(fhir: Client, value: str) -> None:
    asked = value.format(base=fhir.base)
    assert fhir.ids(f"Observation?patient={asked}") == ["Observation/x1"]
    assert fhir.ids(f"Observation?subject={asked}") == ["Observation/x1"]


def test_search_by_bare_code(fhir: Client) -> None:
    assert fhir.ids("Observation?code=59408-5") == ["Observation/s1"]


def test_search_by_system_and_code(fhir: Client) -> None:
    assert fhir.ids(f"Observation?code={LOINC}|59408-5") == ["Observation/s1"]
    assert fhir.ids("Observation?code=http://snomed.info/sct|59408-5") == []


def test_search_by_one_code_or_another(fhir: Client) -> None:
    found = fhir.ids(f"Observation?patient=p1&code={LOINC}|59408-5,{LOINC}|8310-5")
    assert found == ["Observation/t1", "Observation/t2", "Observation/s1"]


def test_search_by_category(fhir: Client) -> None:
    assert fhir.ids("Observation?category=survey") == ["Observation/i1"]


def test_search_by_a_range_of_dates(fhir: Client) -> None:
    day = "date=ge2026-11-20&date=lt2026-11-21"
    assert fhir.ids(f"Observation?patient=p1&{day}") == ["Observation/t2"]


def test_sort_and_count(fhir: Client) -> None:
    query = "Observation?patient=p1&code=8310-5&_count=1"
    assert fhir.ids(f"{query}&_sort=-date") == ["Observation/t1"]
    assert fhir.ids(f"{query}&_sort=date") == ["Observation/t2"]


def test_next_link_leads_to_the_rest(fhir: Client) -> None:
    first = fhir.bundle("Observation?patient=p1&_sort=_id&_count=3")
    assert first["total"] == 4
    links = {one["relation"]: one["url"] for one in first["link"]}
    second = fhir.bundle(links["next"])
    shown = [one["resource"]["id"] for page in (first, second) for one in page["entry"]]
    assert shown == ["i1", "s1", "t1", "t2"]
    assert "next" not in {one["relation"] for one in second["link"]}


def test_include(fhir: Client) -> None:
    path = "Observation?_id=t1&_include=Observation:subject"
    assert fhir.ids(path) == ["Observation/t1"]
    assert fhir.ids(path, "include") == ["Patient/p1"]
    assert fhir.bundle(path)["total"] == 1


def test_revinclude(fhir: Client) -> None:
    path = "Patient?_id=p2&_revinclude=Observation:patient"
    assert fhir.ids(path) == ["Patient/p2"]
    assert fhir.ids(path, "include") == ["Observation/x1"]


def test_last_updated() -> None:
    now = [NOW]
    with served(clock=lambda: now[0]) as fhir:
        fhir.create(patient(""))
        now[0] = NOW + timedelta(hours=1)
        later = fhir.create(patient(""))
        assert fhir.ids("Patient?_lastUpdated=gt2026-11-21T12:30:00Z") == [ref(later)]
        assert datetime.fromisoformat(later["meta"]["lastUpdated"]) == now[0]


def test_summary_count(fhir: Client) -> None:
    found = fhir.bundle("Observation?patient=p1&_summary=count")
    assert found["total"] == 4
    assert "entry" not in found


def test_value_quantity(fhir: Client) -> None:
    assert fhir.ids("Observation?value-quantity=gt38") == ["Observation/t1", "Observation/s1"]
    assert fhir.ids("Observation?value-quantity=38.5||Cel") == ["Observation/t1"]


def test_post_search_means_the_same_as_get(fhir: Client) -> None:
    form = b"patient=p1&code=http%3A%2F%2Floinc.org%7C8310-5&_sort=date"
    answer = fhir.ask(
        "POST", "Observation/_search", form, Content_Type="application/x-www-form-urlencoded"
    )
    shown = [one["resource"]["id"] for one in answer.json()["entry"]]
    assert shown == ["t2", "t1"]


def test_unknown_parameter_is_refused_when_strict_and_left_out_of_self_otherwise(
    fhir: Client,
) -> None:
    refused = fhir.get("Observation?patient=p1&shoe-size=41", Prefer="handling=strict")
    assert refused.status_code == 400
    assert refused.json()["resourceType"] == "OperationOutcome"
    assert "shoe-size" in refused.json()["issue"][0]["diagnostics"]
    lenient = fhir.bundle("Observation?patient=p1&shoe-size=41")
    assert lenient["total"] == 4
    assert lenient["link"][0] == {
        "relation": "self",
        "url": f"{fhir.base}/Observation?patient=p1",
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"resourceType": "Patient"}, 400),  # not the type of the URL
        ({"resourceType": "Observation", "status": "final"}, 422),  # no code
        ({"status": "final"}, 400),
        (b"[]", 400),
        (b"not json", 400),
        (b'{"resourceType": "Observation", "status": "final", "status": "final"}', 400),
        (b'{"resourceType": "Observation", "valueInteger": NaN}', 400),
    ],
)
def test_what_is_no_observation_is_refused(fhir: Client, body: object, status: int) -> None:
    answer = fhir.ask("POST", "Observation", body)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_conditional_create(fhir: Client) -> None:
    resource = patient("", identifier=[{"system": "urn:mrn", "value": "7"}])
    condition = {"If_None_Exist": "identifier=urn:mrn|7"}
    made = fhir.create(resource, **condition)
    again = fhir.ask("POST", "Patient", resource, **condition)
    assert again.status_code == 200
    assert again.json()["id"] == made["id"]
    fhir.create(resource)
    assert fhir.ask("POST", "Patient", resource, **condition).status_code == 412


def test_if_match(fhir: Client) -> None:
    assert fhir.put(patient("p1"), If_Match='W/"1"').status_code == 200
    stale = fhir.put(patient("p1"), If_Match='W/"1"')
    assert stale.status_code == 412
    assert stale.json()["resourceType"] == "OperationOutcome"
    assert fhir.put(patient("nobody"), If_Match='W/"1"').status_code == 412


def test_history_and_each_version(fhir: Client) -> None:
    fhir.put(patient("p1", gender="male"))
    fhir.ask("DELETE", "Patient/p1")
    past = fhir.bundle("Patient/p1/_history")
    assert past["type"] == "history"
    assert [one["request"]["method"] for one in past["entry"]] == ["DELETE", "PUT", "PUT"]
    assert "gender" not in fhir.get("Patient/p1/_history/1").json()
    assert fhir.get("Patient/p1/_history/2").json()["gender"] == "male"
    assert fhir.get("Patient/p1/_history/3").status_code == 410
    assert fhir.get("Patient/p1/_history/4").status_code == 404


def test_everything_of_one_patient(fhir: Client) -> None:
    shown = fhir.ids("Patient/p2/$everything")
    assert shown == ["Patient/p2", "Observation/x1"]
    assert fhir.get("Patient/nobody/$everything").status_code == 404


def test_delete(fhir: Client) -> None:
    assert fhir.ask("DELETE", "Observation/x1").status_code == 204
    assert fhir.get("Observation/x1").status_code == 410
    assert fhir.ids("Observation?patient=p2") == []
    assert fhir.ask("DELETE", "Observation/x1").status_code == 204
    back = fhir.put(observation("x1", of="Patient/p2"))
    assert (back.status_code, back.json()["meta"]["versionId"]) == (201, "3")


def test_rest_hook_subscription(fhir: Client) -> None:
    with Subscriber() as subscriber:
        made = fhir.create(
            {
                "resourceType": "Subscription",
                "status": "requested",
                "reason": "probe",
                "criteria": "Observation?patient=p1",
                "channel": {"type": "rest-hook", "endpoint": subscriber.url},
            }
        )
        assert fhir.get(ref(made)).json()["status"] == "active"
        fhir.create(observation("", of="Patient/p2"))
        fhir.create(observation("", of="Patient/p1"))
        (told,) = subscriber.wait_for(1)
    assert (told.method, told.path, told.body) == ("POST", "/told", b"")
