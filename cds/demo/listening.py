"""What the demo hears between hook calls: its worker, and the Subscriptions that wake it.

The same worker, receiver and Subscriptions as a deployment has, in threads of this process.
"""

import secrets
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from cds import log
from cds.backend import BackendFailed, BackendTokens, FhirClient
from cds.clock import Clock
from cds.config import Backend, Events, Settings, Site
from cds.demo.story import Given, Story
from cds.store import Spool, Store, StoreDown
from cds.store.cohort import Cohort
from cds.store.inbox import Inbox
from cds.store.rows import Watched
from cds.store.subscribed import Subscribed
from cds.subscriptions.desk import desk
from cds.subscriptions.manage import create
from cds.subscriptions.plan import Shape
from cds.worker.compose import build_worker
from cds.worker.faults import Contained
from fhir_mapping.codes import CodeSets
from knowledge.facts import BISPECIFICS
from knowledge.library import Library


BACKEND_ID = "btce-cds-backend"
BACKEND_SCOPE = "system/*.rs system/Subscription.cruds system/Flag.cu"
POLL_SECONDS = 300
PAUSE_SECONDS = 1
_ASK_SECONDS = 20.0
_TYPES = ("Observation", "MedicationAdministration")


class Secrets(Struct, frozen=True, kw_only=True):
    """Files with a secret each, made anew for every demo: of events, and of the backend client."""

    events: Path
    backend: Path
    backend_text: str

    def __repr__(self) -> str:
        return "Secrets()"


def make_secrets(folder: Path) -> Secrets:
    """Two files that this user alone can read."""
    made = {}
    for name in ("events", "backend"):
        file = folder / f"{name}.secret"
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32), encoding="ascii")
        made[name] = file
    return Secrets(
        events=made["events"],
        backend=made["backend"],
        backend_text=made["backend"].read_text(encoding="ascii"),
    )


def hearing(site: Site, kept: Secrets, url: str, *, flags: bool) -> Site:
    """The site, told of changes at `url` and reading as the backend client.

    `flags`: it writes a Flag when a grade changes, which is off unless a site asks for it.
    """
    return msgspec.structs.replace(
        site,
        backend=Backend(
            auth="client_secret_basic",
            client_id=BACKEND_ID,
            secret_file=kept.backend,
            scope=BACKEND_SCOPE,
        ),
        events=Events(
            secret_file=kept.events,
            url=url,
            poll_seconds=POLL_SECONDS,
            pause_seconds=PAUSE_SECONDS,
            tell="flag" if flags else "nothing",
        ),
    )


class Listening(Struct, frozen=True, kw_only=True):
    """One worker for all sites of the demo. `settings`: of all of them together. `store`: that of
    the services, so that all who write in this process queue.

    `known`: who was given a bispecific, of every site. They are watched from the start, so that the
    Subscriptions are there before the first reading and no change falls between the two.
    """

    settings: Settings
    known: tuple[Watched, ...]
    library: Library
    codes: CodeSets
    clock: Clock
    store: Store
    stop: threading.Event

    def start(self) -> threading.Thread:
        """Work until `stop` is set."""
        thread = threading.Thread(target=self._work, name="worker", daemon=True)
        thread.start()
        return thread

    def _work(self) -> None:
        worker = build_worker(
            self.settings,
            library=self.library,
            codes=self.codes,
            clock=self.clock,
            store=self.store,
            spool=Spool(self.settings.spool),
        )
        with closing(worker):
            try:
                Cohort(self.store).watch(self.known)
                for site in self.settings.sites.values():
                    self._subscribe(site)
            except StoreDown as down:
                log.event("store-down", code=down.cause)
            worker.run(self.stop)

    def _subscribe(self, site: Site) -> None:
        tokens = BackendTokens(clock=self.clock, monotonic=time.monotonic)
        with (
            FhirClient(site, tokens, seconds=_ASK_SECONDS) as client,
            Contained("chore-fault", site.id),
        ):
            at = desk(
                site,
                self.settings.public_url,
                client=client,
                rows=Subscribed(self.store),
                inbox=Inbox(self.store),
                cohort=Cohort(self.store),
                now=self.clock(),
            )
            try:
                for _ in create(at, Shape(types=_TYPES)):
                    if self.stop.is_set():
                        return
            except BackendFailed as error:
                log.event("not-subscribed", site=site.id, upstream=[error.kind])


def watched_at_start(story: Story, site: str, began: datetime) -> Watched | None:
    """The patient of a story by its own chart; what the worker reads soon says it better."""
    given = [one for one in story.chart if isinstance(one, Given) and one.drug in BISPECIFICS]
    if not given:
        return None
    last = max(given, key=lambda one: one.at)
    return Watched(
        site=site,
        patient=story.id,
        agent=last.drug,
        last_dose=began + timedelta(hours=last.at),
        until=began + timedelta(days=1),
        seen_at=began - timedelta(days=1),
    )


def together(settings: Mapping[str, Settings], *, store: str, spool: Path, base: str) -> Settings:
    """The sites of several deployments as one, for the worker that they share. It launches no app:
    one FHIR server can launch that of one site only in the same deployment."""
    sites = {
        name: msgspec.structs.replace(site, smart=None, smart_url=None)
        for one in settings.values()
        for name, site in one.sites.items()
    }
    first = next(iter(settings.values()))
    return msgspec.structs.replace(
        first,
        public_url=base,
        default_site=next(iter(sites)),
        sites=sites,
        store=store,
        spool=spool,
    )
