"""Who is let in by the wired service, and what everybody else is told (CDS Hooks 2.0.1, "Trusting
CDS Clients", "Cross-Origin Resource Sharing")."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from werkzeug.test import TestResponse

from cds.config import Settings
from cds.services import SERVICES
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.conformance.tokens import (
    CLIENTS,
    EPIC,
    GONE,
    INFERNO,
    ORACLE,
    OTHER_TENANT,
    PUBLIC_URL,
    SANDBOX,
    Client,
    T,
    ec,
)
from tests.conftest import CALL
from tests.functional.bodies import fever, order_sign
from tests.functional.deployed import Deployed, another_call, assessment, counted, deploy, logged
from tests.functional.hospitals import (
    ORIGIN,
    PROTOCOLS,
    PublishedKeys,
    bearer,
    bearer_now,
    hospitals,
    published_keys,
    signed_config,
)
from tests.functional.serving import Served, served
from tests.functional.test_overlay import FILES


DISCOVERY = "/cds-services"
FEEDBACK = f"{CALL}/feedback"
PATHS = (DISCOVERY, CALL, FEEDBACK)
EVERY_CLIENT = pytest.mark.parametrize("name", CLIENTS)
OVERRIDDEN = {"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-11-21T12:00:00Z"}


class Ticks:
    """A monotonic clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def keys() -> Iterator[PublishedKeys]:
    with published_keys() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, keys: PublishedKeys, library: Library) -> Settings:
    return hospitals(tmp_path, keys.url, library)


@pytest.fixture
def deployed(
    settings: Settings, tmp_path: Path, library: Library, codes: CodeSets, ticks: Ticks
) -> Deployed:
    return deploy(settings, tmp_path, library, codes, monotonic=ticks)


def refused(answer: TestResponse) -> None:
    """401 and not a word of why."""
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.content_type == "application/fhir+json"
    assert answer.get_json(force=True) == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "login",
                "details": {
                    "coding": [{"code": "unauthorized"}],
                    "text": "a trusted client token is required",
                },
                "diagnostics": "a trusted client token is required",
            }
        ],
    }


# --- let in --------------------------------------------------------------------------------------


@EVERY_CLIENT
def test_a_signed_call_is_answered_for_the_site_it_speaks_for(
    deployed: Deployed, name: str
) -> None:
    client = CLIENTS[name]
    with logged() as lines:
        answer = deployed.client.call(order_sign(*fever()), **bearer(client))
    assert answer.status_code == 200
    assert answer.get_json()["cards"]
    assert assessment(answer)["site"] == client.site
    assert assessment(answer)["protocol"]["id"] == PROTOCOLS[client.site]
    assert [row.site for row in deployed.store.decisions()] == [client.site]
    assert lines[-1]["site"] == client.site


def test_the_tenant_decides_whose_protocol_is_used(deployed: Deployed) -> None:
    for tenant, site in ((ORACLE.claims["tenant"], "north"), (OTHER_TENANT, "south")):
        answer = deployed.client.call(another_call(), **bearer(ORACLE, tenant=tenant))
        assert assessment(answer)["site"] == f"{site}-hospital"
        assert assessment(answer)["protocol"]["id"] == PROTOCOLS[f"{site}-hospital"]


def test_a_clock_one_second_ahead_is_no_reason_to_refuse(deployed: Deployed) -> None:
    """As the CDS Hooks sandbox's is."""
    answer = deployed.client.call(another_call(), **bearer(SANDBOX, iat=T + 1, exp=T + 301))
    assert answer.status_code == 200


def test_the_path_is_checked_against_the_configured_url_not_the_host_header(
    deployed: Deployed,
) -> None:
    token = bearer(SANDBOX)
    assert deployed.client.call(another_call(), Host="evil.test", **token).status_code == 200
    here = bearer(SANDBOX, aud=f"http://localhost{CALL}")
    refused(deployed.client.call(another_call(), **here))


def test_a_token_of_another_service_is_refused(deployed: Deployed) -> None:
    token = bearer(SANDBOX)  # for order-sign
    body = {**another_call(), "hook": "patient-view"}
    refused(deployed.client.post("/cds-services/btce-patient-view", json=body, headers=token))


