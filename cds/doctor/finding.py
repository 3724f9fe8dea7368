"""One line of the examination: what was looked at, how it is, and the next step."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct


Status: TypeAlias = Literal["ok", "warn", "FAIL", "not checked"]
Counts: TypeAlias = Mapping[str, int]


class Finding(Struct, frozen=True, rename="camel", omit_defaults=True):
    """`check`: its stable name. `next_step`: empty only where nothing is to be done.

    `counts`: by code or by a word of ours, the whole list where the text shows a part.
    """

    check: str
    status: Status
    finding: str
    next_step: str = ""
    counts: Counts = {}


def ok(check: str, finding: str, counts: Counts | None = None) -> Finding:
    """Nothing to be done."""
    return Finding(check, "ok", finding, "", counts or {})


def warn(check: str, finding: str, step: str, counts: Counts | None = None) -> Finding:
    """It works, with less than it could, or not for long."""
    return Finding(check, "warn", finding, step, counts or {})


def fail(check: str, finding: str, step: str, counts: Counts | None = None) -> Finding:
    """The site will not work as configured."""
    return Finding(check, "FAIL", finding, step, counts or {})


def unchecked(check: str, why: str, step: str = "") -> Finding:
    """Nothing is known about it: never the same as ok."""
    return Finding(check, "not checked", why, step)


def listed(counts: Counts, most: int = 6) -> str:
    """The first of them as `code x number`, and how many more there are."""
    shown = [f"{code} x {number}" for code, number in list(counts.items())[:most]]
    more = len(counts) - len(shown)
    return ", ".join([*shown, *([f"{more} more codes"] if more > 0 else [])])
