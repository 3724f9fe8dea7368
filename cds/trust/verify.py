"""The check of a client's token, in the order of CDS Hooks 2.0.1, "Trusting CDS Clients".

Form, then issuer, then signature, then claims, and only then is the token's id remembered: a
forged token can neither cause a request to an address it names nor use up a genuine one's id.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from joserfc.errors import JoseError
from joserfc.jws import validate_compact
from msgspec import Struct

from cds.config import Issuer
from cds.trust.audience import check_audience
from cds.trust.claims import check_claims
from cds.trust.keys import Keys
from cds.trust.refusal import refusal
from cds.trust.token import Token, read_token, rules_for


class Caller(Struct, frozen=True, kw_only=True):
    """A client whose token was accepted, and the one site it speaks for."""

    site: str
    iss: str
    tenant: str | None
    jti: str


def verify(
    authorization_header: str | None,
    *,
    endpoint_urls: frozenset[str],
    issuers: Mapping[str, tuple[Issuer, ...]],
    keys: Keys,
    first_use: Callable[[str, str, datetime, datetime], bool],
    now: datetime,
) -> Caller:
    """Who is calling; raises `Unauthorized`, the same for every reason.

    `endpoint_urls`: `aud` values of the endpoint called. `issuers`: by site id. `first_use`: of
    `(iss, jti, until, now)`, whether this id is new; remembers it, for all processes at once.
    """
    token = read_token(authorization_header)
    site, issuer = _registered(token.claims, issuers)
    _check_source(token.header, issuer)
    _check_signature(token, issuer, keys)
    check_audience(token.claims, endpoint_urls | issuer.audience)
    use = check_claims(token.claims, issuer, now)
    if not first_use(issuer.iss, use.jti, use.until, now):
        raise refusal("replay")
    return Caller(site=site, iss=issuer.iss, tenant=token.claims.get("tenant"), jti=use.jti)


def _registered(
    claims: dict[str, Any], issuers: Mapping[str, tuple[Issuer, ...]]
) -> tuple[str, Issuer]:
    """The one site and issuer that `iss` and `tenant` belong to."""
    iss, tenant = claims.get("iss"), claims.get("tenant")
    known = [(site, one) for site, listed in issuers.items() for one in listed if one.iss == iss]
    if not known:
        raise refusal("issuer")
    if "tenant" in claims and not isinstance(tenant, str):
        raise refusal("tenant")
    shared = len({site for site, _ in known}) > 1
    fitting = [(site, one) for site, one in known if _takes(one, tenant, shared=shared)]
    if len(fitting) != 1:
        raise refusal("tenant")
    return fitting[0]


def _takes(issuer: Issuer, tenant: str | None, *, shared: bool) -> bool:
    """Whether this entry answers for `tenant`. `shared`: another site has the same `iss`."""
    if issuer.tenants:
        return tenant in issuer.tenants
    return tenant is None or not shared


def _check_source(header: dict[str, Any], issuer: Issuer) -> None:
    """Algorithm and `jku` are registered ones. A `jku` is compared, never followed."""
    if header["alg"] not in issuer.algorithms:
        raise refusal("algorithm")
    if "jku" in header:
        known = issuer.jku | {issuer.jwks_url} if issuer.jwks_url else issuer.jku
        if not isinstance(header["jku"], str) or header["jku"] not in known:
            raise refusal("key-source")


def _check_signature(token: Token, issuer: Issuer, keys: Keys) -> None:
    key = keys.find(issuer, token.header["kid"])
    if key is None:
        raise refusal("key-unknown")
    try:
        # Also binds the algorithm to the key's type, curve, `alg`, `use` and `key_ops`.
        holds = validate_compact(token.signed, key, registry=rules_for(issuer.algorithms))
    except JoseError:
        raise refusal("algorithm") from None
    if not holds:
        raise refusal("signature")
