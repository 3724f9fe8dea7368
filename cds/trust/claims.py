"""The claims of a token whose signature holds: its time, its subject, and its single-use id."""

import math
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cds.config import Issuer
from cds.trust.refusal import refusal


MOST_LEEWAY = 60  # seconds
LONGEST_JTI = 256  # characters
_LATEST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


class Use(NamedTuple):
    """What makes a token single-use: its id, and until when it must be remembered."""

    jti: str
    until: datetime


def check_claims(claims: dict[str, Any], issuer: Issuer, now: datetime) -> Use:
    """The token is in its time, for an allowed subject, and has an id; raises `Unauthorized`."""
    expires = _check_times(claims, issuer, now.timestamp())
    subject = claims.get("sub")
    if issuer.subjects and not (isinstance(subject, str) and subject in issuer.subjects):
        raise refusal("subject")
    jti = claims.get("jti")
    # Printable: no NUL, no half of a surrogate pair, nothing a database would read differently.
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI or not jti.isprintable():
        raise refusal("jti")
    until = math.ceil(expires) + _leeway(issuer)
    return Use(jti, datetime.fromtimestamp(until, UTC))


def _check_times(claims: dict[str, Any], issuer: Issuer, now: float) -> float:
    """`exp`, after `iat`, `nbf` and the length of life have been found right."""
    leeway = _leeway(issuer)
    issued, expires = _instant(claims.get("iat")), _instant(claims.get("exp"))
    not_before = _instant(claims["nbf"]) if "nbf" in claims else issued
    if not 0 < expires - issued <= issuer.longest_seconds:
        raise refusal("time")
    if now >= expires + leeway or max(issued, not_before) > now + leeway:
        raise refusal("time")
    return expires


def _instant(value: object) -> float:
    """A NumericDate (RFC 7519 section 2): seconds since 1970, also with a fraction."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _LATEST:
        raise refusal("time")
    return value


def _leeway(issuer: Issuer) -> int:
    return max(0, min(issuer.leeway_seconds, MOST_LEEWAY))
