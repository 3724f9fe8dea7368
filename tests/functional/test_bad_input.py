"""What is not a CDS Hooks request is refused with a 4xx that names the field; never advice."""

import json

import pytest

from tests.conftest import CheckedClient
from tests.functional.bodies import (
    Json,
    draft,
    order_sign,
    vital,
    with_value,
    without,
)


WELL_FORMED = json.dumps(order_sign()).encode()
AUTHORIZATION = {
    "access_token": "t0ken",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "user/Observation.rs",
    "subject": "client",
}


def refused(client: CheckedClient, body: object, status: int = 400, **headers: str) -> Json:
    """The issue of the OperationOutcome that a refused body gets."""
    response = client.call(body, **headers)
    assert response.status_code == status, response.text
    issue: Json = response.get_json(force=True)["issue"][0]
    return issue


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"   \n", id="blank"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'"hook"', id="a string"),
        pytest.param(b"<html></html>", id="HTML"),
        pytest.param(WELL_FORMED[:-1], id="truncated"),
        pytest.param(WELL_FORMED + b"{}", id="two documents"),
        pytest.param(WELL_FORMED[:-1] + b',"x":NaN}', id="NaN"),
        pytest.param(WELL_FORMED[:-1] + b',"x":-Infinity}', id="Infinity"),
        pytest.param(WELL_FORMED[:-1] + b',"x":1,}', id="trailing comma"),
        pytest.param(b"\xef\xbb\xbf" + WELL_FORMED, id="byte order mark"),
        pytest.param(WELL_FORMED.decode().encode("utf-16"), id="UTF-16"),
        pytest.param(WELL_FORMED.replace(b"Practitioner/1", b"\xff\xfe"), id="not UTF-8"),
        pytest.param(WELL_FORMED.replace(b"Practitioner/1", b"\\ud800"), id="lone surrogate"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="100,000 nested lists"),
        pytest.param(b"[" * 100_000, id="100,000 opening brackets"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="100,000 nested objects"),
        pytest.param(b'{"hook":' + b"9" * 10_000 + b"}", id="a number of 10,000 digits"),
    ],
)
def test_not_a_request(client: CheckedClient, body: bytes) -> None:
    refused(client, body)


@pytest.mark.parametrize(
    "body",
    [
        WELL_FORMED[:-1] + b',"hook":"order-sign"}',
        WELL_FORMED.replace(b'"patientId": "p1"', b'"patientId": "p1", "patientId": "p2"'),
        WELL_FORMED.replace(b'"labs": null', b'"labs": null, "labs": null'),
    ],
    ids=["hook", "context.patientId", "prefetch.labs"],
)
def test_a_repeated_member_is_not_merged_silently(client: CheckedClient, body: bytes) -> None:
    assert "repeats a member name" in refused(client, body)["diagnostics"]


@pytest.mark.parametrize(
    ("member", "again"),
    [
        pytest.param(b'"hook":"order-sign"', b'"hook":"order-sign"', id="in the request"),
        pytest.param(b'"patientId":"p1"', b'"patientId":"p2"', id="in the context"),
        pytest.param(b'"labs":null', b'"labs":null', id="in the prefetch"),
    ],
)
def test_a_compact_body_hides_no_repeated_member(
    client: CheckedClient, member: bytes, again: bytes
) -> None:
    compact = json.dumps(json.loads(WELL_FORMED), separators=(",", ":")).encode()
    assert member in compact, "the test must repeat something"
    assert client.call(compact).status_code == 200
    repeated = compact.replace(member, member + b"," + again, 1)
    assert "repeats a member name" in refused(client, repeated)["diagnostics"]


def test_nesting_up_to_64_levels_is_read_and_brackets_in_strings_do_not_count(
    client: CheckedClient,
) -> None:
    deep: object = 1
    for _ in range(62):
        deep = [deep]
    assert client.call({**order_sign(), "extension": {"x": deep}}).status_code == 200
    assert client.call({**order_sign(), "extension": {"x": [deep]}}).status_code == 400
    text = '\\"[{' * 500
    assert client.call({**order_sign(), "extension": {"x": text}}).status_code == 200


def test_20_megabytes_are_too_large(client: CheckedClient) -> None:
    refused(client, b'{"hook":"' + b"x" * 20_000_000 + b'"}', 413)


@pytest.mark.parametrize(
    "field",
    [
        "hook",
        "hookInstance",
        "context",
        "context.userId",
        "context.patientId",
        "context.draftOrders",
        "context.draftOrders.resourceType",
    ],
)
def test_a_missing_required_field_is_named(client: CheckedClient, field: str) -> None:
    issue = refused(client, without(order_sign(), field))
    assert issue["expression"] == [field]
    assert field in issue["diagnostics"]


