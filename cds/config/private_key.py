"""Whether a file is a private key that can sign a client assertion (RFC 7523, RFC 7517)."""

import json
from collections.abc import Iterator
from pathlib import Path


def private_problems(path: Path, algorithm: str) -> Iterator[str]:
    """Why the key in `path` cannot be used; no key material is repeated."""
    # Imported where a key is checked: cryptography is a large import and `explain` needs none.
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jwk import ECKey, RSAKey  # noqa: PLC0415

    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        yield f"cannot be read: {error.strerror}"
        return
    except (ValueError, RecursionError):
        yield "is not JSON"
        return
    if not isinstance(found, dict) or not isinstance(found.get("kid"), str) or not found["kid"]:
        yield "must be one JWK with a kid"
        return
    kind = ECKey if algorithm.startswith("ES") else RSAKey
    try:
        key = kind.import_key(found)
    except (JoseError, ValueError, TypeError, AttributeError, KeyError):
        yield f"is no key for {algorithm}"
        return
    if not key.is_private:
        yield "is a public key: the private one signs"
