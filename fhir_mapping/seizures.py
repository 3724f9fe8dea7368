"""Seizures: what kind, how long, how many; what is not charted leaves the worse kind possible.

Five minutes or more is prolonged. More than one without a word on consciousness in between may be
repetitive. An entry that contradicts itself allows both of what it says. A seizure charted in the
words of a functional one may be none: it stays possible and is named.
"""

from decimal import Decimal

from msgspec import Struct

from fhir_mapping.codes import CodeSets
from fhir_mapping.neuro import is_score, local_code, score, worst_last
from fhir_mapping.readings import Scope, concept_texts, is_preliminary, plain, plain_number
from fhir_mapping.record import Record, Seen
from fhir_mapping.signs import evidence_of, name_unknown, said, together
from fhir_mapping.units import canonical
from knowledge.facts import Charted, Reading


SEIZURE = ("none", "brief", "nonconvulsive-resolved", "prolonged", "repetitive")
_FUNCTIONAL = "functional-seizure"
_MOST = 1000  # a larger count is a slip of the pen
_PROLONGED_MINUTES = Decimal(5)
_ONE_RESOLVED = frozenset({"brief", "nonconvulsive-resolved"})


class Details(Struct, frozen=True):
    """Duration in minutes and count, where charted; `unclear`: a duration that is not usable."""

    minutes: Decimal | None = None
    count: int | None = None
    unclear: bool = False

    @property
    def happened(self) -> bool:
        """Whether they say by themselves that there was a seizure."""
        return bool(self.count) or bool(self.minutes) or self.unclear


def read_seizures(record: Record, scope: Scope, codes: CodeSets) -> tuple[Charted, ...]:
    """Seizures, oldest first; `none` is charted too."""
    found = []
    for seen in record.observations.get("seizure", ()):
        at = scope.time_of(seen, "seizure")
        if at is None:
            continue
        words = said(seen)
        details = _details(seen, scope)
        states = tuple(word for word in words if word in SEIZURE)
        absent = seen.observation.data_absent_reason is not None
        if not states and not absent and not details.happened:
            name_unknown(seen, "seizure", words, scope)
        levels = _levels(states, details, scope)
        if _is_functional(seen, codes):
            text = "a seizure is charted as functional (psychogenic): counted as possible"
            scope.notes.notice("seizure-functional", text)
            levels = tuple(dict.fromkeys(("none", *levels))) if levels else ()
        found.append(Charted(at, levels, evidence_of(seen, at), is_preliminary(seen.observation)))
    return together(found)


def _is_functional(seen: Seen, codes: CodeSets) -> bool:
    """Whether its code or value is in the words of a functional seizure, as a whole text."""
    observation = seen.observation
    texts = (
        observation.value_string or "",
        *concept_texts(observation.value_codeable_concept),
        *concept_texts(observation.code),
    )
    return any(codes.background_texts.get(plain(text)) == _FUNCTIONAL for text in texts)


def read_seizure_counts(record: Record, scope: Scope, codes: CodeSets) -> tuple[Reading, ...]:
    """How many seizures an entry stands for: as charted, else one; of any age in `scope`.

    A functional one is none of the seizures that are counted.
    """
    found = []
    for seen in record.observations.get("seizure", ()):
        if _is_functional(seen, codes):
            continue
        at = scope.time_of(seen, "seizure")
        count = _details(seen, None).count
        states = [word for word in said(seen) if word in SEIZURE]
        if count is None and states and "none" not in states:
            count = 2 if states == ["repetitive"] else 1
        if at is not None and count is not None:
            found.append(score(seen, count, at))
    return worst_last(found)


def _details(seen: Seen, scope: Scope | None) -> Details:
    minutes: Decimal | None = None
    count: int | None = None
    unclear = False
    for component in seen.observation.component:
        name = local_code(component)
        if name == "seizure-count":
            number = plain_number(component)
            usable = number is not None and is_score(number, _MOST)
            count = int(number) if number is not None and usable else None
        if name == "seizure-duration" and component.value_quantity is not None:
            value = canonical("duration", component.value_quantity)
            if not isinstance(value, str):
                minutes = value
                continue
            unclear = True
            if scope is not None:
                scope.notes.rejected("seizure-duration", str(seen.place), value)
    return Details(minutes, count, unclear)


def _levels(states: tuple[str, ...], details: Details, scope: Scope) -> tuple[str, ...]:
    if not states:
        if not details.happened:
            return ()
        scope.notes.missing("seizure", "a seizure of a kind that is not charted")
        states = ("brief",) if details.minutes is not None else ("brief", "prolonged")
    if states == ("none",):
        return _none(details, scope)
    found = [level for state in states for level in _with_duration(state, details, scope)]
    if details.count is not None and details.count > 1 and not _ONE_RESOLVED.isdisjoint(found):
        text = "more than one seizure: whether consciousness returned between them is not charted"
        scope.notes.missing("seizure", text)
        found.append("repetitive")
    return tuple(dict.fromkeys(found))


def _none(details: Details, scope: Scope) -> tuple[str, ...]:
    if not details.happened:
        return ("none",)
    scope.notes.missing("seizure", "no seizure is charted beside a count or duration of seizures")
    return SEIZURE


def _with_duration(state: str, details: Details, scope: Scope) -> tuple[str, ...]:
    if state == "brief" and details.unclear:
        return ("brief", "prolonged")
    if details.minutes is None:
        return (state,)
    if state == "brief" and details.minutes >= _PROLONGED_MINUTES:
        if details.minutes == _PROLONGED_MINUTES:
            text = "seizure of exactly 5 minutes: counted as prolonged"
            scope.notes.notice("seizure-five-minutes", text)
        return ("prolonged",)
    if state == "prolonged" and details.minutes < _PROLONGED_MINUTES:
        text = f"a prolonged seizure is charted with a duration of {details.minutes:f} minutes"
        scope.notes.missing("seizure", text)
        return ("brief", "prolonged")
    return (state,)
