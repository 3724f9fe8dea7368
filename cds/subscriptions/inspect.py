"""What is wrong with one of our subscriptions, of what is kept and what the server says. Pure."""

from datetime import datetime, timedelta
from urllib.parse import unquote

from cds.store.rows import SubscriptionRow
from cds.subscriptions.outcome import Problem
from cds.subscriptions.remote import Remote, Said
from cds.subscriptions.resource import Address, topic_and_filter


ENDS_SOON = timedelta(days=3)
TAKES_UP = timedelta(minutes=10)  # from requested to active
UNDER_WAY = timedelta(minutes=1)  # an event may still be on its way
GRACE = timedelta(seconds=30)  # of a heartbeat


def problem_of(
    row: SubscriptionRow,
    remote: Remote | None,
    said: Said | None,
    *,
    address: Address,
    now: datetime,
) -> Problem | None:
    """The worst thing. `remote` None: the server does not have it. `said`: `$status`, if asked."""
    if remote is None:
        return "missing" if row.remote else "not-created"
    if _changed(row, remote, address):
        return "changed"
    status = remote.status if said is None or said.status is None else said.status
    if status in {"error", "off"}:
        return "error" if status == "error" else "off"
    if remote.end is not None and remote.end <= now:
        return "ended"
    if status == "requested":  # nothing is sent before it is taken up
        return "requested" if now - row.heard_at > TAKES_UP else None
    if row.gap_from is not None and now - (row.gap_at or now) >= GRACE:
        return "gap"
    if _undelivered(row, said, now):
        return "undelivered"
    if is_silent(row, now):
        return "silent"
    if remote.end is not None and remote.end - now < ENDS_SOON:
        return "ends-soon"
    return None


def is_silent(row: SubscriptionRow, now: datetime) -> bool:
    """Whether nothing was heard for longer than the heartbeat that was asked for."""
    if row.heartbeat_seconds is None:
        return False
    return now - row.heard_at > timedelta(seconds=row.heartbeat_seconds) + GRACE


def _undelivered(row: SubscriptionRow, said: Said | None, now: datetime) -> bool:
    """A count below ours is that of a server that began anew: the receiver sees to it."""
    if said is None or said.events is None or now - row.heard_at < UNDER_WAY:
        return False
    return said.events > max(row.last_event, 0)


def _changed(row: SubscriptionRow, remote: Remote, address: Address) -> bool:
    return (
        remote.endpoint != address.endpoint(row.id)
        or _asks_otherwise(row, remote)
        or _signs_otherwise(remote, address)
    )


def _asks_otherwise(row: SubscriptionRow, remote: Remote) -> bool:
    if row.kind == "topic":
        topic, query = topic_and_filter(row.criteria)
        filtered = len(remote.filters) == 1 and _same(remote.filters[0], query)
        return remote.criteria != topic or remote.content != row.content or not filtered
    with_resource = row.content != "empty"
    return not _same(remote.criteria, row.criteria) or bool(remote.payload) != with_resource


def _signs_otherwise(remote: Remote, address: Address) -> bool:
    """Where the server does not show headers, nothing can be told."""
    shown = [one for one in remote.headers if one.lower().startswith("authorization:")]
    return any(one != address.header and not _masked(one) for one in shown)


def _same(theirs: str, ours: str) -> bool:
    """Whether two searches are the same, however a server writes them."""
    return unquote(theirs).rstrip("?") == unquote(ours).rstrip("?")


def _masked(header: str) -> bool:
    """Whether the server shows that there is a header, not what it says."""
    value = header.partition(":")[2].strip()
    words = value.split()
    return not words or not any(letter.isalnum() for letter in words[-1])