# --- not let in ----------------------------------------------------------------------------------


def changed(**claims: Any) -> dict[str, str]:
    return bearer(SANDBOX, **claims)


def with_header(client: Client, **header: Any) -> dict[str, str]:
    claims = {"jti": f"header {header}"}
    return {"Authorization": f"Bearer {client.token(header=header, claims=claims)}"}


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "none": ({}, "no-token"),
    "another scheme": ({"Authorization": "Basic dTpw"}, "scheme"),
    "no token": ({"Authorization": "Bearer x"}, "malformed"),
    "an unknown issuer": (changed(iss="https://evil.test"), "issuer"),
    "an unknown tenant": (bearer(ORACLE, tenant="other"), "tenant"),
    "no tenant": (bearer(ORACLE, tenant=GONE), "tenant"),
    "signed by a stranger": (
        {
            "Authorization": f"Bearer {SANDBOX.token(by=ec(SANDBOX.signer.kid))}",
        },
        "signature",
    ),
    "an unknown key": (with_header(SANDBOX, kid="other"), "key-unknown"),
    "another jku": (with_header(SANDBOX, jku="https://evil.test/jwks"), "key-source"),
    "a key in the token": (with_header(SANDBOX, jwk=SANDBOX.signer.public()), "key-source"),
    "alg none": (with_header(SANDBOX, alg="none"), "algorithm"),
    "for another service": (changed(aud=f"{PUBLIC_URL}/cds-services/other"), "audience"),
    "for discovery": (changed(aud=f"{PUBLIC_URL}/cds-services"), "audience"),
    "expired": (changed(iat=T - 900, exp=T - 600), "time"),
    "not yet": (changed(iat=T + 300, exp=T + 600), "time"),
    "good for a day": (changed(exp=T + 86400), "time"),
    "another subject": (bearer(EPIC, sub="other"), "subject"),
    "no id": (changed(jti=GONE), "jti"),
}


@pytest.mark.parametrize(("headers", "kind"), REFUSED.values(), ids=REFUSED)
def test_who_is_not_trusted_learns_nothing_and_the_operator_the_kind(
    deployed: Deployed, headers: dict[str, str], kind: str
) -> None:
    with logged() as lines:
        answer = deployed.client.call(another_call(), **headers)
    refused(answer)
    (line,) = lines
    assert (line["status"], line["code"], line["refusal"]) == (401, "unauthorized", kind)
    assert headers.get("Authorization", "no header") not in json.dumps(lines)
    assert counted(deployed.client, "btce_token_refusals_total") == {
        f'btce_token_refusals_total{{kind="{kind}"}}': 1
    }
    assert deployed.decisions() == []


@pytest.mark.parametrize("path", [CALL, FEEDBACK, DISCOVERY])
def test_a_bad_token_is_refused_on_every_path_that_takes_one(deployed: Deployed, path: str) -> None:
    send = deployed.client.get if path == DISCOVERY else deployed.client.post
    refused(send(path, headers=changed(iss="https://evil.test")))


def test_a_token_is_good_for_one_call(deployed: Deployed) -> None:
    token = bearer(EPIC)
    assert deployed.client.call(another_call(), **token).status_code == 200
    with logged() as lines:
        refused(deployed.client.call(another_call(), **token))
    assert lines[0]["refusal"] == "replay"
    assert len(deployed.decisions()) == 1


def test_a_token_that_was_used_for_a_call_that_failed_is_used(deployed: Deployed) -> None:
    token = bearer(EPIC)
    assert deployed.client.call({}, **token).status_code == 400
    refused(deployed.client.call(another_call(), **token))


def test_who_has_no_token_does_not_learn_which_services_there_are(deployed: Deployed) -> None:
    path = f"{DISCOVERY}/no-such-service"
    for suffix in ("", "/feedback"):
        refused(deployed.client.post(path + suffix, json={}))
        good = bearer(SANDBOX, path)
        assert deployed.client.post(path + suffix, json={}, headers=good).status_code == 404


