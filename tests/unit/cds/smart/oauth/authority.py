"""An authorization server on a real socket that checks what SMART App Launch 2 says a client does,
and misbehaves as it is told.

Read from the texts (SMART App Launch 2.2, RFC 6749, RFC 7636, OpenID Connect Core), not from our
client.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit
from zoneinfo import ZoneInfo

import msgspec
import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from cds.clock import Clock, system_clock
from cds.config import Site, Smart
from cds.smart.context import Context
from cds.smart.oauth import Granted, LaunchRefused, Pending, SmartClient
from tests.unit.cds.backend.hospital import CLIENT, JWT_BEARER, SECRET, Asked, Hospital, Json, Reply


REDIRECT = "https://app.example.org/smart/callback"
LAUNCH, LAUNCH_ID = "launch-of-the-ehr", "0123456789abcdef"
V2 = "patient/*.rs patient/Observation.c patient/QuestionnaireResponse.c"
SCOPE = f"launch launch/patient openid fhirUser online_access {V2}"
PATIENT, ENCOUNTER, USER = "p1", "e1", "Practitioner/dr1"
GONE = object()  # a member that is left out

_CLIENT_KEY = ECKey.generate_key("P-384")
SIGNING = ECKey.generate_key("P-384")
OTHER = ECKey.generate_key("P-384")


class Authority(Hospital):
    """`metadata`, `answer`, `claims`, `header`: changes to what a good server says; `back`: to what
    the browser brings; `signs`: in place of its own signature; `published`: its keys.
    """

    def __init__(self, auth: str) -> None:
        super().__init__(_CLIENT_KEY, "ES384")
        self.auth = auth
        self.metadata: Json = {}
        self.answered: Json = {}
        self.claims: Json = {}
        self.header: Json = {"alg": "ES384", "kid": "s1"}
        self.back: dict[str, list[str] | object] = {}
        self.signing: ECKey | RSAKey = SIGNING
        self.signs: Callable[[Json], object] = self.sign
        self.published: list[object] = [public(SIGNING, kid="s1")]
        self.rotates = False
        self.context: Json = {"patient": PATIENT, "encounter": ENCOUNTER}
        self._codes: dict[str, dict[str, str]] = {}
        self._refresh: dict[str, str] = {}

    def answer(self, asked: Asked) -> Reply:
        routes: Mapping[str, Callable[[Asked], Reply]] = {
            "/fhir/.well-known/smart-configuration": self._described,
            "/authorize": self._authorize,
            "/token": self._granted,
            "/jwks": lambda _: Reply(200, {"keys": self.published}),
        }
        route = routes.get(asked.path.partition("?")[0])
        return Reply(404) if route is None else route(asked)

    def sign(self, claims: Json) -> str:
        """As a good server does, with the header it was given."""
        return jwt.encode(dict(self.header), claims, self.signing, algorithms=[self.header["alg"]])

    def _described(self, _: Asked) -> Reply:
        good = {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": self.token_url,
            "code_challenge_methods_supported": ["S256"],
            "grant_types_supported": ["authorization_code"],
            "capabilities": ["launch-ehr", "launch-standalone", "sso-openid-connect"],
        }
        return Reply(200, changed(good, self.metadata))

    def _authorize(self, asked: Asked) -> Reply:
        query = parse_qs(urlsplit(asked.path).query)
        if any(len(values) > 1 for values in query.values()):
            return self._refuse("doubled parameter")
        args = {name: values[0] for name, values in query.items()}
        scopes = args.get("scope", "").split()
        good = {
            "response_type": "code",
            "client_id": CLIENT,
            "redirect_uri": REDIRECT,
            "aud": self.base,
            "code_challenge_method": "S256",
        }
        wrong = [name for name, value in good.items() if args.get(name) != value]
        if wrong or len(args.get("code_challenge", "")) != 43 or len(args.get("state", "")) < 22:
            return self._refuse(f"authorize: {wrong}")
        ehr = args.get("launch") == LAUNCH
        if ("launch" in args) != ehr or ("launch" if ehr else "launch/patient") not in scopes:
            return self._refuse("launch")
        code = secrets.token_urlsafe(16)
        self._codes[code] = args
        found = changed({"code": [code], "state": [args["state"]]}, self.back)
        return Reply(302, None, {"Location": f"{REDIRECT}?{urlencode(found, doseq=True)}"})

    def _granted(self, asked: Asked) -> Reply:
        wrong = self._wrong_client(asked)
        if wrong:
            return self._refuse(wrong, 401, "invalid_client")
        form = asked.form
        if form.get("grant_type") == "refresh_token":
            return self._renewed(form)
        args = self._codes.pop(form.get("code", ""), None)  # once
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if args is None or form.get("redirect_uri") != args["redirect_uri"]:
            return self._refuse("code", 400, "invalid_grant")
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != args["code_challenge"]:
            return self._refuse("verifier", 400, "invalid_grant")
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "the-subject",
            "iat": now,
            "exp": now + 300,
            "nonce": args.get("nonce"),
            "fhirUser": USER,
        }
        signed = self.signs(changed(claims, self.claims)) if "nonce" in args else GONE
        found = {**self._tokens(args["scope"]), "id_token": signed}
        return Reply(200, changed(found, self.answered))

    def _renewed(self, form: Mapping[str, str]) -> Reply:
        known = form.get("refresh_token", "")
        scope = self._refresh.pop(known, None) if self.rotates else self._refresh.get(known)
        if scope is None:
            return self._refuse("refresh token", 400, "invalid_grant")
        found = {**self._tokens(scope), **({} if self.rotates else {"refresh_token": GONE})}
        return Reply(200, changed(found, self.answered))

    def _tokens(self, scope: str) -> Json:
        refresh = secrets.token_urlsafe(16)
        self._refresh[refresh] = scope
        return {
            "access_token": f"Canary-{secrets.token_urlsafe(16)}",
            "token_type": "Bearer",
            "expires_in": 900,
            "scope": scope,
            "refresh_token": refresh,
            "need_patient_banner": False,
            **self.context,
        }

    def _wrong_client(self, asked: Asked) -> str:
        if asked.method != "POST" or "form-urlencoded" not in asked.headers["Content-Type"]:
            return "not a form"
        form, basic = asked.form, asked.headers.get("Authorization", "")
        if self.auth == "public":
            return "" if form.get("client_id") == CLIENT and not basic else "public"
        if self.auth == "client_secret_basic":
            pair = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")
            return "" if tuple(map(unquote_plus, pair[::2])) == (CLIENT, SECRET) else "secret"
        if form.get("client_assertion_type") != JWT_BEARER:
            return "assertion type"
        return self._wrong_assertion(form.get("client_assertion", ""))

    def _refuse(self, why: str, status: int = 400, error: str = "invalid_request") -> Reply:
        self.refusals.append(why)
        return Reply(status, {"error": error, "error_description": "<b>not shown</b>"})


def changed(good: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`good` with other or further members, or without those that are GONE."""
    return {name: value for name, value in {**good, **changes}.items() if value is not GONE}


