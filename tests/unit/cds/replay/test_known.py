"""When a resource became known: the rule, one member at a time."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cds.replay.known import head_of, moment_of, when_known


EARLY, LATE = "2026-11-20T10:00:00Z", "2026-11-20T12:00:00+01:00"


def head(kind: str, **members: Any) -> Any:
    names = {name.rstrip("_"): value for name, value in members.items()}
    found = head_of(msgspec.json.encode({"resourceType": kind, **names}))
    assert found is not None
    return found


def hour(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


RULE: list[Any] = [
    pytest.param(
        head("Observation", issued=LATE, effectiveDateTime=EARLY, meta={"lastUpdated": EARLY}),
        ("issued", LATE),
        id="issued before all",
    ),
    pytest.param(
        head("Observation", effectiveDateTime=EARLY, meta={"lastUpdated": LATE}),
        ("last-updated", LATE),
        id="else the last update",
    ),
    pytest.param(head("Observation", effectiveInstant=LATE), ("effective", LATE), id="else when"),
    pytest.param(
        head("Observation", effectivePeriod={"start": EARLY, "end": LATE}),
        ("effective", LATE),
        id="a value over a period is known at its end",
    ),
    pytest.param(
        head("MedicationAdministration", effectivePeriod={"start": EARLY, "end": LATE}),
        ("effective", EARLY),
        id="an infusion is known from its start",
    ),
    pytest.param(
        head("Condition", recordedDate=LATE, onsetDateTime=EARLY),
        ("effective", LATE),
        id="a diagnosis when it was recorded, not when it began",
    ),
    pytest.param(head("MedicationRequest", authoredOn=LATE), ("effective", LATE), id="an order"),
    pytest.param(head("Encounter", period={"start": LATE}), ("effective", LATE), id="a stay"),
]


@pytest.mark.parametrize(("found", "expected"), RULE)
def test_it_is_known_at_the_first_time_there_is(found: Any, expected: tuple[str, str]) -> None:
    known = when_known(found)
    assert (known.by, known.earliest, known.latest) == (
        expected[0],
        hour(expected[1]),
        hour(expected[1]),
    )


def test_an_issued_time_that_cannot_be_read_is_not_replaced_by_another() -> None:
    known = when_known(head("Observation", issued="later", effectiveDateTime=EARLY))
    assert known.by == "no-time"
    assert not known.surely(datetime(2100, 1, 1, tzinfo=UTC))
    assert known.possibly(datetime(1950, 1, 1, tzinfo=UTC))


SPANS: list[Any] = [
    pytest.param("2026-11-20", "2026-11-19T10:00", "2026-11-21T12:00", id="a day, in any zone"),
    pytest.param("2026-12", "2026-11-30T10:00", "2027-01-01T12:00", id="a month"),
    pytest.param("2026", "2025-12-31T10:00", "2027-01-01T12:00", id="a year"),
    pytest.param("2026-11-20T08:00", "2026-11-19T18:00", "2026-11-20T20:00", id="no zone"),
]


@pytest.mark.parametrize(("text", "earliest", "latest"), SPANS)
def test_a_time_without_a_zone_is_a_span(text: str, earliest: str, latest: str) -> None:
    known = when_known(head("Condition", recordedDate=text))
    assert known.earliest == datetime.fromisoformat(f"{earliest}:00+00:00")
    assert known.latest == datetime.fromisoformat(f"{latest}:00+00:00")
    assert known.latest is not None
    assert known.surely(known.latest)
    assert known.earliest is not None
    assert known.possibly(known.earliest)


def test_products_and_devices_have_no_time() -> None:
    assert when_known(head("Medication")).surely(datetime(1950, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("text", ["2026-11-20", "2026-11-20T08:00", "0001-01-01T00:00:00Z", "x"])
def test_a_moment_needs_a_time_a_zone_and_a_year_of_ours(text: str) -> None:
    assert moment_of(head("MedicationRequest", authoredOn=text)) is None
    assert moment_of(head("MedicationAdministration", effectiveDateTime=text)) is None


def test_a_moment_is_when_an_infusion_began() -> None:
    period = {"start": EARLY, "end": LATE}
    assert moment_of(head("MedicationAdministration", effectivePeriod=period)) == hour(EARLY)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"1", b'"a"', b"\xff", b"[" * 100_000])
def test_what_is_no_object_has_no_head(raw: bytes) -> None:
    assert head_of(raw) is None
