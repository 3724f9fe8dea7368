"""What names a change once, so that the same thing told twice is known; no value goes into it.

Numbers alone name nothing: a server that begins to count again uses them again. Where nothing
tells two notifications apart for sure, there is no key: reading once too often does no harm.
"""

import re
from hashlib import sha256
from typing import Any

from cds.notifications.references import Target
from cds.notifications.status import Event, Status


_CLOCK = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")  # a moment; a date is that of a whole day
_FINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WORD = re.compile(r"[A-Za-z0-9\-.:+]{1,64}")


def version_key(target: Target, resource: dict[str, Any], version: str = "") -> str:
    """Of one version of a resource: its version id with the time it was written.

    `version`: what the request names where the resource does not. A time alone serves where it has
    fractions of a second.
    """
    meta = resource.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    number = _word(meta.get("versionId")) or target.version or version
    written = _word(meta.get("lastUpdated"))
    if not target or not (number or _FINE.match(written)):
        return ""
    return "/".join(filter(None, (target.text, "_history", number, written)))


def mark(bundle: dict[str, Any], status: Status) -> str:
    """The same for the same notification, another one for the next; empty: there is no telling."""
    moments = [bundle.get("timestamp"), *(event.timestamp for event in status.events)]
    ids = [bundle.get("id"), status.id]
    if not any(_is(_CLOCK, one) for one in moments) and not any(_is(_UUID, one) for one in ids):
        return ""
    events = [(event.number, event.focus) for event in status.events]
    return _digest((ids, moments, status.type, status.total, events))


def event_key(event: Event, position: int, bundle: dict[str, Any], status: Status) -> str:
    """Of one event of a notification. Its own time and number serve whatever Bundle brings it."""
    number = "-" if event.number is None else event.number
    if _is(_CLOCK, event.timestamp) and event.number is not None:
        return f"event/{number}/{_digest((event.timestamp, event.focus))}"
    made = mark(bundle, status)
    return f"event/{number}/{made}.{position}" if made else ""


def _is(form: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and form.match(value) is not None


def _word(value: object) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""


def _digest(value: object) -> str:
    return sha256(repr(value).encode(errors="surrogatepass")).hexdigest()[:32]
