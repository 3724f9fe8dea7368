"""Lines about decisions that were made again: by path, and without values unless these are asked.

Words only; a path is made of member names of ours and positions.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from cds.recompute import Outcome


class SomeDiffer(Exception):
    """Decisions that should be the same, and readable, are not: somebody must look."""


def lines(outcomes: Iterable[Outcome], *, as_json: bool, show_values: bool) -> Iterator[str]:
    """A line each and what differs, with a count at the end; or a JSON document a line.

    `show_values`: clinical values too. Raises `SomeDiffer` after the last line.
    """
    counts: Counter[str] = Counter()
    bad = 0
    for one in outcomes:
        counts[one.verdict] += 1
        bad += one.bad
        shown = one if show_values else _without_values(one)
        yield from [_json(shown)] if as_json else _text(shown)
    if not as_json:
        yield _sum(counts)
    if bad:
        raise SomeDiffer(f"{bad:,} of {counts.total():,} decisions differ or cannot be read")


def _text(one: Outcome) -> Iterator[str]:
    when = f"{one.evaluated_at:%Y-%m-%dT%H:%M:%SZ}"
    yield "  ".join(part for part in (when, one.id, one.site, one.verdict, one.reason) if part)
    for change in one.changes:
        values = f": {change.kept or '-'} -> {change.now or '-'}"
        yield f"    {change.path}{values if change.kept or change.now else ''}"


def _json(one: Outcome) -> str:
    document = {
        "id": one.id,
        "evaluatedAt": one.evaluated_at,
        "site": one.site,
        "verdict": one.verdict,
        "reason": one.reason,
        "changes": one.changes,
    }
    return msgspec.json.encode({name: value for name, value in document.items() if value}).decode()


def _without_values(one: Outcome) -> Outcome:
    bare = tuple(msgspec.structs.replace(change, kept="", now="") for change in one.changes)
    return msgspec.structs.replace(one, changes=bare)


def _sum(counts: Counter[str]) -> str:
    parts = ", ".join(f"{number:,} {verdict}" for verdict, number in sorted(counts.items()))
    return f"{counts.total():,} decisions{': ' if parts else ''}{parts}"
