"""Where two JSON documents differ: by path, every number as it was written; judges nothing."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import zip_longest
from typing import Any

import msgspec
from msgspec import Struct


_ABSENT = object()
_DOCUMENT = msgspec.json.Decoder(float_hook=Decimal)  # 8.0 and 8.00 are two values
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Change(Struct, frozen=True, omit_defaults=True):
    """One place, and its JSON in either document; empty: it is not there."""

    path: str
    kept: str = ""
    now: str = ""


def changes(path: str, kept: bytes, now: bytes) -> tuple[Change, ...]:
    """Every difference, named from `path` on; none only if both are the same bytes."""
    if kept == now:
        return ()
    found = tuple(_between(path, _read(kept), _read(now)))
    # The same values in another order or notation: what was sent is still not what is made now.
    return found or (Change(path, kept.decode(errors="replace"), now.decode(errors="replace")),)


def _read(text: bytes) -> Any:
    try:
        return _DOCUMENT.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text.decode(errors="replace")  # not JSON: one value, which differs as a whole


def _between(path: str, kept: Any, now: Any) -> Iterator[Change]:
    if isinstance(kept, dict) and isinstance(now, dict):
        for name in (*kept, *(name for name in now if name not in kept)):
            one, other = kept.get(name, _ABSENT), now.get(name, _ABSENT)
            yield from _between(f"{path}.{name}", one, other)
    elif isinstance(kept, list) and isinstance(now, list):
        for index, (one, other) in enumerate(zip_longest(kept, now, fillvalue=_ABSENT)):
            yield from _between(f"{path}[{index}]", one, other)
    elif type(kept) is not type(now) or str(kept) != str(now):
        yield Change(path, _text(kept), _text(now))


def _text(value: Any) -> str:
    return "" if value is _ABSENT else _ENCODER.encode(value).decode()
