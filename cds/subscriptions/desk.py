"""What one run over one site's subscriptions works with; decides nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from cds.backend import FhirClient
from cds.config import ConfigError, Events, Site
from cds.store.rows import SubscriptionRow, WakeUp, Watched
from cds.subscriptions.resource import Address


class Rows(Protocol):
    """Our subscriptions; see `cds.store.subscribed`."""

    def add(self, row: SubscriptionRow) -> None: ...
    def get(self, which: str) -> SubscriptionRow | None: ...
    def of_site(self, site: str) -> tuple[SubscriptionRow, ...]: ...
    def change(self, row: SubscriptionRow) -> bool: ...
    def remove(self, which: str) -> bool: ...
    def heard(
        self, which: str, counted: Callable[[SubscriptionRow], SubscriptionRow]
    ) -> SubscriptionRow | None: ...


class Inbox(Protocol):
    """Where reasons to read a patient again are kept; see `cds.store.inbox`."""

    def put(self, wake_ups: Sequence[WakeUp]) -> int: ...


class Cohort(Protocol):
    """Who is watched; see `cds.store.cohort`."""

    def watched(self, site: str, now: datetime) -> tuple[Watched, ...]: ...


class Desk(Struct, frozen=True, kw_only=True):
    """One run at one site: the server, our rows, where wake-ups go, and the time of the run."""

    address: Address
    client: FhirClient
    rows: Rows
    inbox: Inbox
    cohort: Cohort
    now: datetime

    @property
    def site(self) -> str:
        """The id of the site."""
        return self.address.site

    def patients(self) -> tuple[str, ...]:
        """Who is watched now, sorted."""
        return tuple(sorted(one.patient for one in self.cohort.watched(self.site, self.now)))


def desk(
    site: Site,
    public_url: str,
    *,
    client: FhirClient,
    rows: Rows,
    inbox: Inbox,
    cohort: Cohort,
    now: datetime,
) -> Desk:
    """The desk of a site with `events`; raises `ConfigError` where its secret cannot be read."""
    if site.events is None:
        raise ConfigError((f"sites.{site.id}.events: is not set",))
    address = Address(
        url=(site.events.url or public_url).rstrip("/"),
        site=site.id,
        secret=_secret(site.events, site.id),
    )
    return Desk(address=address, client=client, rows=rows, inbox=inbox, cohort=cohort, now=now)


def _secret(events: Events, site: str) -> str:
    try:
        return events.secret_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            (f"sites.{site}.events.secret_file: cannot be read as plain text",)
        ) from None
