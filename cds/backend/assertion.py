"""How the service proves itself to a token endpoint: a signed assertion, its secret, or its name.

RFC 7523 and SMART App Launch 2, "Client Authentication: Asymmetric"; RFC 6749 2.3.1. The key or
the secret is read from its file each time, so that a changed one is used without a restart.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import quote_plus
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from cds.backend.failure import BackendFailed


SECONDS = 240  # SMART allows five minutes; one is left for a clock of theirs that is behind
_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Client(Protocol):
    """How this service is registered at an authorization server; as `Backend` and `Smart` are.

    `auth`: "private_key_jwt", with `key_file` and `algorithm`; "client_secret_basic", with
    `secret_file`; or "public", which proves nothing.
    """

    @property
    def auth(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def key_file(self) -> Path | None: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def secret_file(self) -> Path | None: ...


class Proof(NamedTuple):
    """What is added to the token request."""

    form: Mapping[str, str]
    headers: Mapping[str, str]


def proof(client: Client, endpoint: str, now: datetime) -> Proof:
    """For one request to `endpoint`; raises `BackendFailed` ("token-no-key")."""
    if client.auth == "public":  # RFC 6749 4.1.3: `client_id` is how it is told from others
        return Proof({"client_id": client.client_id}, {})
    if client.auth == "client_secret_basic":
        return Proof({}, {"Authorization": _basic(client)})
    claims: dict[str, str | int] = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": endpoint,
        "exp": int(now.timestamp()) + SECONDS,
        "jti": str(uuid4()),
    }
    return Proof({"client_assertion_type": _TYPE, "client_assertion": _signed(client, claims)}, {})


def _signed(client: Client, claims: Mapping[str, str | int]) -> str:
    algorithm = client.algorithm
    try:
        found = json.loads(_read(client.key_file))
        key = JWKRegistry.import_key(found)
        header = {"alg": algorithm, "kid": found["kid"], "typ": "JWT"}
        return jwt.encode(header, dict(claims), key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise BackendFailed("token-no-key") from None


def _basic(client: Client) -> str:
    try:
        secret = _read(client.secret_file).decode("ascii").strip()
    except UnicodeDecodeError:
        raise BackendFailed("token-no-key") from None
    pair = f"{quote_plus(client.client_id)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _read(file: Path | None) -> bytes:
    if file is None:
        raise BackendFailed("token-no-key")
    try:
        return file.read_bytes()
    except OSError:
        raise BackendFailed("token-no-key") from None
