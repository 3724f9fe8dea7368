"""Whether a site that hears of events can read its server, and both prove who they are."""

from collections.abc import Iterator

from cds.config.model import Backend, Site
from cds.config.private_key import private_problems
from cds.config.secret_file import secret_problems
from cds.config.urls import host, loopback


LEAST_SECRET = 32  # characters


def event_problems(site: Site) -> Iterator[str]:
    """What is wrong with `backend` and `events` of one site."""
    at = f"sites.{site.id}"
    if site.backend is not None:
        yield from _backend(site.backend, site, f"{at}.backend")
    if site.events is None:
        return
    yield from secret_problems(site.events.secret_file, f"{at}.events.secret_file", LEAST_SECRET)
    if site.backend is None:
        yield f"{at}.events: needs {at}.backend, because a notification is only a reason to read"


def _backend(backend: Backend, site: Site, at: str) -> Iterator[str]:
    if site.fhir_base is None:
        yield f"{at}: needs the fhir_base that is read"
    if backend.auth == "none":
        if not loopback(host(site.fhir_base or "")):
            yield f"{at}.auth: none is for a FHIR base on the loopback address only"
        return
    if not backend.client_id:
        yield f"{at}.client_id: is required"
    if backend.auth == "private_key_jwt":
        if backend.key_file is None:
            yield f"{at}.key_file: is required for private_key_jwt"
        else:
            found = private_problems(backend.key_file, backend.algorithm)
            yield from (f"{at}.key_file: {problem}" for problem in found)
    elif backend.secret_file is None:
        yield f"{at}.secret_file: is required for client_secret_basic"
    else:
        yield from secret_problems(backend.secret_file, f"{at}.secret_file", 1)
