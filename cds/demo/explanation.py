"""How an answer came about, read out of the assessment that came beside the cards.

Sorting and naming only: every value is the service's own, and what is not there is not said.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct


Found = Mapping[str, Any]
_NAMES = {"crs": "CRS", "icans": "ICANS"}


class Line(Struct, frozen=True):
    """A name and what is said of it."""

    name: str
    text: str


class Section(Struct, frozen=True):
    """Lines under one heading."""

    title: str
    lines: tuple[Line, ...]


def explained(found: Found) -> tuple[Section, ...]:
    """Of an assessment; nothing where there is none."""
    if not found:
        return ()
    parts = (
        ("Evaluated", _evaluated(found)),
        *((f"{name} grade", _toxicity(found.get(key) or {})) for key, name in _NAMES.items()),
        ("Disposition", _disposition(found)),
        ("Limits and medicines", _medicines(found)),
        ("Notices", _notices(found)),
        ("Arrived and not used", _unreadable(found)),
    )
    sections = (Section(title, tuple(lines)) for title, lines in parts)
    return tuple(one for one in sections if one.lines)


def grade(state: Found) -> str:
    """The grade interval of one toxicity in words."""
    if not state.get("assessed"):
        why = state.get("reason")
        return f"not assessed: {why}" if why else "not assessed"
    return _range(state.get("acting") or state.get("grade") or {})


def _evaluated(found: Found) -> Iterator[Line]:
    protocol, knowledge = found.get("protocol") or {}, found.get("knowledge") or {}
    yield Line("at", str(found.get("evaluatedAt", "")))
    yield Line("protocol", f"{protocol.get('id', '')} version {protocol.get('version', '')}")
    yield Line("mode", str(found.get("mode", "")))
    reviewed = "clinically reviewed" if knowledge.get("clinicallyReviewed") else None
    yield Line(
        "knowledge",
        f"{knowledge.get('version', '')}, {reviewed or 'not clinically reviewed'}",
    )
    agent = found.get("agent") or {}
    if agent:
        last = agent.get("lastDose")
        yield Line("agent", f"{agent.get('ingredient', '')}{f', last dose {last}' if last else ''}")


def _toxicity(state: Found) -> Iterator[Line]:
    yield Line("grade", grade(state))
    charted = state.get("charted")
    if charted:
        yield Line("charted by a clinician", f"{charted.get('grade')} at {charted.get('at')}")
    event = state.get("event")
    if event:
        onset = event.get("onset", "not known")
        highest = _range(event.get("maxGrade") or {})
        source = " (from the store)" if event.get("from") == "store" else ""
        yield Line("event", f"since {onset}, highest grade {highest}{source}")
    for name, axis in (state.get("axes") or {}).items():
        yield Line(name, "; ".join((str(axis.get("level", "")), *_evidence(axis))))
    for one in state.get("missing") or ():
        yield Line("missing", f"{one.get('fact')}: {one.get('reason')}")


def _evidence(axis: Found) -> Iterator[str]:
    for one in axis.get("evidence") or ():
        value = f"{one.get('value', '')} {one.get('unit', '')}".strip()
        yield f"{value} at {one.get('at', '?')} ({one.get('ref', '')})"


def _disposition(found: Found) -> Iterator[Line]:
    for one in (*(found.get("orders") or ()), found):
        what = one.get("disposition") or {}
        name = str(one.get("ingredient", "")) or "all orders together"
        parts = [str(what.get("action", ""))]
        if what.get("until"):
            parts.append(f"until {what['until']}")
        if "confirmed" in what:
            parts.append("confirmed" if what["confirmed"] else "not confirmed")
        if what.get("reason"):
            parts.append(str(what["reason"]))
        parts += [f"rule {rule}" for rule in what.get("rules") or ()]
        yield Line(name, ", ".join(parts))
    for name, value in (found.get("nextDose") or {}).items():
        yield Line(f"next dose: {name}", _words(value))


def _medicines(found: Found) -> Iterator[Line]:
    for name in ("tocilizumab", "anakinra", "rems"):
        if found.get(name):
            yield Line(name, _words(found[name]))
    for one in found.get("medications") or ():
        rest = {key: value for key, value in one.items() if key != "agent"}
        yield Line(str(one.get("agent", "")), _words(rest))


def _notices(found: Found) -> Iterator[Line]:
    for one in found.get("notices") or ():
        yield Line(str(one.get("code", "")), str(one.get("text", "")))


def _unreadable(found: Found) -> Iterator[Line]:
    for one in found.get("unreadable") or ():
        yield Line(str(one.get("at", "")), str(one.get("reason", "")))


def _range(interval: Found) -> str:
    least, most = interval.get("atLeast"), interval.get("atMost")
    if least is None or most is None:
        return "not known"
    return str(least) if least == most else f"{least} to {most}"


def _words(value: Any) -> str:
    """A small JSON value on one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(one)}" for name, one in value.items())
    if isinstance(value, list):
        return "; ".join(map(_words, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
