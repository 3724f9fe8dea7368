"""Client tokens as four kinds of CDS client send them, and the parts to make wrong ones from.

Keys are made here, at import; nothing is a secret of anybody's. What each client sends:
Epic: https://fhir.epic.com/Documentation?docId=cds-hooks (RS384, base64 `kid`, `nbf` five minutes
back, no tenant). Sandbox: github.com/cds-hooks/sandbox, src/retrieve-data-helpers/jwt-generator.js
(ES384, five minutes). Inferno: github.com/inferno-framework/davinci-crd-test-kit (`jku`, `jti` of
64 hexadecimal digits). Oracle Health: github.com/cerner/fhir.cerner.com, cds_hooks.md (one issuer
for all its hospitals; `tenant` tells them apart, CDS Hooks 2.0.1 "Trusting CDS Clients").
"""

import base64
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
T = int(NOW.timestamp())
PUBLIC_URL = "https://cds.example.org/btce"
SERVICE = "btce-order-sign"
ENDPOINT = f"{PUBLIC_URL}/cds-services/{SERVICE}"
GONE = object()  # as a value: leave this member out

Json = dict[str, Any]


class Signer(NamedTuple):
    """A private key, the `kid` it is published under and the algorithm it signs with."""

    key: RSAKey | ECKey
    kid: str
    alg: str

    def public(self) -> Json:
        """The key as its owner publishes it."""
        return {**self.key.as_dict(), "kid": self.kid, "use": "sig"}

    def signature(self, text: bytes, alg: str = "") -> bytes:
        """Over `text`, also with an algorithm the key is not meant for."""
        return JWSRegistry.algorithms[alg or self.alg].sign(text, self.key)


def rsa(kid: str, alg: str = "RS384") -> Signer:
    return Signer(RSAKey.generate_key(2048), kid, alg)


def ec(kid: str, alg: str = "ES384") -> Signer:
    curve = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[alg]
    return Signer(ECKey.generate_key(curve), kid, alg)


class Client(NamedTuple):
    """What one client's tokens look like; `site` is the one they speak for."""

    site: str
    signer: Signer
    header: Json
    claims: Json

    def token(
        self, *, header: Json | None = None, claims: Json | None = None, by: Signer | None = None
    ) -> str:
        """A token with members replaced (or left out, `GONE`), signed by its own key or another."""
        full = {"jti": str(uuid.uuid4()), **self.claims}
        return signed(
            encoded(changed(self.header, header)),
            encoded(changed(full, claims)),
            by or self.signer,
        )


def changed(members: Mapping[str, Any], changes: Mapping[str, Any] | None) -> Json:
    """`members` with `changes`."""
    return {k: v for k, v in {**members, **(changes or {})}.items() if v is not GONE}


def encoded(members: Json) -> bytes:
    """JSON as every client writes it; NaN and infinity as Python would."""
    return json.dumps(members, separators=(",", ":")).encode()


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: bytes, payload: bytes, by: Signer) -> str:
    """The compact serialisation of any header and payload, JSON or not."""
    text = f"{b64(header)}.{b64(payload)}"
    return f"{text}.{b64(by.signature(text.encode()))}"


EPIC_BASE = "https://ehr.example.org/interconnect/api/FHIR/R4"
EPIC_JKU = "https://ehr.example.org/interconnect/api/epic/2019/Security/Open/PublicKeys/530005/CDS"
EPIC_SUBJECT = "7d0e2b5c-2f0e-4f5c-9b1c-0d6a4f1f9e11"
EPIC = Client(
    "epic",
    rsa("hQ3x+Tq0r4cA9+d=="),
    {"alg": "RS384", "kid": "hQ3x+Tq0r4cA9+d==", "typ": "JWT", "jku": EPIC_JKU},
    {
        "aud": ENDPOINT,
        "iss": EPIC_BASE,
        "sub": EPIC_SUBJECT,
        "iat": T,
        "nbf": T - 300,
        "exp": T + 900,
    },
)
SANDBOX = Client(
    "sandbox",
    ec("9c37bf73343adb93920a7ae80260b0e57684551e"),
    {
        "alg": "ES384",
        "typ": "JWT",
        "kid": "9c37bf73343adb93920a7ae80260b0e57684551e",
        "jku": "https://sandbox.cds-hooks.org/.well-known/jwks.json",
    },
    {"iss": "https://sandbox.cds-hooks.org", "aud": ENDPOINT, "exp": T + 300, "iat": T + 1},
)
INFERNO_JKU = "https://inferno.example.org/custom/crd_server/jwks.json"
INFERNO = Client(
    "inferno",
    ec("4b49a739d1eb115b3225f4cf9beb6d1b"),
    {"alg": "ES384", "typ": "JWT", "kid": "4b49a739d1eb115b3225f4cf9beb6d1b", "jku": INFERNO_JKU},
    {
        "iss": "https://inferno.example.org/custom/crd_server",
        "aud": ENDPOINT,
        "iat": T,
        "exp": T + 300,
        "jti": "5e" * 32,
    },
)
ORACLE = Client(
    "north-hospital",
    rsa("cerner-2026-1"),
    {"alg": "RS384", "typ": "JWT", "kid": "cerner-2026-1"},
    {
        "iss": "https://cds-hooks.cerner.com",
        "aud": ENDPOINT,
        "iat": T - 2,
        "exp": T + 298,
        "tenant": "ec2458f2-1e24-41c8-b71b-0e701af7583d",
    },
)
OTHER_TENANT = "0b8a0111-e8e6-4c26-a91c-5069cbc6b1ca"
CLIENTS = {"epic": EPIC, "sandbox": SANDBOX, "inferno": INFERNO, "oracle": ORACLE}