def test_the_token_is_checked_before_the_body_is_looked_at(deployed: Deployed) -> None:
    refused(deployed.client.post(CALL, data=b"x" * 100, content_type="text/plain"))
    refused(deployed.client.post(CALL, data=b"[" * 1000, content_type="application/json"))


def test_a_fhir_access_token_is_no_client_token(deployed: Deployed) -> None:
    """`fhirAuthorization` is for reading data; it says nothing about who is calling."""
    granted = {
        "access_token": bearer(EPIC)["Authorization"].removeprefix("Bearer "),
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "ehr-5150",
    }
    server = "http://127.0.0.1:9/fhir"
    body = {**another_call(), "fhirServer": server, "fhirAuthorization": granted}
    refused(deployed.client.call(body))


# --- discovery and feedback ----------------------------------------------------------------------


@pytest.fixture
def own_codes(
    tmp_path: Path, keys: PublishedKeys, library: Library, codes: CodeSets, ticks: Ticks
) -> Deployed:
    """Epic's site has codes of its own, so that its prefetch is another one."""
    folder = tmp_path / "codes"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    settings = hospitals(tmp_path, keys.url, library, code_overlay=folder)
    return deploy(settings, tmp_path, library, codes, monotonic=ticks)


def offered(answer: TestResponse) -> Any:
    assert answer.status_code == 200
    return answer.get_json()["services"]


def test_discovery_without_a_token_offers_what_every_site_has(own_codes: Deployed) -> None:
    found = offered(own_codes.client.get(DISCOVERY))
    assert found == msgspec.to_builtins(list(SERVICES.values()))


def test_discovery_with_a_token_offers_the_sites_own(own_codes: Deployed) -> None:
    everybody = offered(own_codes.client.get(DISCOVERY))
    sandbox = bearer(SANDBOX, DISCOVERY)
    assert offered(own_codes.client.get(DISCOVERY, headers=sandbox)) == everybody
    epic = offered(own_codes.client.get(DISCOVERY, headers=bearer(EPIC, DISCOVERY)))
    assert [one["id"] for one in epic] == [one["id"] for one in everybody]
    assert all(
        one["prefetch"] != other["prefetch"] for one, other in zip(epic, everybody, strict=True)
    )


def test_discovery_takes_no_token_of_a_service(deployed: Deployed) -> None:
    refused(deployed.client.get(DISCOVERY, headers=bearer(SANDBOX)))


@pytest.mark.parametrize("path", [CALL, FEEDBACK])
def test_feedback_takes_the_service_or_its_feedback_as_audience(
    deployed: Deployed, path: str
) -> None:
    told = {"feedback": [OVERRIDDEN]}
    answer = deployed.client.post(FEEDBACK, json=told, headers=bearer(SANDBOX, path))
    assert answer.status_code == 200


def test_a_call_does_not_take_the_audience_of_feedback(deployed: Deployed) -> None:
    refused(deployed.client.call(another_call(), **bearer(SANDBOX, FEEDBACK)))


# --- browsers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_needs_no_token(deployed: Deployed, path: str) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = deployed.client.options(path, headers=asked)
    assert answer.status_code in {200, 204}
    allowed(answer)


def allowed(answer: TestResponse) -> None:
    headers = answer.headers
    assert headers["Access-Control-Allow-Origin"] == ORIGIN
    assert set(headers["Access-Control-Allow-Methods"].split(", ")) == {"GET", "POST", "OPTIONS"}
    assert headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert "Access-Control-Allow-Credentials" not in headers
    assert "Origin" in headers["Vary"]


def send(one: Deployed, status: int, origin: str) -> TestResponse:
    """A POST that is answered with `status`."""
    client = one.client
    token = {} if status == 401 else bearer(SANDBOX)
    headers = {**token, "Origin": origin}
    if status == 404:
        path = f"{DISCOVERY}/other"
        return client.post(path, json={}, headers=headers | bearer(SANDBOX, path))
    if status == 413:
        body = json.dumps({**another_call(), "extension": {"x": "y" * 9_000_000}})
        return client.post(CALL, data=body, headers=headers, content_type="application/json")
    if status == 415:
        return client.post(CALL, data="x", headers=headers, content_type="text/plain")
    if status == 405:
        return client.put(CALL, headers=headers)
    return client.post(CALL, json={} if status == 400 else another_call(), headers=headers)


