"""One case, and the keys and clients the cases are made from."""

from typing import Any, NamedTuple

from tests.conformance.tokens import EPIC, SANDBOX, ec, rsa


STRANGER_EC = ec(SANDBOX.signer.kid)
STRANGER_RSA = rsa(EPIC.signer.kid)
TWO = {"rsa": EPIC, "ec": SANDBOX}
STRANGERS = {"rsa": STRANGER_RSA, "ec": STRANGER_EC}
NOT_TEXT: dict[str, Any] = {
    "null": None,
    "zero": 0,
    "one": 1,
    "a fraction": 1.5,
    "true": True,
    "an empty list": [],
    "an object": {"value": "x"},
}


class Forged(NamedTuple):
    """`what` is wrong with the value of the Authorization header; None: there is none."""

    what: str
    authorization: str | None
    kinds: frozenset[str]


def bearer(what: str, token: str, *kinds: str) -> Forged:
    """A case whose header is `Bearer` and `token`."""
    return Forged(what, f"Bearer {token}", frozenset(kinds))
