"""The benchmark's request is what docs/benchmarks.md says it is; the service is not involved."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.bench.measure import percentile
from tests.bench.payload import LATEST, SPAN, request, requests


NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("size", [100, 1000])
def test_request_holds_that_many_observations_of_about_1_6_kb(size: int) -> None:
    entries = _vitals(size)
    assert len(entries) == size
    mean = sum(len(msgspec.json.encode(e["resource"])) for e in entries) / size
    assert 1400 < mean < 1800


def test_vital_signs_are_newest_first_and_within_four_days() -> None:
    times = [datetime.fromisoformat(e["resource"]["effectiveDateTime"]) for e in _vitals(1000)]
    assert times == sorted(times, reverse=True)
    assert times[0] == NOW - LATEST
    assert times[-1] > NOW - LATEST - SPAN
    assert times[0] - times[-1] > timedelta(days=3)


def test_only_order_sign_carries_the_draft() -> None:
    sign = msgspec.json.decode(request(100, hook="order-sign", now=NOW))
    view = msgspec.json.decode(request(100, hook="patient-view", now=NOW))
    assert len(sign["context"]["draftOrders"]["entry"]) == 1
    assert "draftOrders" not in view["context"]
    assert sign["prefetch"] == view["prefetch"]


@pytest.mark.parametrize("size", [100, 1000])
def test_no_time_repeats_within_a_series_of_requests(size: int) -> None:
    times = [
        entry["resource"]["effectiveDateTime"]
        for body in requests(size, hook="order-sign", now=NOW)
        for entry in msgspec.json.decode(body)["prefetch"]["vitals"]["entry"][::5]
    ]
    assert len(times) == len(set(times)) == 4800


@pytest.mark.parametrize(("percent", "expected"), [(50, 50), (99, 99), (100, 100)])
def test_percentile_is_a_measured_value(percent: int, expected: int) -> None:
    assert percentile(range(1, 101), percent) == expected


def _vitals(size: int) -> list[dict]:
    body = msgspec.json.decode(request(size, hook="order-sign", now=NOW))
    return body["prefetch"]["vitals"]["entry"]
