"""An attempt in words and as one JSON document: what a card says, and what it rests on."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from cds.explain import text_lines
from cds.trying.codings import counted
from cds.trying.reading import Query
from cds.trying.run import Tried
from knowledge.facts import Facts


_MOST = 12  # codes of one type that are shown in the text; the JSON document has all
_ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")
_NOT_READ = frozenset(
    {"answered", "unusable", "orders", "unread_orders", "missing", "notices", "unreadable"}
)


def as_json(tried: Tried) -> str:
    """Everything, on one line; the same attempt gives the same members in the same order."""
    evaluation = tried.evaluation
    document: dict[str, Any] = {
        "review": _review(tried),
        "server": {"base": tried.base, "says": tried.server},
        "queries": tried.queries,
        "read": _read(evaluation.facts),
        "codesNotUsed": {
            "unknown": counted(tried.met, "unknown"),
            "leftOut": counted(tried.met, "left-out"),
        },
        "unreadable": evaluation.facts.unreadable,
        "facts": evaluation.facts,
        "assessment": evaluation.decision.assessment,
        "response": Raw(evaluation.response),
    }
    return _ENCODER.encode(document).decode()


def as_text(tried: Tried) -> str:
    """For people: the assessment and the cards, then the evidence."""
    return "\n".join(_lines(tried))


def _lines(tried: Tried) -> Iterator[str]:
    yield f"{tried.base}: {tried.server}; {_review(tried)}"
    yield from text_lines("order-sign", tried.evaluation)
    yield "evidence"
    yield from map(_query_line, tried.queries)
    read = _read(tried.evaluation.facts)
    words = ", ".join(f"{name} {number}" for name, number in read.items())
    yield f"  read        {words or 'nothing'}"
    yield from _codes("unknown", counted(tried.met, "unknown"))
    yield from _codes("left out", counted(tried.met, "left-out"))


def _review(tried: Tried) -> str:
    reviewed = tried.evaluation.decision.assessment.knowledge.clinically_reviewed
    return f"{'' if reviewed else 'not '}clinically reviewed"


def _query_line(one: Query) -> str:
    state = "in part" if one.partial else "answered" if one.answered else "not answered"
    counts = f"{_plural(one.resources, 'resource')}, {_plural(one.pages, 'page')}"
    why = f"; {one.problem}: {one.next_step}" if one.problem else ""
    return f"  {one.key:15} {state}: {counts}, {one.milliseconds} ms{why}"


def _codes(name: str, counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    for kind, found in counts.items():
        yield f"  {name}, {kind}"
        for code, number in list(found.items())[:_MOST]:
            yield f"    {number:6} {code}"
        if len(found) > _MOST:
            yield f"           and {len(found) - _MOST} more codes, all with --format json"


def _read(facts: Facts) -> Mapping[str, int]:
    """How many of each fact there are, by the name it has in `Facts`."""
    return {
        name: len(value)
        for name in facts.__struct_fields__
        if name not in _NOT_READ and isinstance(value := getattr(facts, name), tuple) and value
    }


def _plural(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
