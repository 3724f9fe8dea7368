"""The service reads its own prefetch queries from the sandbox; other FHIR software reads it too."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B import get_fhir_model_class
from fhirclient.models.bundle import Bundle
from fhirclient.models.capabilitystatement import CapabilityStatement
from fhirclient.models.fhirdate import FHIRDate
from fhirclient.models.patient import Patient

from cds.demo.fhir.definitions import TYPES
from cds.demo.patients import chart, encounter, patient, prefetch
from cds.demo.story import Story, load
from cds.fhir_fetch import fhir_server, read_missing
from cds.fhir_guard import GuardedSession
from cds.hook_request import HookRequest
from cds.services import PREFETCH
from tests.demo.fhir_sandbox import NOW, Client, Json, observation, served


STORIES = load()
every_story = pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())


@pytest.fixture(scope="module")
def fhir() -> Iterator[Client]:
    """All stories in one store, so that each query has other patients to leave out."""
    with served() as client:
        for story in STORIES.values():
            resources = [patient(story, NOW), encounter(story, NOW), *chart(story, NOW)]
            client.store.load(resources, now=NOW)
        yield client


def asked(fhir: Client, of: str) -> dict[str, Json]:
    """What the service has after reading everything itself."""
    request = HookRequest(
        hook="patient-view",
        hook_instance="00000000-0000-4000-8000-000000000001",
        patient_id=of,
        fhir_server=fhir.base,
        draft_orders=None,
        selections=None,
        prefetch={},
    )
    fetched = read_missing(request, PREFETCH, base=fhir.base, token="made-up", seconds=10)
    assert fetched.failed == ()
    return {key: msgspec.json.decode(raw) for key, raw in fetched.request.prefetch.items()}


def without_meta(resource: Json) -> Json:
    return {name: value for name, value in resource.items() if name != "meta"}


@every_story
def test_the_services_own_queries_give_what_was_loaded(fhir: Client, story: Story) -> None:
    answers = asked(fhir, story.id)
    expected: dict[str, Any] = prefetch(story, NOW)
    assert without_meta(answers["patient"]) == expected["patient"]
    assert answers.keys() == expected.keys()
    for key in expected.keys() - {"patient"}:
        found = [without_meta(one["resource"]) for one in answers[key].get("entry", [])]
        wanted = [one["resource"] for one in expected[key].get("entry", [])]
        assert sorted(found, key=_id) == sorted(wanted, key=_id), key
        times = [_time(one) for one in found]
        assert times == sorted(times, reverse=True), key  # newest first, as asked


def _id(resource: Json) -> str:
    return str(resource["id"])


def _time(resource: Json) -> str:
    """What the query of its type is sorted by; "" where the resource has none."""
    if resource["resourceType"] == "Condition":
        return str(resource.get("recordedDate", ""))
    period: Json = resource.get("effectivePeriod") or resource.get("period") or {}
    return str(resource.get("effectiveDateTime", period.get("start", "")))


def test_a_long_chart_is_read_over_all_its_pages(fhir: Client) -> None:
    many = [observation(f"long{number}", of="Patient/long") for number in range(450)]
    fhir.store.load([{"resourceType": "Patient", "id": "long"}, *many], now=NOW)
    found = asked(fhir, "long")["vitals"]
    assert {one["resource"]["id"] for one in found["entry"]} == {one["id"] for one in many}


def test_a_patient_who_is_not_there_is_named_as_not_found(fhir: Client) -> None:
    request = HookRequest("patient-view", "", "nobody", fhir.base, None, None, {})
    fetched = read_missing(request, PREFETCH, base=fhir.base, token=None, seconds=10)
    assert [(one.key, one.kind) for one in fetched.failed] == [("patient", "not-found")]


@every_story
def test_fhir_resources_reads_what_is_answered(fhir: Client, story: Story) -> None:
    for path in (f"Patient/{story.id}/$everything?_count=500", f"Patient/{story.id}/_history"):
        get_fhir_model_class("Bundle").model_validate_json(fhir.get(path).content)


def test_fhirclient_reads_what_is_answered(fhir: Client) -> None:
    story = next(iter(STORIES.values()))
    server = fhir_server(fhir.base, GuardedSession(fhir.base, None, seconds=10))
    found = Patient.read(story.id, server)
    assert (found.id, found.name[0].family) == (story.id, story.family)
    assert isinstance(found.birthDate, FHIRDate)
    bundle = Bundle(server.request_json(f"Observation?patient={story.id}&_count=5"))
    assert bundle.type == "searchset"
    statement = CapabilityStatement(server.request_json("metadata"))
    assert statement.fhirVersion == "4.0.1"
    server.session.close()


@pytest.fixture(scope="module")
def empty() -> Iterator[Client]:
    with served() as client:
        yield client


def statement(fhir: Client) -> Json:
    found: Json = fhir.get("metadata").json()
    return found


def test_fhir_resources_reads_every_other_kind_of_answer(fhir: Client) -> None:
    for path, kind in (
        ("metadata", "CapabilityStatement"),
        ("Patient/nobody", "OperationOutcome"),
        ("Nonsense", "OperationOutcome"),
        ("Observation?_summary=count", "Bundle"),
        ("Observation?_include=Observation:subject&_count=3", "Bundle"),
    ):
        get_fhir_model_class(kind).model_validate_json(fhir.get(path).content)
    empty = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {}}]}
    answer = fhir.ask("POST", "", empty)
    get_fhir_model_class("Bundle").model_validate_json(answer.content)


def test_what_the_capability_statement_lists_is_answered(empty: Client) -> None:
    (rest,) = statement(empty)["rest"]
    assert {one["type"] for one in rest["resource"]} == set(TYPES)
    values = {"date": "2026", "quantity": "1"}
    for described in rest["resource"]:
        asks = [f"{one['name']}={values.get(one['type'], 'x')}" for one in described["searchParam"]]
        asks += [f"_include={one}" for one in described.get("searchInclude", [])]
        asks += [f"_revinclude={one}" for one in described.get("searchRevInclude", [])]
        asks += [f"_sort={one['name']}" for one in described["searchParam"]]
        answer = empty.get(f"{described['type']}?{'&'.join(asks)}", Prefer="handling=strict")
        assert answer.status_code == 200, answer.text


def test_what_the_capability_statement_does_not_list_is_refused(empty: Client) -> None:
    (rest,) = statement(empty)["rest"]
    listed = {one["type"]: {two["name"] for two in one["searchParam"]} for one in rest["resource"]}
    names = {name for one in TYPES.values() for name in one.parameters}
    for kind, known in listed.items():
        other = sorted(names - known)
        asks = "&".join(f"{name}=1" for name in other)
        answer = empty.get(f"{kind}?{asks}", Prefer="handling=strict")
        assert answer.status_code == 400
        said = answer.json()["issue"][0]["diagnostics"]
        assert said == f"unknown parameters: {', '.join(other)}"
    for absent in ("Group", "DiagnosticReport", "Bundle", "CapabilityStatement"):
        assert empty.get(absent).status_code == 404