def public(key: ECKey | RSAKey, **members: object) -> Json:
    """The key as it is published."""
    return {**key.as_dict(private=False), **members}


@contextmanager
def authority(auth: str = "public") -> Iterator[Authority]:
    """One that is closed afterwards. `auth`: how its client proves itself."""
    server = Authority(auth)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def site_of(server: Authority, folder: Path, **changes: Any) -> Site:
    """A site of this server, registered as it expects."""
    key, secret = folder / "key.json", folder / "secret"
    key.write_text(json.dumps({**server.key.as_dict(private=True), "kid": "k1"}))
    secret.write_text(f"{SECRET}\n")
    members: Json = {
        "client_id": CLIENT,
        "auth": server.auth,
        "key_file": key,
        "secret_file": secret,
        "scope": SCOPE,
        **changes,
    }
    zone = ZoneInfo("UTC")
    smart = Smart(**members)
    return Site(id="north", fhir_base=server.base, protocol="us-label", zone=zone, smart=smart)


def client(clock: Clock = system_clock, seconds: float = 5.0) -> SmartClient:
    return SmartClient(clock, time.monotonic, seconds=seconds)


def browse(url: str) -> dict[str, list[str]]:
    """What a browser sent to `url` brings back to the redirect address."""
    with requests.Session() as session:
        session.trust_env = False
        reply = session.get(url, allow_redirects=False, timeout=5)
    assert reply.status_code == 302, reply.text
    location = urlsplit(reply.headers["Location"])
    assert f"{location.scheme}://{location.netloc}{location.path}" == REDIRECT
    return parse_qs(location.query, keep_blank_values=True)


def kept(pending: Pending) -> Pending:
    """As it comes back from the store."""
    return msgspec.json.decode(msgspec.json.encode(pending), type=Pending)


def launched(site: Site, by: SmartClient, launch: str | None = LAUNCH) -> Granted:
    """From the click to the rights."""
    asked = by.begin(site, launch=launch, launch_id=LAUNCH_ID, redirect_uri=REDIRECT)
    return by.finish(site, kept(asked.pending), browse(asked.url))


def opened(granted: Granted, **changes: object) -> Context:
    """The launch as it is kept while it is open."""
    context = Context(
        launch=LAUNCH_ID,
        site="north",
        csrf="x",
        patient=granted.patient,
        user=granted.user,
        encounter=granted.encounter,
        scopes=granted.scopes,
        access_token=granted.access_token,
        expires_at=granted.expires_at,
        refresh_token=granted.refresh_token,
        banner=granted.banner,
    )
    return msgspec.structs.replace(context, **changes)


def refused(run: Callable[[], object]) -> LaunchRefused:
    with pytest.raises(LaunchRefused) as caught:
        run()
    assert str(caught.value) == caught.value.kind  # and so nothing of what came
    return caught.value
