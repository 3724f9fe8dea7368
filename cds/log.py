"""JSON log lines with an allow-list of fields; never an identifier of a person, a value or a token.

What is not on the list is dropped, and so is the text of every message: libraries put request
data into theirs.
"""

import json
import logging
from datetime import UTC, datetime
from typing import TextIO


LOGGER = logging.getLogger("btce_cds")

# Each of these is ours by origin: an id from our own tables or from the configuration, a status,
# a duration, a card topic, the name of an exception class and the line of code that raised it.
ALLOWED_FIELDS = frozenset(
    {"service", "hook", "site", "status", "code", "ms", "topics", "error", "at", "protocol", "mode"}
)
_LONGEST = 100


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
        line.update(getattr(record, "event_fields", {}))
        return json.dumps(line)


def event(name: str, /, *, level: int = logging.INFO, **fields: object) -> None:
    """Log that `name` happened, with those of `fields` that are on the allow-list."""
    kept = {key: _short(value) for key, value in fields.items() if key in ALLOWED_FIELDS and value}
    LOGGER.log(level, "", extra={"event_name": name, "event_fields": kept})


def configure(stream: TextIO) -> None:
    """Send every log of the process through the allow-list to `stream`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)


def _short(value: object) -> object:
    if isinstance(value, int | float):
        return value
    if isinstance(value, tuple | list):
        return [str(item)[:_LONGEST] for item in value]
    return str(value)[:_LONGEST]
