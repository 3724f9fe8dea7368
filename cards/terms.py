"""The words for coded terms: drugs, grades, levels, actions, missing facts; whole sentences are
in wording."""

import re

from cards.escape import name
from knowledge.assessment import Assessment, Disposition, Grade, ToxicityState
from knowledge.facts import Missing, Order


SYNDROMES = {"crs": "CRS", "icans": "ICANS"}
HOLDS = frozenset({"withhold", "interrupt", "discontinue-current", "discontinue-permanently"})
SEVERE = 3  # the grade from which a drafted bispecific makes a critical card

ACTIONS = {
    "withhold": "hold",
    "interrupt": "interrupt",
    "discontinue-current": "stop the current dose (later doses are a separate decision)",
    "discontinue-permanently": "permanent discontinuation",
    "continue": "continue",
    "resume-with-conditions": "next dose under conditions",
    "no-toxicity": "no toxicity found",
    "not-applicable": "no bispecific involved",
    "cannot-evaluate": "cannot be evaluated",
}
NOT_STATED = "disposition not stated in the source"

_FACTS = {
    "ice": "ICE score",
    "capd": "CAPD score",
    "crs": "CRS inputs",
    "icans": "ICANS inputs",
    "raised-icp": "raised ICP",
    "spo2": "SpO2",
    "saturation": "SpO2",
}
_AXES = {
    "fever": "Fever",
    "hypotension": "Hypotension",
    "hypoxia": "Oxygen",
    "ice": "ICE",
    "capd": "CAPD",
    "raised-icp": "Raised ICP",
    "raisedIcp": "Raised ICP",
    "raised_icp": "Raised ICP",
}
_UNTIL = {
    "crs-resolved": "CRS has resolved",
    "icans-resolved": "ICANS has resolved",
    "icans-resolved-or-baseline": "ICANS has resolved or is back to baseline",
    "icans-grade-1-or-baseline": "neurologic findings are grade 1 or baseline",
    "icans-grade-1": "ICANS is no more than grade 1",
    "resolved": "the toxicity has resolved",
}
_WAIT = re.compile(r"(crs|icans)-resolved-([0-9.]+)-h")
_REASONS = {
    "not-a-crs-route": "a subcutaneous product is not for CRS",
    "not-exposed": "no bispecific given in the look-back period",
    "icans-not-assessed": "ICANS was not assessed",
    "not-in-knowledge-base": "the product is not in the knowledge base",
    "inputs-missing": "inputs are missing",
    "administrations-not-available": "earlier doses not available",
    "protocol-silent": "the active protocol states no dose or count",
    "dose-not-stated": "the active protocol states no dose",
    "no-weight": "no measured weight",
    "weight-too-old": "the last weight is too old",
    "weight-not-over-floor": "weight at or under the limit for a dose",
    "above-cap": "above the most allowed in one dose",
    "interval": "too soon after the last dose",
    "another-draft": "another tocilizumab dose is drafted too close to it",
    "another-order": "a tocilizumab order is already active",
    "doses-before-onset": "doses before the first recorded sign may belong to this event",
    "isolated-icans": "not for ICANS without CRS",
    "count-this-event": "most doses for one event already given",
    "count-6-weeks": "most doses in 6 weeks already given",
    "tocilizumab-doses-not-given": "fewer tocilizumab doses given than the protocol asks for first",
    "corticosteroid-not-given": "no recent corticosteroid, which the protocol asks for first",
    "icans-too-short": "ICANS has not lasted as long as the protocol asks",
    "icans-onset-not-known": "the onset of ICANS is not known",
    "no-rule-reached": "no rule of the protocol is reached",
    "no-active-toxicity": "no active toxicity",
    "start-above-ceiling": "the starting dose is above the ceiling by weight",
}


def drug(order: Order) -> str:
    """The name of the ordered drug for a summary: its ingredient, else what the order calls it."""
    return name(order.ingredient) or name(order.display) or "this order"


