"""The closed list of reasons why a token is refused; for metrics and logs, never for the caller."""

from typing import Literal

from cds.errors import Unauthorized


Kind = Literal[
    "no-token",  # no Authorization header, or an empty one
    "scheme",  # anything but one bearer token
    "too-long",
    "malformed",  # not three base64url parts, the first two strict JSON objects
    "header",  # `typ`, `kid` or `crit` not as CDS Hooks has them
    "algorithm",  # not one the issuer is registered with, or not the key's
    "key-source",  # the token names or carries keys that are not registered
    "issuer",
    "tenant",  # not registered, or not of exactly one site
    "key-unknown",
    "signature",
    "audience",
    "time",
    "subject",
    "jti",
    "replay",
]


def refusal(kind: Kind) -> Unauthorized:
    """The one error for every token that is not trusted."""
    return Unauthorized(kind)
