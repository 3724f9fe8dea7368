"""Which site a request is answered for: the one its token proves, or the default on loopback."""

from flask import g, request

from cds.config import Settings, Site
from cds.deployment import Deployment
from cds.errors import NotAllowed, Unauthorized
from cds.trust import verify


def site_of(deployment: Deployment, endpoint_urls: frozenset[str]) -> Site:
    """The caller's site; `endpoint_urls`: `aud` values of the endpoint. Raises `Unauthorized`."""
    settings = deployment.settings
    if settings.auth == "off":
        return settings.site
    try:
        caller = verify(
            request.headers.get("Authorization"),
            endpoint_urls=endpoint_urls,
            issuers={site.id: site.issuers for site in settings.sites.values()},
            keys=deployment.keys,
            first_use=deployment.first_use,
            now=deployment.clock(),
        )
    except Unauthorized as error:
        deployment.metrics.token_refused(error.kind)
        g.seen = {**g.get("seen", {}), "refusal": error.kind}
        raise
    return settings.sites[caller.site]


def is_signed() -> bool:
    """Whether the request brings a token."""
    return "Authorization" in request.headers


def refuse_forwarded(settings: Settings) -> None:
    """Without authentication the caller must be on this machine, not behind a proxy."""
    if settings.auth != "off":
        return
    names = request.environ
    if "HTTP_FORWARDED" in names or any(name.startswith("HTTP_X_FORWARDED_") for name in names):
        raise NotAllowed('forwarded requests are refused while auth = "off"')