@pytest.mark.parametrize("value", [None, 7, True, "", [], {}, "x" * 300], ids=repr)
@pytest.mark.parametrize(
    "field", ["hook", "hookInstance", "context", "context.patientId", "context.draftOrders"]
)
def test_a_required_field_of_the_wrong_kind_is_named(
    client: CheckedClient, field: str, value: object
) -> None:
    issue = refused(client, with_value(order_sign(), field, value))
    assert issue["expression"][0].startswith(field)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hook", "order-select"),
        ("hook", "no-such-hook"),
        ("hookInstance", "1234"),
        ("hookInstance", "zzzzzzzz-007b-9f33-e810-e841a57c502c"),
        ("context.patientId", "Patient/p1"),
        ("context.patientId", "p1\n"),
        ("context.patientId", "../p1"),
        ("context.userId", 7),
        ("context.encounterId", "Encounter/e1"),
        ("context.draftOrders", {"resourceType": "Patient"}),
        ("context.draftOrders", {"resourceType": "Bundle", "entry": "x"}),
        ("context.draftOrders", {"resourceType": "Bundle", "entry": ["x"]}),
        ("context.selections", "x"),
        ("prefetch", []),
        ("prefetch", "x"),
        ("fhirServer", "ftp://127.0.0.1/fhir"),
        ("fhirServer", "http://["),
        ("fhirServer", "https://elsewhere.example/fhir"),
        ("fhirServer", 7),
        ("fhirAuthorization", "Bearer t0ken"),
        ("fhirAuthorization", {**AUTHORIZATION, "expires_in": "300"}),
    ],
    ids=str,
)
def test_a_wrong_value_is_refused(client: CheckedClient, field: str, value: object) -> None:
    refused(client, with_value(order_sign(), field, value))


def test_authorization_without_a_server_names_the_server(client: CheckedClient) -> None:
    issue = refused(client, {**order_sign(), "fhirAuthorization": AUTHORIZATION})
    assert issue["expression"] == ["fhirServer"]


@pytest.mark.parametrize("member", sorted(AUTHORIZATION))
def test_each_member_of_the_authorization_is_required(client: CheckedClient, member: str) -> None:
    server = {**order_sign(), "fhirServer": "http://127.0.0.1:9/fhir"}
    body = {**server, "fhirAuthorization": AUTHORIZATION}
    assert client.call(body).status_code == 200
    refused(client, without(body, f"fhirAuthorization.{member}"))


@pytest.mark.parametrize(
    "body",
    [
        order_sign(vital("8310-5", 38.6, "Cel", patient="p2")),
        order_sign(drafts=(draft(patient="p2"),)),
        with_value(order_sign(), "prefetch.patient.id", "p2"),
    ],
    ids=["a prefetched observation", "a draft order", "the prefetched patient"],
)
def test_another_patient_gets_no_advice_at_all(client: CheckedClient, body: Json) -> None:
    issue = refused(client, body)
    assert issue["code"] == "security"
    assert issue["details"]["coding"] == [{"code": "another-patient"}]
    assert "p2" not in issue["diagnostics"]


@pytest.mark.parametrize("value", ["<html/>", 7, [], {}, {"resourceType": "Bundle", "entry": 7}])
@pytest.mark.parametrize("key", ["vitals", "patient", "administrations", "no-such-key"])
def test_an_odd_prefetch_value_makes_facts_unknown_and_is_no_error(
    client: CheckedClient, key: str, value: object
) -> None:
    assert client.call(with_value(order_sign(), f"prefetch.{key}", value)).status_code == 200


def test_a_lone_surrogate_inside_a_resource_fails_neither_the_request_nor_the_service(
    client: CheckedClient,
) -> None:
    body = WELL_FORMED.replace(b'"id": "d1"', b'"id": "\\ud800"')
    assert client.call(body).status_code in {200, 400}
    body = WELL_FORMED.replace(b'"1960-01-01"', b'"\\ud800"')
    assert client.call(body).status_code in {200, 400}


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": ""},
        {"Content_Type": "application/json; charset=utf-16"},
        {"Content_Encoding": "gzip"},
    ],
    ids=str,
)
def test_another_media_type_is_415(client: CheckedClient, headers: dict[str, str]) -> None:
    refused(client, WELL_FORMED, 415, **headers)


@pytest.mark.parametrize(
    "header",
    ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "x-forwarded-port"],
)
def test_a_forwarded_request_is_refused_without_authentication(
    client: CheckedClient, header: str
) -> None:
    refused(client, WELL_FORMED, 403, **{header: "for=192.0.2.1"})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/cds-services/no-such-service", 404),
        ("POST", "/cds-services/btce-order-sign/", 404),
        ("GET", "/no-such-page", 404),
        ("GET", "/cds-services/btce-order-sign", 405),
        ("PUT", "/cds-services/btce-order-sign", 405),
        ("POST", "/cds-services", 405),
    ],
)
def test_another_address_or_method(
    client: CheckedClient, method: str, path: str, status: int
) -> None:
    response = client.open(path, method=method, data=WELL_FORMED)
    assert response.status_code == status
    assert (response.headers.get("Allow") is not None) == (status == 405)
