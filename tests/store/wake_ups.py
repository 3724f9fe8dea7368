"""Wake-ups to put, each with one thing of its own and the rest ordinary."""

from datetime import timedelta
from typing import Any

from cds.store.inbox import Inbox
from cds.store.rows import WakeUp
from tests.store.rows import NOW


PAUSE = timedelta(seconds=10)


def wake(event: str = "e1", patient: str = "p1", **changes: Any) -> WakeUp:
    """An event of subscription s1 of site north, received now."""
    fields: dict[str, Any] = {
        "site": "north",
        "source": "s1",
        "event": event,
        "received_at": NOW,
        "patient": patient,
    }
    return WakeUp(**(fields | changes))


def drained(inbox: Inbox, now: Any = NOW, most: int = 1000) -> list[tuple[str, str]]:
    """Site and patient of each claim until nothing is due; every one ends without a decision."""
    found: list[tuple[str, str]] = []
    for _ in range(most):
        with inbox.claim(now) as claim:
            if claim is None:
                return found
            found.append((claim.site, claim.patient))
            claim.finish(None, now=now, not_before=now + PAUSE)
    return found
