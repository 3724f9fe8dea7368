"""What happens to the bispecific: one toxicity's rows for one product, from interval to action.

The upper bound holds; the lower bound decides everything else. Permanent discontinuation needs
the lower bound, and stays unconfirmed until a clinician's grade covers the row.
"""

from collections.abc import Sequence

from msgspec import Struct

from knowledge.assessment import Action, Disposition, Grade
from knowledge.course import Course
from knowledge.facts import Dose, Facts
from knowledge.history import recurrent_at
from knowledge.library import Library
from knowledge.model import Row
from knowledge.rows import Matched, Source, match
from knowledge.toxicity import Standing


STRICTEST: tuple[Action, ...] = (
    "discontinue-permanently",
    "discontinue-current",
    "withhold",
    "interrupt",
    "cannot-evaluate",
    "not-stated",
    "resume-with-conditions",
    "continue",
    "no-toxicity",
    "not-applicable",
)
HOLDS = frozenset({"discontinue-permanently", "discontinue-current", "withhold", "interrupt"})


class Ruling(Struct, frozen=True):
    """One toxicity's disposition for one product, and the rows behind it.

    `label`: the label's rows for the same facts, where another source decides.
    """

    disposition: Disposition
    matched: Matched
    label: Matched | None = None


def strictest(dispositions: Sequence[Disposition]) -> Disposition:
    """The strictest of several; the first one where they are equally strict."""
    return min(dispositions, key=lambda d: STRICTEST.index(d.action))


def rule_on(
    standing: Standing, source: Source, ingredient: str, facts: Facts, library: Library
) -> Ruling | None:
    """The ruling on one product, or None where this toxicity has nothing to say about it."""
    if standing.other_cause and standing.active:
        text = "attributed to another cause by a clinician"
        stated = Disposition(
            action="not-stated", confirmed=False, toxicity=standing.toxicity, reason=text
        )
        return Ruling(stated, Matched(source))
    doses = tuple(d for d in facts.doses if d.ingredient == ingredient)
    matched = match_event(standing, standing.maximum, source, doses)
    permanent = [r for r in matched.reached if r.then.action == "discontinue-permanently"]
    if permanent and standing.event is not None:
        return Ruling(_permanent(standing, matched, permanent, facts, library), matched)
    if standing.active:
        return Ruling(_hold(standing, matched, library), matched)
    if standing.event is not None and _pending(standing.event, doses):
        resumed = Disposition(
            action="resume-with-conditions",
            confirmed=False,
            toxicity=standing.toxicity,
            rules=rule_ids(matched, matched.reached, library),
        )
        return Ruling(resumed, matched)
    return None


def match_event(standing: Standing, grade: Grade, source: Source, doses: Sequence[Dose]) -> Matched:
    """Rows for a grade range in the context of the newest event and its history."""
    event = standing.event
    if event is None:
        return match(source, standing.toxicity, grade, None, lambda _: False)
    times = [d.start for d in doses]
    return match(
        source,
        standing.toxicity,
        grade,
        event.hours_at_grade3 if standing.toxicity == "crs" else None,
        lambda row_grade: recurrent_at(standing.events[:-1], event, times, row_grade),
    )


def rule_ids(matched: Matched, rows: Sequence[Row], library: Library) -> tuple[str, ...]:
    """The rule ids of some rows of a matched source."""
    return tuple(library.rule_id(matched.source.header, row.id) for row in rows)


def _pending(event: Course, doses: Sequence[Dose]) -> bool:
    """Conditions last until the next dose of the product is given."""
    end = event.resolved or event.last_abnormal
    return not any(dose.start > end for dose in doses)


def _permanent(
    standing: Standing, matched: Matched, rows: Sequence[Row], facts: Facts, library: Library
) -> Disposition:
    event = standing.event
    grade = max(row.when.grade for row in rows)
    charted = event is not None and any(
        g.toxicity == standing.toxicity
        and g.usable
        and g.grade >= grade
        and event.onset <= g.at <= (event.resolved or facts.evaluated_at)
        for g in facts.grades
    )
    return Disposition(
        action="discontinue-permanently",
        confirmed=charted,
        toxicity=standing.toxicity,
        rules=rule_ids(matched, rows, library),
    )


def _hold(standing: Standing, matched: Matched, library: Library) -> Disposition:
    """Held on the upper bound; the words of the reached row where it names a milder hold."""
    rows = matched.reached or matched.possible[:1]
    stated = [r.then.action for r in rows if r.then.action in HOLDS and r in matched.reached]
    action: Action = stated[0] if stated and stated[0] is not None else "withhold"
    permanent = any(r.then.action == "discontinue-permanently" for r in matched.possible)
    if permanent and action == "interrupt":
        action = "withhold"
    return Disposition(
        action=action,
        confirmed=False,
        toxicity=standing.toxicity,
        until=f"{standing.toxicity}-resolved",
        reason="cannot exclude permanent discontinuation: confirm the grade" if permanent else "",
        rules=rule_ids(matched, rows, library),
    )
