"""An observation posted at the workbench changes the stored grade through the Subscription."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cds.clock import system_clock
from tests.demo.workbench_room import Tab, running


SECONDS = 60.0
SITES = ("us-label", "community-sop", "nhs-waht")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running demo that hears of changes, with the real clock."""
    folder: Path = tmp_path_factory.mktemp("demo")
    with running(folder, clock=system_clock, worker=True) as found:
        yield found


def eventually(found: Callable[[], object], what: str) -> None:
    """Wait until it is so."""
    until = time.monotonic() + SECONDS
    while not found():
        assert time.monotonic() < until, what
        time.sleep(0.3)


def subscribed(tab: Tab) -> bool:
    """Whether each site hears of this server's changes."""
    bundle = tab.get("/open/fhir/Subscription", _count="500").json()
    endpoints = [
        one["resource"]["channel"]["endpoint"]
        for one in bundle.get("entry", ())
        if one["resource"]["status"] == "active"
    ]
    return all(sum(f"/events/demo-{site}/" in one for one in endpoints) > 20 for site in SITES)


def test_a_posted_observation_changes_the_stored_grade_and_the_flag(base: str) -> None:
    # Fever alone is CRS grade 1; with hypotension that needs one vasopressor it is grade 3 (ASTCT).
    tab = Tab(base, "fever-only")
    eventually(lambda: subscribed(tab), "the demo did not subscribe")
    eventually(lambda: "regrade" in tab.look().page.text("stored-now"), "never regraded")
    assert "Stored grade: CRS 1" in tab.page.text("stored-now")
    tab.do("observe", temperature="39.2", systolic="82", diastolic="44", support="one-vasopressor")
    assert (
        "Posted to the FHIR server: Body temperature, Blood pressure, Hypotension support."
        in tab.page.text("message")
    )
    eventually(
        lambda: "Stored grade: CRS 3" in tab.look().page.text("stored-now"),
        "the grade did not change",
    )
    newest = tab.page.text("stored-now").partition("Disposition")[2]
    assert "regrade" in newest[:60]
    eventually(
        lambda: "active CRS grade 3" in tab.look().page.text("stored-now"), "no Flag was written"
    )
    assert "Stored grade: CRS 3" in tab.do("settings", protocol="nhs-waht").page.text("stored-now")


def test_the_next_hook_sees_what_was_posted(base: str) -> None:
    tab = Tab(base, "nothing-wrong")
    assert tab.wire("Assessment")["crs"]["grade"] == {"atLeast": 0, "atMost": 0}
    tab.do("observe", temperature="101.5", unit="[degF]", spo2="96", device="room-air")
    request = tab.do("sign").wire("Request")
    newest = request["prefetch"]["vitals"]["entry"][0]["resource"]
    assert newest["code"]["coding"][0]["code"] in {"8310-5", "59408-5"}
    assert tab.wire("Assessment")["crs"]["grade"]["atLeast"] == 1


def test_what_is_stored_comes_as_a_part_only_when_it_changed(base: str) -> None:
    tab = Tab(base, "ice-two-awake")
    path = f"/visits/{tab.visit}/stored"
    eventually(lambda: "regrade" in tab.look().page.text("stored-now"), "never regraded")
    part = tab.get(path)
    assert part.status_code == 200
    assert part.text.lstrip().startswith('<div id="stored-now"')
    seen = part.text.partition("seen=")[2].partition('"')[0]
    assert tab.get(path, seen=seen).status_code == 204
    assert tab.get(path, seen="0").status_code == 200


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "Nothing was entered, so nothing was posted."),
        ({"temperature": "38,5"}, "Temperature: enter a number such as 38.5, with a point."),
        ({"spo2": "93.5"}, "SpO2: enter a whole number."),
        ({"systolic": "90"}, "Blood pressure: enter both systolic and diastolic."),
        ({"ice": "-1"}, "ICE total: enter a number"),
        ({"temperature": "38.5", "flow": "x"}, "Oxygen flow: enter a number"),
    ],
)
def test_what_cannot_be_charted_posts_nothing(base: str, form: dict[str, str], said: str) -> None:
    tab = Tab(base, "wrong-unit")
    before = tab.get("/open/fhir/Observation", patient="wrong-unit", _summary="count").json()
    assert said in tab.do("observe", **form).page.text("message")
    after = tab.get("/open/fhir/Observation", patient="wrong-unit", _summary="count").json()
    assert after["total"] == before["total"]


def test_an_impossible_value_is_posted_and_the_service_names_it(base: str) -> None:
    tab = Tab(base, "wrong-unit").do("observe", temperature="99.9")
    assert "99.9" in str(tab.do("sign").wire("Response")["cards"])
