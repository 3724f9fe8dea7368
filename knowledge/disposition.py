"""What happens to the bispecific: one toxicity's rows for one product, from interval to action.

The upper bound holds; the lower bound decides everything else. Permanent discontinuation needs
the lower bound, and stays unconfirmed until a clinician's grade covers the row.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from knowledge.assessment import Action, Disposition, Grade
from knowledge.circumstances import circumstances
from knowledge.course import Course
from knowledge.facts import Dose, Facts
from knowledge.holds import HOLDS, MILD, held, not_stated, released, too_early
from knowledge.library import Library
from knowledge.row_model import Row
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


class Ruling(Struct, frozen=True):
    """One toxicity's disposition for one product, and the rows behind it.

    `label`: the label's rows for the same facts, where another source decides.
    """

    disposition: Disposition
    matched: Matched
    label: Matched | None = None


def strictest(dispositions: Sequence[Disposition]) -> Disposition:
    """The strictest of several; the first one where they are equally strict.

    Where several hold, the hold lasts until each of them ends.
    """
    chosen = min(dispositions, key=lambda d: STRICTEST.index(d.action))
    if chosen.action not in HOLDS or not chosen.until:
        return chosen
    ends = dict.fromkeys(d.until for d in (chosen, *dispositions) if d.action in HOLDS and d.until)
    return msgspec.structs.replace(chosen, until=" and ".join(ends))


def rule_on(
    standing: Standing,
    source: Source,
    ingredient: str,
    facts: Facts,
    library: Library,
    planned: datetime,
) -> Ruling | None:
    """The ruling on one product's dose at `planned`; None: this toxicity has nothing to say."""
    matched = match_event(standing, standing.maximum, source, ingredient, facts, library)
    attributed = standing.other_cause and standing.active
    earlier = _earlier(standing, source, ingredient, facts, library)
    for event, ended in ((standing.event, matched), *earlier):
        permanent = [r for r in ended.reached if r.then.action == "discontinue-permanently"]
        if permanent and event is not None:
            found = _permanent(event, ended, permanent, facts, library)
            # An attribution speaks of what is active now; a grade a clinician charted stands.
            if not attributed or event is not standing.event or found.confirmed:
                return Ruling(found, ended)
    if attributed:
        text = "attributed to another cause by a clinician"
        stated = Disposition(
            action="not-stated", confirmed=False, toxicity=standing.toxicity, reason=text
        )
        return Ruling(stated, Matched(source))
    doses = tuple(d for d in facts.doses if d.ingredient == ingredient)
    if standing.active:
        if released(standing, matched) and standing.event is not None:
            # Where it is not known since when, the time counts from now.
            since = standing.event.mild_since or facts.evaluated_at
            resumed = _resumed(standing, since, matched, planned, library)
            return Ruling(resumed, matched)
        return Ruling(held(standing.toxicity, matched, library), matched)
    if standing.event is not None and _pending(standing.event, doses):
        event = standing.event
        after = _after(standing, event, matched, planned, library)
        return None if after is None else Ruling(after, matched)
    return None


def _earlier(
    standing: Standing, source: Source, ingredient: str, facts: Facts, library: Library
) -> Iterator[tuple[Course, Matched]]:
    """This product's earlier events with their rows: what ended therapy then ends it still."""
    for count in range(len(standing.events) - 1, 0, -1):
        before = msgspec.structs.replace(standing, events=standing.events[:count])
        if before.event is not None and ingredient in before.event.agents:
            grade = before.event.maximum
            matched = match_event(before, grade, source, ingredient, facts, library)
            yield before.event, matched


def match_event(
    standing: Standing,
    grade: Grade,
    source: Source,
    ingredient: str,
    facts: Facts,
    library: Library,
) -> Matched:
    """Rows for a grade range in the circumstances of the newest event."""
    age = timedelta(days=int(library.tocilizumab.weight_max_age_days.value))
    around = circumstances(standing, facts, ingredient, age)
    return match(source, standing.toxicity, grade, around)


def rule_ids(matched: Matched, rows: Sequence[Row], library: Library) -> tuple[str, ...]:
    """The rule ids of some rows of a matched source."""
    return tuple(library.rule_id(matched.source.header, row.id) for row in rows)


def _pending(event: Course, doses: Sequence[Dose]) -> bool:
    """Conditions last until the next dose of the product is given."""
    end = event.resolved or event.last_abnormal
    return not any(dose.start > end for dose in doses)


def _after(
    standing: Standing, event: Course, matched: Matched, planned: datetime, library: Library
) -> Disposition | None:
    """What the event leaves for the next dose once it is over; None where nothing is left."""
    if any(row.then.stays_held for row in matched.reached):
        return held(standing.toxicity, matched, library)
    if any(row.then.next_dose or row.then.action in HOLDS for row in matched.reached):
        mild = all(row.then.until in MILD for row in matched.reached if row.then.until)
        since = event.mild_since if mild else event.free_since
        return _resumed(standing, since or planned, matched, planned, library)
    if any(row.then.action == "continue" for row in matched.reached) or not matched.reached:
        return None
    return not_stated(standing.toxicity, matched.reached, matched, library)


def _resumed(
    standing: Standing,
    since: datetime,
    matched: Matched,
    planned: datetime,
    library: Library,
) -> Disposition:
    """The next dose under conditions; held while the time the source asks for is not over."""
    resumed = Disposition(
        action="resume-with-conditions",
        confirmed=False,
        toxicity=standing.toxicity,
        rules=rule_ids(matched, matched.reached, library),
    )
    wait = too_early(matched, since, planned)
    if wait is None:
        return resumed
    return msgspec.structs.replace(
        resumed,
        action="withhold",
        until=f"{standing.toxicity}-resolved-{wait.hours:f}-h",
        reason=wait.text,
    )


def _permanent(
    event: Course, matched: Matched, rows: Sequence[Row], facts: Facts, library: Library
) -> Disposition:
    grade = max(row.when.grade for row in rows)
    charted = any(
        g.toxicity == rows[0].when.toxicity
        and g.usable
        and g.grade >= grade
        and event.onset <= g.at <= (event.resolved or facts.evaluated_at)
        for g in facts.grades
    )
    return Disposition(
        action="discontinue-permanently",
        confirmed=charted,
        toxicity=rows[0].when.toxicity,
        rules=rule_ids(matched, rows, library),
    )
