"""Writing: what is kept exactly, what is refused, and that nothing that is sent causes a fault."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds.demo.fhir.call import Ask
from cds.demo.fhir.definitions import TYPES
from cds.demo.fhir.errors import FhirError
from cds.demo.fhir.resource_json import decode, encode
from tests.demo.fhir_sandbox import FHIR_JSON, NOW, Client, Json, observation, patient, served


@pytest.fixture(scope="module")
def fhir() -> Iterator[Client]:
    with served() as client:
        yield client


# FHIR R4 datatypes, "decimal", without a limit on the digits.
DECIMALS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
)


@given(text=DECIMALS)
def test_a_number_is_written_as_it_was_read(text: str) -> None:
    body = f'{{"value":{text},"list":[{text}]}}'.encode()
    assert encode(decode(body)) == body


@pytest.mark.parametrize(
    "text", ["38.50", "0.0000001", "1e-7", "1E+2", "-0", "100000000000000000001"]
)
def test_a_decimal_comes_back_byte_for_byte(fhir: Client, text: str) -> None:
    body = json.dumps(observation("")).replace(
        '"status"', f'"valueQuantity":{{"value":{text}}},"status"', 1
    )
    made = fhir.ask("POST", "Observation", body.encode())
    assert made.status_code == 201
    id_ = made.json()["id"]
    wanted = f'"valueQuantity":{{"value":{text}}}'
    for path in (f"Observation/{id_}", f"Observation?_id={id_}", f"Observation/{id_}/_history"):
        assert wanted in fhir.get(path).text
    assert wanted in made.text


def test_a_value_loaded_from_python_keeps_its_digits(fhir: Client) -> None:
    fhir.store.load([observation("loaded", valueQuantity={"value": 38.5})], now=NOW)
    assert '"value":38.5}' in fhir.get("Observation/loaded").text


def test_members_the_server_does_not_know_are_kept(fhir: Client) -> None:
    sent = {**patient(""), "_birthDate": {"extension": [{"url": "urn:x"}]}, "unheardOf": [True]}
    made = fhir.create(sent)
    assert made["unheardOf"] == [True]
    assert made["_birthDate"] == sent["_birthDate"]


def test_meta_of_the_client_is_kept_beside_the_servers_own(fhir: Client) -> None:
    meta = {"versionId": "99", "lastUpdated": "1999-01-01T00:00:00Z", "source": "urn:device"}
    made = fhir.create({**patient(""), "meta": meta})
    assert made["meta"] == {
        "versionId": "1",
        "lastUpdated": "2026-11-21T12:00:00.000Z",
        "source": "urn:device",
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("PUT", "Patient/a", patient("b"), {}, 400),
        ("PUT", "Patient/a", {"resourceType": "Patient"}, {}, 400),
        ("PUT", "Patient/under_score", patient("under_score"), {}, 400),
        ("PUT", f"Patient/{'x' * 65}", patient("x" * 65), {}, 400),
        ("PUT", "Patient/a", observation("a"), {}, 400),
        ("PUT", "Patient?name=x", patient("a"), {}, 405),
        ("DELETE", "Patient?name=x", None, {}, 405),
        ("PATCH", "Patient/a", [], {}, 405),
        ("POST", "Patient/a", patient("a"), {}, 405),
        ("GET", "", None, {}, 404),
        ("GET", "Patient/a/b/c", None, {}, 404),
        ("GET", "Nonsense/a", None, {}, 404),
        ("GET", "Patient/never/_history", None, {}, 404),
        ("POST", "Patient", b"{}", {"Content_Type": "text/plain"}, 415),
        ("POST", "Patient", b"<Patient/>", {"Content_Type": "application/fhir+xml"}, 415),
        ("POST", "Patient/_search", b"{}", {}, 415),
        ("POST", "Patient", b"", {}, 400),
        ("POST", "Patient", b'{"resourceType":"Patient"', {}, 400),
        ("POST", "Patient", b"\xff", {}, 400),
        ("POST", "Patient", b'{"a":' * 70 + b"1" + b"}" * 70, {}, 400),
        ("POST", "Patient", {"resourceType": "Patient", "meta": "x"}, {}, 422),
        ("POST", "", {"resourceType": "Bundle", "type": "document"}, {}, 422),
        ("POST", "", {"resourceType": "Patient"}, {}, 400),
        ("GET", "metadata", None, {"Accept": "application/fhir+xml"}, 406),
        ("GET", "Patient?_format=xml", None, {}, 406),
        ("GET", "Patient?_page=never.1", None, {}, 410),
    ],
)
def test_refusals(
    fhir: Client, method: str, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    answer = fhir.ask(method, path, body, **headers)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.headers["Content-Type"].startswith(FHIR_JSON)
    assert ("Allow" in answer.headers) is (status == 405)


def test_an_id_a_client_chose_is_not_given_to_another_resource() -> None:
    with served() as fhir:
        for id_ in ("1", "2", "4"):
            fhir.put(patient(id_))
        fhir.ask("DELETE", "Patient/2")
        assert [fhir.create(patient(""))["id"] for _ in range(2)] == ["3", "5"]


def test_prefer_return(fhir: Client) -> None:
    minimal = fhir.ask("POST", "Patient", patient(""), Prefer="return=minimal")
    assert (minimal.status_code, minimal.content) == (201, b"")
    assert minimal.headers["Location"].startswith(f"{fhir.base}/Patient/")
    told = fhir.ask("POST", "Patient", patient(""), Prefer="return=OperationOutcome")
    assert told.json()["resourceType"] == "OperationOutcome"


def test_base_answers_with_and_without_a_final_slash_and_never_redirects(fhir: Client) -> None:
    empty = {"resourceType": "Bundle", "type": "batch"}
    for url in (fhir.base, f"{fhir.base}/"):
        assert fhir.ask("POST", url, empty).status_code == 200


def test_server_at_the_root_of_a_host_works_too() -> None:
    with served(path="") as fhir:
        made = fhir.create(patient(""))
        assert fhir.get(f"Patient/{made['id']}").status_code == 200
        bundle = {"resourceType": "Bundle", "type": "batch"}
        assert fhir.ask("POST", f"{fhir.base}/", bundle).status_code == 200


def test_authorization_is_asked_before_anything_is_done() -> None:
    asked: list[Ask] = []

    def authorize(ask: Ask) -> None:
        asked.append(ask)
        if ask.authorization != "Bearer good":
            raise FhirError(401, "login", "a token is required")

    good = {"Authorization": "Bearer good"}
    with served(authorize=authorize) as fhir:
        refused = fhir.ask("POST", "Patient", patient(""))
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert fhir.bundle("Patient", **good)["total"] == 0
        transaction = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"resource": patient(""), "request": {"method": "POST", "url": "Patient"}}],
        }
        assert fhir.ask("POST", "", transaction, Authorization="Bearer bad").status_code == 401
        assert fhir.ask("POST", "", transaction, **good).status_code == 200
        assert fhir.get("metadata").status_code == 200
    kinds = [(one.interaction, one.kind) for one in asked]
    assert kinds[:2] == [("create", "Patient"), ("search", "Patient")]
    assert kinds[-2:] == [("bundle", ""), ("create", "Patient")]


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("2026-11-21"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["coding", "code", "system", "value", "reference", "extension", "url", "start"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
MEMBERS = sorted(
    {
        path.split(".")[0]
        for one in TYPES.values()
        for two in one.parameters.values()
        for path in two.paths
    }
    | {demand for one in TYPES.values() for all_ in one.required for demand in all_.split("|")}
    | {"_criteria", "parameter", "entry", "type", "end"}
)


@settings(max_examples=60, deadline=None)  # several requests each
@given(
    kind=st.sampled_from(sorted(TYPES)),
    members=st.dictionaries(st.sampled_from(MEMBERS), VALUES, max_size=6),
    data=st.data(),
)
def test_nothing_that_is_sent_causes_a_fault(
    fhir: Client, kind: str, members: Json, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(TYPES[kind].parameters)))
    batch = {**members, "resourceType": "Bundle", "type": "batch"}
    answers = [
        fhir.ask("POST", kind, {**members, "resourceType": kind}),
        fhir.ask("POST", "", batch | {"entry": [members]}),
        fhir.ask("POST", "", batch),
        fhir.ask("POST", "Subscription/$status", members),
        fhir.get(f"{kind}?{name}=x&_sort=-{name}&_count=3"),
        fhir.get(f"{kind}?{name}=2026&_sort={name}&_count=3"),
    ]
    assert [one.text for one in answers if one.status_code >= 500] == []
