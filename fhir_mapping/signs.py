"""States charted in the words of the project's CodeSystem: arousal, motor, raised pressure.

A state is read from the project's codes, or from their words as text (marked); nothing else is
translated into them. What was charted and is not understood is kept as not assessable.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

from fhir_mapping.neuro import SYSTEM
from fhir_mapping.readings import Scope, is_preliminary, plain, reference_to, shown
from fhir_mapping.record import Record, Seen
from fhir_mapping.times import latest
from knowledge.facts import Charted, Evidence


AROUSAL = ("alert", "spontaneous", "voice", "tactile", "vigorous", "unarousable")
MOTOR = ("none", "focal-weakness")
RAISED_ICP = (
    "none",
    "focal-edema",
    "diffuse-edema",
    "posturing",
    "cn6-palsy",
    "papilledema",
    "cushing-triad",
)
SUPPORT = ("none", "fluids", "one-vasopressor", "multiple-vasopressors")
_FROM_TEXT = "read from text"


def read_words(
    record: Record,
    fact: str,
    levels: Iterable[str],
    scope: Scope,
    *,
    empty: str = "",
    doubts: bool = True,
) -> tuple[Charted, ...]:
    """A state of one axis, oldest first; not performed, `empty` or not understood: not assessable.

    A sign whose time cannot be ordered may be there still, from the latest time it can mean; it
    can raise a grade and lower none. `doubts` False: what is not understood is only named.
    """
    allowed = tuple(levels)
    found: list[Charted] = []
    for seen in record.observations.get(fact, ()):
        at = scope.time_of(seen, fact)
        words = said(seen)
        states = () if empty in words else tuple(word for word in words if word in allowed)
        if at is None:
            found.extend(_untimed(seen, states, allowed[0], scope) if doubts else ())
            continue
        absent = seen.observation.data_absent_reason is not None
        if not states and empty not in words and not absent:
            name_unknown(seen, fact, words, scope)
            if not doubts:
                continue
        found.append(Charted(at, states, evidence_of(seen, at), _preliminary(seen)))
    return together(found)


def said(seen: Seen) -> tuple[str, ...]:
    """The project's codes of the value, codes without a system, or its text as one word."""
    concept = seen.observation.value_codeable_concept
    if concept is None:
        return tuple(plain(text) for text in (seen.observation.value_string,) if text)
    codes = tuple(c.code for c in concept.coding if c.code and c.system in {SYSTEM, None})
    return codes or tuple(plain(text) for text in (concept.text,) if text)


def name_unknown(seen: Seen, fact: str, words: tuple[str, ...], scope: Scope) -> None:
    """A state nobody knows here is named; it still hides what the axis is."""
    text = shown(", ".join(words)) if words else "no value"
    scope.notes.rejected(fact, str(seen.place), f"{fact}: {text} is not a known state")


def _untimed(seen: Seen, states: tuple[str, ...], normal: str, scope: Scope) -> Iterator[Charted]:
    """An abnormal sign without a usable time: it may be there, or have passed."""
    observation = seen.observation
    moment = observation.effective_date_time or observation.effective_instant
    at = latest(moment, observation.effective_period, scope.now)
    if at is not None and at >= scope.since and states and states != (normal,):
        yield Charted(at, (normal, *states), evidence_of(seen, at), preliminary=True)


def _preliminary(seen: Seen) -> bool:
    return is_preliminary(seen.observation)


def evidence_of(seen: Seen, at: datetime) -> Evidence:
    """What was charted, as it was written."""
    observation = seen.observation
    concept = observation.value_codeable_concept
    coded = concept is not None and any(
        c.code and c.system in {SYSTEM, None} for c in concept.coding
    )
    words = said(seen)
    note = _FROM_TEXT if words and not coded else ""
    value = shown(", ".join(words) or "not performed")
    return Evidence(reference_to(observation), seen.concept.code, value, "", at, note)


def together(found: Iterable[Charted]) -> tuple[Charted, ...]:
    """Oldest first; what was charted at one time allows every state it names."""
    ordered = sorted(found, key=lambda c: (c.at, not c.preliminary, c.evidence.ref))
    return tuple(
        _joined(list(same)) for _, same in groupby(ordered, key=lambda c: (c.at, c.preliminary))
    )


def _joined(same: list[Charted]) -> Charted:
    first = same[0]
    if any(not one.levels for one in same):
        return next(one for one in same if not one.levels)
    levels = tuple(dict.fromkeys(level for one in same for level in sorted(one.levels)))
    return first if len(same) == 1 else Charted(first.at, levels, first.evidence, first.preliminary)
