"""Pinned keys: a JWK Set (RFC 7517) of public keys that fit the issuer's algorithms."""

from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OctKey, RSAKey

from tests.unit.cds.config.files import EC, RSA, SIGNED, pinned, read, refused


AT = "sites.north.issuers[0]"
PUBLIC: dict[str, Any] = dict(EC.as_dict(private=False))


def test_public_keys_beside_the_configuration_are_accepted(tmp_path: Path) -> None:
    text = pinned(tmp_path, {"keys": [PUBLIC, RSA.as_dict(private=False)]})
    (issuer,) = read(tmp_path, text).sites["north"].issuers
    assert issuer.jwks_file == tmp_path / "keys.json"
    assert issuer.jwks_url is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ([], 'is no JWK Set: an object with "keys" and at least one of them'),
        ({"keys": []}, 'is no JWK Set: an object with "keys" and at least one of them'),
        (PUBLIC, 'is no JWK Set: an object with "keys" and at least one of them'),
        ({"keys": [7]}, "keys[0] is not an object"),
        (
            {"keys": [PUBLIC, EC.as_dict(private=True) | {"kid": "2"}]},
            "keys[1] is a private key: only public keys belong here, and this one is no longer"
            " secret",
        ),
        (
            {"keys": [RSA.as_dict(private=True)]},
            "keys[0] is a private key: only public keys belong here, and this one is no longer"
            " secret",
        ),
        (
            {"keys": [OctKey.generate_key(256, {"kid": "s"}).as_dict(private=True)]},
            "keys[0] is a shared secret: only public keys belong here",
        ),
        (
            {"keys": [{**PUBLIC, "kid": ""}]},
            "keys[0] has no kid, so no token can name it",
        ),
        ({"keys": [PUBLIC, PUBLIC]}, "the kid ec-1 is there 2 times"),
        ({"keys": [{**PUBLIC, "x": "AAAA"}]}, "keys[0] is no key that can be read"),
        ({"keys": [{**PUBLIC, "crv": "P-1"}]}, "keys[0] is no key that can be read"),
        ({"keys": [{"kty": "EC", "kid": "1"}]}, "keys[0] is no key that can be read"),
        ({"keys": [{"kty": "OKP", "kid": "1"}]}, "keys[0] is neither an RSA nor an EC key"),
    ],
)
def test_a_file_that_is_no_set_of_public_keys_is_refused(
    tmp_path: Path, content: Any, problem: str
) -> None:
    assert refused(tmp_path, pinned(tmp_path, content)) == (f"{AT}.jwks_file: {problem}",)


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_short_rsa_key_is_refused(tmp_path: Path) -> None:
    """RFC 7518, 3.3: 2048 bits or more."""
    short = RSAKey.generate_key(1024, {"kid": "r"}).as_dict(private=False)
    found = refused(tmp_path, pinned(tmp_path, {"keys": [short]}))
    assert found == (f"{AT}.jwks_file: keys[0] is an RSA key of fewer than 2048 bits",)


def test_a_key_that_no_accepted_algorithm_uses_is_refused(tmp_path: Path) -> None:
    text = pinned(tmp_path, {"keys": [PUBLIC]}) + 'algorithms = ["RS384"]\n'
    found = refused(tmp_path, text)
    assert found == (f"{AT}.jwks_file: keys[0] fits none of the algorithms of this issuer",)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    text = pinned(tmp_path, {"keys": [PUBLIC]}).replace("keys.json", "absent.json")
    assert refused(tmp_path, text) == (
        f"{AT}.jwks_file: cannot be read: No such file or directory",
    )


def test_keys_come_from_one_place(tmp_path: Path) -> None:
    both = pinned(tmp_path, {"keys": [PUBLIC]}) + 'jwks_url = "https://ehr.example.org/keys"\n'
    neither = SIGNED.replace('jwks_url = "https://ehr.example.org/keys"', "")
    for text in (both, neither):
        found = refused(tmp_path, text)
        assert found == (f"{AT}: needs jwks_url or jwks_file, and one of them only",)
