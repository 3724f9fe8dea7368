"""The sections of a card's detail: what was seen, what is missing, which rules apply and why.

Plain text in a narrow column that is also valid Markdown. Text from the record is escaped here.
"""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from cards import citing, terms, wording
from cards.escape import markdown
from cards.units import quantity, time
from knowledge.assessment import Assessment, Disposition, Event, ToxicityState
from knowledge.decision import AppliedRow, Decision, TocilizumabLine
from knowledge.facts import Evidence, Missing, Notice, Order, Unreadable


_UNREADABLE_SHOWN = 5


def section(title: str, items: Iterable[str]) -> str:
    """A title and its list; nothing when the list is empty."""
    lines = [f"- {item}" for item in items]
    return "\n".join([title, *lines]) if lines else ""


def join(sections: Iterable[str]) -> str:
    """Sections with a blank line between them; empty ones vanish."""
    return "\n\n".join(part for part in sections if part)


def order_line(order: Order) -> str:
    """Which order the card speaks about, as the order itself names the drug."""
    named = markdown(order.display) or markdown(order.ingredient) or "not named"
    return f"Order: {named}"


def advice(disposition: Disposition, pairs: tuple[tuple[str, ToxicityState], ...]) -> str:
    """What to do and until when. Every hold says that restart after a delay is not stated."""
    lines = [f"Advice: {terms.action(disposition.action)}"]
    if disposition.until:
        lines[0] += f", until {terms.until(disposition.until)}"
    lines[0] += "."
    if disposition.reason:
        lines.append(f"Reason: {terms.reason(markdown(disposition.reason))}.")
    if disposition.action == "discontinue-current":
        lines.append(wording.ONE_DRUG)
    if disposition.action == "discontinue-permanently" and not disposition.confirmed:
        lines.append("Not confirmed: chart the grade, or hold the order until it is charted.")
    if disposition.action in terms.HOLDS:
        lines.append(wording.RESTART)
    return "\n".join([*lines, *(f"{terms.grade(code, state)}." for code, state in pairs)])


def course(code: str, state: ToxicityState, zone: ZoneInfo) -> str:
    """Charted grade, event, axes and their evidence for one scale."""
    items = []
    if not state.assessed:
        said = state.reason not in ("", "not-assessed")
        why = f": {terms.reason(markdown(state.reason))}" if said else ""
        items.append(f"not assessed{why}")
    if state.charted is not None:
        charted = state.charted
        items.append(f"Charted grade {charted.grade}, {time(charted.at, zone)}")
    if state.event is not None:
        items += event(state.event, zone)
    for key, axis in state.axes.items():
        shown = [terms.level(axis.level), *(evidence(one, zone) for one in axis.evidence)]
        items.append(f"{terms.axis(key)}: {'; '.join(part for part in shown if part)}")
    return section(f"{terms.syndrome(code)} inputs", items)


def event(value: Event, zone: ZoneInfo) -> list[str]:
    """The course of one event; a resolution nobody charted only appears."""
    low, high = value.max_grade.at_least, value.max_grade.at_most
    highest = str(low) if low == high else f"{low} to {high}"
    again = ", recurrent" if value.recurrent else ""
    lines = [f"Event since {time(value.onset, zone)}, highest grade {highest}{again}"]
    if value.agent:
        lines.append(f"Event on {markdown(value.agent)}")
    if value.hours_at_grade3 is not None:
        hours = value.hours_at_grade3
        least, most = f"{hours.at_least:f}", f"{hours.at_most:f}"
        span = f"{least} h" if least == most else f"{least} to {most} h"
        lines.append(f"At grade 3 for {span}")
    if value.resolved_at is not None:
        lasted = int((value.resolved_at - value.onset).total_seconds() // 3600)
        lines.append(f"From onset to resolution {lasted} h")
        at = time(value.resolved_at, zone)
        sure = value.resolved_confirmed
        lines.append(f"Resolved since {at}" if sure else f"Appears resolved since {at}: confirm")
    return lines


def evidence(value: Evidence, zone: ZoneInfo) -> str:
    """One observed value with its time and note."""
    parts = [quantity(value)]
    if value.at is not None:
        parts.append(time(value.at, zone))
    parts.append(markdown(value.note))
    return ", ".join(part for part in parts if part)


def all_missing(decision: Decision) -> tuple[Missing, ...]:
    """Every missing fact once, those of the scales last."""
    found = dict.fromkeys(decision.missing)
    for _, state in terms.states(decision.assessment):
        found.update(dict.fromkeys(state.missing))
    return tuple(found)


def missing(items: tuple[Missing, ...]) -> str:
    """The missing facts and why each could not be used."""
    return section("Missing", (f"{terms.fact(m.fact)}: {markdown(m.reason)}" for m in items))


def rules(rows: tuple[AppliedRow, ...]) -> str:
    """The rows reached, each with its statements and its source; sources are never merged."""
    return join(_reached(row) for row in rows if row.reached)


def possible(rows: tuple[AppliedRow, ...]) -> str:
    """Rows that only the upper bound reaches: one line each, never an instruction."""
    return section("Not excluded", (_possible(row) for row in rows if not row.reached))


def notices(items: tuple[Notice, ...], parts: tuple[Unreadable, ...]) -> str:
    """What the reader must know beside the grade, and what was not used of the request."""
    lines = [markdown(notice.text) for notice in items]
    lines += [
        f"Not used: {markdown(part.at)}: {markdown(part.reason)}"
        for part in parts[:_UNREADABLE_SHOWN]
    ]
    if len(parts) > _UNREADABLE_SHOWN:
        lines.append(f"Not used: {len(parts) - _UNREADABLE_SHOWN} more parts of the request")
    return section("Notes", lines)


def guidance(items: tuple[TocilizumabLine, ...]) -> str:
    """What the protocol says beside its grade rows, each with its place, and the document once."""
    if not items:
        return ""
    return section(
        "Protocol", citing.grouped((markdown(item.text), item.citation) for item in items)
    )


def footer(assessment: Assessment, zone: ZoneInfo) -> str:
    """What evaluated this, when, and that nobody clinical has reviewed it."""
    reviewed = "" if assessment.knowledge.clinically_reviewed else f" ({citing.NOT_REVIEWED})"
    return (
        f"Evaluated {time(assessment.evaluated_at, zone)}; protocol {assessment.protocol.id} "
        f"version {assessment.protocol.version}; knowledge {assessment.knowledge.version}"
        f"{reviewed}; software {assessment.engine.version}."
    )


def _heading(row: AppliedRow) -> str:
    return f"{terms.syndrome(row.toxicity)} grade {row.grade}"


def _reached(row: AppliedRow) -> str:
    said = "Other source, for information" if row.other_source else "Rule"
    plain_grade = row.condition in ("", f"grade {row.grade}")
    condition = "" if plain_grade else f" ({row.condition})"
    items = [*row.statements, *([row.note] if row.note else [])]
    return section(
        f"{said}: {_heading(row)}{condition}: {terms.action(row.action)}",
        [*items, f"Source: {citing.line(row.citation)}"],
    )


def _possible(row: AppliedRow) -> str:
    then = terms.action(row.action)
    if row.action == "discontinue-permanently":
        then = "cannot exclude permanent discontinuation: confirm"
    return f"if {row.condition or _heading(row)}: {then} (rule {row.citation.rule})"
