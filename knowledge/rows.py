"""Which rows of a rule file the facts reach by their lower bound, and which only by the upper."""

from collections.abc import Callable
from decimal import Decimal

import msgspec
from msgspec import Struct

from knowledge.assessment import Grade, Hours
from knowledge.facts import ToxicityName
from knowledge.model import Header
from knowledge.product_model import Product, Protocol
from knowledge.row_model import Bound, Lasting, Row, When
from knowledge.weight_bands import shared_by_bands


NO_TIME = Hours(Decimal(0), Decimal(0))


class Source(Struct, frozen=True):
    """A file whose rows apply, with its rows."""

    header: Header
    rows: tuple[Row, ...]


class Matched(Struct, frozen=True):
    """Rows of one source: `reached` by the lower bound, `possible` only by the upper one."""

    source: Source
    reached: tuple[Row, ...] = ()
    possible: tuple[Row, ...] = ()


class Circumstances(Struct, frozen=True):
    """What else a row may depend on, as ranges; None is unknown.

    `hours`: at grade 1, 2 and 3 or above. `seizures`: at least and at most how many in the event.
    `rate`: the infusion rate at which the event began, in `rate_unit`.
    """

    hours: tuple[Hours, Hours, Hours] = (NO_TIME, NO_TIME, NO_TIME)
    recurrent: Callable[[int], bool] = lambda _: False
    weight: Decimal | None = None
    seizures: tuple[int, int] = (0, 0)
    rate: Decimal | None = None
    rate_unit: str = ""


def source_of(file: Product | Protocol) -> Source:
    """The rows of a product or protocol file."""
    return Source(file, file.rows)


def match(source: Source, toxicity: ToxicityName, grade: Grade, around: Circumstances) -> Matched:
    """The rows for a grade range and its circumstances, clauses among them."""
    rows = [r for r in source.rows if r.when.toxicity == toxicity and _occurs(r.when, around)]
    reached = tuple(
        r for r in rows if r.when.grade == grade.at_least and holds(r.when, around, surely=True)
    )
    span = range(max(grade.at_least, 1), grade.at_most + 1)
    possible = tuple(
        r
        for r in rows
        if r.when.grade in span and holds(r.when, around, surely=False) and r not in reached
    )
    if around.weight is None:
        sure = [r for r in possible if r.when.grade == grade.at_least and _whoever(r.when, around)]
        reached, possible = shared_by_bands(reached, possible, sure)
    return Matched(source, _gone_beyond(reached), possible)


def _gone_beyond(reached: tuple[Row, ...]) -> tuple[Row, ...]:
    """A clause that ends therapy leaves of its row the treatment, one that refers on nothing."""
    ended = {r.clause_of for r in reached if r.then.action == "discontinue-permanently"}
    taken_over = {r.clause_of for r in reached if r.then.same_as}
    return tuple(
        _without_resuming(r) if r.id in ended else r for r in reached if r.id not in taken_over
    )


def _without_resuming(row: Row) -> Row:
    then = msgspec.structs.replace(
        row.then, until="", next_dose=None, premedication=(), on_resuming=(), on_infusion=()
    )
    return msgspec.structs.replace(row, then=then)


def holds(when: When, around: Circumstances, *, surely: bool) -> bool:
    """Whether duration, weight, seizures and dose level meet the row: surely, or possibly."""
    return (
        _lasts(when.lasting, around, surely=surely)
        and _weighs(when.weight_kg, around.weight, surely=surely)
        and _seizes(when.seizures_over, around.seizures, surely=surely)
        and _dosed(when, around, surely=surely)
    )


def _whoever(when: When, around: Circumstances) -> bool:
    """Whether the row surely holds but for the weight."""
    return holds(msgspec.structs.replace(when, weight_kg=None), around, surely=True)


def weighs(when: When, around: Circumstances) -> bool:
    """Whether the weight band of the row surely holds."""
    return _weighs(when.weight_kg, around.weight, surely=True)


def _occurs(when: When, around: Circumstances) -> bool:
    if when.occurrence is None:
        return True
    return around.recurrent(when.of_grade or when.grade) == (when.occurrence == "recurrent")


def _lasts(bound: Lasting | None, around: Circumstances, *, surely: bool) -> bool:
    """By the hours that are certain; what gaps in the record allow makes a row possible."""
    if bound is None:
        return True
    hours = around.hours[bound.grade - 1]
    inside = _inside(bound, hours.at_least)
    return inside if surely else inside or _inside(bound, hours.at_most)


def _inside(bound: Lasting, value: Decimal) -> bool:
    if bound.at_least is not None:
        return value >= bound.at_least
    if bound.more_than is not None:
        return value > bound.more_than
    return bound.less_than is not None and value < bound.less_than


def _weighs(bound: Bound | None, weight: Decimal | None, *, surely: bool) -> bool:
    if bound is None:
        return True
    if weight is None:
        return not surely
    if bound.at_least is not None:
        return weight >= bound.at_least
    return bound.less_than is not None and weight < bound.less_than


def _seizes(over: int | None, seizures: tuple[int, int], *, surely: bool) -> bool:
    return over is None or seizures[0 if surely else 1] > over


def _dosed(when: When, around: Circumstances, *, surely: bool) -> bool:
    if when.at_dose is None:
        return True
    if around.rate is None or around.rate_unit != when.at_dose.unit:
        return not surely
    return around.rate == when.at_dose.rate
