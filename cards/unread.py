"""What was not read, in words for pages: never "none" or "not recorded" in place of it.

It judges nothing: which queries were answered comes with the facts.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence

from cards import detail, plain, terms
from cards.escape import markdown
from cards.sheet import Section
from knowledge.assessment import Assessment
from knowledge.decision import Decision
from knowledge.facts import Facts, Missing, Notice, QueryName


NO_EVENT = "No CRS or ICANS event was found in the record."
TITLE = "Not read or not used"
# What the reader must know whatever a site shows of advice: it says what was not read.
CODES = frozenset({"not-read", "history-not-read", "partial-page", "exposure-unknown"})

# What an event of each toxicity can be seen in.
_EVENTS: Mapping[str, tuple[QueryName, ...]] = {
    "crs": ("vitals", "oxygen", "assessments", "administrations", "conditions", "procedures"),
    "icans": ("assessments", "administrations", "conditions", "procedures"),
}
_AXES: Mapping[str, tuple[QueryName, ...]] = {
    "fever": ("vitals",),
    "hypotension": ("vitals", "administrations"),
    "hypoxia": ("vitals", "oxygen"),
}
_ASSESSED: tuple[QueryName, ...] = ("assessments",)
_FACTS: Mapping[str, tuple[QueryName, ...]] = {
    "temperature": ("vitals",),
    "blood-pressure": ("vitals",),
    "saturation": ("vitals",),
    "oxygen-device": ("oxygen",),
    **dict.fromkeys(("ice", "capd", "arousal", "seizure", "motor", "raised-icp"), _ASSESSED),
}
_NAMES = {"vitals": "vital signs"}
_NOTHING = re.compile(r"not recorded|(raised ICP|oxygen device|[\w-]+) not (charted|assessed)")
_OLDER = re.compile(r"(oxygen device )?last (recorded|charted) .*")


def told(facts: Facts, queries: Iterable[QueryName]) -> str:
    """Which of the queries were not answered, or not in full; nothing where all were."""
    open_ = [query for query in queries if query not in facts.answered]
    none = [_NAMES.get(one, one) for one in open_ if one not in facts.read_back_to]
    part = [_NAMES.get(one, one) for one in open_ if one in facts.read_back_to]
    said = [f"{', '.join(none)} not read"] if none else []
    return "; ".join([*said, *([f"{', '.join(part)} not all read"] if part else [])])


def axis(code: str, facts: Facts) -> str:
    """What was not read of the queries that an axis rests on."""
    return told(facts, _AXES.get(code, _ASSESSED))


def events(assessment: Assessment, facts: Facts) -> tuple[str, ...]:
    """Of each toxicity without an event: that there was none, or that nobody can know."""
    without = [code for code, state in terms.states(assessment) if state.event is None]
    forgotten = any(one.code == "history-not-read" for one in assessment.notices)
    found = []
    for code in without:
        said = [told(facts, _EVENTS[code]), "earlier events not read" if forgotten else ""]
        if any(said):
            why = "; ".join(one for one in said if one)
            found.append(f"{terms.syndrome(code)} event: not known: {why}.")
    if found or len(without) < len(_EVENTS):
        return tuple(found)
    return (NO_EVENT,)


def missing(items: Iterable[Missing], facts: Facts) -> tuple[Missing, ...]:
    """The missing facts, with "not read" where nobody looked."""
    return tuple(dict.fromkeys(_missing(one, facts) for one in items))


def section(assessment: Assessment) -> Section:
    """What was not read, and what was not used of what was read."""
    lines = noted(assessment, unread=True)
    return Section(code="unread", title=TITLE, texts=(detail.section(TITLE, lines),))


def notes(assessment: Assessment) -> Section:
    """What else the reader must know; it may be advice."""
    lines = noted(assessment, unread=False)
    return Section(code="notes", title="Notes", texts=(detail.section("Notes", lines),))


def noted(assessment: Assessment, *, unread: bool) -> Sequence[str]:
    """The lines of the card's notes, in one of its two parts."""
    some: tuple[Notice, ...] = tuple(
        one for one in assessment.notices if (one.code in CODES) is unread
    )
    parts = assessment.unreadable if unread else ()
    lines = detail.notices(some, parts).splitlines()[1:]
    return [plain.text(line.removeprefix("- ")) for line in lines]


def differing(decision: Decision, *, but: Container[str] = ()) -> tuple[str, ...]:
    """Where a clinician's grade and the data differ: a line for each toxicity not among `but`."""
    states = terms.states(decision.assessment)
    codes = {f"{code}-charted-differs" for code, _ in states if code not in but}
    return tuple(
        f"{markdown(one.text).rstrip('.')}: the grade and the data differ, check both."
        for one in decision.assessment.notices
        if one.code in codes
    )


def _missing(one: Missing, facts: Facts) -> Missing:
    said = told(facts, _FACTS.get(one.fact, ()))
    worded = plain.missing(one)
    if not said:
        return worded
    if _NOTHING.fullmatch(one.reason):
        return Missing(one.fact, f"not known: {said}")
    return Missing(one.fact, f"{worded.reason}; {said}") if _OLDER.fullmatch(one.reason) else worded
