"""Starts the demo on the loopback address: one service per protocol, the workbench, a FHIR server.

Wiring only. The server is threaded because the workbench calls the service through it.
"""

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from cds.app import create_app
from cds.clock import Clock, system_clock
from cds.config import SMART_SCOPE, Settings, Site, Smart
from cds.demo.authorization import (
    Client,
    create_authorization,
    enforcing,
    open_authority,
    security,
)
from cds.demo.fhir import Sandbox, create_fhir
from cds.demo.fhir.feed import Feed
from cds.demo.fhir.quirks import Quirks
from cds.demo.patients import PRACTITIONER, chart, encounter, patient, practitioner
from cds.demo.story import load as load_stories
from cds.demo.workbench import PROTOCOLS, create_workbench, launch_url
from cds.store import Spool, open_store
from cds.store.migrations import migrate
from fhir_mapping.codes import load_codes
from knowledge.library import load as load_library


if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HOST = "127.0.0.1"
AT_ROOT = "us-label"
FHIR_PATH = "/fhir"  # asks for a token, as a hospital's would
OPEN_PATH = "/open/fhir"  # the same data for the demo's own pages, without one
ISSUER_PATH = "/oauth2"
ROOT_PATHS = ("/cds-services", "/livez", "/readyz", "/metrics", "/about")
ZONES: Mapping[str, ZoneInfo] = MappingProxyType(
    {
        "us-label": ZoneInfo("America/New_York"),
        "community-sop": ZoneInfo("America/Chicago"),
        "nhs-waht": ZoneInfo("Europe/London"),
    }
)


class _Quiet(WSGIRequestHandler):
    """Writes no access log: the service has its own, with an allow-list of fields."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""


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
    return Settings(
        host=HOST,
        port=0,
        public_url=f"{base}/{protocol}",
        auth="off",
        default_site=site.id,
        sites={site.id: site},
    )


def services(clock: Clock, state: Path, base: str) -> dict[str, "WSGIApplication"]:
    """The CDS service once per protocol by its mount point; one of them at the root as well.

    `state`: the folder of the store that they share. `base`: the address of the demo.
    """
    library = load_library()
    codes = load_codes()
    url = f"sqlite:///{state / 'store.db'}"
    migrate(url)
    mounts: dict[str, WSGIApplication] = {
        f"/{protocol}": create_app(
            settings_for(protocol, base),
            library=library,
            codes=codes,
            clock=clock,
            store=open_store(url),
            spool=Spool(state / "spool"),
        )
        for protocol in PROTOCOLS
    }
    default = _with_whole_path(mounts[f"/{AT_ROOT}"])
    return mounts | dict.fromkeys(ROOT_PATHS, default)


def _with_whole_path(service: "WSGIApplication") -> "WSGIApplication":
    """A mounted service that sees the path as it was asked for, mount point included."""

    def whole(environ: "WSGIEnvironment", start: "StartResponse") -> "Iterable[bytes]":
        path = environ["SCRIPT_NAME"] + environ["PATH_INFO"]
        return service({**environ, "SCRIPT_NAME": "", "PATH_INFO": path}, start)

    return whole


def create_demo_app(
    mounts: Mapping[str, "WSGIApplication"], *, clock: Clock, base: str
) -> "WSGIApplication":
    """The workbench at the root, the FHIR server, the services under `mounts`.

    Loopback host names only. The FHIR server holds every story as of the start.
    """
    app = Flask("cds.demo", static_folder=None)
    app.config["TRUSTED_HOSTS"] = [HOST, "localhost"]
    stories, now = load_stories(), clock()
    fhir = f"{base}{FHIR_PATH}"
    app.register_blueprint(create_workbench(stories, clock=clock, base=base, fhir=fhir))
    patients = Sandbox()
    patients.load((practitioner(),), now=now)
    for story in stories.values():
        known = (patient(story, now), encounter(story, now), *chart(story, now))
        patients.load(known, now=now)
    _serve_fhir(app, patients, clock=clock, base=base)
    return DispatcherMiddleware(app, dict(mounts))


def _serve_fhir(app: Flask, patients: Sandbox, *, clock: Clock, base: str) -> None:
    """Both doors to the same data, and the authorization server of the one that asks."""
    fhir = f"{base}{FHIR_PATH}"
    authority = open_authority(
        patients,
        base=fhir,
        issuer=f"{base}{ISSUER_PATH}",
        clients=[_client(base, protocol) for protocol in PROTOCOLS],
        clock=clock,
        user=PRACTITIONER,
    )
    feed = Feed(patients, base=fhir, clock=clock, quirks=Quirks())
    app.register_blueprint(create_authorization(authority))
    app.register_blueprint(
        create_fhir(
            patients,
            base=fhir,
            clock=clock,
            authorize=enforcing(authority),
            security=security(authority),
            feed=feed,
        )
    )
    app.register_blueprint(
        create_fhir(patients, base=f"{base}{OPEN_PATH}", clock=clock, feed=feed, name="open_fhir")
    )


def _client(base: str, protocol: str) -> Client:
    """The bedside app of one protocol's site, as it is registered."""
    return Client(
        client_id=f"bedside-{protocol}",
        redirect_uris=frozenset({f"{base}/{protocol}/smart/callback"}),
        launch_urls=frozenset({launch_url(base, protocol)}),
    )


def bind(port: int, *, state: Path, clock: Clock = system_clock) -> BaseWSGIServer:
    """A bound, threaded server, not yet serving; port 0 takes a free one. Raises OSError.

    `state`: the folder for what the services keep.
    """

    # Bound here and handed over: werkzeug would end the process when the port is taken.
    with socket.create_server((HOST, port)) as listening:
        address = f"http://{HOST}:{listening.getsockname()[1]}"
        app = create_demo_app(services(clock, state, address), clock=clock, base=address)
        return make_server(
            HOST, port, app, threaded=True, request_handler=_Quiet, fd=listening.fileno()
        )


def run(port: int, announce: Callable[[str], None]) -> None:
    """Serve until interrupted; `announce` gets one line with the address. Raises OSError."""
    with TemporaryDirectory(prefix="btce-cds-demo-") as folder:
        server = bind(port, state=Path(folder))
        announce(f"btce-cds demo: http://{HOST}:{server.port}")
        server.serve_forever()  # returns, closed, at Ctrl-C
