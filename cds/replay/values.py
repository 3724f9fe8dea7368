"""What the parts of a report are made of: counts, rates, rows; it counts nothing itself."""

from decimal import ROUND_HALF_UP, Decimal

from msgspec import Struct


class Wire(Struct, frozen=True, rename="camel"):
    """Base of everything in the report; every member is always there."""


class Share(Wire, frozen=True):
    """`count` of `of`, and per hundred to one decimal, half up; None: there is none of nothing."""

    count: int
    of: int
    per_hundred: Decimal | None


def share(count: int, of: int) -> Share:
    """With its rate."""
    if not of:
        return Share(count, of, None)
    rate = (Decimal(100 * count) / of).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return Share(count, of, rate)


class Counted(Wire, frozen=True):
    """How often something was, by its stable code or reason."""

    what: str
    count: int


class Row(Wire, frozen=True):
    """One moment, by the number of its file and line; a saved request is line 1."""

    file: int
    line: int


class Knowledge(Wire, frozen=True):
    """A version of the knowledge."""

    version: str
    sha256: str
    clinically_reviewed: bool


def counted(counts: dict[str, int]) -> tuple[Counted, ...]:
    """The most first; equal ones by name."""
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return tuple(Counted(what, count) for what, count in ordered if count)
