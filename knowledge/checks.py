"""Rules across the knowledge files that a schema cannot state; each break names file and place."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from knowledge.errors import KnowledgeError
from knowledge.model import (
    Bound,
    Header,
    Product,
    Protocol,
    References,
    Row,
    SourceRef,
    TocilizumabLimits,
    When,
)


UNTIL = frozenset({"", "crs-resolved", "icans-resolved"})

# Ending therapy needs two keys: the row in the data and its place here.
PERMANENT_ROWS = frozenset(
    {
        "teclistamab-label#crs-3-recurrent",
        "teclistamab-label#crs-3-from-48h",
        "teclistamab-label#crs-4",
        "teclistamab-label#icans-3-recurrent",
        "teclistamab-label#icans-4",
        "nhs-waht#crs-3-recurrent",
        "nhs-waht#crs-4",
        "nhs-waht#icans-3-recurrent",
        "nhs-waht#icans-4",
    }
)


def check(files: Mapping[str, Header]) -> None:
    """Check all files together, by file name. Raises `KnowledgeError` at the first break."""
    _unique_ids(files)
    known = {
        ref for file in files.values() if isinstance(file, References) for ref in file.references
    }
    protocols = {file.id for file in files.values() if isinstance(file, Protocol)}
    for name, file in files.items():
        _sources(name, file, known)
        if isinstance(file, Product | Protocol):
            _rows(name, file.id, file.rows)
        if isinstance(file, Protocol) and file.falls_back_to not in {None, *protocols}:
            raise KnowledgeError(name, "fallsBackTo", "the id of a protocol file")
        if isinstance(file, TocilizumabLimits):
            _limits(name, file, protocols)


def overlap(one: When, other: When) -> bool:
    """Whether some patient meets both conditions."""
    if (one.toxicity, one.grade) != (other.toxicity, other.grade):
        return False
    either = one.occurrence is None or other.occurrence is None
    if not either and one.occurrence != other.occurrence:
        return False
    return _bounds_meet(one.hours_at_grade3, other.hours_at_grade3)


def _bounds_meet(one: Bound | None, other: Bound | None) -> bool:
    if one is None or other is None:
        return True
    for low, high in ((one, other), (other, one)):
        if low.at_least is not None and high.less_than is not None:
            return low.at_least < high.less_than
    return True


def _unique_ids(files: Mapping[str, Header]) -> None:
    seen: dict[str, str] = {}
    for name, file in files.items():
        if file.id in seen:
            raise KnowledgeError(name, "id", f"an id of its own: {file.id} is in {seen[file.id]}")
        seen[file.id] = name


def _sources(name: str, file: Header, known: set[str]) -> None:
    for place, value in _walk(file, ""):
        if isinstance(value, SourceRef) and value.ref not in known:
            raise KnowledgeError(name, f"{place}.ref", f"an id in references.yaml: {value.ref}")
        if not str(getattr(value, "at", "a place")).strip():
            raise KnowledgeError(name, f"{place}.at", "the place in the source, in words")


def _walk(value: object, place: str) -> Iterator[tuple[str, object]]:
    """Every value inside a file with its place, spelled with the keys authors write."""
    if isinstance(value, Struct):
        yield place, value
        keys = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
        for field, key in keys:
            yield from _walk(getattr(value, field), f"{place}.{key}".lstrip("."))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _walk(item, f"{place}.{key}")
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _walk(item, f"{place}[{number}]")


def _rows(name: str, owner: str, rows: tuple[Row, ...]) -> None:
    for number, row in enumerate(rows):
        place = f"rows[{number}]"
        _row(name, place, owner, row)
        for earlier in rows[:number]:
            if earlier.id == row.id:
                raise KnowledgeError(name, f"{place}.id", f"an id of its own, not {row.id} again")
            if overlap(earlier.when, row.when):
                raise KnowledgeError(name, f"{place}.when", f"facts that {earlier.id} cannot meet")


def _row(name: str, place: str, owner: str, row: Row) -> None:
    then = row.then
    bound = row.when.hours_at_grade3
    if bound is not None and (bound.less_than is None) == (bound.at_least is None):
        raise KnowledgeError(
            name, f"{place}.when.hoursAtGrade3", "exactly one of lessThan and atLeast"
        )
    if then.until not in UNTIL:
        raise KnowledgeError(name, f"{place}.then.until", f"one of {_words(UNTIL)}")
    if then.until and not then.until.startswith(row.when.toxicity):
        raise KnowledgeError(name, f"{place}.then.until", f"{row.when.toxicity}-resolved")
    if then.action == "discontinue-permanently":
        if f"{owner}#{row.id}" not in PERMANENT_ROWS:
            raise KnowledgeError(
                name, f"{place}.then.action", "a row listed in knowledge/checks.py"
            )
        if then.next_dose is not None or then.until:
            raise KnowledgeError(name, f"{place}.then", "no next dose after ending therapy")
    for index, medicine in enumerate(then.medications):
        where = f"{place}.then.medications[{index}]"
        if medicine.rule or medicine.computed is not None:
            raise KnowledgeError(name, where, "no rule and no computed: both are filled in later")
        if (medicine.dose is None) != (not medicine.unit):
            raise KnowledgeError(name, where, "a dose together with its unit, or neither")


def _limits(name: str, file: TocilizumabLimits, protocols: set[str]) -> None:
    for place, keys in (
        ("mgPerKg", set(file.mg_per_kg)),
        ("counts", set(file.counts)),
        ("silent", set(file.silent)),
    ):
        if not keys <= protocols:
            raise KnowledgeError(name, place, f"protocol ids, not {_words(keys - protocols)}")
    if file.silent.keys() & file.counts.keys():
        raise KnowledgeError(name, "silent", "no protocol that also has counts")
    unsaid = protocols - file.silent.keys() - file.counts.keys()
    if unsaid:
        raise KnowledgeError(name, "counts", f"counts or silence for {_words(unsaid)}")


def _words(values: Iterable[str]) -> str:
    return ", ".join(sorted(value or "nothing" for value in values))
