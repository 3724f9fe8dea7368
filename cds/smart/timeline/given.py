"""Drugs that were given, and infusions that ran: from the facts to items in time."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from cards.escape import plain
from cds.smart.timeline.item import Item, What
from cds.smart.timeline.shown import said, value_of
from knowledge.facts import BISPECIFICS, Evidence, Facts, Masking


_DOSES: Mapping[str, What] = {
    "tocilizumab": "tocilizumab",
    "anakinra": "anakinra",
    "siltuximab": "siltuximab",
}
_DOUBTS = {
    "push": "one push",
    "end-not-charted": "end not charted",
    "uncertain": "may not have run",
}


def drugs(facts: Facts) -> Iterator[Item]:
    """Bispecifics, anti-cytokine drugs, corticosteroids and antipyretics."""
    for dose in facts.doses:
        what = "bispecific" if dose.ingredient in BISPECIFICS else _DOSES.get(dose.ingredient)
        if what is not None:
            yield Item(
                at=dose.start,
                what=what,
                shown=_amount(dose.ingredient, dose.evidence),
                ref=plain(dose.evidence.ref),
                until=dose.end,
                running=dose.running,
                marks=(*((dose.route,) if dose.route else ()), *_named(dose.evidence)),
            )
    yield from _masking(facts)


def _masking(facts: Facts) -> Iterator[Item]:
    """One given over a period is there with its start and its end: one item for both."""
    periods: dict[tuple[str, str], list[Masking]] = {}
    for one in facts.masking:
        if one.kind in ("steroid", "antipyretic"):
            periods.setdefault((one.evidence.ref, one.agent), []).append(one)
    for same in periods.values():
        first = same[0]
        last: datetime | None = same[-1].at if len(same) > 1 else None
        yield Item(
            at=first.at,
            what="steroid" if first.kind == "steroid" else "antipyretic",
            shown=_amount(first.agent, first.evidence),
            ref=plain(first.evidence.ref),
            until=last,
            marks=_named(first.evidence),
        )


def infusions(facts: Facts) -> Iterator[Item]:
    """Vasoactive infusions: from when to when, and what is doubtful about it."""
    for one in facts.infusions:
        doubt = _DOUBTS.get(one.doubt, "")
        going = ("still running",) if one.end is None and not doubt else ()
        yield Item(
            at=one.start,
            what="vasopressor",
            shown=_amount(one.agent, one.evidence),
            ref=plain(one.evidence.ref),
            until=one.end,
            running=one.end is None and one.doubt != "push",
            marks=(*((doubt,) if doubt else ()), *going, *_named(one.evidence)),
        )


def _amount(agent: str, evidence: Evidence) -> str:
    amount = value_of(evidence)
    return plain(f"{agent}, {amount}" if amount else agent)


def _named(evidence: Evidence) -> tuple[str, ...]:
    """What the record calls the drug, where that says more than its ingredient."""
    return () if evidence.note == evidence.code else said(evidence.note)
