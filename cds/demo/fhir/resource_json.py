"""Resources as JSON objects whose numbers stay the text they were written as.

FHIR R4 json, "decimal": the precision is part of the value, so `2.50` must not become `2.5`. A
number is therefore kept as `msgspec.Raw` and written back as it came.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec
from msgspec import Raw

from cds.body_limits import refuse_unbounded
from cds.errors import ServiceError


Resource = dict[str, Any]
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class NotJson(ValueError):
    """The text is not one JSON object within the limits of size and depth."""


def decode(body: bytes) -> Resource:
    """The object in `body`.

    Raises `NotJson`, also for a repeated member, for `NaN` and for half of a character (`\\ud800`).
    """
    try:
        refuse_unbounded(body)
        found = json.loads(
            body,
            parse_float=Raw,
            parse_int=Raw,
            parse_constant=_no_constant,
            object_pairs_hook=_once,
        )
    except ServiceError as error:
        raise NotJson(error.message) from None
    except json.JSONDecodeError:
        raise NotJson("the body is not JSON") from None
    if not isinstance(found, dict):
        raise NotJson("the body is not a JSON object")
    if _SURROGATE.search(body):  # it may be one of a pair, which is a character
        try:
            encode(found)
        except UnicodeEncodeError:
            raise NotJson("the body has half of a character") from None
    return found


def encode(resource: Resource) -> bytes:
    """The text of a resource."""
    return _ENCODER.encode(resource)


def of_python(resource: Resource) -> Resource:
    """A copy of a resource built in Python, its numbers kept as text from here on."""
    return decode(_ENCODER.encode(resource))


def number(value: object) -> Decimal | None:
    """The value of a JSON number; None for anything else, and for an exponent nobody can read."""
    try:
        return Decimal(bytes(value).decode()) if isinstance(value, Raw) else None
    except InvalidOperation:
        return None


def _no_constant(_: str) -> NoReturn:
    raise NotJson("the body has a number that JSON does not have")


def _once(pairs: list[tuple[str, Any]]) -> Resource:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson("the body has the same member twice")
    return found
