"""Rules over the rows of one file that a schema cannot state; each break names file and place."""

from collections.abc import Iterable

from knowledge.errors import KnowledgeError
from knowledge.permanent import PERMANENT_ROWS
from knowledge.row_model import Bound, Lasting, Row, Then, When


UNTIL = frozenset(
    {
        "",
        "crs-resolved",
        "icans-resolved",
        "icans-resolved-or-baseline",
        "icans-grade-1-or-baseline",
        "icans-grade-1",
    }
)


def check_rows(name: str, owner: str, rows: tuple[Row, ...]) -> None:
    """Check each row, and the rows against each other. Raises `KnowledgeError`."""
    _references(name, rows)
    for number, row in enumerate(rows):
        place = f"rows[{number}]"
        _row(name, place, owner, row)
        for earlier in rows[:number]:
            if earlier.id == row.id:
                raise KnowledgeError(name, f"{place}.id", f"an id of its own, not {row.id} again")
            if overlap(earlier.when, row.when) and not (earlier.clause_of or row.clause_of):
                raise KnowledgeError(name, f"{place}.when", f"facts that {earlier.id} cannot meet")


def _row(name: str, place: str, owner: str, row: Row) -> None:
    then = row.then
    _bounds(name, place, row.when)
    if then.until not in UNTIL:
        raise KnowledgeError(name, f"{place}.then.until", f"one of {words(UNTIL)}")
    if then.until and not then.until.startswith(row.when.toxicity):
        raise KnowledgeError(name, f"{place}.then.until", f"{row.when.toxicity}-resolved")
    if then.action == "discontinue-permanently":
        if row.id not in PERMANENT_ROWS.get(owner, frozenset()):
            wanted = "a row listed in knowledge/permanent.py"
            raise KnowledgeError(name, f"{place}.then.action", wanted)
        if then.next_dose is not None or then.until:
            raise KnowledgeError(name, f"{place}.then", "no next dose after ending therapy")
    for index, medicine in enumerate(then.medications):
        where = f"{place}.then.medications[{index}]"
        if medicine.rule or medicine.computed is not None:
            raise KnowledgeError(name, where, "no rule and no computed: both are filled in later")
        if (medicine.dose is None) != (not medicine.unit):
            raise KnowledgeError(name, where, "a dose together with its unit, or neither")


def _bounds(name: str, place: str, when: When) -> None:
    lasting, weight = when.lasting, when.weight_kg
    if lasting is not None:
        given = (lasting.less_than, lasting.at_least, lasting.more_than)
        if sum(value is not None for value in given) != 1:
            wanted = "exactly one of lessThan, atLeast and moreThan"
            raise KnowledgeError(name, f"{place}.when.lasting", wanted)
    if weight is not None and (weight.less_than is None) == (weight.at_least is None):
        wanted = "exactly one of lessThan and atLeast"
        raise KnowledgeError(name, f"{place}.when.weightKg", wanted)
    if when.of_grade is not None and when.occurrence is None:
        raise KnowledgeError(name, f"{place}.when.ofGrade", "occurrence beside it")


def _references(name: str, rows: tuple[Row, ...]) -> None:
    """Rows that refer to other rows of their file."""
    by_id = {row.id: row for row in rows}
    for number, row in enumerate(rows):
        place = f"rows[{number}]"
        base = by_id.get(row.clause_of)
        if row.clause_of and (base is None or _cell(base.when) != _cell(row.when)):
            raise KnowledgeError(name, f"{place}.clauseOf", "a row of the same toxicity and grade")
        for other in row.then.medications_of:
            if other not in by_id:
                raise KnowledgeError(name, f"{place}.then.medicationsOf", f"row ids, not {other}")
        target = row.then.same_as
        if not target:
            continue
        if target not in by_id or by_id[target].then.same_as:
            wanted = "the id of a row with its own content"
            raise KnowledgeError(name, f"{place}.then.sameAs", wanted)
        if row.then != Then(same_as=target, statements=row.then.statements):
            raise KnowledgeError(name, f"{place}.then", "nothing beside sameAs but statements")


def _cell(when: When) -> tuple[str, int]:
    return when.toxicity, when.grade


def overlap(one: When, other: When) -> bool:
    """Whether some patient meets both conditions."""
    if (one.toxicity, one.grade) != (other.toxicity, other.grade):
        return False
    either = one.occurrence is None or other.occurrence is None
    if not either and one.occurrence != other.occurrence:
        return False
    same_level = (
        one.lasting is None or other.lasting is None or (one.lasting.grade == other.lasting.grade)
    )
    return (not same_level or _bounds_meet(one.lasting, other.lasting)) and _bounds_meet(
        one.weight_kg, other.weight_kg
    )


def _bounds_meet(one: Bound | Lasting | None, other: Bound | Lasting | None) -> bool:
    if one is None or other is None:
        return True
    for low, high in ((one, other), (other, one)):
        if low.at_least is not None and high.less_than is not None:
            return low.at_least < high.less_than
    return True


def words(values: Iterable[str]) -> str:
    """The values in order, as a list in a sentence."""
    return ", ".join(sorted(value or "nothing" for value in values))
