"""The token endpoint: RFC 6749 4.1.3, 5 and 6, RFC 7636 4.6, RFC 7523 3, OpenID Connect Core 2."""

import base64
import hmac
import threading
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from tests.demo.authorization.hospital import (
    ASSERTION_TYPE,
    BASE,
    CALLBACK,
    EHR,
    ISSUER,
    KEY,
    ORIGIN,
    OTHER_KEY,
    SECRET,
    TOKEN,
    Ward,
    assertion,
    basic,
    by_key,
    exchange,
    id_token,
    ward,
)
from tests.demo.fhir_sandbox import NOW


@pytest.fixture
def server() -> Ward:
    return ward()


def refused(answer: TestResponse, status: int = 400) -> str:
    """The error code of a refusal, which is JSON and never cached."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json is not None
    assert answer.json.keys() == {"error", "error_description"}
    return str(answer.json["error"])


def test_a_code_becomes_what_smart_names(server: Ward) -> None:
    answer = server.redeem(server.code(launch=server.launch(encounter="e1", app_context="{}")))
    assert answer.status_code == 200
    found = answer.json
    assert found is not None
    assert found["token_type"] == "Bearer"
    assert found["expires_in"] == 600
    assert found["scope"] == EHR
    assert (found["patient"], found["encounter"], found["appContext"]) == ("p1", "e1", "{}")
    assert found["need_patient_banner"] is True
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    assert len({found["access_token"], found["refresh_token"], found["id_token"]}) == 3


def test_what_the_launch_did_not_have_is_absent(server: Ward) -> None:
    found = server.granted("launch patient/*.rs")
    assert found.keys() == {
        *("access_token", "token_type", "expires_in", "scope"),
        *("patient", "need_patient_banner"),
    }


def test_the_id_token_says_who_is_signed_in(server: Ward) -> None:
    claims = id_token(server, server.granted(EHR)["id_token"])
    assert claims["iss"] == ISSUER
    assert claims["aud"] == "bedside"
    assert claims["nonce"] == "the-nonce"
    assert claims["iat"] == int(NOW.timestamp())
    assert claims["exp"] == int(NOW.timestamp()) + 600
    assert claims["fhirUser"] == f"{BASE}/Practitioner/dr1"
    assert claims["name"] == "Dr Noor Haddad"
    assert "dr1" not in claims["sub"]


def test_the_id_token_is_signed_with_rs256_unless_told_otherwise() -> None:
    server = ward(algorithm="RS256")
    (key,) = server.authority.signer.public()["keys"]
    token = server.granted(EHR)["id_token"]
    found = jwt.decode(token, RSAKey.import_key(key), algorithms=["RS256"])
    assert found.header == {"alg": "RS256", "kid": key["kid"], "typ": "JWT"}


def test_the_published_keys_are_public(server: Ward) -> None:
    (key,) = server.http.get("/oauth2/jwks").json["keys"]  # type: ignore[index]
    assert "d" not in key
    assert key["use"] == "sig"


def test_without_fhir_user_the_id_token_does_not_tell_it(server: Ward) -> None:
    claims = id_token(server, server.granted("launch openid patient/*.rs")["id_token"])
    assert not {"fhirUser", "name"} & claims.keys()


# RFC 6749 5.2
@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"code": None}, 400, "invalid_request"),
        ({"code": "made-up"}, 400, "invalid_grant"),
        ({"code": ["a", "b"]}, 400, "invalid_request"),
        ({"redirect_uri": None}, 400, "invalid_request"),
        ({"redirect_uri": f"{ORIGIN}/other"}, 400, "invalid_grant"),
        ({"code_verifier": None}, 400, "invalid_request"),
        ({"code_verifier": "w" * 43}, 400, "invalid_grant"),
        ({"code_verifier": "v" * 42}, 400, "invalid_grant"),
        ({"code_verifier": "v" * 129}, 400, "invalid_grant"),
        ({"client_id": None}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": "with secret"}, 401, "invalid_client"),
        ({"client_id": "with-key"}, 401, "invalid_client"),
        ({"client_id": "other-app"}, 400, "invalid_grant"),
        ({"client_secret": "anything"}, 401, "invalid_client"),
    ],
)
def test_a_token_request_that_is_not_in_order_is_refused(
    server: Ward, changes: dict[str, Any], status: int, error: str
) -> None:
    assert refused(server.redeem(server.code(), **changes), status) == error


def test_only_a_form_is_read(server: Ward) -> None:
    form = exchange(server.code())
    assert refused(server.http.post("/oauth2/token", json=form)) == "invalid_request"
    in_url = server.http.post("/oauth2/token?x=1", data=form)
    assert refused(in_url) == "invalid_request"
    assert server.http.get("/oauth2/token", query_string=form).status_code == 405


def test_a_code_is_good_for_a_minute(server: Ward) -> None:
    code = server.code()
    server.clock.later(seconds=60)
    assert refused(server.redeem(code)) == "invalid_grant"


def test_a_code_used_twice_ends_the_tokens_it_gave(server: Ward) -> None:
    code = server.code()
    first = server.redeem(code).json
    assert first is not None
    bearer = {"Authorization": f"Bearer {first['access_token']}"}
    assert server.fhir("GET", "Patient/p1", as_=bearer).status_code == 200
    assert refused(server.redeem(code)) == "invalid_grant"
    assert server.fhir("GET", "Patient/p1", as_=bearer).status_code == 401
    again = {
        "grant_type": "refresh_token",
        "client_id": "bedside",
        "refresh_token": first["refresh_token"],
    }
    assert refused(server.token(again)) == "invalid_grant"


def test_a_stranger_with_the_code_ends_nothing(server: Ward) -> None:
    code = server.code()
    assert refused(server.redeem(code, client_id="other-app")) == "invalid_grant"
    first = server.redeem(code)
    assert first.status_code == 200
    assert first.json is not None
    assert refused(server.redeem(code, client_id="other-app")) == "invalid_grant"
    bearer = {"Authorization": f"Bearer {first.json['access_token']}"}
    assert server.fhir("GET", "Patient/p1", as_=bearer).status_code == 200


def test_a_wrong_verifier_spends_the_code(server: Ward) -> None:
    code = server.code()
    assert refused(server.redeem(code, code_verifier="w" * 43)) == "invalid_grant"
    assert refused(server.redeem(code)) == "invalid_grant"


def test_of_many_who_come_at_once_at_most_one_gets_a_token_that_works(server: Ward) -> None:
    code = server.code()
    statuses: list[int] = []

    def redeem() -> None:
        client = server.http.application.test_client()
        statuses.append(client.post("/oauth2/token", data=exchange(code)).status_code)

    threads = [threading.Thread(target=redeem) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert statuses.count(200) <= 1
    assert len(statuses) == 8


# --- refresh -------------------------------------------------------------------------------------


def refresh(server: Ward, token: str, **changes: Any) -> TestResponse:
    """The refresh of the public client."""
    form = {
        "grant_type": "refresh_token",
        "client_id": "bedside",
        "refresh_token": token,
        **changes,
    }
    return server.token(form)


def test_a_refresh_gives_new_tokens_with_the_same_patient(server: Ward) -> None:
    first = server.granted(EHR)
    second = refresh(server, first["refresh_token"]).json
    assert second is not None
    assert second["patient"] == "p1"
    assert second["scope"] == EHR
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]


def test_a_refresh_token_used_twice_ends_all(server: Ward) -> None:
    first = server.granted(EHR)
    second = refresh(server, first["refresh_token"]).json
    assert second is not None
    assert refused(refresh(server, first["refresh_token"])) == "invalid_grant"
    assert refused(refresh(server, second["refresh_token"])) == "invalid_grant"
    bearer = {"Authorization": f"Bearer {second['access_token']}"}
    assert server.fhir("GET", "Patient/p1", as_=bearer).status_code == 401


def test_a_refresh_may_ask_for_less_and_not_for_more(server: Ward) -> None:
    first = server.granted("launch offline_access patient/*.rs")
    more = refresh(server, first["refresh_token"], scope="patient/*.rs patient/Observation.c")
    assert refused(more) == "invalid_scope"
    less = refresh(server, first["refresh_token"], scope="patient/Observation.rs").json
    assert less is not None
    assert less["scope"] == "patient/Observation.rs"
    again = refresh(server, less["refresh_token"]).json
    assert again is not None
    assert again["scope"] == "launch offline_access patient/*.rs"


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"refresh_token": "made-up"}, 400, "invalid_grant"),
        ({"refresh_token": ""}, 400, "invalid_request"),
        ({"client_id": "other-app"}, 400, "invalid_grant"),
        ({"client_id": "with-key"}, 401, "invalid_client"),
        ({"client_id": ""}, 401, "invalid_client"),
    ],
)
def test_a_refresh_that_is_not_in_order_is_refused(
    server: Ward, changes: dict[str, str], status: int, error: str
) -> None:
    token = server.granted(EHR)["refresh_token"]
    assert refused(refresh(server, token, **changes), status) == error


def test_who_did_not_ask_for_it_gets_no_refresh_token(server: Ward) -> None:
    assert "refresh_token" not in server.granted("launch patient/*.rs")


def test_a_refresh_token_ends_too(server: Ward) -> None:
    token = server.granted(EHR)["refresh_token"]
    server.clock.later(hours=12)
    assert refused(refresh(server, token)) == "invalid_grant"


# --- client_secret_basic -------------------------------------------------------------------------


def secret_code(server: Ward) -> dict[str, Any]:
    """A token request of the client with a secret, without it."""
    return exchange(server.code(client_id="with secret", scope="launch openid"), client_id=None)


def test_a_secret_by_basic_is_accepted(server: Ward) -> None:
    answer = server.token(secret_code(server), **basic("with secret", SECRET))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        basic("with secret", "wrong"),
        basic("with secret", ""),
        basic("nobody", SECRET),
        basic("bedside", ""),
        basic("with-key", ""),
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic d2l0aA=="},
        {"Authorization": "Bearer abc"},
    ],
)
def test_a_wrong_secret_is_refused_with_the_scheme(server: Ward, header: dict[str, str]) -> None:
    answer = server.token(secret_code(server), **header)
    assert refused(answer, 401) == "invalid_client"
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_a_secret_in_the_form_is_not_accepted(server: Ward) -> None:
    form = {**secret_code(server), "client_id": "with secret", "client_secret": SECRET}
    assert refused(server.token(form), 401) == "invalid_client"


def test_two_proofs_at_once_are_one_too_many(server: Ward) -> None:
    form = {**secret_code(server), **by_key("with-key")}
    assert refused(server.token(form, **basic("with secret", SECRET))) == "invalid_request"


def test_the_form_may_not_name_another_client(server: Ward) -> None:
    form = {**secret_code(server), "client_id": "bedside"}
    assert refused(server.token(form, **basic("with secret", SECRET))) == "invalid_request"


# --- private_key_jwt -----------------------------------------------------------------------------


def key_code(server: Ward, **form: Any) -> TestResponse:
    """A token request of the client with a key."""
    code = server.code(client_id="with-key", scope="launch openid")
    return server.token({**exchange(code, client_id=None), **form})


def signed(**changes: Any) -> dict[str, str]:
    """Its assertion with other claims."""
    text = assertion("with-key", **changes)
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text}


def test_an_assertion_is_accepted(server: Ward) -> None:
    assert key_code(server, **signed()).status_code == 200
    assert key_code(server, **signed(aud=[TOKEN, BASE])).status_code == 200


SOON = int(NOW.timestamp())
RSA = RSAKey.generate_key(2048, {"kid": "app-key", "alg": "RS384"})


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "bedside"},
        {"iss": None},
        {"sub": "nobody"},
        {"sub": "bedside"},
        {"sub": None},
        {"aud": BASE},
        {"aud": f"{TOKEN}/"},
        {"aud": None},
        {"exp": SOON - 30},
        {"exp": SOON + 331},
        {"exp": None},
        {"exp": True},
        {"exp": str(SOON + 60)},
        {"iat": SOON + 31},
        {"nbf": SOON + 31},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"key": OTHER_KEY},  # another key of the same name
        {"header": {"kid": "unknown"}},
        {"header": {"kid": None}},
        {"header": {"typ": None}},
        {"header": {"typ": "at+jwt"}},
        {"header": {"alg": "RS384"}, "key": RSA},
        {"header": {"jwk": OTHER_KEY.as_dict(private=False)}, "key": OTHER_KEY},  # RFC 8725 3.10
        {"header": {"jku": f"{ORIGIN}/keys", "kid": "theirs"}, "key": OTHER_KEY},
    ],
    ids=str,
)
def test_an_assertion_that_proves_nothing_is_refused(server: Ward, changes: dict[str, Any]) -> None:
    assert refused(key_code(server, **signed(**changes)), 401) == "invalid_client"


def test_no_signature_or_one_with_the_public_key_is_refused(server: Ward) -> None:
    """RFC 8725 3.1: the algorithm is the server's choice."""
    _, claims, _ = assertion("with-key").split(".")
    nothing = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIiwia2lkIjoiYXBwLWtleSJ9"  # alg none
    unsigned = {**signed(), "client_assertion": f"{nothing}.{claims}."}
    assert refused(key_code(server, **unsigned), 401) == "invalid_client"
    head = _base64url(b'{"alg":"HS256","kid":"app-key","typ":"JWT"}')
    digest = hmac.digest(KEY.as_pem(private=False), f"{head}.{claims}".encode(), "sha256")
    forged = {**signed(), "client_assertion": f"{head}.{claims}.{_base64url(digest)}"}
    assert refused(key_code(server, **forged), 401) == "invalid_client"


