"""A JWK Set (RFC 7517) as it was published, and the keys in it that may check a signature."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int
from msgspec import Struct

from cds.trust.strict_json import NotStrictJson, read_object


PublicKey = RSAKey | ECKey
SMALLEST_RSA, LARGEST_RSA = 2048, 8192  # bits
MOST_KEYS = 100
_CURVES = frozenset({"P-256", "P-384", "P-521"})
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})
_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}
_COMMON = ("kty", "kid", "use", "alg", "key_ops")


class UnfitKeySet(ValueError):
    """Not a JWK Set, or one without a single key that may be used; the message says which."""


class KeySet(Struct, frozen=True, kw_only=True):
    """The usable keys by `kid`, and one line for each that is not used: its place and why."""

    keys: Mapping[str, PublicKey]
    refused: tuple[str, ...] = ()


class _Unused(Exception):
    """This key is not used; the message says why, without its content."""


def read_key_set(document: bytes) -> KeySet:
    """The keys of a JWK Set; raises `UnfitKeySet`.

    One bad key does not take the others with it, nor is it ever used: symmetric and private keys,
    weak ones, those meant for something else. Keys that share a `kid` are all refused.
    """
    try:
        listed = read_object(document).get("keys")
    except NotStrictJson:
        raise UnfitKeySet("not a JSON object") from None
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise UnfitKeySet(f"`keys` is not a list of at most {MOST_KEYS}")
    kids = Counter(jwk["kid"] for jwk in listed if isinstance(jwk, dict) and _has_kid(jwk))
    keys, refused = {}, []
    for number, jwk in enumerate(listed):
        try:
            key = _public_key(jwk)
            if kids[jwk["kid"]] > 1:
                raise _Unused("its kid is not unique")
            keys[jwk["kid"]] = key
        except _Unused as reason:
            refused.append(f"keys[{number}]: {reason}")
    if not keys:
        raise UnfitKeySet("; ".join(refused) or "it has no keys")
    return KeySet(keys=keys, refused=tuple(refused))


def _public_key(jwk: Any) -> PublicKey:
    if not isinstance(jwk, dict):
        raise _Unused("not an object")
    kty = jwk.get("kty")
    if kty == "oct" or "k" in jwk:
        raise _Unused("a symmetric key")
    if _PRIVATE & jwk.keys():
        raise _Unused("a private key")
    if not isinstance(kty, str) or kty not in _MEMBERS:
        raise _Unused("not an RSA or EC key")
    if not _has_kid(jwk):
        raise _Unused("it has no kid")
    operations = jwk.get("key_ops", ["verify"])
    if (
        jwk.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
    ):
        raise _Unused("not for signatures")
    # What else a key says about itself, such as certificates, is not read.
    plain = {name: jwk[name] for name in (*_COMMON, *_MEMBERS[kty]) if name in jwk}
    try:
        return _rsa(plain) if kty == "RSA" else _ec(plain)
    except (JoseError, ValueError, TypeError, AttributeError):
        raise _Unused("it cannot be read") from None


def _rsa(jwk: dict[str, Any]) -> RSAKey:
    if not SMALLEST_RSA <= base64_to_int(jwk.get("n", "")).bit_length() <= LARGEST_RSA:
        raise _Unused(f"an RSA key is {SMALLEST_RSA} to {LARGEST_RSA} bits long")
    return RSAKey.import_key(jwk)


def _ec(jwk: dict[str, Any]) -> ECKey:
    if jwk.get("crv") not in _CURVES:
        raise _Unused("another curve")
    return ECKey.import_key(jwk)


def _has_kid(jwk: dict[str, Any]) -> bool:
    return isinstance(jwk.get("kid"), str) and bool(jwk["kid"])
