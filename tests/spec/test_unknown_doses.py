"""Administrations that were not available: nobody knows what was charted before the first dose.

Expectation: an unanswered query never makes a grade more certain than an answered one (DESIGN 6a).
"""

import pytest

from tests.builders import (
    Json,
    bp,
    draft_order,
    hours_ago,
    ice,
    oxygen_device,
    oxygen_flow,
    spo2,
    teclistamab,
    temp,
)
from tests.properties.charts import Chart
from tests.properties.service import ask, assessed


def _crs(*vitals: Json, known: bool) -> dict[str, object]:
    entries = tuple(("vitals", one) for one in (temp(39), bp(120, 70), spo2(95), *vitals))
    chart = Chart((*entries, ("administrations", teclistamab(at=hours_ago(30)))), (draft_order(),))
    hidden = () if known else ("administrations",)
    return assessed(ask(chart.prefetch(without=hidden), chart.drafts))["crs"]


def _oxygen(device: str, litres: float, hours: float) -> tuple[Json, Json]:
    at = hours_ago(hours)
    return (
        oxygen_device(device, at=at, resource_id=f"device-{hours}"),
        oxygen_flow(litres, at=at, resource_id=f"flow-{hours}"),
    )


@pytest.mark.parametrize(
    ("before", "least"),
    [
        pytest.param(_oxygen("nasal cannula", 2, 20), 1, id="the same 20 h ago: perhaps baseline"),
        pytest.param(_oxygen("nasal cannula", 1, 20), 2, id="less 20 h ago: oxygen is certain"),
        pytest.param(_oxygen("nasal cannula", 2, 24 * 16), 2, id="16 days ago: before any dose"),
        pytest.param((), 2, id="nothing charted before: oxygen is certain"),
    ],
)
def test_oxygen_charted_before_may_be_the_baseline_where_the_doses_are_unknown(
    before: tuple[Json, ...], least: int
) -> None:
    now = _oxygen("nasal cannula", 2, 0.5)
    found = _crs(*before, *now, known=False)
    assert found["grade"] == {"atLeast": least, "atMost": 4}
    known = _crs(*before, *now, known=True)["grade"]
    assert isinstance(known, dict)
    assert known["atLeast"] == 2  # 20 h ago is after the dose: no baseline


def test_the_notice_says_that_the_doses_are_not_known() -> None:
    vitals = (*_oxygen("nasal cannula", 2, 20), *_oxygen("nasal cannula", 2, 0.5))
    entries = tuple(("vitals", one) for one in (temp(39), bp(120, 70), spo2(95), *vitals))
    chart = Chart((*entries, ("assessments", ice(10))), (draft_order(),))
    found = assessed(ask(chart.prefetch(without=("administrations",)), chart.drafts))
    texts = {one["code"]: one["text"] for one in found["notices"]}
    assert "doses are not known" in texts["baseline-oxygen"]