@pytest.mark.parametrize("status", [200, 400, 401, 404, 405, 413, 415])
def test_an_allowed_origin_may_read_every_answer(deployed: Deployed, status: int) -> None:
    answer = send(deployed, status, ORIGIN)
    assert answer.status_code == status
    allowed(answer)


@pytest.mark.parametrize("origin", ["https://evil.test", "null", f"{ORIGIN}.evil.test", "*"])
@pytest.mark.parametrize("status", [200, 401, 415])
def test_no_other_origin_may_read_any(deployed: Deployed, status: int, origin: str) -> None:
    answer = send(deployed, status, origin)
    assert answer.status_code == status
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
    assert "Origin" in answer.headers["Vary"]


# --- keys ----------------------------------------------------------------------------------------


def test_keys_that_are_changed_are_read_again_and_not_for_every_token(
    deployed: Deployed, keys: PublishedKeys, ticks: Ticks
) -> None:
    assert deployed.client.call(another_call(), **bearer(INFERNO)).status_code == 200
    new = ec("the-next-key")
    rotated = INFERNO._replace(signer=new, header={**INFERNO.header, "kid": new.kid})
    keys.keys = [new.public()]
    refused(deployed.client.call(another_call(), **bearer(rotated)))
    assert keys.asked == ["/jwks.json"]  # read again at most every half minute
    ticks.seconds += 31
    assert deployed.client.call(another_call(), **bearer(rotated)).status_code == 200
    refused(deployed.client.call(another_call(), **bearer(INFERNO)))
    assert keys.asked == ["/jwks.json"] * 2


def test_both_keys_are_good_while_a_client_changes_from_one_to_the_other(
    deployed: Deployed, keys: PublishedKeys
) -> None:
    new = ec("the-next-key")
    rotated = INFERNO._replace(signer=new, header={**INFERNO.header, "kid": new.kid})
    keys.keys = [INFERNO.signer.public(), new.public()]
    for client in (INFERNO, rotated):
        assert deployed.client.call(another_call(), **bearer(client)).status_code == 200


def test_a_key_server_that_cannot_be_read_refuses_its_own_site_alone(
    tmp_path: Path, library: Library, codes: CodeSets
) -> None:
    settings = hospitals(tmp_path, "http://127.0.0.1:9/jwks.json", library)
    one = deploy(settings, tmp_path, library, codes)
    refused(one.client.call(another_call(), **bearer(INFERNO)))
    assert one.client.call(another_call(), **bearer(EPIC)).status_code == 200


def test_ready_says_whose_keys_were_not_read_yet(deployed: Deployed) -> None:
    before = deployed.client.get("/readyz").get_json()
    assert (before["status"], before["checks"]["keys"]["status"]) == ("degraded", "degraded")
    for client in (EPIC, SANDBOX, INFERNO, ORACLE):
        deployed.client.call(another_call(), **bearer(client))
    after = deployed.client.get("/readyz").get_json()
    assert after["checks"]["keys"]["status"] == "ready"


# --- two processes -------------------------------------------------------------------------------


@pytest.fixture
def two_servers(tmp_path: Path) -> Iterator[tuple[Served, Served]]:
    config = signed_config(tmp_path)
    with served(tmp_path, config, "one") as one, served(tmp_path, config, "two") as two:
        yield one, two


def test_of_two_servers_on_one_database_exactly_one_takes_a_token(
    two_servers: tuple[Served, Served],
) -> None:
    gate = threading.Barrier(2)

    def call(server: Served, token: dict[str, str]) -> int:
        gate.wait()
        return server.post(another_call(), **token).status_code

    with ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            token = bearer_now()
            assert sorted(pool.map(call, two_servers, [token] * 2)) == [200, 401]
    kinds = [line.get("refusal") for server in two_servers for line in server.lines()]
    assert kinds.count("replay") == 20
