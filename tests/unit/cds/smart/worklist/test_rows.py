"""Which rows come first, and which patients stay in the list of a unit."""

from typing import Any

from cds.smart.worklist.direction import Change
from cds.smart.worklist.rows import Row, in_order, within
from cds.smart.worklist.units import Unit


WARD = Unit("Ward 3", "a" * 16)
OTHER = Unit("Ward 4", "b" * 16)


def row(name: str, **changes: Any) -> Row:
    fields: dict[str, Any] = {
        "patient": name,
        "key": name,
        "name": name,
        "identifiers": (),
        "agent": "teclistamab",
        "hours": 24.0,
        "crs": "CRS grade 0",
        "icans": "ICANS grade 0",
        "crs_change": Change("none"),
        "icans_change": Change("none"),
        "toci": None,
        "missing": (),
        "charted": None,
        "units": (WARD,),
        "worst": (0, 0),
    }
    return Row(**(fields | changes))


def test_the_worst_is_first_by_what_is_certain_then_by_what_is_possible() -> None:
    rows = [
        row("well", worst=(0, 0)),
        row("unknown", worst=(0, 4)),
        row("one", worst=(1, 1)),
        row("perhaps three", worst=(1, 3)),
        row("four", worst=(4, 4)),
    ]
    found = [one.name for one in in_order(rows)]
    assert found == ["four", "perhaps three", "one", "unknown", "well"]


def test_equals_keep_their_order_however_they_came() -> None:
    rows = [row("b"), row("a"), row("c")]
    assert [one.name for one in in_order(rows)] == ["a", "b", "c"]
    assert in_order(rows) == in_order(reversed(rows))


def test_a_unit_keeps_those_of_whom_it_is_not_known_where_they_are() -> None:
    rows = [row("here"), row("there", units=(OTHER,)), row("lost", units=())]
    assert [one.name for one in within(WARD, rows)] == ["here", "lost"]
    assert [one.name for one in within(None, rows)] == ["here", "there", "lost"]


def test_a_unit_of_two_names_is_one_unit() -> None:
    rows = [row("a"), row("b", units=(Unit("ward three", WARD.key),))]
    assert [one.name for one in within(WARD, rows)] == ["a", "b"]
