"""Who is there: the id_token of a sign-in, checked before a word of it is believed.

OpenID Connect Core 3.1.3.7; SMART App Launch 2, "Scopes for requesting identity data". Only
signatures with a public key: neither `none` nor a shared secret, whatever the token says.
"""

import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from joserfc.errors import JoseError
from joserfc.jws import extract_compact, validate_compact
from joserfc.util import urlsafe_b64decode

from cds.config.urls import same_base
from cds.smart.oauth.refusal import LaunchRefused
from cds.trust.key_set import PublicKey
from cds.trust.strict_json import NotStrictJson, read_object
from cds.trust.token import LONGEST, rules_for


ALGORITHMS = ("RS256", "RS384", "ES256", "ES384")
LEEWAY = 60  # seconds
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)
_USER = re.compile(
    r"(?:(.+)/)?((?:Practitioner|PractitionerRole|Patient|RelatedPerson|Person)"
    r"/(?!\.+(?:/|\Z))[A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?"
)
_LONGEST_USER = 2048
_NOT_UNDERSTOOD = frozenset({"crit", "b64", "enc", "zip", "epk", "cty"})
_LATEST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
FindKey = Callable[[str | None, str], PublicKey]


class Expected(NamedTuple):
    """What an id_token must say of this sign-in. `base`: the FHIR base its user is of."""

    issuer: str
    client_id: str
    nonce: str
    base: str


def user_of(id_token: object, expected: Expected, find: FindKey, now: datetime) -> str:
    """The relative reference of the user; raises `LaunchRefused`.

    `find`: of `(kid, algorithm)`, the key; raises as well. The signature comes first.
    """
    if id_token is None or id_token == "":
        raise LaunchRefused("no-id-token")
    claims = _signed(id_token, find)
    _check_parties(claims, expected)
    _check_times(claims, now.timestamp())
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(
        nonce.encode(errors="replace"), expected.nonce.encode()
    ):
        raise LaunchRefused("id-token-nonce")
    return _user(claims, expected.base)


def _signed(id_token: object, find: FindKey) -> Mapping[str, Any]:
    """The claims, once the signature holds."""
    if not isinstance(id_token, str) or len(id_token) > LONGEST or not _COMPACT.fullmatch(id_token):
        raise LaunchRefused("id-token-malformed")
    header = _header(id_token)
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:  # before any key is looked for
        raise LaunchRefused("id-token-algorithm")
    if (kid is not None and not isinstance(kid, str)) or _NOT_UNDERSTOOD & header.keys():
        raise LaunchRefused("id-token-malformed")
    rules = rules_for((algorithm,))
    try:
        token = extract_compact(id_token.encode(), registry=rules)
        claims = read_object(token.payload)
    except (JoseError, NotStrictJson, ValueError):
        raise LaunchRefused("id-token-malformed") from None
    key = find(kid, algorithm)
    try:
        holds = validate_compact(token, key, registry=rules)
    except JoseError:
        holds = False
    if not holds:
        raise LaunchRefused("id-token-signature")
    return claims


def _header(id_token: str) -> Mapping[str, Any]:
    try:
        return read_object(urlsafe_b64decode(id_token.partition(".")[0].encode()))
    except (NotStrictJson, ValueError):  # binascii's error is a ValueError
        raise LaunchRefused("id-token-malformed") from None


def _check_parties(claims: Mapping[str, Any], expected: Expected) -> None:
    """Signed by the one who was asked, for this app, about somebody."""
    if claims.get("iss") != expected.issuer:
        raise LaunchRefused("id-token-issuer")
    audience = claims.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in listed:
        raise LaunchRefused("id-token-audience")
    party = claims.get("azp")
    if (len(listed) > 1 or party is not None) and party != expected.client_id:
        raise LaunchRefused("id-token-audience")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise LaunchRefused("id-token-malformed")


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    """Neither over nor of the future, by more than two clocks may differ."""
    expires, issued = _instant(claims.get("exp")), _instant(claims.get("iat"))
    not_before = _instant(claims["nbf"]) if "nbf" in claims else issued
    if now >= expires + LEEWAY or max(issued, not_before) > now + LEEWAY:
        raise LaunchRefused("id-token-time")


def _instant(value: object) -> float:
    """A NumericDate (RFC 7519 section 2): seconds since 1970, also with a fraction."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _LATEST:
        raise LaunchRefused("id-token-time")
    return value


def _user(claims: Mapping[str, Any], base: str) -> str:
    """`fhirUser`, or `profile` as SMART 1 had it. An absolute one must be of the site's base."""
    said = claims["fhirUser"] if "fhirUser" in claims else claims.get("profile")
    found = _USER.fullmatch(said) if isinstance(said, str) and len(said) <= _LONGEST_USER else None
    if found is None:
        raise LaunchRefused("no-user")
    if found[1] is not None and not same_base(found[1], base):
        raise LaunchRefused("user-elsewhere")
    return found[2]
