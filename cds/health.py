"""Whether the service can do its work now, from what was observed; it observes nothing itself.

`degraded` still answers calls: somebody should look. `not-ready` should get no new calls.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from cds.config import Settings
from knowledge.library import Library
from knowledge.product_model import Protocol


Status = Literal["ready", "degraded", "not-ready"]
WARN_DAYS = 60  # before the last day of a protocol


class Check(Struct, frozen=True):
    """One thing that was checked, and what is to be known of it."""

    status: Status
    says: str


class Observed(Struct, frozen=True, kw_only=True):
    """What was seen of the surroundings just now.

    `spooled`: decisions waiting for the store; `set_aside`: those that need somebody's eyes.
    `spool_usable`: whether another could be kept. `keys`: by site, whether the keys of all its
    issuers are at hand (pinned keys always are). `draining`: the process is about to end. `inbox`:
    what is to be known of the wake-ups that wait; None: this deployment has no inbox.
    """

    store: bool
    spooled: int = 0
    set_aside: int = 0
    spool_usable: bool = True
    keys: Mapping[str, bool] = {}
    draining: bool = False
    inbox: Check | None = None


def ready(
    settings: Settings, library: Library, observed: Observed, *, now: datetime
) -> tuple[Status, dict[str, Check]]:
    """The worst status and each check by its name, at `now` (UTC)."""
    checks = {
        "process": _process(observed),
        "store": _store(observed),
        "spool": _spool(observed),
        "knowledge": _knowledge(settings, library),
        "protocols": _protocols(settings, library, now),
        "keys": _keys(settings, observed),
    }
    if observed.inbox is not None:
        checks["inbox"] = observed.inbox
    found = {check.status for check in checks.values()}
    if "not-ready" in found:
        return "not-ready", checks
    return ("degraded" if "degraded" in found else "ready"), checks


def days_left(settings: Settings, library: Library, now: datetime) -> dict[str, int]:
    """Days to the last day of each protocol in use that has one; negative once it is over.

    Counted in the time zone of the site, the earliest of the sites that use it.
    """
    found: dict[str, int] = {}
    for site in settings.sites.values():
        days = _days(library.protocols[site.protocol], site.zone, now)
        if days is not None:
            found[site.protocol] = min(days, found.get(site.protocol, days))
    return found


def _days(protocol: Protocol, zone: ZoneInfo, now: datetime) -> int | None:
    if protocol.expires is None:
        return None
    return (protocol.expires - now.astimezone(zone).date()).days


def _process(observed: Observed) -> Check:
    if observed.draining:
        return Check("not-ready", "finishing the calls it has: it takes no new ones")
    return Check("ready", "taking calls")


def _store(observed: Observed) -> Check:
    if observed.store:
        return Check("ready", "reachable")
    if observed.spool_usable:
        return Check("degraded", "not reachable: decisions are spooled, feedback is refused")
    return Check("not-ready", "neither store nor spool can record a decision")


def _spool(observed: Observed) -> Check:
    if observed.set_aside:
        return Check("degraded", f"{observed.set_aside} decisions set aside: look at them")
    if observed.spooled:
        return Check("degraded", f"{observed.spooled} decisions wait for the store")
    if not observed.spool_usable:
        return Check("degraded", "cannot be written")
    return Check("ready", "empty")


def _knowledge(settings: Settings, library: Library) -> Check:
    others = [
        site.id
        for site in settings.sites.values()
        if site.approved_knowledge not in {None, library.sha256}
    ]
    if others:
        names = ", ".join(others)
        return Check("degraded", f"{library.sha256} is not what was approved, so silent: {names}")
    return Check("ready", library.sha256)


def _protocols(settings: Settings, library: Library, now: datetime) -> Check:
    said = tuple(_expiring(days_left(settings, library, now)))
    return Check("degraded", "; ".join(said)) if said else Check("ready", "in force")


def _expiring(left: Mapping[str, int]) -> Iterator[str]:
    for protocol, days in sorted(left.items()):
        if days < 0:
            yield f"{protocol} is over: no management advice"
        elif days <= WARN_DAYS:
            yield f"{protocol} ends in {days} days"


def _keys(settings: Settings, observed: Observed) -> Check:
    """Keys are fetched when first needed, so that missing ones never keep calls away."""
    if settings.auth == "off":
        return Check("ready", "calls are not signed")
    missing = [site for site in settings.sites if not observed.keys.get(site, False)]
    if missing:
        return Check("degraded", f"not fetched yet or not reachable: {', '.join(missing)}")
    return Check("ready", "at hand")
