"""Scales, limits of doses and site settings for the specification: each number with its place."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from knowledge.dosing_model import Limit, Stated
from knowledge.library import Library
from knowledge.model import Header, SiteRules, SourceRef
from knowledge.plain import plain
from knowledge.scale_model import AxisScale, CrsScale, IcansScale, ScoreBand
from knowledge.spec_facts import identity, place
from knowledge.spec_markdown import bullets, table


HEADER = frozenset(Header.__struct_fields__)
ACRONYMS = {word: word.upper() for word in ("icp", "cn6", "ice", "capd", "crs", "icans", "rems")}
SPELLED = ACRONYMS | {"cel": "(°C)", "grade2": "grade 2"}


def scale(file: CrsScale | IcansScale, library: Library) -> list[str]:
    """The levels of a scale and the grade each means."""
    rows = [
        row
        for field in file.__struct_fields__
        for row in _levels(_words(field), getattr(file, field), file.source.at)
    ]
    return [
        *table(("", ""), identity(file, library)),
        *table(("Axis", "Level", "Grade", "Place"), rows),
        *_limits(file),
        *bullets("Not counted", file.exclusions),
    ]


def dosing(file: Header, library: Library) -> list[str]:
    """One dosing file: its limits, its sentences, what is not checked."""
    return [*table(("", ""), identity(file, library)), *_limits(file), *_statements(file)]


def _limits(file: Header) -> list[str]:
    """Every number of a file with the place it is printed at."""
    return table(("Number", "Value", "Place"), _numbers(file, ""))


def _statements(file: Header) -> list[str]:
    """The sentences of a dosing file with their places, and what is not checked."""
    found = [
        f"{said.text} ({place(said.source)})"
        for field in file.__struct_fields__
        for said in _items(getattr(file, field))
        if isinstance(said, Stated)
    ]
    unchecked: tuple[str, ...] = getattr(file, "not_checked", ())
    return [*bullets("Said beside it", found), *bullets("Not checked", unchecked)]


def site_rules(file: SiteRules, library: Library) -> list[str]:
    """The project's own numbers, which a site may replace."""
    names = [name for name in file.__struct_fields__ if name not in HEADER]
    return [
        *table(("", ""), identity(file, library)),
        *table(("Setting", "Value"), ((_words(n), str(getattr(file, n))) for n in names)),
    ]


def _levels(name: str, value: Any, at: str) -> Iterable[tuple[str, str, str, str]]:
    if isinstance(value, AxisScale):
        for level, grade in value.levels.items():
            yield name, _words(level), str(grade), value.at
    for band in _items(value):
        if isinstance(band, ScoreBand):
            span = str(band.low) if band.low == band.high else f"{band.low}-{band.high}"
            yield name, span, str(band.grade), at


def _numbers(value: Any, name: str) -> Iterable[tuple[str, str, str]]:
    """Walks a file: each limit, number, name and note inside, called by its path."""
    if isinstance(value, Limit):
        yield name, plain(value.value), place(value.source)
    elif isinstance(value, SourceRef):
        yield name, "not stated", place(value)
    elif isinstance(value, (Decimal, int, str)):
        yield name, str(value), ""
    elif isinstance(value, (Struct, Mapping)):
        for field, part in _parts(value):
            if part not in ("", None):
                yield from _numbers(part, f"{name}, {field}" if name else field)


def _parts(value: Any) -> Iterable[tuple[str, Any]]:
    """The members of a mapping (ids as they are) or a struct (names as words)."""
    if isinstance(value, Mapping):
        return value.items()
    skipped = HEADER if isinstance(value, Header) else frozenset()
    named = ((n, getattr(value, n)) for n in value.__struct_fields__ if n not in skipped)
    return ((_words(n), part) for n, part in named if not isinstance(part, AxisScale))


def _words(field: str) -> str:
    words = field.replace("_", " ").replace("-", " ").split()
    return " ".join(SPELLED.get(word, word) for word in words)


def _items(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else ()
