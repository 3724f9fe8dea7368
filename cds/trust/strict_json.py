"""JSON read so that it means one thing: UTF-8, an object, no member twice, no NaN.

The standard parser, because it alone shows repeated members; it is also the one joserfc uses, so
a token cannot mean one thing to the library and another to us.
"""

import json
from typing import Any, NoReturn


class NotStrictJson(ValueError):
    """The text is not one JSON object that every reader would understand alike."""


def read_object(text: bytes) -> dict[str, Any]:
    """The object `text` is; raises `NotStrictJson`. A number such as 1e400 is infinite."""
    try:
        value = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise NotStrictJson from None
    if not isinstance(value, dict):
        raise NotStrictJson
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotStrictJson
    return found


def _refuse(_: str) -> NoReturn:
    raise NotStrictJson
