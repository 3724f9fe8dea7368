"""Tokens nobody may be let in with: each is a genuine one with one thing wrong.

`kinds` of a case: what may be counted as the reason.
"""

from tests.conformance.forged import (
    algorithms,
    claims,
    form,
    headers,
    key_sources,
    signatures,
)
from tests.conformance.forged.model import Forged


__all__ = ["Forged", "forged"]


def forged(canary: str) -> list[Forged]:
    """All of them, by the same names whatever the address of the canary nobody may connect to."""
    return [
        *form.all_of(),
        *algorithms.all_of(),
        *headers.all_of(canary),
        *key_sources.all_of(canary),
        *claims.all_of(canary),
        *signatures.all_of(),
    ]
