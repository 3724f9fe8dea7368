"""What a launch holds, encrypted so that only the browser's secret opens it; knows no store.

A JSON Web Encryption (RFC 7516), `dir` with A256GCM. The key is made from the secret, the id of the
launch and the kind of what is inside (HMAC-SHA-256 as in NIST SP 800-108): what is moved to another
row, or taken for something else, does not open.
"""

import hmac
import secrets
from hashlib import sha256
from typing import TypeVar

import msgspec
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from msgspec import Struct


Inside = TypeVar("Inside", bound=Struct)

_LABEL = b"btce-cds bedside launch 1"
_HEADER = {"alg": "dir", "enc": "A256GCM"}
_ALGORITHMS = ["dir", "A256GCM"]


def new_secret() -> str:
    """256 random bits, as 64 hexadecimal digits."""
    return secrets.token_hex(32)


def digest(secret: str) -> str:
    """What the store knows of a secret: its SHA-256, hexadecimal."""
    return sha256(secret.encode()).hexdigest()


def fits(secret: str, expected: str) -> bool:
    """Whether this secret has this digest; in constant time."""
    return hmac.compare_digest(digest(secret), expected)


def seal(value: Struct, secret: str, launch: str) -> bytes:
    """The value as bytes that only `unseal` with the same secret and launch reads."""
    key = _key(secret, launch, type(value))
    return jwe.encrypt_compact(_HEADER, msgspec.json.encode(value), key, _ALGORITHMS).encode()


def unseal(sealed: bytes, secret: str, launch: str, inside: type[Inside]) -> Inside | None:
    """What was sealed; None for another secret, launch or type, and for changed bytes."""
    try:
        opened = jwe.decrypt_compact(sealed, _key(secret, launch, inside), _ALGORITHMS)
        return msgspec.json.decode(opened.plaintext or b"", type=inside)
    except (JoseError, ValueError):  # what msgspec cannot decode is a ValueError too
        return None


def _key(secret: str, launch: str, inside: type[Struct]) -> OctKey:
    about = b"\0".join((_LABEL, launch.encode(), inside.__name__.encode()))
    return OctKey.import_key(hmac.digest(secret.encode(), about, "sha256"))
