"""Whether a file of pinned keys is a JWK Set of public keys that can check a token (RFC 7517)."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth"}
_RSA_BITS = 2048  # RFC 7518, 3.3 and 3.5: this size or larger


def pinned_problems(path: Path, algorithms: Sequence[str]) -> list[str]:
    """Why the keys in `path` cannot be used; no key material is repeated."""
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        return [f"cannot be read: {error.strerror}"]
    except (ValueError, RecursionError):
        return ["is not JSON"]
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not keys:
        return ['is no JWK Set: an object with "keys" and at least one of them']
    problems = [
        f"keys[{place}] {why}"
        for place, key in enumerate(keys)
        for why in _problems(key, algorithms)
    ]
    named = Counter(str(key.get("kid")) for key in keys if isinstance(key, dict) and "kid" in key)
    return problems + [f"the kid {name} is there {n} times" for name, n in named.items() if n > 1]


def _problems(key: Any, algorithms: Sequence[str]) -> Iterator[str]:
    if not isinstance(key, dict):
        yield "is not an object"
        return
    if not isinstance(key.get("kid"), str) or not key["kid"]:
        yield "has no kid, so no token can name it"
    if key.get("kty") == "oct":
        yield "is a shared secret: only public keys belong here"
    elif _PRIVATE & key.keys():
        yield "is a private key: only public keys belong here, and this one is no longer secret"
    else:
        yield from _unusable(key, algorithms)


def _unusable(key: dict[str, Any], algorithms: Sequence[str]) -> Iterator[str]:
    # Imported where keys are checked: cryptography is a large import and `explain` needs none.
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jwk import ECKey, RSAKey  # noqa: PLC0415

    fitting = {"RSA": ("RS", "PS"), "EC": ("ES",)}.get(str(key.get("kty")))
    if fitting is None:
        yield "is neither an RSA nor an EC key"
        return
    try:
        if fitting == ("ES",):
            ECKey.import_key(key)
        elif RSAKey.import_key(key).public_key.key_size < _RSA_BITS:
            yield f"is an RSA key of fewer than {_RSA_BITS} bits"
    except (JoseError, ValueError, TypeError, AttributeError, KeyError):
        yield "is no key that can be read"
        return
    if not any(name.startswith(fitting) for name in algorithms):
        yield "fits none of the algorithms of this issuer"