def _base64url(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@pytest.mark.parametrize("text", ["", "x", "a.b", "a.b.c", "....", "e30.e30.e30", "é.é.é"])
def test_what_is_no_jwt_is_refused(server: Ward, text: str) -> None:
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text}
    assert refused(key_code(server, **form), 401) == "invalid_client"


def test_an_assertion_is_shown_once(server: Ward) -> None:
    proof = signed()
    assert key_code(server, **proof).status_code == 200
    assert refused(key_code(server, **proof), 401) == "invalid_client"


def test_the_same_jti_of_another_client_is_another_one(server: Ward) -> None:
    assert key_code(server, **signed(jti="same")).status_code == 200
    text = assertion("service", jti="same")
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text}
    answer = server.token({**form, "grant_type": "client_credentials", "scope": "system/*.rs"})
    assert answer.status_code == 200


def test_the_type_of_the_assertion_is_named(server: Ward) -> None:
    proof = signed()
    assert (
        refused(key_code(server, client_assertion=proof["client_assertion"])) == "invalid_request"
    )


# --- client_credentials --------------------------------------------------------------------------


def alone(server: Ward, client_id: str = "service", **form: Any) -> TestResponse:
    """A service asks for itself."""
    return server.token(by_key(client_id, grant_type="client_credentials", **form))


