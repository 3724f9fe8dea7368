"""Which rows of a rule file the facts reach by their lower bound, and which only by the upper."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from msgspec import Struct

from knowledge.assessment import Grade, Hours
from knowledge.facts import ToxicityName
from knowledge.model import Bound, Header, Product, Protocol, Row


class Source(Struct, frozen=True):
    """A file whose rows apply, with its rows."""

    header: Header
    rows: tuple[Row, ...]


class Matched(Struct, frozen=True):
    """Rows of one source: `reached` by the lower bound, `possible` only by the upper one."""

    source: Source
    reached: tuple[Row, ...] = ()
    possible: tuple[Row, ...] = ()


def source_of(file: Product | Protocol) -> Source:
    """The rows of a product or protocol file."""
    return Source(file, file.rows)


def match(
    source: Source,
    toxicity: ToxicityName,
    grade: Grade,
    hours: Hours | None,
    recurrent: Callable[[int], bool],
) -> Matched:
    """Match rows on a grade range, hours at grade 3 (range) and whether a row's grade recurred."""
    low = Decimal(0) if hours is None else hours.at_least
    high = Decimal(0) if hours is None else hours.at_most
    rows = [r for r in source.rows if r.when.toxicity == toxicity and _occurs(r, recurrent)]
    reached = tuple(r for r in rows if r.when.grade == grade.at_least and _holds(r, [low]))
    span = range(max(grade.at_least, 1), grade.at_most + 1)
    possible = tuple(
        r for r in rows if r.when.grade in span and _holds(r, [low, high]) and r not in reached
    )
    return Matched(source, reached, possible)


def _occurs(row: Row, recurrent: Callable[[int], bool]) -> bool:
    if row.when.occurrence is None:
        return True
    return recurrent(row.when.grade) == (row.when.occurrence == "recurrent")


def _holds(row: Row, hours: Iterable[Decimal]) -> bool:
    bound = row.when.hours_at_grade3
    return bound is None or any(_inside(bound, value) for value in hours)


def _inside(bound: Bound, value: Decimal) -> bool:
    if bound.at_least is not None:
        return value >= bound.at_least
    return bound.less_than is not None and value < bound.less_than
