"""JSON log lines with an allow-list of fields; never an identifier of a person, a value or a token.

What is not on the list is dropped, and so is the text of every message and exception: libraries
put request data into theirs.
"""

import json
import logging
import re
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO


LOGGER = logging.getLogger("btce_cds")

# Each of these is ours by origin: an id from our own tables or from the configuration, a status,
# a duration, a card topic, the name of an exception class and the line of code that raised it,
# the uuid this service gave a decision, and kinds of errors and refusals from our own lists.
_WORDS = frozenset(
    {"at", "code", "error", "hook", "keys", "mode", "protocol", "refusal", "service", "site"}
    | {"notification", "store"}
)
_LISTS = frozenset({"outcomes", "topics", "upstream"})
_NUMBERS = frozenset({"ms", "spooled", "status"})
ALLOWED_FIELDS = _WORDS | _LISTS | _NUMBERS | {"decision"}
# One word, as ids and kinds are. A sentence or a name of two words is not one: it is dropped.
_WORD = re.compile(r"[A-Za-z0-9_.:@#/+<>-]{1,100}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, event and allowed fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Render without the message: only records made by `event` say what happened."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event_name", "log"),
        }
        if not hasattr(record, "event_name"):
            line["logger"] = record.name
            if record.exc_info and record.exc_info[0]:
                line["error"] = record.exc_info[0].__name__
        line.update(getattr(record, "event_fields", {}))
        return json.dumps(line)


def event(name: str, /, *, level: int = logging.INFO, **fields: object) -> None:
    """Log that `name` happened, with those of `fields` that are on the allow-list."""
    LOGGER.log(level, "", extra={"event_name": name, "event_fields": _kept(fields.items())})


def configure(stream: TextIO) -> None:
    """Send every log of the process through the allow-list to `stream`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)


def guard_process() -> None:
    """Send what Python itself would print through the allow-list: warnings, faults of threads."""
    logging.captureWarnings(True)
    threading.excepthook = _thread_fault


def _thread_fault(fault: threading.ExceptHookArgs) -> None:
    event("thread-fault", level=logging.ERROR, error=fault.exc_type.__name__)


def _kept(fields: Iterable[tuple[str, object]]) -> dict[str, object]:
    found = {name: _safe(name, value) for name, value in fields}
    return {name: value for name, value in found.items() if value not in (None, [])}


def _safe(name: str, value: object) -> object:
    """The value if it is of the form its field has; None if it is not, and for unlisted fields."""
    if name in _WORDS:
        return _word(value)
    if name in _NUMBERS:
        return value if isinstance(value, int | float) else None
    if name in _LISTS and isinstance(value, tuple | list):
        return [word for word in map(_word, value) if word is not None]
    if name == "decision" and isinstance(value, str):
        return value if _UUID.fullmatch(value) else None
    return None


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None
