"""A sandbox with two patients behind its authorization server, and the steps of an app's launch."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from msgspec import Struct
from werkzeug.test import TestResponse

from cds.demo.authorization import (
    Authority,
    Client,
    Context,
    create_authorization,
    enforcing,
    open_authority,
    security,
    start_launch,
)
from cds.demo.authorization.clients import BACKEND_SCOPE
from cds.demo.fhir import Sandbox, create_fhir
from tests.demo.fhir_sandbox import NOW, Json, observation, patient


ORIGIN = "http://127.0.0.1:8080"
BASE = f"{ORIGIN}/fhir"
ISSUER = f"{ORIGIN}/oauth2"
TOKEN = f"{ISSUER}/token"
LAUNCH_URL = f"{ORIGIN}/us-label/smart/launch"
CALLBACK = f"{ORIGIN}/us-label/smart/callback"
DOCTOR = "Practitioner/dr1"
SECRET = "s:cr%t /+"
VERIFIER = "v" * 43
KEY = ECKey.generate_key("P-384", {"kid": "app-key", "alg": "ES384", "use": "sig"})
OTHER_KEY = ECKey.generate_key("P-384", {"kid": "app-key", "alg": "ES384", "use": "sig"})
KEYS: Json = {"keys": [dict(KEY.as_dict(private=False))]}
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EHR = "launch openid fhirUser online_access patient/*.rs patient/Observation.c"
ALONE = "launch/patient openid fhirUser patient/*.rs"


class Time:
    """The clock of a test; moves when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def later(self, **span: float) -> None:
        """Go on by `timedelta(**span)`."""
        self.now += timedelta(**span)


CLIENTS = (
    Client(
        client_id="bedside",
        redirect_uris=frozenset({CALLBACK}),
        launch_urls=frozenset({LAUNCH_URL}),
    ),
    Client(
        client_id="other-app",
        redirect_uris=frozenset({f"{ORIGIN}/other/callback?kept=1"}),
        launch_urls=frozenset({f"{ORIGIN}/other/launch"}),
        scope="launch openid patient/Observation.rs patient/Condition.r",
    ),
    Client(
        client_id="with secret",
        redirect_uris=frozenset({CALLBACK}),
        launch_urls=frozenset({LAUNCH_URL}),
        auth="client_secret_basic",
        secret=SECRET,
    ),
    Client(
        client_id="with-key",
        redirect_uris=frozenset({CALLBACK}),
        launch_urls=frozenset({LAUNCH_URL}),
        auth="private_key_jwt",
        jwks=KEYS,
    ),
    Client(client_id="service", auth="private_key_jwt", jwks=KEYS, scope=BACKEND_SCOPE),
)


def resources() -> list[Json]:
    """Two patients, what is charted of each, and what is nobody's."""
    survey = [{"coding": [{"system": "http://example.org/categories", "code": "survey"}]}]
    return [
        patient("p1", name=[{"family": "Reyes", "given": ["Ana"]}], birthDate="1961-02-03"),
        patient("p2", name=[{"family": "Okoye", "given": ["Ben"]}], birthDate="1950-04-05"),
        {"resourceType": "Practitioner", "id": "dr1", "name": [{"text": "Dr Noor Haddad"}]},
        {"resourceType": "Practitioner", "id": "dr2", "name": [{"family": "Lind"}]},
        _stay("e1", "p1"),
        _stay("e2", "p2"),
        observation("o1"),
        observation("o1-survey", category=survey),
        observation("o2", "Patient/p2", performer=[{"reference": "Practitioner/dr1"}]),
        observation("o1-by-p2", performer=[{"reference": "Patient/p2"}]),
        {"resourceType": "Observation", "id": "o-nobody", "status": "final", "code": {"text": "x"}},
        {"resourceType": "Device", "id": "pump", "patient": {"reference": "Patient/p2"}},
        {"resourceType": "Device", "id": "software"},
        _provenance("of-1", "Observation/o1"),
        _provenance("of-2", "Observation/o2"),
        _provenance("of-both", "Observation/o1", "Observation/o2"),
    ]


