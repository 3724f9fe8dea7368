"""Which keys of a JWK Set may check a signature (RFC 7517, RFC 8725)."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from joserfc.jwk import OctKey, OKPKey

from cds.trust.key_set import UnfitKeySet, read_key_set
from tests.conformance.tokens import b64, changed, ec, encoded, rsa


EC, RSA = ec("ec"), rsa("rsa")
GOOD = EC.public()


def _weak(bits: int) -> dict[str, Any]:
    numbers = generate_private_key(65537, bits).public_key().public_numbers()
    return {"kty": "RSA", "kid": "bad", "e": "AQAB", "n": b64(numbers.n.to_bytes(bits // 8))}


BAD: dict[str, Any] = {
    "symmetric": {**OctKey.generate_key(256).as_dict(private=True), "kid": "bad"},
    "symmetric under another name": {**GOOD, "kid": "bad", "k": "c2VjcmV0"},
    "private EC": {**EC.key.as_dict(private=True), "kid": "bad"},
    "private RSA": {**RSA.key.as_dict(private=True), "kid": "bad"},
    "RSA with one prime": {**RSA.public(), "kid": "bad", "p": "AQAB"},
    "RSA of 1024 bits": _weak(1024),
    "RSA of 2040 bits": _weak(2040),
    "RSA of 16384 bits": {"kty": "RSA", "kid": "bad", "e": "AQAB", "n": b64(b"\xff" * 2048)},
    "RSA with exponent 1": {**RSA.public(), "kid": "bad", "e": "AQ"},
    "RSA with an even exponent": {**RSA.public(), "kid": "bad", "e": "Ag"},
    "RSA without a modulus": changed(RSA.public(), {"kid": "bad", "n": ""}),
    "RSA with a number for modulus": {**RSA.public(), "kid": "bad", "n": 65537},
    "RSA with padded base64": {**RSA.public(), "kid": "bad", "n": RSA.public()["n"] + "=="},
    "EC off its curve": {**GOOD, "kid": "bad", "y": b64(b"\x01" * 48)},
    "EC on another curve": {**GOOD, "kid": "bad", "crv": "P-256"},
    "secp256k1": {**ec("x", "ES256").public(), "kid": "bad", "crv": "secp256k1"},
    "EC without y": {"kty": "EC", "kid": "bad", "crv": "P-384", "x": GOOD["x"]},
    "EC with curve null": {**GOOD, "kid": "bad", "crv": None},
    "Ed25519": {**OKPKey.generate_key("Ed25519").as_dict(private=False), "kid": "bad"},
    "post-quantum": {"kty": "AKP", "alg": "ML-DSA-65", "kid": "bad", "pub": "AAAA"},
    "for encryption": {**GOOD, "kid": "bad", "use": "enc"},
    "for signing, not verifying": {**GOOD, "kid": "bad", "key_ops": ["sign"]},
    "operations that are a number": {**GOOD, "kid": "bad", "key_ops": 1},
    "use null": {**GOOD, "kid": "bad", "use": None},
    "without kty": {"kid": "bad", "x": GOOD["x"]},
    "kty a list": {**GOOD, "kid": "bad", "kty": ["EC"]},
    "kid empty": {**GOOD, "kid": ""},
    "kid a number": {**GOOD, "kid": 1},
    "kid missing": {name: value for name, value in GOOD.items() if name != "kid"},
    "a text": "bad",
    "null": None,
    "a list": [GOOD],
}


@pytest.mark.parametrize("what", BAD)
def test_an_unfit_key_is_not_used_and_does_not_take_the_others_with_it(what: str) -> None:
    found = read_key_set(encoded({"keys": [BAD[what], GOOD]}))
    assert set(found.keys) == {"ec"}
    (refused,) = found.refused
    assert refused.startswith("keys[0]: ")
    with pytest.raises(UnfitKeySet):
        read_key_set(encoded({"keys": [BAD[what]]}))


def test_rsa_and_ec_keys_with_the_members_vendors_add_are_used() -> None:
    extra = {"x5c": [base64.b64encode(b"x").decode()], "x5t": "eA", "x5u": "http://127.0.0.1:9/"}
    keys = [{**EC.public(), **extra, "alg": "ES384"}, {**RSA.public(), "key_ops": ["verify"]}]
    found = read_key_set(encoded({"keys": keys, "x-vendor": True}))
    assert set(found.keys) == {"ec", "rsa"}
    assert found.refused == ()
    assert not any(key.is_private for key in found.keys.values())
    assert "x5u" not in found.keys["ec"].dict_value


def test_keys_that_share_a_kid_are_all_refused() -> None:
    one, two = {**ec("x").public(), "kid": "same"}, {**RSA.public(), "kid": "same"}
    found = read_key_set(encoded({"keys": [one, GOOD, two]}))
    assert set(found.keys) == {"ec"}
    assert found.refused == ("keys[0]: its kid is not unique", "keys[2]: its kid is not unique")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"keys":null}',
        b'{"keys":{}}',
        b'{"keys":[]}',
        b'{"keys":[],"keys":[]}',
        b"\xff",
        b"<html></html>",
        b'{"keys":' + b"[" * 100_000,
        encoded({"keys": [GOOD]})[:-1],
        encoded({"keys": [{**GOOD, "kid": str(number)} for number in range(101)]}),
        encoded(GOOD),
    ],
    ids=lambda document: repr(document[:24]),
)
def test_what_is_not_a_jwk_set_is_refused(document: bytes) -> None:
    with pytest.raises(UnfitKeySet):
        read_key_set(document)
