"""How the service proves itself to a token endpoint: a signed assertion, or its secret.

RFC 7523 and SMART App Launch 2, "Client Authentication: Asymmetric"; RFC 6749 2.3.1. The key or
the secret is read from its file each time, so that a changed one is used without a restart.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote_plus
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from cds.backend.failure import BackendFailed
from cds.config import Backend


SECONDS = 240  # SMART allows five minutes; one is left for a clock of theirs that is behind
_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Proof(NamedTuple):
    """What is added to the token request."""

    form: Mapping[str, str]
    headers: Mapping[str, str]


def proof(backend: Backend, endpoint: str, now: datetime) -> Proof:
    """For one request to `endpoint`; raises `BackendFailed` ("token-no-key")."""
    if backend.auth == "client_secret_basic":
        return Proof({}, {"Authorization": _basic(backend)})
    claims: dict[str, str | int] = {
        "iss": backend.client_id,
        "sub": backend.client_id,
        "aud": endpoint,
        "exp": int(now.timestamp()) + SECONDS,
        "jti": str(uuid4()),
    }
    return Proof({"client_assertion_type": _TYPE, "client_assertion": _signed(backend, claims)}, {})


def _signed(backend: Backend, claims: Mapping[str, str | int]) -> str:
    algorithm = backend.algorithm
    try:
        found = json.loads(_read(backend.key_file))
        key = JWKRegistry.import_key(found)
        header = {"alg": algorithm, "kid": found["kid"], "typ": "JWT"}
        return jwt.encode(header, dict(claims), key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise BackendFailed("token-no-key") from None


def _basic(backend: Backend) -> str:
    try:
        secret = _read(backend.secret_file).decode("ascii").strip()
    except UnicodeDecodeError:
        raise BackendFailed("token-no-key") from None
    pair = f"{quote_plus(backend.client_id)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _read(file: Path | None) -> bytes:
    if file is None:
        raise BackendFailed("token-no-key")
    try:
        return file.read_bytes()
    except OSError:
        raise BackendFailed("token-no-key") from None
