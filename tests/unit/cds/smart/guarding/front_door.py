"""The app's front door over a database of its own, and an authorization server made by hand."""

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, request
from flask.testing import FlaskClient
from msgspec import Struct
from msgspec.structs import replace
from werkzeug.test import TestResponse

from cds.app import deploy
from cds.config import Settings, Site, Smart
from cds.errors import AnotherPatient, DataUnavailable
from cds.smart.at_hand import AtHand
from cds.smart.blueprint import create_smart
from cds.smart.context import Context
from cds.smart.guarding.guard import guard
from cds.smart.guarding.sessions import Sessions
from cds.smart.oauth import Asked, Granted, LaunchRefused, Pending, RefusedKind
from cds.smart.oauth.discovery import Server
from cds.smart.pages.launching import launching, opening
from cds.smart.parts import Parts, bedside
from cds.store import Spool, Store, StoreDown, open_store
from cds.store.latest import Latest
from cds.store.launches import Launches
from cds.store.statements_kept import StatementsKept
from fhir_mapping.codes import load_codes
from knowledge import library as knowledge_library
from knowledge.library import Library
from tests.beside import Time
from tests.databases import migrated


PUBLIC = "https://cds.example.org"
EHR = "https://ehr.example.org"
BASE = "https://fhir.example.org/r4"
AUTHORIZE = "https://auth.example.org/authorize"
PATIENT, USER = "patient-of-the-launch", "Practitioner/dr1"
TOKEN, REFRESH = "access-token-of-the-user", "refresh-token-of-the-user"


def site(id_: str = "ward", base: str = BASE, *, idle_minutes: int = 15) -> Site:
    """One that offers the app to the pages of `EHR`."""
    smart = Smart(client_id="bedside", ehr_origins=frozenset({EHR}), idle_minutes=idle_minutes)
    return Site(
        id=id_, fhir_base=base, protocol="us-label", zone=ZoneInfo("Europe/London"), smart=smart
    )


class FakeServer:
    """Grants what it is told to; remembers how often it was asked. Its tokens last an hour."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.launches: list[str | None] = []
        self.finished: list[Mapping[str, Sequence[str]]] = []
        self.refreshed: list[str] = []
        self.refuses: RefusedKind | None = None
        self.refresh_token = REFRESH
        self.lasts = timedelta(hours=1)
        self.patient = PATIENT
        self.rotates = True
        self.wait: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    def begin(self, site: Site, *, launch: str | None, launch_id: str, redirect_uri: str) -> Asked:
        self._refuse()
        self.launches.append(launch)
        state = f"{launch_id}.{secrets.token_urlsafe(32)}"
        pending = Pending(
            site=site.id,
            launch=launch_id,
            state=state,
            nonce="nonce-of-the-launch",
            verifier="verifier-of-the-launch",
            redirect_uri=redirect_uri,
            scope="openid",
            server=Server(authorization_endpoint=AUTHORIZE, token_endpoint=AUTHORIZE),
            asked_at=self.clock(),
        )
        query = urlencode({"state": state, "redirect_uri": redirect_uri})
        return Asked(f"{AUTHORIZE}?{query}", pending)

    def finish(self, site: Site, pending: Pending, args: Mapping[str, Sequence[str]]) -> Granted:
        assert pending.site == site.id
        with self._lock:
            self.finished.append(args)
        self.wait()
        self._refuse()
        if list(args.get("state", ())) != [pending.state]:
            raise LaunchRefused("state")
        return self._granted(TOKEN, self.refresh_token)

    def refresh(self, site: Site, context: Context) -> Granted:
        self._refuse()
        with self._lock:
            if context.refresh_token in self.refreshed:
                raise LaunchRefused("refresh-refused")  # it rotates: each is good for one use
            self.refreshed.append(context.refresh_token)
            number = len(self.refreshed)
        self.wait()
        return self._granted(f"{TOKEN}-{number}", f"{REFRESH}-{number}" if self.rotates else "")

    def _granted(self, token: str, refresh: str) -> Granted:
        return Granted(
            patient=self.patient,
            user=USER,
            access_token=token,
            expires_at=self.clock() + self.lasts,
            refresh_token=refresh,
            scopes=frozenset({"patient/*.rs"}),
        )

    def _refuse(self) -> None:
        if self.refuses is not None:
            raise LaunchRefused(self.refuses)


class Door(Struct, frozen=True, kw_only=True):
    """Everything a test touches; `file`: the database."""

    app: Flask
    clock: Time
    server: FakeServer
    sessions: Sessions
    launches: Launches
    store: Store
    parts: Parts
    file: Path

    def browser(self) -> "Browser":
        """Another browser, without a cookie."""
        return Browser(self.app.test_client())

    def raw(self) -> bytes:
        """Every byte of the database's files."""
        return b"".join(one.read_bytes() for one in self.file.parent.glob(f"{self.file.name}*"))


