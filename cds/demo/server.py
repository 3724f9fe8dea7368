"""Starts the demo on the loopback address: services, workbench, FHIR server, worker.

Wiring only. The server is threaded because the workbench calls the service through it.
"""

import socket
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from cds.clock import Clock, system_clock
from cds.demo.authorization import (
    Client,
    create_authorization,
    enforcing,
    open_authority,
    security,
)
from cds.demo.authorization.clients import BACKEND_SCOPE
from cds.demo.bench import PROTOCOLS, Bench, launch_url
from cds.demo.cross_origin import allowing
from cds.demo.deployments import (
    FHIR_PATH,
    HOST,
    ISSUER_PATH,
    OPEN_PATH,
    Parts,
    make_parts,
    services,
)
from cds.demo.fhir import Sandbox, create_fhir, quirks_of
from cds.demo.fhir.feed import Feed
from cds.demo.fhir.quirks import Quirks
from cds.demo.hook_call import Hospital
from cds.demo.host_names import for_names
from cds.demo.listening import BACKEND_ID, Listening, Secrets, together, watched_at_start
from cds.demo.patients import PRACTITIONER, chart, encounter, patient, practitioner
from cds.demo.story import Story
from cds.demo.story import load as load_stories
from cds.demo.story_timeline import Timelines
from cds.demo.visit import Ehr
from cds.demo.workbench import create_workbench


if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_ENDING_SECONDS = 5
HOSTS = [HOST, "localhost"]
VENDORS: tuple[Ehr, ...] = ("epic", "oracle")  # doors that behave as theirs do


class _Quiet(WSGIRequestHandler):
    """Writes no access log: the service has its own, with an allow-list of fields."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""


def create_demo_app(parts: Parts) -> "WSGIApplication":
    """The workbench at the root, the FHIR server, the services at their mount points.

    Loopback host names only. The FHIR server holds every story as of the start.
    """
    app = Flask("cds.demo", static_folder=None)
    app.config["TRUSTED_HOSTS"] = HOSTS
    stories, began = load_stories(), parts.real()
    patients = Sandbox()
    patients.load((practitioner(),), now=began)
    for story in stories.values():
        known = (patient(story, began), encounter(story, began), *chart(story, began))
        patients.load(known, now=began)
    doors = _serve_fhir(app, patients, parts)
    app.register_blueprint(create_workbench(_bench(parts, stories, doors, began)))
    return allowing(DispatcherMiddleware(app, for_names(services(parts), HOSTS)))


def _bench(
    parts: Parts, stories: Mapping[str, Story], doors: Mapping[Ehr, str], began: datetime
) -> Bench:
    hospital = Hospital(
        base=parts.base,
        fhir=f"{parts.base}{FHIR_PATH}",
        doors=doors,
        clock=parts.real,
        began=began,
    )
    sites = {protocol: found.site for protocol, found in parts.settings.items()}
    return Bench(
        stories=stories,
        hospital=hospital,
        store=parts.store,
        timelines=Timelines(sites=sites, library=parts.library, codes=parts.codes),
        zones={protocol: site.zone for protocol, site in sites.items()},
        sites={protocol: site.id for protocol, site in sites.items()},
    )


def _serve_fhir(app: Flask, patients: Sandbox, parts: Parts) -> Mapping[Ehr, str]:
    """Every door to the same data, and the authorization server of the one that asks for a token.

    Answers where a browser's page and the workbench reach it without one, by EHR.
    """
    base, clock = parts.base, parts.real
    fhir = f"{base}{FHIR_PATH}"
    authority = open_authority(
        patients,
        base=fhir,
        issuer=f"{base}{ISSUER_PATH}",
        clients=[*(_client(base, protocol) for protocol in PROTOCOLS), _backend(parts.secrets)],
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
    doors: dict[Ehr, str] = {"plain": f"{base}{OPEN_PATH}"}
    for vendor in VENDORS:
        doors[vendor] = f"{base}/{vendor}/fhir"
        app.register_blueprint(
            create_fhir(
                patients,
                base=doors[vendor],
                clock=clock,
                feed=feed,
                quirks=quirks_of(vendor),
                name=f"{vendor}_fhir",
            )
        )
    return doors


def _client(base: str, protocol: str) -> Client:
    """The bedside app of one protocol's site, as it is registered."""
    return Client(
        client_id=f"bedside-{protocol}",
        redirect_uris=frozenset({f"{base}/{protocol}/smart/callback"}),
        launch_urls=frozenset({launch_url(base, protocol)}),
    )


def _backend(kept: Secrets) -> Client:
    """The service itself, which reads without a user between the hook calls."""
    return Client(
        client_id=BACKEND_ID,
        auth="client_secret_basic",
        secret=kept.backend_text,
        scope=BACKEND_SCOPE,
    )


def bind(port: int, *, state: Path, clock: Clock = system_clock) -> BaseWSGIServer:
    """A bound, threaded server, not yet serving; port 0 takes a free one. Raises OSError.

    `state`: the folder for what the services keep.
    """
    return open_demo(port, state=state, clock=clock)[0]


def open_demo(
    port: int, *, state: Path, clock: Clock = system_clock
) -> tuple[BaseWSGIServer, Parts]:
    """The same, with the parts, of which a worker can be made. Raises OSError."""
    # Bound here and handed over: werkzeug would end the process when the port is taken.
    with socket.create_server((HOST, port)) as listening:
        address = f"http://{HOST}:{listening.getsockname()[1]}"
        parts = make_parts(clock, state, address)
        app = create_demo_app(parts)
        server = make_server(
            HOST, port, app, threaded=True, request_handler=_Quiet, fd=listening.fileno()
        )
        return server, parts


def listen(parts: Parts, stop: threading.Event) -> threading.Thread:
    """Start the worker of all sites; `stop` ends it."""
    settings = together(
        parts.settings, store=parts.url, spool=parts.spool / "worker", base=parts.base
    )
    now = parts.real()
    known = (
        watched_at_start(story, site, now)
        for story in load_stories().values()
        for site in settings.sites
    )
    worker = Listening(
        settings=settings,
        known=tuple(one for one in known if one is not None),
        library=parts.library,
        codes=parts.codes,
        clock=parts.real,
        store=parts.store,
        stop=stop,
    )
    return worker.start()


def run(port: int, announce: Callable[[str], None]) -> None:
    """Serve until interrupted; `announce` gets one line with the address. Raises OSError."""
    stop = threading.Event()
    with TemporaryDirectory(prefix="btce-cds-demo-") as folder:
        server, parts = open_demo(port, state=Path(folder))
        announce(f"btce-cds demo: http://{HOST}:{server.port}")
        worker = listen(parts, stop)
        server.serve_forever()  # returns, closed, at Ctrl-C
        stop.set()
        worker.join(timeout=_ENDING_SECONDS)
