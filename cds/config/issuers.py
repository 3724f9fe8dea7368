"""Whether each token finds one site, and each issuer its keys."""

from collections.abc import Iterable, Iterator

from cds.config.model import Issuer, Site
from cds.config.pinned import pinned_problems


_Placed = tuple[str, str, Issuer]  # the path of its table, its site, the issuer


def issuer_problems(sites: Iterable[Site]) -> Iterator[str]:
    """What is wrong with the issuers of all sites together."""
    placed = [
        (f"sites.{site.id}.issuers[{place}]", site.id, issuer)
        for site in sites
        for place, issuer in enumerate(site.issuers)
    ]
    for at, _, issuer in placed:
        if (issuer.jwks_url is None) == (issuer.jwks_file is None):
            yield f"{at}: needs jwks_url or jwks_file, and one of them only"
        if issuer.jwks_file is not None:
            found = pinned_problems(issuer.jwks_file, issuer.algorithms)
            yield from (f"{at}.jwks_file: {problem}" for problem in found)
    yield from _ambiguous(placed)


def _ambiguous(placed: list[_Placed]) -> Iterator[str]:
    """Issuers of which the same token could mean two: the tenant has to tell them apart."""
    for index, (at, _, issuer) in enumerate(placed):
        for earlier, site, other in placed[:index]:
            if issuer.iss != other.iss or not issuer.iss:
                continue
            if not (issuer.tenants and other.tenants):
                yield f"{at}.tenants: {earlier} has the same iss, so both need tenants"
            elif shared := sorted(issuer.tenants & other.tenants):
                yield f"{at}.tenants: {', '.join(shared)} already belongs to site {site}"
