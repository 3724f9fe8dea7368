"""Rows into advice: the texts cards show, the medicines, and what would change with more data."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from knowledge.decision import AppliedRow
from knowledge.facts import Reading
from knowledge.library import Library
from knowledge.model import Row
from knowledge.rows import Matched, Source
from knowledge.treatment import Medication


def applied(
    matched: Matched, library: Library, *, other_source: bool = False
) -> tuple[AppliedRow, ...]:
    """Every reached row and every row only the upper bound reaches, with its citation."""
    return tuple(
        _applied(matched.source, row, library, reached, other_source)
        for rows, reached in ((matched.reached, True), (matched.possible, False))
        for row in rows
    )


def _applied(
    source: Source, row: Row, library: Library, reached: bool, other_source: bool
) -> AppliedRow:
    return AppliedRow(
        rule=library.rule_id(source.header, row.id),
        toxicity=row.when.toxicity,
        grade=row.when.grade,
        reached=reached,
        action=row.then.action or "not-stated",
        condition=condition_text(row),
        statements=_statements(row),
        note=row.note,
        citation=library.citation(source.header, row.at, row.id),
        other_source=other_source,
    )


def _statements(row: Row) -> tuple[str, ...]:
    """The row's statements; a condition on tocilizumab comes first and is never left out."""
    condition = row.then.tocilizumab_condition
    if not condition:
        return row.then.statements
    return (f"Tocilizumab, {row.then.tocilizumab}: {condition}.", *row.then.statements)


def condition_text(row: Row) -> str:
    """What would have to be true for the row, in words."""
    words = [f"grade {row.when.grade}"]
    bound = row.when.hours_at_grade3
    if bound is not None and bound.at_least is not None:
        words.append(f"for {bound.at_least} h or more")
    elif bound is not None:
        words.append(f"for less than {bound.less_than} h")
    if row.when.occurrence is not None:
        words.append("first occurrence" if row.when.occurrence == "first" else "recurrent")
    return ", ".join(words)


def medications(
    matched: Iterable[Matched], library: Library, weight: Reading | None
) -> tuple[Medication, ...]:
    """The medicines of the reached rows; a dose per kg is computed only from a recent weight."""
    return tuple(
        msgspec.structs.replace(
            medicine,
            rule=library.rule_id(part.source.header, row.id),
            computed=_computed(medicine, weight),
        )
        for part in matched
        for row in part.reached
        for medicine in row.then.medications
    )


def _computed(medicine: Medication, weight: Reading | None) -> Decimal | None:
    if medicine.per != "kg" or medicine.dose is None or weight is None:
        return None
    dose = (medicine.dose * weight.value).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return dose if medicine.max_dose is None else min(dose, medicine.max_dose)
