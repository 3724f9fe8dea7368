"""A site's subscriptions on a table: a real store in a file, a FHIR server, and what was put."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select

from cds.backend import BackendTokens, FhirClient
from cds.config import Backend, Events, Site
from cds.store import Store, open_store
from cds.store.cohort import Cohort
from cds.store.inbox import Inbox
from cds.store.rows import SubscriptionRow, WakeUp, Watched
from cds.store.subscribed import Subscribed
from cds.store.tables import inbox
from cds.subscriptions import Desk, Shape, desk
from cds.subscriptions.resource import Address
from tests.databases import migrated


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECRET = "a-secret-of-at-least-32-characters"
ADDRESS = Address(url="http://127.0.0.1:9", site="north", secret=SECRET)
TOPIC = "http://btce-cds.org/fhir/SubscriptionTopic/observation-changed"
TOPICAL = Shape(kind="topic", content="id-only", topic=TOPIC, types=("Observation",))


def row(**changes: Any) -> SubscriptionRow:
    """One that the server has as `7`, heard of a minute ago."""
    members: dict[str, Any] = {
        "id": "s1",
        "site": "north",
        "criteria": "Observation?patient=Patient/p1",
        "kind": "rest-hook",
        "content": "empty",
        "status": "active",
        "heard_at": NOW - timedelta(minutes=2),
        "remote": "7",
        "patient": "p1",
        "ends_at": NOW + timedelta(days=10),
    }
    return SubscriptionRow(**(members | changes))


def topic_row(**changes: Any) -> SubscriptionRow:
    """The same in the form of the Backport guide."""
    members: dict[str, Any] = {
        "criteria": f"{TOPIC} Observation?patient=Patient/p1",
        "kind": "topic",
        "content": "id-only",
        "heartbeat_seconds": 300,
    }
    return row(**(members | changes))


def site_of(base: str, folder: Path, url: str | None = None) -> Site:
    """One whose server asks for no token."""
    secret = folder / "events-secret"
    secret.write_text(f"{SECRET}\n", encoding="ascii")
    return Site(
        id="north",
        fhir_base=base,
        protocol="us-label",
        zone=ZoneInfo("UTC"),
        backend=Backend(auth="none"),
        events=Events(secret_file=secret, url=url),
    )


class Log(Inbox):
    """The real inbox; `before_put` is called first, so that a test can look or break in."""

    before_put: Callable[[Sequence[WakeUp]], None] = staticmethod(lambda _: None)

    def put(self, wake_ups: Sequence[WakeUp]) -> int:
        self.before_put(wake_ups)
        return super().put(wake_ups)


class Ward(NamedTuple):
    """The parts of a desk, to be put together for a moment."""

    site: Site
    store: Store
    client: FhirClient
    rows: Subscribed
    inbox: Log
    cohort: Cohort

    def at(self, now: datetime = NOW, **parts: Any) -> Desk:
        """The desk at this time."""
        made = desk(
            self.site,
            "http://127.0.0.1:9",
            client=self.client,
            rows=self.rows,
            inbox=self.inbox,
            cohort=self.cohort,
            now=now,
        )
        return msgspec.structs.replace(made, **parts)

    def watch(self, *patients: str, until: datetime = NOW + timedelta(days=45)) -> None:
        """Put these on the list."""
        self.cohort.watch(
            [
                Watched(
                    site="north",
                    patient=one,
                    agent="teclistamab",
                    last_dose=NOW,
                    until=until,
                    seen_at=NOW,
                )
                for one in patients
            ]
        )

    def kept(self) -> tuple[SubscriptionRow, ...]:
        return self.rows.of_site("north")

    def put(self) -> list[tuple[str, str, str]]:
        """Every wake-up: source, patient, ref."""
        with self.store.engine.connect() as connection:
            found = connection.execute(select(inbox).order_by(inbox.c.id)).mappings()
            return [(one["source"], one["patient"], one["ref"]) for one in found]


@contextmanager
def ward(base: str, folder: Path, url: str | None = None) -> Iterator[Ward]:
    """With an empty store."""
    database = migrated(folder / "store.db")
    site = site_of(base, folder, url)
    tokens = BackendTokens(clock=lambda: NOW, monotonic=lambda: 0.0)
    with closing(open_store(database)) as store, FhirClient(site, tokens, seconds=5) as client:
        yield Ward(site, store, client, Subscribed(store), Log(store), Cohort(store))


def done(outcomes: Iterable[Any]) -> list[str]:
    """What was done, sorted."""
    return sorted(one.done for one in outcomes)


def problems(outcomes: Iterable[Any]) -> list[str]:
    """What is wrong, sorted; nothing for what is in order."""
    return sorted(one.problem for one in outcomes if one.problem is not None)
