"""Clinicians' grades beside the service's own: each evaluated at its own time, all of them hidden.

Time: what the statement is about. Known: all that was charted when it was issued, as the clinician
had it at hand; the mapping leaves out what had not happened yet.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from msgspec import Raw, Struct

from cds.replay.as_of import Item
from cds.replay.model import Agreement, Cell, Outcome, Outside, Toxicity
from cds.replay.saved import last_time
from cds.replay.values import Counted, Row, counted, share
from fhir_mapping.codes import CodeSets
from fhir_mapping.read import PatientInput, read
from knowledge.assessment import Assessment, Grade
from knowledge.facts import ChartedGrade
from knowledge.model import SiteRules


Assess = Callable[[datetime, datetime], Assessment | None]


class Compared(Struct, frozen=True):
    """One statement; `grade` None: the scale was not assessed without it."""

    toxicity: Toxicity
    row: Row
    charted: int
    grade: Grade | None

    @property
    def outcome(self) -> Outcome:
        """Where the charted grade lies."""
        if self.grade is None:
            return "not-assessed"
        low, high = self.grade.at_least, self.grade.at_most
        if self.charted > high:
            return "too-low"
        if self.charted < low:
            return "too-high"
        return "exact" if low == high else "inside"

    @property
    def by(self) -> int:
        """Grades between the charted one and the nearer bound."""
        if self.grade is None:
            return 0
        return max(0, self.charted - self.grade.at_most, self.grade.at_least - self.charted)


def statements(
    items: Sequence[Item],
    patient: str,
    base: str | None,
    rules: SiteRules,
    codes: CodeSets,
) -> tuple[ChartedGrade, ...]:
    """What the mapping reads of the grades among a patient's resources."""
    now = last_time(tuple(items))
    if now is None:
        return ()
    entries = b",".join(b'{"resource":%b}' % item.raw.strip() for item in items)
    bundle = Raw(b'{"resourceType":"Bundle","entry":[%b]}' % entries)
    data = PatientInput(patient, base, None, None, {"assessments": bundle})
    return read(data, now=now, rules=rules, codes=codes).facts.grades


def compare(
    charted: Sequence[ChartedGrade], items: Sequence[Item], assess: Assess, row: Row | None = None
) -> tuple[Compared, ...]:
    """Each usable statement. `assess`: time and known-by to an assessment, None where refused.

    `row`: where they stand, if not each in a line of its own.
    """
    by_ref: Mapping[str, Item] = {f"Observation/{item.head.id}": item for item in items}
    found: list[Compared] = []
    for one in charted:
        item = by_ref.get(one.evidence.ref)
        issued = item.known.latest if item is not None and item.known.by == "issued" else None
        assessment = assess(one.at, max(one.at, issued or one.at))
        state = None
        if assessment is not None:
            state = assessment.crs if one.toxicity == "crs" else assessment.icans
        grade = state.grade if state is not None and state.assessed else None
        place = row or (Row(item.file, item.line) if item is not None else Row(0, 0))
        found.append(Compared(one.toxicity, place, one.grade, grade))
    return tuple(found)


def agreement(scale: Toxicity, compared: Sequence[Compared], not_usable: int) -> Agreement:
    """The counts of one scale."""
    mine = [one for one in compared if one.toxicity == scale]
    outcomes = Counter(one.outcome for one in mine)
    assessed = len(mine) - outcomes["not-assessed"]
    cells = Counter(
        (one.charted, one.grade.at_least, one.grade.at_most)
        for one in mine
        if one.grade is not None
    )
    outside = [
        Outside(one.row, one.charted, one.grade.at_least, one.grade.at_most, one.by)
        for one in mine
        if one.grade is not None and one.by
    ]
    return Agreement(
        scale=scale,
        compared=len(mine),
        exact=share(outcomes["exact"], assessed),
        inside=share(outcomes["inside"], assessed),
        too_low=_by(mine, "too-low"),
        too_high=_by(mine, "too-high"),
        not_assessed=outcomes["not-assessed"],
        not_usable=not_usable,
        cells=tuple(Cell(*key, count) for key, count in sorted(cells.items())),
        outside=tuple(sorted(outside, key=lambda one: (one.row.file, one.row.line, one.charted))),
    )


def _by(compared: Sequence[Compared], outcome: Outcome) -> tuple[Counted, ...]:
    return counted(Counter(str(one.by) for one in compared if one.outcome == outcome))
