"""The keys an authorization server signs its id_tokens with, read from its `jwks_uri`.

Kept for ten minutes; read once more when a token names a key that is not among them. They are
reached only after that server itself has handed out the token.
"""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from joserfc.jwk import RSAKey
from msgspec import Struct

from cds.backend.exchange import Exchange, Request
from cds.backend.failure import BackendFailed
from cds.smart.oauth.refusal import LaunchRefused
from cds.trust.key_set import PublicKey, UnfitKeySet, read_key_set
from cds.trust.strict_json import NotStrictJson, read_object


FRESH_SECONDS = 600.0
_CURVES: Mapping[str, str] = {"ES256": "P-256", "ES384": "P-384"}


class SigningKey(Struct, frozen=True):
    """One key and the name it was published under; None: under none."""

    kid: str | None
    key: PublicKey


class SigningKeys:
    """By address. Safe to share between threads; each process has its own."""

    def __init__(self, *, monotonic: Callable[[], float], exchange: Exchange) -> None:
        self._monotonic = monotonic
        self._exchange = exchange
        self._lock = threading.Lock()
        self._held: dict[str, tuple[float, tuple[SigningKey, ...]]] = {}

    def find(self, uri: str, kid: str | None, algorithm: str, *, seconds: float) -> PublicKey:
        """The one key that fits; raises `LaunchRefused` ("id-token-keys", "id-token-key").

        `kid` None: the token names none, which will do where a single key fits its algorithm.
        `seconds`: for one reading of the keys.
        """
        with self._lock:
            read_at, keys = self._held.get(uri, (None, ()))
        if read_at is not None and self._monotonic() - read_at < FRESH_SECONDS:
            found = _fitting(keys, kid, algorithm)
            if found is not None:
                return found
        keys = self._read(uri, seconds)
        found = _fitting(keys, kid, algorithm)
        if found is None:
            raise LaunchRefused("id-token-key")
        return found

    def _read(self, uri: str, seconds: float) -> tuple[SigningKey, ...]:
        try:
            reply = self._exchange(Request(uri), seconds)
        except BackendFailed:
            raise LaunchRefused("id-token-keys") from None
        if reply.status != 200:
            raise LaunchRefused("id-token-keys")
        keys = read_keys(reply.body)
        with self._lock:
            self._held[uri] = (self._monotonic(), keys)
        return keys


def read_keys(document: bytes) -> tuple[SigningKey, ...]:
    """The usable public keys of a JWK Set, those without `kid` too; raises `LaunchRefused`."""
    try:
        listed = read_object(document).get("keys")
        if not isinstance(listed, list):
            raise LaunchRefused("id-token-keys")
        # Under names of ours, so that a key without one is held to the same rules.
        numbered = [_renamed(one, str(number)) for number, one in enumerate(listed)]
        usable = read_key_set(json.dumps({"keys": numbered}).encode()).keys
    except (NotStrictJson, UnfitKeySet, RecursionError):
        raise LaunchRefused("id-token-keys") from None
    names = [one.get("kid") if isinstance(one, dict) else None for one in listed]
    return tuple(
        SigningKey(name if isinstance(name, str) else None, usable[str(number)])
        for number, name in enumerate(names)
        if str(number) in usable
    )


def _renamed(jwk: Any, kid: str) -> Any:
    return {**jwk, "kid": kid} if isinstance(jwk, dict) else jwk


def _fitting(keys: tuple[SigningKey, ...], kid: str | None, algorithm: str) -> PublicKey | None:
    fitting = [one.key for one in keys if kid in (None, one.kid) and _may_sign(one.key, algorithm)]
    return fitting[0] if len(fitting) == 1 else None


def _may_sign(key: PublicKey, algorithm: str) -> bool:
    if key.get("alg", algorithm) != algorithm:
        return False
    if isinstance(key, RSAKey):
        return algorithm.startswith("RS")
    return key.curve_name == _CURVES.get(algorithm)
