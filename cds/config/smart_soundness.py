"""Whether the bedside app of a site can be launched: what it proves itself with, whom it frames."""

from collections.abc import Iterable, Iterator

from cds.config.model import Site
from cds.config.private_key import private_problems
from cds.config.secret_file import secret_problems
from cds.config.urls import same_base, unprotected


def smart_problems(site: Site) -> Iterator[str]:
    """What is wrong with `smart` of one site."""
    smart, at = site.smart, f"sites.{site.id}.smart"
    if smart is None:
        return
    if site.fhir_base is None:
        yield f"{at}: needs the fhir_base it is launched from"
    if smart.auth == "private_key_jwt":
        if smart.key_file is None:
            yield f"{at}.key_file: is required for private_key_jwt"
        else:
            found = private_problems(smart.key_file, smart.algorithm)
            yield from (f"{at}.key_file: {problem}" for problem in found)
    elif smart.auth == "client_secret_basic":
        if smart.secret_file is None:
            yield f"{at}.secret_file: is required for client_secret_basic"
        yield from secret_problems(smart.secret_file, f"{at}.secret_file", 1)
    for origin in sorted(smart.ehr_origins):
        if unprotected(origin):
            yield f"{at}.ehr_origins: must be https, unless the host is a loopback address"


def launch_problems(sites: Iterable[Site]) -> Iterator[str]:
    """Sites that a launch could not tell apart: it names nothing but the FHIR base."""
    offered = [site for site in sites if site.smart is not None and site.fhir_base is not None]
    for place, site in enumerate(offered):
        for other in offered[:place]:
            if same_base(site.fhir_base or "", other.fhir_base or ""):
                yield f"sites.{site.id}.smart: sites.{other.id} has the same fhir_base"