class Ward(Struct, frozen=True):
    """One server of each kind, asked through Flask's client."""

    authority: Authority
    clock: Time
    store: Sandbox
    http: FlaskClient

    def launch(self, patient: str = "p1", **members: Any) -> str:
        """A launch id, as the EHR makes one."""
        context = Context(patient=patient, user=DOCTOR, **members)
        return start_launch(self.authority, context, LAUNCH_URL)

    def authorize(self, **changes: Any) -> TestResponse:
        """An authorization request; None leaves a parameter out, a list repeats it."""
        return self.http.get("/oauth2/authorize", query_string=asking(**changes))

    def code(self, **changes: Any) -> str:
        """The code of an EHR launch that is approved."""
        changes.setdefault("launch", self.launch())
        return said(self.authorize(**changes))["code"]

    def redeem(self, code: str, /, **changes: Any) -> TestResponse:
        """The token request of the public client."""
        return self.token(exchange(code, **changes))

    def token(self, form: Mapping[str, Any], **headers: str) -> TestResponse:
        """A request to the token endpoint."""
        return self.http.post("/oauth2/token", data=form, headers=headers)

    def granted(self, scope: str, patient: str = "p1", **members: Any) -> Json:
        """The token response of an EHR launch with these scopes."""
        code = self.code(scope=scope, launch=self.launch(patient, **members))
        answer = self.redeem(code)
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        return dict(answer.json)

    def bearer(self, scope: str, patient: str = "p1") -> dict[str, str]:
        """The header of a token with these scopes; `system/` ones by client credentials."""
        if "system/" in scope:
            answer = self.token(by_key("service", grant_type="client_credentials", scope=scope))
            found = answer.json
        else:
            found = self.granted(f"launch {scope}", patient)
        assert found is not None
        assert found["scope"].removeprefix("launch ") == scope
        return {"Authorization": f"Bearer {found['access_token']}"}

    def fhir(
        self, method: str, path: str, body: Any = None, *, as_: Mapping[str, str] | None = None
    ) -> TestResponse:
        """A request to the FHIR server."""
        kind = {"Content-Type": "application/fhir+json"} if body is not None else {}
        return self.http.open(
            f"/fhir/{path}", method=method, json=body, headers={**kind, **(as_ or {})}
        )

    def found(self, path: str, as_: Mapping[str, str]) -> set[str]:
        """`Type/id` of all a search shows on its first page."""
        answer = self.fhir("GET", path, as_=as_)
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        return {
            f"{one['resource']['resourceType']}/{one['resource']['id']}"
            for one in answer.json.get("entry", ())
        }


def ward(clients: Iterable[Client] = CLIENTS, **changes: Any) -> Ward:
    """Everything new."""
    clock, store = Time(), Sandbox()
    store.load(resources(), now=clock.now)
    settings: dict[str, Any] = {
        "base": BASE,
        "issuer": ISSUER,
        "clients": clients,
        "clock": clock,
        "user": DOCTOR,
        "algorithm": "ES384",
        **changes,
    }
    authority = open_authority(store, **settings)
    app = app_of(authority, store)
    return Ward(authority, clock, store, app.test_client())


def app_of(authority: Authority, store: Sandbox) -> Flask:
    """Both servers, as the demo mounts them."""
    app = Flask("tests.authorization", static_folder=None)
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost"]
    app.register_blueprint(create_authorization(authority))
    app.register_blueprint(
        create_fhir(
            store,
            base=authority.base,
            clock=authority.clock,
            authorize=enforcing(authority),
            security=security(authority),
        )
    )
    return app


def asking(**changes: Any) -> Json:
    """The parameters of an authorization request."""
    parameters = {
        "response_type": "code",
        "client_id": "bedside",
        "redirect_uri": CALLBACK,
        "scope": EHR,
        "state": "the-state",
        "aud": BASE,
        "code_challenge": challenge(VERIFIER),
        "code_challenge_method": "S256",
        "nonce": "the-nonce",
        **changes,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def exchange(code: str, /, **changes: Any) -> Json:
    """The form of the code grant."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "client_id": "bedside",
        "code_verifier": VERIFIER,
        **changes,
    }
    return {name: value for name, value in form.items() if value is not None}


def challenge(verifier: str) -> str:
    """RFC 7636 4.2, S256."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def said(answer: TestResponse) -> dict[str, str]:
    """What a redirect to the callback tells; each once."""
    assert answer.status_code in {302, 303}, answer.text
    where = answer.headers["Location"]
    assert where.startswith(f"{CALLBACK}?")
    found = parse_qs(urlsplit(where).query, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


def basic(client_id: str, secret: str) -> dict[str, str]:
    """RFC 6749 2.3.1."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def by_key(client_id: str, *, key: ECKey = KEY, **form: Any) -> Json:
    """Form fields with a fresh assertion of this client."""
    return {
        **form,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion(client_id, key=key),
    }


_JTI = iter(range(10**9))


def assertion(
    client_id: str, *, key: ECKey = KEY, header: Json | None = None, **changes: Any
) -> str:
    """A signed assertion; a change to None leaves the claim out."""
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": TOKEN,
        "exp": int(NOW.timestamp()) + 240,
        "jti": f"jti-{next(_JTI)}",
        **changes,
    }
    head = {"alg": "ES384", "kid": "app-key", "typ": "JWT", **(header or {})}
    kept = {name: value for name, value in claims.items() if value is not None}
    shown = {name: value for name, value in head.items() if value is not None}
    return jwt.encode(shown, kept, key, algorithms=["ES384", "RS384"], default_type=None)


def id_token(server: Ward, token: str) -> Json:
    """The claims of an id_token, verified with the published keys."""
    published: Any = server.http.get("/oauth2/jwks").json
    return dict(jwt.decode(token, KeySet.import_key_set(published), algorithms=["ES384"]).claims)


def _stay(id_: str, of: str) -> Json:
    return {
        "resourceType": "Encounter",
        "id": id_,
        "status": "in-progress",
        "class": {"code": "IMP"},
        "subject": {"reference": f"Patient/{of}"},
    }


def _provenance(id_: str, *targets: str) -> Json:
    return {
        "resourceType": "Provenance",
        "id": id_,
        "target": [{"reference": one} for one in targets],
        "recorded": "2026-11-21T10:00:00Z",
        "agent": [{"who": {"reference": DOCTOR}}],
    }