def agent(assessment: Assessment) -> str:
    """The bispecific on board, or that it is not known."""
    return name(assessment.agent.ingredient) if assessment.agent else "the bispecific"


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def words(slug: str) -> str:
    """A coded term as words; text that is no code stays as it is."""
    return slug if " " in slug else slug.replace("-", " ")


def action(code: str) -> str:
    """What a row or disposition asks for. A blank cell is not stated, never "continue"."""
    return ACTIONS.get(code, NOT_STATED)


def until(code: str) -> str:
    """The end of a hold, in words; several ends are joined by "and"."""
    return " and ".join(_one_end(part) for part in code.split(" and "))


def _one_end(code: str) -> str:
    wait = _WAIT.fullmatch(code)
    if wait is not None:
        return f"the {wait[2]} h the source asks for after {SYNDROMES[wait[1]]} are over"
    return _UNTIL.get(code, words(code))


def reason(code: str) -> str:
    """A reason, in words."""
    return _REASONS.get(code, words(code))


def fact(code: str) -> str:
    """A missing fact, in words safe for a summary."""
    return name(_FACTS.get(code, words(code)))


def axis(code: str) -> str:
    """The heading of an axis."""
    return _AXES.get(code, capital(words(code)))


def level(code: str) -> str:
    """The level of an axis, in words."""
    return "drowsy, wakes by itself" if code == "spontaneous" else words(code)


def syndrome(code: str) -> str:
    """CRS or ICANS; a bare word where the syndrome is not stated."""
    return SYNDROMES.get(code, "toxicity")


def shown_grade(state: ToxicityState) -> Grade | None:
    """The grade that drives advice, else what the data say; none where not assessed."""
    return (state.acting or state.grade) if state.assessed else None


def open_event(state: ToxicityState) -> bool:
    """An event without a time of resolution."""
    return state.event is not None and state.event.resolved_at is None


def grade(code: str, state: ToxicityState) -> str:
    """The grade as a headline: the lower bound first, then what is still possible."""
    known = shown_grade(state)
    label = syndrome(code)
    if known is None:
        return f"{label} not assessed"
    low, high = known.at_least, known.at_most
    if low == high == 0 and state.event is not None and not open_event(state):
        return f"{label} event over"
    if low == high:
        unresolved = low == 0 and open_event(state)
        return f"{label} event not yet resolved" if unresolved else f"{label} grade {low}"
    if low == 0:
        return f"{label} grade 0-{high} possible"
    return f"{label} grade at least {low} ({low}-{high} possible)"


def states(assessment: Assessment) -> tuple[tuple[str, ToxicityState], ...]:
    """Both scales, by code."""
    return (("crs", assessment.crs), ("icans", assessment.icans))


def active(assessment: Assessment) -> tuple[tuple[str, ToxicityState], ...]:
    """The scales that show toxicity now: a grade of at least 1, or an event that is not over."""
    return tuple(
        (code, state)
        for code, state in states(assessment)
        if open_event(state) or ((known := shown_grade(state)) is not None and known.at_least > 0)
    )


def concerned(
    assessment: Assessment, disposition: Disposition
) -> tuple[tuple[str, ToxicityState], ...]:
    """The scales a disposition is about: the one it names first, then any other active one."""
    chosen = [pair for pair in states(assessment) if pair[0] == disposition.toxicity]
    return (*chosen, *(pair for pair in active(assessment) if pair not in chosen))


def graded(pairs: tuple[tuple[str, ToxicityState], ...]) -> str:
    """Syndromes and grades for a topic code: CRSG2, CRSG2TO3, CRSG2ICANSG1."""
    parts = []
    for code, state in pairs:
        known = shown_grade(state)
        if known is None:
            parts.append(code)
        elif known.at_least == known.at_most:
            parts.append(f"{code}G{known.at_least}")
        else:
            parts.append(f"{code}G{known.at_least}TO{known.at_most}")
    return "".join(parts).upper()


def missing(items: tuple[Missing, ...]) -> str:
    """The first missing fact and how many more, or nothing."""
    if not items:
        return ""
    more = f" and {len(items) - 1} more" if len(items) > 1 else ""
    return f"{fact(items[0].fact)}{more} missing"
