"""What a notification says once it is read: whom to read again, and which events it counts."""

from typing import Literal

from msgspec import Struct

from cds.store.rows import SubscriptionStatus


# How it is counted for operators. `change`: R4 rest-hook, without numbers; the others are the types
# of a topic notification (Subscriptions R5 Backport 1.1, "Notification types").
Kind = Literal["change", "event", "handshake", "heartbeat", "query"]


class Change(Struct, frozen=True, kw_only=True):
    """One reason to read. `key` names it for ever, or is empty where nothing does so surely.

    `patients`: ids the notification names. `ref`: "Type/id" of what changed; `foreign`: that was
    on another server, so it is not read.
    """

    key: str = ""
    patients: tuple[str, ...] = ()
    ref: str = ""
    foreign: bool = False


class Notification(Struct, frozen=True, kw_only=True):
    """One request of a server. `numbers`: of the events in it; `total`: events so far.

    `mark`: the same whenever the same notification comes again; empty where it has no sign of its
    own. `of_another`: it names another subscription than the one its address is of, so that its
    numbers count for nothing. `bundle`: a Bundle came, so a Bundle is the answer.
    """

    kind: Kind
    changes: tuple[Change, ...] = ()
    numbers: tuple[int, ...] = ()
    total: int | None = None
    status: SubscriptionStatus | None = None
    errors: int = 0
    mark: str = ""
    of_another: bool = False
    bundle: bool = False
