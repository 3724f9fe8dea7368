"""Rows into advice: the texts cards show, the medicines, and what would change with more data."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from knowledge.decision import AppliedRow
from knowledge.facts import Reading
from knowledge.library import Library
from knowledge.row_model import Lasting, Row
from knowledge.rows import Circumstances, Matched, Source, weighs
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
    then = row.then
    given = tuple(f"Premedication: {_medicine(one)}." for one in then.premedication)
    said = (*then.statements, *then.on_infusion, *then.on_resuming, *given)
    if not condition:
        return said
    return (f"Tocilizumab, {row.then.tocilizumab}: {condition}.", *said)


def _medicine(item: Medication) -> str:
    per = {"kg": "/kg", "m2": "/m2", "day": " a day"}.get(item.per or "", "")
    dose = "" if item.dose is None else f"{item.dose:f} {item.unit}{per}"
    parts = (item.agent, dose, item.route, item.every, item.duration)
    return ", ".join(part for part in parts if part)


def condition_text(row: Row) -> str:
    """What would have to be true for the row, in words."""
    words = [f"grade {row.when.grade}"]
    when = row.when
    if when.lasting is not None:
        words.append(_lasting(when.lasting, when.grade))
    if when.occurrence is not None:
        words.append("first occurrence" if when.occurrence == "first" else "recurrent")
        if when.of_grade is not None:
            words[-1] += f" after an event of grade {when.of_grade} or more"
    if when.weight_kg is not None:
        bound = when.weight_kg
        at_least, under = f"weight {bound.at_least} kg or more", f"under {bound.less_than} kg"
        words.append(under if bound.at_least is None else at_least)
    if when.seizures_over is not None:
        words.append(f"more than {when.seizures_over} seizure")
    if when.at_dose is not None:
        words.append(f"reaction at {when.at_dose.rate:f} {when.at_dose.unit}")
    return ", ".join(words)


def _lasting(bound: Lasting, grade: int) -> str:
    at = "" if bound.grade == grade else f"grade {bound.grade} or more "
    if bound.at_least is not None:
        return f"{at}for {bound.at_least} h or more"
    if bound.more_than is not None:
        return f"{at}for more than {bound.more_than} h"
    return f"{at}for less than {bound.less_than} h"


def medications(
    matched: Iterable[Matched], library: Library, weight: Reading | None
) -> tuple[Medication, ...]:
    """The medicines of the reached rows; a dose per kg is computed only from a recent weight."""
    return tuple(
        msgspec.structs.replace(
            medicine,
            rule=library.rule_id(part.source.header, owner.id),
            computed=_computed(medicine, weight),
        )
        for part in matched
        for row in part.reached
        for owner in (*_referred(row, part.source, weight), row)
        for medicine in owner.then.medications
    )


def _referred(row: Row, source: Source, weight: Reading | None) -> list[Row]:
    """The rows whose medicines this row refers to, where their weight band surely holds."""
    around = Circumstances(weight=None if weight is None else weight.value)
    return [
        other
        for other in source.rows
        if other.id in row.then.medications_of and weighs(other.when, around)
    ]


def _computed(medicine: Medication, weight: Reading | None) -> Decimal | None:
    if medicine.per != "kg" or medicine.dose is None or weight is None:
        return None
    dose = (medicine.dose * weight.value).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return dose if medicine.max_dose is None else min(dose, medicine.max_dose)
