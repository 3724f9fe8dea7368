"""What a single value of the file may be: how each kind is checked, converted and described.

A reader gets the value as TOML gives it and the folder of the file, against which paths are taken.
It raises `Refused`. What it says never repeats the value, which may be a secret.
"""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct


class Refused(Exception):
    """Why a value is refused; each reason with its place inside the value, such as `[1]`."""

    def __init__(self, *reasons: tuple[str, str]) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


class Kind(Struct, frozen=True):
    """One kind of value: its name in the documentation, its reader, and a stand-in.

    `blank` stands in for a refused value, so that the rest of the file is checked all the same.
    """

    words: str
    read: Callable[[Any, Path], Any]
    blank: Any = ""


def matching(pattern: str, words: str, sentence: str) -> Kind:
    """A text of a certain form."""
    form = re.compile(pattern)

    def read(value: Any, folder: Path) -> str:
        found = text(value, folder)
        if not form.fullmatch(found):
            raise Refused(("", sentence))
        return found

    return Kind(words, read)


def choice(*allowed: str) -> Kind:
    """One of a few words."""

    def read(value: Any, folder: Path) -> str:
        if value not in allowed:
            raise Refused(("", f"must be one of {', '.join(allowed)}"))
        return str(value)

    return Kind(" or ".join(f'`"{word}"`' for word in allowed), read, allowed[0])


def many(kind: Kind, made: Callable[[Iterable[Any]], Any] = frozenset) -> Kind:
    """A list, every item of one kind; each item that is refused is named by its place."""

    def read(value: Any, folder: Path) -> Any:
        if not isinstance(value, list):
            raise Refused(("", "must be a list"))
        found, reasons = [], []
        for place, item in enumerate(value):
            try:
                found.append(kind.read(item, folder))
            except Refused as error:
                reasons += [(f"[{place}]{inside}", why) for inside, why in error.reasons]
        if reasons:
            raise Refused(*reasons)
        return made(found)

    return Kind(f"list of {kind.words}", read, made(()))


def between(low: int | Decimal, high: int | Decimal, unit: str) -> Kind:
    """A number from `low` to `high`: whole if these are whole numbers, else decimal."""
    whole = isinstance(low, int)

    def read(value: Any, folder: Path) -> int | Decimal:
        allowed = int if whole else int | Decimal
        if isinstance(value, bool) or not isinstance(value, allowed):
            raise Refused(("", f"must be a {'whole ' if whole else ''}number"))
        if not (Decimal(value).is_finite() and low <= value <= high):
            raise Refused(("", f"must be {low} to {high} {unit}"))
        return value if whole else Decimal(value)

    return Kind(f"{low} to {high} {unit}", read, low)


def text(value: Any, folder: Path) -> str:
    """A text with something in it."""
    if isinstance(value, str) and value.strip():
        return value
    raise Refused(("", "is required and must be a string"))


def _zone(value: Any, folder: Path) -> ZoneInfo:
    try:
        return ZoneInfo(text(value, folder))
    except (KeyError, ValueError, OSError):  # what ZoneInfo raises for odd names and folders
        raise Refused(("", "no such time zone")) from None


def _flag(value: Any, folder: Path) -> bool:
    if not isinstance(value, bool):
        raise Refused(("", "must be true or false"))
    return value


def _path(value: Any, folder: Path) -> Path:
    name = text(value, folder)
    if "\0" in name:
        raise Refused(("", "must be a path"))
    return folder / name


def _contacts(value: Any, folder: Path) -> dict[str, str]:
    if isinstance(value, dict) and all(isinstance(how, str) and how for how in value.values()):
        return value
    raise Refused(("", "must be a table of texts"))


TEXT = Kind("text", text)
ZONE = Kind("IANA time zone", _zone, ZoneInfo("UTC"))
FLAG = Kind("true or false", _flag, False)
PATH = Kind("path", _path, None)
CONTACTS = Kind("table of texts", _contacts, {})
