"""The course in words and as a table: how many, highest, lowest, latest, and what is not known."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from msgspec import Raw

from cds.smart.timeline.item import What
from cds.smart.timeline.marks import marks_of
from cds.smart.timeline.series import scores_of, series_of
from cds.smart.timeline.shown import temperature
from cds.smart.timeline.table import ROWS, groups, parts, table
from cds.smart.timeline.words import course
from knowledge.facts import Evidence, Facts
from tests.builders import NOW, as_bytes, bundle, temp
from tests.unit.cds.smart.timeline.given import item, level, sample, series


def at(moment: datetime) -> str:
    return f"T-{(NOW - moment).total_seconds() / 3600:g}"


def test_extremes_and_the_latest_value_are_named_with_their_times() -> None:
    found = series(
        item("temperature", 9, 37.2), item("temperature", 5, 39.4), item("temperature", 1, 38)
    )
    assert course(found, (), at)[0] == (
        "Temperature: 3 values, highest 39.4 at T-5, lowest 37.2 at T-9, latest 38 at T-1."
    )


def test_a_record_that_was_read_only_in_part_says_so() -> None:
    found = series(item("temperature", 1, 38), back_to={"temperature": NOW - timedelta(hours=6)})
    assert course(found, (), at)[0].endswith("Only what was charted since T-6 was read.")


def test_times_without_a_grade_are_counted() -> None:
    lines = course(series(), (sample(9), sample(5, level(1, 3)), sample(0, level(0, 0))), at)
    crs = next(line for line in lines if line.startswith("CRS by"))
    assert "highest grade 1 to 3 at T-5, latest grade 0 to 0." in crs
    assert "Not assessed at 1 of 3 times shown." in crs


def test_a_table_in_parts_has_every_value_once_newest_first() -> None:
    items = [item("temperature", 70 - place * 0.03, 37) for place in range(2000)]
    found = parts(groups(series(*items), (), at))
    refs = [row.ref for part in found for group in part for row in group.rows]
    assert sorted(refs) == sorted(one.ref for one in items)
    times = [group.at for part in found for group in part]
    assert times == sorted(times, reverse=True)
    assert max(sum(len(group.rows) for group in part) for part in found) <= ROWS
    assert table(series(*items), (), 99, at).number == 5
    assert table(series(*items), (), 0, at).number == 1


def test_an_empty_table_is_one_part() -> None:
    assert table(series(), (), 1, at).parts == 1


def test_a_period_has_its_end_in_the_table() -> None:
    period = item("bispecific", 5, until=NOW - timedelta(hours=1))
    ((group,),) = parts(groups(series(period), (), at))
    assert group.rows[0].value == "as charted, until T-1"


def test_a_temperature_in_fahrenheit_is_shown_as_charted_and_in_celsius() -> None:
    fahrenheit = Evidence("Observation/1", "8310-5", "100.4", "[degF]")
    assert temperature(fahrenheit, Decimal(38)) == "100.4 °F (38 °C)"
    celsius = Evidence("Observation/1", "8310-5", "37.96", "Cel")
    assert temperature(celsius, Decimal("37.96")) == "37.96 °C (100.33 °F)"


def test_the_state_of_a_resource_is_kept_unless_it_is_final() -> None:
    states = {"a": "final", "b": "preliminary", "c": "corrected", "d": "amended", "e": "<b>"}
    made = [{**temp(38, resource_id=id_), "status": status} for id_, status in states.items()]
    assert marks_of({"vitals": Raw(as_bytes(bundle(*made))), "labs": Raw(b"nonsense")}) == {
        "Observation/b": "preliminary",
        "Observation/c": "corrected",
        "Observation/d": "amended",
    }


@pytest.mark.parametrize(
    ("age", "charted", "shown"),
    [
        (11, (), ("capd",)),
        (12, (), ("ice",)),
        (40, (), ("ice",)),
        (None, (), ("ice", "capd")),
        (11, ("ice",), ("capd", "ice")),
        (40, ("capd",), ("ice", "capd")),
    ],
)
def test_the_score_of_the_age_is_shown_and_the_other_where_it_is_charted(
    age: int | None, charted: tuple[What, ...], shown: tuple[What, ...]
) -> None:
    items = [item(one, 1, 5) for one in charted]
    assert scores_of(items, age, capd_under=12) == shown


def test_a_capd_that_was_not_read_is_not_said_to_be_uncharted() -> None:
    facts = Facts("p1", NOW, age_years=5)
    found = series_of(facts, {}, NOW - timedelta(hours=72), capd_under=12)
    assert "CAPD total: not known, the record was not read for it." in course(found, (), at)
