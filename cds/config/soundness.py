"""What is wrong between settings that are each well formed: who is reached, and who is trusted."""

from collections.abc import Iterator
from itertools import chain

from cds.config.events_soundness import event_problems
from cds.config.issuers import issuer_problems
from cds.config.model import Settings, Site
from cds.config.smart_soundness import launch_problems, smart_problems
from cds.config.urls import host, loopback, unprotected


def unsound(settings: Settings) -> list[str]:
    """What is wrong between settings that are each well formed; empty when nothing is."""
    return [
        *_default_site(settings),
        *(_loopback_only(settings) if settings.auth == "off" else _signed(settings)),
        *_without_tls(settings),
        *issuer_problems(settings.sites.values()),
        *chain.from_iterable(event_problems(site) for site in settings.sites.values()),
        *chain.from_iterable(smart_problems(site) for site in settings.sites.values()),
        *launch_problems(settings.sites.values()),
    ]


def reached(settings: Settings) -> dict[str, str]:
    """The hosts by the setting that names each: the address, the public URL, the FHIR bases."""
    hosts = {"bind": settings.host, "public_url": host(settings.public_url)}
    hosts |= {
        f"sites.{site.id}.fhir_base": host(site.fhir_base)
        for site in settings.sites.values()
        if site.fhir_base
    }
    return {name: found for name, found in hosts.items() if found}


def _default_site(settings: Settings) -> Iterator[str]:
    if settings.default_site:
        if settings.default_site not in settings.sites:
            yield f"default_site: no site is called {settings.default_site}"
    elif settings.auth == "off":
        yield 'default_site: is required and must be a string while auth = "off"'


def _loopback_only(settings: Settings) -> Iterator[str]:
    for name, found in reached(settings).items():
        if not loopback(found):
            yield f'{name}: auth = "off" is for loopback addresses only'


def _signed(settings: Settings) -> Iterator[str]:
    at_home = all(loopback(found) for found in reached(settings).values())
    for site in settings.sites.values():
        if not site.issuers:
            yield f'sites.{site.id}.issuers: auth = "jwt" needs at least one'
        if not at_home and _unapproved(site):
            yield (
                f'sites.{site.id}.approved_knowledge: mode = "live" needs the digest of the'
                ' knowledge that was approved; until then mode = "silent"'
            )


def _unapproved(site: Site) -> bool:
    return site.mode == "live" and site.approved_knowledge is None


def _without_tls(settings: Settings) -> Iterator[str]:
    urls = {"public_url": settings.public_url}
    for site in settings.sites.values():
        urls[f"sites.{site.id}.fhir_base"] = site.fhir_base or ""
        urls[f"sites.{site.id}.backend.token_url"] = (site.backend and site.backend.token_url) or ""
        urls[f"sites.{site.id}.events.url"] = (site.events and site.events.url) or ""
        for place, issuer in enumerate(site.issuers):
            urls[f"sites.{site.id}.issuers[{place}].jwks_url"] = issuer.jwks_url or ""
    for name, url in urls.items():
        if unprotected(url):
            yield f"{name}: must be https, unless the host is a loopback address"
