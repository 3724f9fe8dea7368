"""Whether an active toxicity holds the drafted dose, until when, and by whose word.

A source that says nothing is not permission: a missing column or a blank cell is held on the
general principle of its document; an explicit "no recommendations" is stated as that.
"""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from knowledge.assessment import Action, Disposition
from knowledge.course import in_hours
from knowledge.facts import ToxicityName
from knowledge.library import Library
from knowledge.row_model import Row
from knowledge.rows import Matched
from knowledge.toxicity import Standing
from knowledge.treatment import Resolved


HOLDS = frozenset({"discontinue-permanently", "discontinue-current", "withhold", "interrupt"})
PRINCIPLE = "us-label"  # the document whose general principle of holding is cited
MILD = frozenset({"icans-grade-1", "icans-grade-1-or-baseline"})
_UNSAID = frozenset({"column-missing", "blank"})


class Wait(Struct, frozen=True):
    """How long the source asks for, and a sentence on how long it has been."""

    hours: Decimal
    text: str


def held(toxicity: ToxicityName, matched: Matched, library: Library) -> Disposition:
    """The disposition while the toxicity is active."""
    holding = [row for row in matched.reached if row.then.action in HOLDS]
    beyond = [row for row in matched.possible if _would_hold(row)]
    permanent = [r for r in matched.possible if r.then.action == "discontinue-permanently"]
    unsaid = [row for row in matched.reached if row.then.silence in _UNSAID]
    if not holding and not beyond and not unsaid and matched.reached:
        return _without_hold(toxicity, matched, library)
    if not holding and not beyond and not unsaid and matched.possible:
        return not_stated(toxicity, matched.possible, matched, library)
    action: Action = "withhold"
    if holding and holding[0].then.action is not None:
        action = holding[0].then.action
    if permanent and action == "interrupt":
        action = "withhold"
    until = next((row.then.until for row in holding if row.then.until), "")
    rules = [library.rule_id(matched.source.header, row.id) for row in _named(matched, beyond)]
    if unsaid and not holding:
        rules.append(principle_id(toxicity, library))
    return Disposition(
        action=action,
        confirmed=False,
        toxicity=toxicity,
        until=until or f"{toxicity}-resolved",
        reason=_reason(matched, permanent, unsaid, holding),
        rules=tuple(rules),
    )


def released(standing: Standing, matched: Matched) -> bool:
    """Whether the rows hold only down to grade 1, and the grade is surely no more than that."""
    acting = standing.state.acting
    if acting is None or acting.at_most > 1 or standing.maximum.at_least <= 1:
        return False
    holding = [row for row in matched.reached if _would_hold(row)]
    return bool(holding) and all(row.then.until in MILD for row in holding)


def too_early(matched: Matched, since: datetime, planned: datetime) -> Wait | None:
    """What is still to wait for before a dose at `planned`; None when nothing is."""
    asked = [
        row.then.next_dose.resolved
        for row in matched.reached
        if row.then.next_dose is not None and row.then.next_dose.resolved is not None
    ]
    if not asked:
        return None
    longest = max(asked, key=lambda one: (one.hours, one.strict))
    bound = f"{'more than' if longest.strict else 'at least'} {longest.hours:f} h"
    gone = Decimal(int((planned - since).total_seconds())) / 3600
    if _enough(longest, gone):
        return None
    met = f"met for {in_hours(planned - since):f} h at the planned dose"
    return Wait(longest.hours, f"what the rule asks for is {met}; the source asks for {bound}")


def principle_id(toxicity: ToxicityName, library: Library) -> str:
    """The rule id of the general principle of holding until a toxicity is over."""
    return library.rule_id(library.protocols[PRINCIPLE], f"{toxicity}-principle")


def _enough(asked: Resolved, gone: Decimal) -> bool:
    return gone > asked.hours if asked.strict else gone >= asked.hours


def _would_hold(row: Row) -> bool:
    return row.then.action in HOLDS or row.then.silence in _UNSAID


def _named(matched: Matched, beyond: list[Row]) -> tuple[Row, ...]:
    return matched.reached or tuple(beyond[:1])


def _without_hold(toxicity: ToxicityName, matched: Matched, library: Library) -> Disposition:
    """The rows reached continue, or state no disposition at all."""
    if any(row.then.action == "continue" for row in matched.reached):
        rules = tuple(library.rule_id(matched.source.header, row.id) for row in matched.reached)
        return Disposition(action="continue", confirmed=False, toxicity=toxicity, rules=rules)
    return not_stated(toxicity, matched.reached, matched, library)


def not_stated(
    toxicity: ToxicityName, rows: tuple[Row, ...], matched: Matched, library: Library
) -> Disposition:
    """The source states no disposition: that is said, with its general principle."""
    ids = tuple(library.rule_id(matched.source.header, row.id) for row in rows)
    return Disposition(
        action="not-stated",
        confirmed=False,
        toxicity=toxicity,
        reason="the source states no disposition at this grade; its general principle is to hold"
        " future doses until symptoms resolve",
        rules=(*ids, principle_id(toxicity, library)),
    )


def _reason(matched: Matched, permanent: list[Row], unsaid: list[Row], holding: list[Row]) -> str:
    if permanent:
        reached = max((row.when.grade for row in matched.reached), default=0)
        higher = any(row.when.grade > reached for row in permanent)
        return (
            "cannot exclude permanent discontinuation: confirm "
            f"{'the grade' if higher else 'what that rule depends on'}"
        )
    if unsaid and not holding:
        return "the source states no disposition here: held on its general principle"
    return ""
