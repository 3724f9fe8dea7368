"""The deployments behind the demo: one site per protocol, one for pages that play an EHR, and what
they share. Put together here, served elsewhere.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct, structs

from cds.app import create_app
from cds.clock import Clock
from cds.config import SMART_SCOPE, Settings, Site, Smart
from cds.demo.bench import PROTOCOLS, launch_url
from cds.demo.listening import Secrets, hearing, make_secrets
from cds.demo.settable import SettableClock
from cds.store import Spool, Store, open_store
from cds.store.migrations import migrate
from fhir_mapping.codes import CodeSets, load_codes
from knowledge.library import Library
from knowledge.library import load as load_library


if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HOST = "127.0.0.1"
AT_ROOT = "us-label"
FHIR_PATH = "/fhir"  # asks for a token, as a hospital's would
OPEN_PATH = "/open/fhir"  # the same data for the demo's own pages, without one
ISSUER_PATH = "/oauth2"
# A site whose FHIR base is the open door: for a page that plays an EHR and brings no token.
PUBLIC = "public"
ROOT_PATHS = ("/cds-services", "/livez", "/readyz", "/metrics", "/about")
ZONES: Mapping[str, ZoneInfo] = MappingProxyType(
    {
        "us-label": ZoneInfo("America/New_York"),
        "community-sop": ZoneInfo("America/Chicago"),
        "nhs-waht": ZoneInfo("Europe/London"),
    }
)


class Parts(Struct, frozen=True, kw_only=True):
    """What the demo is made of, loaded once. `clock`: as the services see it.

    `base`: the address of the demo. `url`: of the store that all services share. `spool`: the
    folder of what the store does not take.
    """

    base: str
    clock: SettableClock
    real: Clock
    library: Library
    codes: CodeSets
    store: Store
    url: str
    spool: Path
    secrets: Secrets
    settings: Mapping[str, Settings]


def settings_for(protocol: str, base: str) -> Settings:
    """The deployment of one protocol: a single site, whose FHIR server is the one of the demo."""
    site = Site(
        id=f"demo-{protocol}",
        fhir_base=f"{base}{FHIR_PATH}",
        protocol=protocol,
        zone=ZONES[protocol],
        smart_url=launch_url(base, protocol),
        smart=Smart(
            client_id=f"bedside-{protocol}",
            scope=f"{SMART_SCOPE} user/*.rs",  # the worklist reads more than one patient
            ehr_origins=frozenset({base, base.replace(HOST, "localhost")}),
        ),
    )
    return _deployment(site, f"{base}/{protocol}")


def public_settings(base: str) -> Settings:
    """The deployment for clients that bring no token: hooks alone, nothing between the calls."""
    site = Site(
        id=f"demo-{PUBLIC}",
        fhir_base=f"{base}{OPEN_PATH}",
        protocol=AT_ROOT,
        zone=ZONES[AT_ROOT],
    )
    return _deployment(site, f"{base}/{PUBLIC}")


def _deployment(site: Site, public_url: str) -> Settings:
    return Settings(
        host=HOST,
        port=0,
        public_url=public_url,
        auth="off",
        default_site=site.id,
        sites={site.id: site},
    )


def make_parts(clock: Clock, state: Path, base: str) -> Parts:
    """Load and open everything. `state`: the folder of what the services keep."""
    url = f"sqlite:///{state / 'store.db'}"
    migrate(url)
    kept = make_secrets(state)
    settings = {}
    for protocol in PROTOCOLS:
        found = settings_for(protocol, base)
        sites = {
            name: hearing(site, kept, found.public_url, flags=protocol == AT_ROOT)
            for name, site in found.sites.items()
        }
        settings[protocol] = structs.replace(found, sites=sites)
    return Parts(
        base=base,
        clock=SettableClock(clock),
        real=clock,
        library=load_library(),
        codes=load_codes(),
        store=open_store(url),
        url=url,
        spool=state / "spool",
        secrets=kept,
        settings=settings,
    )


def services(parts: Parts) -> dict[str, "WSGIApplication"]:
    """The CDS service once per protocol by its mount point; one of them at the root as well."""
    every = {**parts.settings, PUBLIC: public_settings(parts.base)}
    mounts: dict[str, WSGIApplication] = {
        f"/{name}": parts.clock.honouring(
            create_app(
                settings,
                library=parts.library,
                codes=parts.codes,
                clock=parts.clock,
                store=parts.store,
                spool=Spool(parts.spool),
            )
        )
        for name, settings in every.items()
    }
    default = _with_whole_path(mounts[f"/{AT_ROOT}"])
    return mounts | dict.fromkeys(ROOT_PATHS, default)


def _with_whole_path(service: "WSGIApplication") -> "WSGIApplication":
    """A mounted service that sees the path as it was asked for, mount point included."""

    def whole(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        path = environ["SCRIPT_NAME"] + environ["PATH_INFO"]
        return service({**environ, "SCRIPT_NAME": "", "PATH_INFO": path}, start)

    return whole
