"""Canaries in every place of a call: sent here, and searched for once all tests are over."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from cds.app import create_app
from cds.config import Settings
from cds.errors import NotAllowed
from cds.services import ORDER_SELECT, PATIENT_VIEW
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.canaries import strings
from tests.conformance.deployment import issuers_of
from tests.conformance.tokens import EPIC, PUBLIC_URL, SANDBOX, T
from tests.conftest import CALL, CheckedClient, State, clock
from tests.functional.bodies import FHIR_BASE, Json, bundle, draft, order_sign, vital
from tests.functional.deployed import deploy
from tests.functional.fhir_upstream import Upstream, page, raw, reply, running
from tests.functional.served import started


ClientFor = Callable[..., CheckedClient]
UUID = "00000000-007b-9f33-e810-e841a57c502c"
NAME = [{"family": strings.FAMILY, "given": [strings.GIVEN], "text": strings.FAMILY}]
SUBJECT = {
    "reference": "Patient/p1",
    "display": f"{strings.FAMILY}, {strings.GIVEN}",
    "identifier": {"value": strings.MRN},
}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "x", "diagnostics": f"{strings.FAMILY} {strings.MRN}"}],
}


def patient() -> Json:
    return {
        "resourceType": "Patient",
        "id": "p1",
        "name": NAME,
        "birthDate": strings.BIRTH_DATE,
        "identifier": [{"system": "urn:mrn", "value": strings.MRN}],
        "telecom": [{"system": "phone", "value": strings.PHONE}],
        "contact": [{"name": NAME[0]}],
        "text": {"status": "generated", "div": f"<div>{strings.FAMILY}</div>"},
    }


def about_the_patient(resource: Json) -> Json:
    """With the names, numbers and members a system may write beside a value."""
    return {
        **resource,
        "subject": SUBJECT,
        "performer": [{"display": strings.FAMILY}],
        "note": [{"text": f"{strings.FAMILY} {strings.PHONE}", "authorString": strings.GIVEN}],
        "identifier": [{"value": strings.MRN}],
        "extension": [{"url": "urn:vendor", "valueString": strings.VENDOR}],
        "meta": {"source": strings.VENDOR, "versionId": "1"},
    }


def vitals(temperature: str = strings.SENT_TEMPERATURE) -> Json:
    told = [
        vital("8310-5", float(temperature), "Cel"),
        vital("8480-6", float(strings.SYSTOLIC), "mm[Hg]"),
        vital("59408-5", float(strings.SATURATION), "%"),
        vital("29463-7", float(strings.WEIGHT), "kg"),
    ]
    return bundle(*map(about_the_patient, told))


def authorization() -> Json:
    return {
        "access_token": strings.FHIR_TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": strings.VENDOR,
        "subject": strings.VENDOR,
    }


def call_body(base: str = FHIR_BASE) -> Json:
    """A call with a canary in every member that is free to hold one."""
    drafts = (
        {**draft(), "subject": SUBJECT, "requester": {"display": strings.FAMILY}},
        {**draft("tocilizumab", id="d2"), "subject": SUBJECT, "note": [{"text": strings.MRN}]},
    )
    body = order_sign(drafts=drafts)
    told = body["prefetch"]
    told["patient"], told["vitals"] = patient(), vitals()
    told["administrations"] = bundle(
        *(about_the_patient(one["resource"]) for one in told["administrations"]["entry"])
    )
    told["conditions"] = bundle(OUTCOME)
    told["vendor"] = patient()
    return {
        **body,
        "fhirServer": base,
        "fhirAuthorization": authorization(),
        "extension": {"vendor": strings.VENDOR},
        "vendor": strings.FAMILY,
    }


HEADERS = {
    "X_Request_Id": strings.VENDOR,
    "User_Agent": strings.VENDOR,
    "Cookie": f"session={strings.FHIR_TOKEN}",
    "Referer": f"https://ehr.example.org/{strings.MRN}",
}


def test_a_call_with_everything(client: CheckedClient) -> None:
    answer = client.call(call_body(), **HEADERS)
    assert answer.status_code == 200
    assert strings.SENT_TEMPERATURE in answer.text


@pytest.mark.parametrize("service", [ORDER_SELECT, PATIENT_VIEW], ids=lambda one: one.id)
def test_the_other_hooks(service: Any, client: CheckedClient) -> None:
    body = {**call_body(), "hook": service.hook}
    body["context"]["selections"] = ["MedicationRequest/d1"]
    answer = client.post(f"/cds-services/{service.id}", json=body)
    assert answer.status_code == 200


def test_a_call_of_another_patient(client: CheckedClient) -> None:
    body = call_body()
    body["prefetch"]["vitals"]["entry"][0]["resource"]["subject"] = {
        "reference": f"Patient/{strings.FAMILY}"
    }
    assert client.call(body).status_code == 400
    token = {**authorization(), "patient": strings.FAMILY}
    assert client.call({**call_body(), "fhirAuthorization": token}).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"hook": strings.FAMILY},
        {"hookInstance": strings.MRN},
        {"fhirServer": f"https://{strings.FAMILY}.example.org"},
        {"context": strings.FAMILY},
        {"context": {"patientId": strings.FAMILY, "userId": float(strings.SENT_TEMPERATURE)}},
        {"context": {"patientId": f"{strings.FAMILY} {strings.GIVEN}"}},
        {"prefetch": strings.FAMILY},
        {"prefetch": [float(strings.SENT_TEMPERATURE)]},
        {"fhirAuthorization": {**authorization(), "expires_in": strings.FAMILY}},
        {"fhirAuthorization": strings.FHIR_TOKEN},
        {"fhirAuthorization": {**authorization(), "token_type": strings.FHIR_TOKEN}},
    ],
    ids=str,
)
def test_a_call_that_is_refused(change: Json, client: CheckedClient) -> None:
    assert client.call({**call_body(), **change}, **HEADERS).status_code == 400


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-1],
        lambda text: text + strings.FAMILY,
        lambda text: text.replace(f'"{strings.MRN}"', strings.MRN),
        lambda text: text.replace(strings.FAMILY, "\\q", 1),
        lambda text: text.replace('"hook"', f'"{strings.FAMILY}": 1, "hook": 2, "hook"', 1),
        lambda text: text.encode("utf-16"),
    ],
    ids=["cut", "trailing", "bare", "escape", "repeated", "utf-16"],
)
def test_a_body_that_is_no_json(damage: Callable[[str], Any], client: CheckedClient) -> None:
    body = damage(json.dumps(call_body()))
    data = body if isinstance(body, bytes) else body.encode()
    assert client.call(data, **HEADERS).status_code == 400


def test_addresses_and_methods(client: CheckedClient) -> None:
    named = f"{strings.FAMILY}/{strings.MRN}?name={strings.GIVEN}&token={strings.FHIR_TOKEN}"
    for path in (f"/{named}", f"/cds-services/{named}", f"/cds-services/x/feedback/{named}"):
        assert client.get(path).status_code in {404, 405}
        assert client.post(path, json=call_body()).status_code in {404, 405}
    assert client.open("/about", method=strings.FAMILY.upper()).status_code == 405
    assert client.get(f"/about?{named}").status_code == 200
    assert client.get(f"/metrics?{named}").status_code == 200


def test_values_of_the_wrong_type_and_unit(client: CheckedClient) -> None:
    body = call_body()
    entries = body["prefetch"]["vitals"]["entry"]
    entries[0]["resource"]["valueQuantity"]["code"] = "furlong"
    entries[0]["resource"]["valueQuantity"]["unit"] = "furlong"
    entries[1]["resource"]["valueQuantity"]["value"] = strings.SYSTOLIC
    entries[2]["resource"]["effectiveDateTime"] = "yesterday"
    entries[3]["resource"]["status"] = "odd-status"
    entries.append(
        {"resource": {"resourceType": "Basic", "id": "b1", "code": {"text": strings.FAMILY}}}
    )
    entries.append({"fullUrl": f"urn:{strings.MRN}", "resource": strings.FAMILY})
    assert client.call(body).status_code == 200


def test_feedback(client: CheckedClient) -> None:
    (first, *_) = client.call(call_body()).get_json()["cards"]
    given = {
        "card": first["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-21T11:30:00Z",
        "overrideReason": {
            "reason": {"code": "other-cause", "system": "urn:x"},
            "userComment": strings.COMMENT,
        },
    }
    answer = client.post(f"{CALL}/feedback", json={"feedback": [given], "vendor": strings.FAMILY})
    assert answer.status_code == 200
    bad: list[Any] = [{**given, "outcome": strings.FAMILY}]
    bad += [{**given, "outcomeTimestamp": strings.FAMILY}, strings.COMMENT]
    answer = client.post(f"{CALL}/feedback", json={"feedback": bad})
    assert answer.status_code == 400


def told_by(server: Upstream) -> None:
    """A server whose data, errors, headers and links hold canaries."""
    server.does = {
        "patient": reply(patient(), Set_Cookie=strings.VENDOR),
        "vitals": reply(
            page(
                about_the_patient(vital("8310-5", float(strings.READ_TEMPERATURE), "Cel")),
                following=f"https://{strings.FAMILY}.example.org/?token={strings.FHIR_TOKEN}",
            )
        ),
        "oxygen": reply(OUTCOME, status=401, WWW_Authenticate=strings.VENDOR),
        "assessments": reply(OUTCOME, status=500),
        "labs": reply(b"", status=302, Location=f"http://{strings.FAMILY}.example.org/"),
        "administrations": reply(OUTCOME),
        "conditions": raw(f"{strings.FAMILY} {strings.MRN}\r\n\r\n".encode()),
        "procedures": reply(f"<html>{strings.FAMILY}</html>".encode(), kind=strings.VENDOR),
        "encounter": reply({"resourceType": "Basic", "id": strings.FAMILY}),
    }


def test_what_is_read_from_the_ehr(client_for: ClientFor) -> None:
    with running() as server:
        told_by(server)
        client = client_for(fhir_base=server.base)
        body = {**call_body(server.base), "prefetch": {}}
        answer = client.call(body)
        assert answer.status_code == 200
        assert strings.READ_TEMPERATURE in answer.text
        assert f"Bearer {strings.FHIR_TOKEN}" in {f["authorization"] for _, f in server.asked}
        client.get("/metrics")


def test_a_signed_call_and_refused_tokens(
    tmp_path: Path, settings: Settings, library: Library, codes: CodeSets, state: State
) -> None:
    sites = {
        id_: msgspec.structs.replace(
            settings.site, id=id_, issuers=found, mode="silent", fhir_base=None
        )
        for id_, found in issuers_of(tmp_path, "http://127.0.0.1:9/jwks").items()
    }
    networked = msgspec.structs.replace(
        settings, auth="jwt", public_url=PUBLIC_URL, sites=sites, default_site=""
    )
    app = create_app(networked, library=library, codes=codes, clock=clock, **state)
    app.test_client_class = CheckedClient
    client: Any = app.test_client()
    body = {k: v for k, v in call_body().items() if not k.startswith("fhir")}
    good = EPIC.token(claims={"jti": strings.JTI, "fhirUser": strings.FAMILY})
    assert client.call(body, Authorization=f"Bearer {good}").status_code == 200
    refused = [
        good,
        SANDBOX.token(claims={"iss": strings.FAMILY}),
        SANDBOX.token(claims={"sub": strings.MRN, "exp": T - 999, "iat": T - 1200}),
        SANDBOX.token(header={"kid": strings.FAMILY}),
        SANDBOX.token(header={"jku": f"https://{strings.FAMILY}.example.org"}),
        strings.FHIR_TOKEN,
    ]
    for token in refused:
        assert client.call(body, Authorization=f"Bearer {token}").status_code == 401
    client.get("/metrics")
    cells = msgspec.json.encode(list(state["store"].decisions())).decode()
    assert good.rpartition(".")[2] not in cells


def test_a_fault_of_ours_while_the_values_are_at_hand(
    settings: Settings, library: Library, codes: CodeSets, state: State
) -> None:
    def broken() -> Any:
        raise ValueError(f"{strings.FAMILY} {strings.SENT_TEMPERATURE} {strings.FHIR_TOKEN}")

    app = create_app(settings, library=library, codes=codes, clock=broken, **state)
    assert app.test_client().post(CALL, json=call_body()).status_code == 500


def test_a_forwarded_call_without_authentication(client: CheckedClient) -> None:
    answer = client.call(call_body(), X_Forwarded_For=strings.FAMILY)
    assert answer.status_code == NotAllowed.status


def test_the_spool_holds_the_assessment_and_no_name(
    tmp_path: Path, settings: Settings, library: Library, codes: CodeSets
) -> None:
    here = deploy(settings, tmp_path, library, codes, ready=False)
    assert here.client.call(call_body()).status_code == 200
    assert here.client.post(f"{CALL}/feedback", json=call_body()).status_code == 400
    (file,) = here.waiting()
    assert strings.SENT_TEMPERATURE in file.read_text("utf-8")
    assert not [one for one in strings.NOWHERE if one in file.read_text("utf-8")]


def test_a_real_process_writes_none_to_its_streams_and_files(tmp_path: Path) -> None:
    """Streams, database, spool and metrics of `btce-cds serve`."""
    with running() as server, started(tmp_path, server.base) as process:
        told_by(server)
        with requests.Session() as session:
            session.trust_env = False
            url = process.url + CALL
            headers = {"X-Request-Id": strings.VENDOR, "Cookie": strings.FHIR_TOKEN}
            body = {**call_body(server.base), "prefetch": {}}
            assert session.post(url, json=body, headers=headers, timeout=10).status_code == 200
            assert (
                session.post(url, json=call_body(), headers=headers, timeout=10).status_code == 400
            )
            text = json.dumps(call_body(server.base))[:-1]
            assert session.post(url, data=text, headers=headers, timeout=10).status_code in {
                400,
                415,
            }
            session.get(f"{process.url}/{strings.FAMILY}?{strings.MRN}", timeout=10)
            metrics = session.get(f"{process.url}/metrics", timeout=10).text
        process.popen.terminate()
        _, lines = process.ended(15)
    written = "\n".join((*lines, metrics))
    assert not [one for one in (*strings.NOWHERE, *strings.CLINICAL) if one in written]
    kept = [one for one in tmp_path.rglob("*") if one.is_file() and one.suffix != ".toml"]
    assert kept
    for file in kept:
        text = file.read_bytes().decode("utf-8", "replace")
        assert not [one for one in strings.NOWHERE if one in text], file.name
