"""The bedside app over a real FHIR server on the loopback address, with somebody already signed in.

For tests of single pages: launch, cookies and tokens are tested elsewhere.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from flask import Blueprint, Flask, g
from flask.testing import FlaskClient
from msgspec import Struct
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from cds.app import deploy
from cds.config import Settings, Site, Smart
from cds.demo.fhir import Sandbox, create_fhir
from cds.smart.at_hand import AtHand
from cds.smart.blueprint import create_smart
from cds.smart.context import Context
from cds.smart.parts import AddRoutes, Bedside, Parts
from cds.store import Spool, open_store
from cds.store.latest import Latest
from cds.store.statements_kept import StatementsKept
from fhir_mapping.codes import load_codes
from knowledge import library as knowledge_library
from tests.builders import NOW, Json
from tests.databases import migrated


LAUNCH = "0123456789abcdef0123456789abcdef"
PAGE = f"/smart/l/{LAUNCH}"
DOCTOR = "Practitioner/dr1"
ANYTHING = frozenset({"patient/*.rs", "patient/Observation.c", "patient/QuestionnaireResponse.c"})


class Time:
    """The clock of a test; moves when it is told to."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def later(self, **span: float) -> None:
        """Go on by `timedelta(**span)`."""
        self.now += timedelta(**span)


class Room(Struct, frozen=True, kw_only=True):
    """One patient, one user, one hospital whose FHIR server is `sandbox` at `base`."""

    sandbox: Sandbox
    base: str
    clock: Time
    parts: Parts
    here: Bedside
    app: Flask
    client: FlaskClient

    def chart(self, *resources: Json) -> None:
        """Put resources on the FHIR server; read anew by the next page."""
        self.sandbox.load(resources, now=self.clock.now)
        self.parts.at_hand.drop(self.here.context.launch)


def site_at(base: str, *, protocol: str = "us-label", id_: str = "ward") -> Site:
    """A site of the loopback address with the bedside app."""
    return Site(
        id=id_,
        fhir_base=base,
        protocol=protocol,
        zone=ZoneInfo("Europe/London"),
        smart=Smart(client_id="bedside"),
    )


def signed_in(here: Bedside) -> AddRoutes:
    """In place of the launch: whoever asks is this user with this patient."""

    def add(page: Blueprint, _: Parts) -> None:
        @page.before_request
        def sit() -> None:
            g.bedside = here

    return add


@contextmanager
def room(
    folder: Path,
    pages: Sequence[AddRoutes],
    resources: Sequence[Json],
    *,
    patient: str = "p1",
    user: str = DOCTOR,
    scopes: frozenset[str] = ANYTHING,
    protocol: str = "us-label",
    clock: Time | None = None,
    url: str | None = None,
) -> Iterator[Room]:
    """Open until the block ends. `url`: of a migrated database, in place of an SQLite file."""
    clock = clock or Time()
    sandbox = Sandbox()
    sandbox.load(resources, now=clock.now)
    with served(lambda base: _fhir(sandbox, base, clock)) as origin:
        base = f"{origin}/fhir"
        site = site_at(base, protocol=protocol)
        if url is None:
            url = migrated(folder / "store.db")
        store = open_store(url)
        deployment = deploy(
            Settings(
                host="127.0.0.1",
                port=0,
                public_url="http://127.0.0.1:8080",
                auth="off",
                default_site=site.id,
                sites={site.id: site},
            ),
            library=knowledge_library.load(),
            codes=load_codes(),
            clock=clock,
            store=store,
            spool=Spool(folder / "spool"),
        )
        parts = Parts(
            deployment=deployment,
            at_hand=AtHand(monotonic=time.monotonic),
            kept=StatementsKept(store),
            latest=Latest(store),
        )
        context = Context(
            launch=LAUNCH,
            site=site.id,
            patient=patient,
            user=user,
            csrf="the-csrf-token",
            access_token="a-token-of-the-user",
            expires_at=clock.now + timedelta(hours=1),
            scopes=scopes,
        )
        here = Bedside(context=context, site=site)
        app = Flask("tests.beside", static_folder=None)
        app.register_blueprint(create_smart(parts, (signed_in(here), *pages)))
        try:
            yield Room(
                sandbox=sandbox,
                base=base,
                clock=clock,
                parts=parts,
                here=here,
                app=app,
                client=app.test_client(),
            )
        finally:
            store.close()


@contextmanager
def served(make: Callable[[str], Flask]) -> Iterator[str]:
    """Serve what `make(origin)` makes on a free port of the loopback address; gives the origin."""
    server: BaseWSGIServer = make_server(
        "127.0.0.1", 0, _Later(), threaded=True, request_handler=_Quiet
    )
    origin = f"http://127.0.0.1:{server.port}"
    server.app = make(origin)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield origin
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Nothing: pytest shows what a test prints."""


class _Later:
    """Stands for the application until the port is known."""

    def __call__(self, environ: object, start: object) -> Iterable[bytes]:
        raise AssertionError("asked before it was ready")


def _fhir(sandbox: Sandbox, base: str, clock: Time) -> Flask:
    app = Flask("tests.fhir", static_folder=None)
    app.register_blueprint(create_fhir(sandbox, base=f"{base}/fhir", clock=clock))
    return app


def other(here: Bedside, **changes: object) -> Bedside:
    """The same, with another context."""
    return Bedside(context=msgspec.structs.replace(here.context, **changes), site=here.site)
