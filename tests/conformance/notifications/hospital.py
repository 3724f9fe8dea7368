"""A service with the endpoints of one or two hospitals, its real inbox, and what came into it."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from flask import Flask
from flask.testing import FlaskClient
from msgspec import Struct
from sqlalchemy import select

from cds.app import create_app
from cds.config import Settings, Site
from cds.config.model import Backend, Events
from cds.metrics import Metrics
from cds.notifications.flood import Limits
from cds.notifications.receiver import blueprint
from cds.store import Spool, open_store
from cds.store.inbox import Inbox
from cds.store.rows import SubscriptionRow, WakeUp
from cds.store.subscribed import Subscribed
from cds.store.tables import inbox
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.functional.bodies import FHIR_BASE, NOW


NORTH, SOUTH = "0e3f0f5c-6ab6-4b7a-9c39-6a4d7f3b7d01", "7c1d2b9e-16f0-4d55-8a13-0cbb1bb6f102"
ABSENT = "00000000-0000-4000-8000-000000000000"
SECRETS = {"north": "n" * 20 + "0123456789abcdef", "south": "s" * 20 + "0123456789abcdef"}


class Parts(Struct, frozen=True, kw_only=True):
    """What the receiver takes of a deployment."""

    settings: Settings
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    metrics: Metrics


class Seconds:
    """A clock that stands still unless it is put forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The present second."""
        return self.now


def subscription(which: str = NORTH, site: str = "north", **changes: Any) -> SubscriptionRow:
    """One of the whole site, of which nothing was heard yet."""
    row = SubscriptionRow(
        id=which,
        site=site,
        criteria="Observation?",
        kind="topic",
        content="id-only",
        status="requested",
        heard_at=datetime.fromisoformat("2026-11-20T00:00:00+00:00"),
        remote="Subscription/s1",
    )
    return msgspec.structs.replace(row, **changes)


class Hospital:
    """The service on the database `store.db` of a folder; `client` talks to it without a socket."""

    def __init__(
        self,
        folder: Path,
        library: Library,
        codes: CodeSets,
        *,
        limits: Limits | None = None,
    ) -> None:
        self.store = open_store(f"sqlite:///{folder / 'store.db'}")
        self.inbox = Inbox(self.store)
        self.subscribed = Subscribed(self.store)
        self.seconds = Seconds()
        self.now = NOW
        self.metrics = Metrics(services=(), upstream=(), refusals=())
        self.app = self._app(folder, library, codes, limits)
        self.client = self.app.test_client()

    def _app(self, folder: Path, library: Library, codes: CodeSets, limits: Limits | None) -> Flask:
        sites = {}
        for name, secret in SECRETS.items():
            file = folder / f"{name}.secret"
            file.write_text(secret + "\n", encoding="ascii")
            sites[name] = Site(
                id=name,
                fhir_base=FHIR_BASE,
                protocol="us-label",
                zone=ZoneInfo("UTC"),
                backend=Backend(auth="none"),
                events=Events(secret_file=file),
            )
        sites["deaf"] = Site(
            id="deaf", fhir_base=FHIR_BASE, protocol="us-label", zone=ZoneInfo("UTC")
        )
        settings = Settings(
            host="127.0.0.1",
            port=8080,
            public_url="http://127.0.0.1:8080",
            auth="off",
            default_site="deaf",
            sites=sites,
        )
        app = create_app(
            settings,
            library=library,
            codes=codes,
            clock=lambda: self.now,
            store=self.store,
            spool=Spool(folder / "spool"),
            monotonic=time.monotonic,
        )
        parts = Parts(
            settings=settings,
            clock=lambda: self.now,
            monotonic=self.seconds,
            metrics=self.metrics,
        )
        made = blueprint(parts, self.inbox, self.subscribed, limits=limits)
        made.name = "notifications-under-test"  # the application may have mounted its own
        app.register_blueprint(made, url_prefix="/test")
        return app

    def send(
        self,
        body: object = None,
        *,
        method: str = "POST",
        below: str = "",
        which: str = NORTH,
        site: str = "north",
        headers: dict[str, str] | None = None,
        client: FlaskClient | None = None,
    ) -> Any:
        """One notification with the right secret, unless the headers say otherwise."""
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        own = {"Authorization": f"Bearer {SECRETS.get(site, SECRETS['north'])}"}
        if body is not None:
            own["Content-Type"] = "application/fhir+json"
        return (client or self.client).open(
            f"/test/events/{site}/{which}" + (f"/{below}" if below else ""),
            method=method,
            data=None if body is None else data,
            headers=own | (headers or {}),
        )

    def rows(self) -> list[WakeUp]:
        """Every wake-up in the inbox, in the order in which they were kept."""
        columns = [inbox.c[name] for name in WakeUp.__struct_fields__]
        with self.store.engine.connect() as connection:
            found = connection.execute(select(*columns).order_by(inbox.c.id)).mappings()
            return [WakeUp(**row) for row in found]

    def asked(self) -> list[tuple[str, str]]:
        """Patient and resource of every wake-up."""
        return [(row.patient, row.ref) for row in self.rows()]

    def heard(self, which: str = NORTH) -> SubscriptionRow:
        """The subscription as it is remembered."""
        row = self.subscribed.get(which)
        assert row is not None
        return row

    def counted(self, kind: str) -> int:
        """How often this was counted."""
        page = self.metrics.render()[0].decode()
        line = f'btce_notifications_total{{kind="{kind}"}} '
        return int(float(next((x[len(line) :] for x in page.splitlines() if line in x), "0")))

    def close(self) -> None:
        """End it."""
        self.inbox.close()
        self.store.close()