def test_a_service_gets_a_token_of_its_own(server: Ward) -> None:
    found = alone(server, scope="system/*.rs").json
    assert found is not None
    assert found.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert found["scope"] == "system/*.rs"


@pytest.mark.parametrize(
    ("client_id", "scope", "error"),
    [
        ("service", None, "invalid_request"),
        ("service", "patient/*.rs user/*.rs", "invalid_scope"),
        ("service", "openid", "invalid_scope"),
        ("with-key", "system/*.rs", "unauthorized_client"),  # is registered for people
    ],
)
def test_what_a_service_may_not_have_is_refused(
    server: Ward, client_id: str, scope: str | None, error: str
) -> None:
    form = {} if scope is None else {"scope": scope}
    assert refused(alone(server, client_id, **form)) == error


def test_a_public_client_may_not_act_by_itself(server: Ward) -> None:
    form = {"grant_type": "client_credentials", "client_id": "bedside", "scope": "system/*.rs"}
    assert refused(server.token(form)) == "unauthorized_client"


def test_no_refusal_repeats_what_was_sent(server: Ward) -> None:
    secret = "sentinel-7f3a"
    answers = [
        server.redeem(secret),
        server.redeem(server.code(), code_verifier=secret),
        server.redeem(server.code(), redirect_uri=f"{CALLBACK}{secret}"),
        refresh(server, secret),
        server.token(secret_code(server), **basic("with secret", secret)),
        server.token({"grant_type": secret, "client_id": "bedside"}),
        alone(server, scope=secret),
    ]
    assert all(secret not in one.text for one in answers)
