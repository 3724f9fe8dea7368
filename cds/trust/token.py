"""The bearer token of a call, taken apart and held to its form; nothing in it is trusted yet."""

import re
from typing import Any, NamedTuple

from joserfc.errors import JoseError
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact
from joserfc.util import urlsafe_b64decode

from cds.trust.refusal import refusal
from cds.trust.strict_json import NotStrictJson, read_object


LONGEST = 8192  # characters of the Authorization header; real ones have about a thousand
_BEARER = re.compile(r"bearer +(\S.*)", re.ASCII | re.IGNORECASE)
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
ALGORITHMS = frozenset(
    {"ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
)
_KEYS_IN_TOKEN = frozenset({"jwk", "x5u", "x5c"})
# `crit` and `b64`: extensions this service has none of. The others: encryption or nested tokens.
_NOT_UNDERSTOOD = frozenset({"crit", "b64", "enc", "zip", "epk", "cty"})


class Token(NamedTuple):
    """One JWT as it came. `signed`: joserfc's view of it, for the check of the signature."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: CompactSignature


def rules_for(algorithms: tuple[str, ...]) -> JWSRegistry:
    """What joserfc accepts; header members it does not know are ignored (RFC 7515 section 4)."""
    rules = JWSRegistry(algorithms=algorithms, strict_check_header=False)
    rules.max_header_length = rules.max_payload_length = LONGEST
    return rules


def read_token(authorization: str | None) -> Token:
    """The token in the value of an Authorization header; raises `Unauthorized`.

    Its header has `typ`, `alg` and `kid` and nothing this service does not understand (CDS Hooks
    2.0.1, "Trusting CDS Clients"). Bytes have one spelling in base64url: joserfc refuses padding
    and stray bits in the last character.
    """
    text = _bearer(authorization)
    try:
        header = read_object(urlsafe_b64decode(text.partition(".")[0].encode()))
        _check(header)
        signed = extract_compact(text.encode(), registry=rules_for((header["alg"],)))
        return Token(header, read_object(signed.payload), signed)
    except (JoseError, NotStrictJson, ValueError):  # binascii's error is a ValueError
        raise refusal("malformed") from None


def _bearer(authorization: str | None) -> str:
    if not authorization:
        raise refusal("no-token")
    if len(authorization) > LONGEST:
        raise refusal("too-long")
    bearer = _BEARER.fullmatch(authorization)
    if bearer is None:
        raise refusal("scheme")
    if _COMPACT.fullmatch(bearer[1]) is None:
        raise refusal("malformed")
    return bearer[1]


def _check(header: dict[str, Any]) -> None:
    if _KEYS_IN_TOKEN & header.keys():
        raise refusal("key-source")
    kid = header.get("kid")
    if header.get("typ") != "JWT" or not isinstance(kid, str) or not kid:
        raise refusal("header")
    if _NOT_UNDERSTOOD & header.keys():
        raise refusal("header")
    # Before any configuration is looked at: neither `none` nor a shared secret, ever.
    if not isinstance(header.get("alg"), str) or header["alg"] not in ALGORITHMS:
        raise refusal("algorithm")
