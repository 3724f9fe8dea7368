"""Whom a token is meant for: the exact address that was called, under the configured public URL."""

from collections.abc import Set
from typing import Any

from cds.trust.refusal import refusal


def endpoint_urls(public_url: str, service: str | None = None) -> frozenset[str]:
    """The `aud` of a call to `service`; to discovery when it is None.

    `public_url`: as configured; the address in the request itself is never used.
    """
    services = f"{public_url.rstrip('/')}/cds-services"
    if service is None:
        return frozenset({services})
    return frozenset({f"{services}/{service}"})


def feedback_urls(public_url: str, service: str) -> frozenset[str]:
    """The `aud` values of feedback on `service`.

    CDS Hooks 2.0.1 asks for the URL of the endpoint called and leaves open whether that is the
    service or its `/feedback`; clients send either.
    """
    called = endpoint_urls(public_url, service)
    return called | {f"{url}/feedback" for url in called}


def check_audience(claims: dict[str, Any], accepted: Set[str]) -> None:
    """`aud`, one text or several, names one of the accepted addresses, letter for letter."""
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not all(isinstance(name, str) for name in named) or accepted.isdisjoint(named):
        raise refusal("audience")
