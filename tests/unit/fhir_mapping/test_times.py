"""FHIR times: only an instant can be ordered; the future is refused."""

from datetime import UTC, datetime

import pytest

from fhir_mapping.times import instant
from tests.builders import Json, hours_ago, temp
from tests.unit.fhir_mapping.mapped import facts_of, reasons


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T10:00:00Z", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21T10:00:00.123Z", datetime(2026, 11, 21, 10, 0, 0, 123000, tzinfo=UTC)),
        ("2026-11-21T10:00:00+02:00", datetime(2026, 11, 21, 8, tzinfo=UTC)),
        ("2026-11-21", None),
        ("2026-11", None),
        ("2026", None),
        ("2026-11-21T10:00:00", None),
        ("2026-13-21T10:00:00Z", None),
        ("2026-11-21 10:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday, at some time", None),
        ("", None),
    ],
)
def test_instant(text: str, expected: datetime | None) -> None:
    assert instant(text) == expected


def _at(members: Json) -> Json:
    made = temp(38.4)
    del made["effectiveDateTime"]
    return {**made, **members}


@pytest.mark.parametrize(
    ("members", "used"),
    [
        pytest.param({"effectiveInstant": hours_ago(1)}, True, id="an instant"),
        pytest.param(
            {"effectivePeriod": {"start": hours_ago(2), "end": hours_ago(1)}}, True, id="a period"
        ),
        pytest.param({"effectivePeriod": {"start": hours_ago(1)}}, True, id="an open period"),
        pytest.param({"effectivePeriod": {"end": hours_ago(1)}}, True, id="only an end"),
        pytest.param({"effectiveDateTime": hours_ago(-0.08)}, True, id="four minutes ahead"),
        pytest.param({"effectiveDateTime": hours_ago(-0.09)}, False, id="over five minutes ahead"),
        pytest.param({"effectiveDateTime": "2026-11-21"}, False, id="a date"),
        pytest.param({"effectiveDateTime": "2026-11-21T10:00:00"}, False, id="no zone"),
        pytest.param({"effectivePeriod": {"start": "2026-11-21"}}, False, id="a period of dates"),
        pytest.param(
            {"effectivePeriod": {"start": hours_ago(2), "end": "2026-11-21"}},
            False,
            id="end a date",
        ),
        pytest.param(
            {"effectivePeriod": {"start": hours_ago(1), "end": hours_ago(2)}}, False, id="backwards"
        ),
        pytest.param({"effectivePeriod": {}}, False, id="an empty period"),
        pytest.param({}, False, id="no time at all"),
    ],
)
def test_time_of_an_observation(members: Json, used: bool) -> None:
    facts = facts_of(_at(members))
    assert bool(facts.temperatures) is used
    assert bool(facts.unreadable) is not used
    assert ("temperature: " in reasons(facts)) is not used


def test_the_end_of_a_period_is_its_time() -> None:
    period = {"start": hours_ago(9), "end": hours_ago(1)}
    (reading,) = facts_of(_at({"effectivePeriod": period})).temperatures
    assert reading.at == datetime(2026, 11, 21, 11, tzinfo=UTC)