class Browser:
    """Opens launches as an EHR and its authorization server would make it."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, base_url=PUBLIC, headers=_named(headers), buffered=True)

    def post(self, path: str, data: object = None, **headers: str) -> TestResponse:
        """With the Origin of the app unless told: `Origin=""` leaves it out."""
        sent = {"Origin": PUBLIC, **_named(headers)}
        kept = {name: value for name, value in sent.items() if value}
        return self.client.post(path, base_url=PUBLIC, data=data, headers=kept)

    def begin(self, iss: str = BASE, launch: str = "xyz") -> str:
        """The `state` with which the authorization server will answer."""
        sent = self.get(f"/smart/launch?{urlencode({'iss': iss, 'launch': launch})}")
        assert sent.status_code == 302, sent.text
        return sent.location.partition("state=")[2].partition("&")[0]

    def back(self, state: str, code: str = "the-code") -> TestResponse:
        return self.get(f"/smart/callback?{urlencode({'state': state, 'code': code})}")

    def open(self, iss: str = BASE) -> str:
        """The address of the pages of a new launch."""
        answer = self.back(self.begin(iss))
        assert answer.status_code == 303, answer.text
        return answer.location

    def cookies(self) -> list[str]:
        """The ids of the launches this browser holds a cookie of."""
        jar = self.client._cookies  # noqa: SLF001 - the test client has no other way to ask
        assert jar is not None
        return [one.key.removeprefix("__Host-btce-") for one in jar.values()]


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _on_loopback() -> Settings:
    plain = Site(id="plain", fhir_base=None, protocol="us-label", zone=ZoneInfo("UTC"))
    return Settings(
        host="127.0.0.1",
        port=0,
        public_url="http://127.0.0.1",
        auth="off",
        default_site=plain.id,
        sites={plain.id: plain},
    )


@cache
def _library() -> Library:
    return knowledge_library.load()


@contextmanager
def front_door(
    folder: Path, *, sites: Sequence[Site] = (), clock: Time | None = None
) -> Iterator[Door]:
    """The blueprint with the guard, the launch and a few pages of no meaning."""
    clock = clock or Time()
    file = folder / "store.db"
    store = open_store(migrated(file), wait=5)
    known = {one.id: one for one in (sites or (site(),))}
    deployment = deploy(
        _on_loopback(),
        library=_library(),
        codes=load_codes(),
        clock=clock,
        store=store,
        spool=Spool(folder / "spool"),
    )
    # As a hospital has it, without what a hook call needs to be trusted.
    settings = replace(deployment.settings, public_url=PUBLIC, sites=known)
    deployment = replace(deployment, settings=settings)
    server, launches = FakeServer(clock), Launches(store)
    sessions = Sessions(launches, server, clock, sites=known)
    parts = Parts(
        deployment=deployment,
        at_hand=AtHand(monotonic=lambda: 0.0),
        kept=StatementsKept(store),
        latest=Latest(store),
    )
    pages = (guard(sessions), launching(sessions), _pages(sessions))
    app = Flask("tests.front_door", static_folder=None)
    app.register_blueprint(create_smart(parts, pages))
    try:
        yield Door(
            app=app,
            clock=clock,
            server=server,
            sessions=sessions,
            launches=launches,
            store=store,
            parts=parts,
            file=file,
        )
    finally:
        store.close()


def _pages(sessions: Sessions) -> Callable[[Blueprint, Parts], None]:
    raised: dict[str, Callable[[], Exception]] = {
        "another-patient": lambda: AnotherPatient("Observation/secret-id"),
        "data-unavailable": lambda: DataUnavailable("secret-id"),
        "store-down": lambda: StoreDown("locked"),
        "fault": lambda: RuntimeError("secret-id"),
    }

    def add_routes(page: Blueprint, _: Parts) -> None:
        open_patient = opening(sessions)

        @page.get("/l/<launch>/")
        def grade(launch: str) -> str:
            context = bedside().context
            return f"{launch} {context.patient} {context.access_token} csrf={context.csrf}"

        @page.post("/l/<launch>/preview")
        def preview(launch: str) -> str:
            return f"previewed {launch} {request.form['value']}"

        @page.post("/l/<launch>/patient")
        def patient(launch: str) -> str:
            assert launch
            return open_patient(bedside().context, request.form["value"])

        @page.get("/l/<launch>/raise/<kind>")
        def raising(launch: str, kind: str) -> str:
            assert launch
            raise raised[kind]()

        @page.get("/loose")
        def loose() -> str:
            return "a page somebody forgot to put below a launch"

    return add_routes


def csrf_of(page: TestResponse) -> str:
    """The token in the page `grade`."""
    return page.text.partition("csrf=")[2]
