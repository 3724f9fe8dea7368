"""What the server publishes: SMART "Conformance", RFC 8414, the CapabilityStatement."""

from typing import Any

import pytest

from tests.demo.authorization.hospital import BASE, ISSUER, ORIGIN, Ward, asking, ward
from tests.demo.fhir_sandbox import Json


OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"


@pytest.fixture
def server() -> Ward:
    return ward()


def published(server: Ward, path: str) -> Json:
    """A document that needs no token and is JSON."""
    answer = server.http.get(path)
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert answer.json is not None
    return dict(answer.json)


def test_the_smart_configuration_has_what_smart_demands(server: Ward) -> None:
    found = published(server, "/fhir/.well-known/smart-configuration")
    assert found["issuer"] == ISSUER
    assert found["authorization_endpoint"] == f"{ISSUER}/authorize"
    assert found["token_endpoint"] == f"{ISSUER}/token"
    assert found["jwks_uri"] == f"{ISSUER}/jwks"
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["response_types_supported"] == ["code"]
    assert found["grant_types_supported"] == [
        "authorization_code",
        "refresh_token",
        "client_credentials",
    ]
    assert "private_key_jwt" in found["token_endpoint_auth_methods_supported"]
    assert found["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert {
        *("launch-ehr", "launch-standalone", "client-public", "client-confidential-symmetric"),
        *("client-confidential-asymmetric", "sso-openid-connect", "context-ehr-patient"),
        *("permission-v1", "permission-v2", "permission-offline", "permission-patient"),
    } <= set(found["capabilities"])
    assert {"openid", "fhirUser", "launch", "launch/patient"} <= set(found["scopes_supported"])


def test_the_openid_configuration_is_below_the_issuer(server: Ward) -> None:
    found = published(server, "/oauth2/.well-known/openid-configuration")
    assert found["issuer"] == ISSUER
    assert found["id_token_signing_alg_values_supported"] == ["ES384"]
    assert found["subject_types_supported"] == ["public"]


def test_what_is_published_is_there(server: Ward) -> None:
    found = published(server, "/fhir/.well-known/smart-configuration")
    paths = {name: found[name].removeprefix(ORIGIN) for name in found if name.endswith("endpoint")}
    assert server.http.get(paths["authorization_endpoint"]).status_code == 400
    assert server.http.post(paths["token_endpoint"]).status_code == 400
    assert published(server, found["jwks_uri"].removeprefix(ORIGIN))["keys"]


def test_the_capability_statement_names_the_endpoints(server: Ward) -> None:
    (rest,) = server.fhir("GET", "metadata").json["rest"]  # type: ignore[index]
    (extension,) = rest["security"]["extension"]
    assert extension["url"] == OAUTH_URIS
    uris = {one["url"]: one["valueUri"] for one in extension["extension"]}
    assert uris == {"authorize": f"{ISSUER}/authorize", "token": f"{ISSUER}/token"}


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://127.0.0.1:9000", True),
        ("http://localhost:3000", True),
        ("https://evil.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://[::1", False),
        ("null", False),
    ],
)
def test_only_pages_of_this_machine_may_read_across_origins(
    server: Ward, origin: str, allowed: bool
) -> None:
    headers = {"Origin": origin}
    for method, path in (
        ("GET", "/fhir/.well-known/smart-configuration"),
        ("POST", "/oauth2/token"),
        ("OPTIONS", "/oauth2/token"),
        ("OPTIONS", "/fhir/_services/smart/Launch"),
    ):
        answer = server.http.open(path, method=method, headers=headers)
        expected = origin if allowed else None
        assert answer.headers.get("Access-Control-Allow-Origin") == expected, path
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_no_page_may_read_a_code_across_origins(server: Ward) -> None:
    answer = server.http.get(
        "/oauth2/authorize",
        query_string=asking(launch=server.launch()),
        headers={"Origin": "http://127.0.0.1:9000"},
    )
    assert answer.status_code == 302
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_another_host_name_is_not_answered(server: Ward) -> None:
    answer = server.http.get(
        "/fhir/.well-known/smart-configuration", headers={"Host": "rebound.example"}
    )
    assert answer.status_code == 400


def test_the_addresses_are_those_it_is_given() -> None:
    changes: dict[str, Any] = {"base": f"{ORIGIN}/r4/fhir", "issuer": f"{ORIGIN}/login"}
    server = ward(**changes)
    found = published(server, "/r4/fhir/.well-known/smart-configuration")
    assert found["token_endpoint"] == f"{ORIGIN}/login/token"
    assert server.http.get("/r4/fhir/metadata").json["implementation"]["url"] != BASE  # type: ignore[index]
