"""A request saved from the workbench says the same to `btce-cds explain` as to the service."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cds.cli import main
from cds.demo.deployments import ZONES
from tests.demo.workbench_room import Json, Tab, running


TIME = re.compile(r"\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d [A-Z]{3,4}")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running demo with a fixed clock."""
    with running(tmp_path_factory.mktemp("demo")) as found:
        yield found


def in_utc(text: str, zone: ZoneInfo) -> str:
    """A text of a card with its times as `explain` writes them."""

    def written(match: re.Match[str]) -> str:
        local = datetime.strptime(match[0].rpartition(" ")[0], "%d %b %Y %H:%M")  # noqa: DTZ007
        at = local.replace(tzinfo=zone).astimezone(ZoneInfo("UTC"))
        return f"{at.day} {at:%b %Y %H:%M} UTC"

    return TIME.sub(written, text)


def comparable(card: Json, zone: ZoneInfo) -> Json:
    """Everything of a card but its link to the app, which `explain` has none of; a card's id is
    made from its summary too, so it is another where a local time is in that."""
    left_out = {"links", *(["uuid"] if TIME.search(card["summary"]) else [])}
    rest = {name: value for name, value in card.items() if name not in left_out}
    return {
        **rest,
        "summary": in_utc(card["summary"], zone),
        "detail": in_utc(card["detail"], zone),
    }


@pytest.mark.parametrize(
    ("story", "order", "protocol", "ehr", "hour"),
    [
        ("cannula-without-flow", "teclistamab", "us-label", "plain", "0"),
        ("second-tocilizumab", "tocilizumab", "community-sop", "epic", "0"),
        ("two-vasopressors", "regimen-crs", "nhs-waht", "oracle", "-0.5"),
        ("resolved-long-grade-three", "teclistamab", "us-label", "plain", "-90"),
    ],
)
def test_the_saved_request_gives_the_same_cards(
    base: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    story: str,
    order: str,
    protocol: str,
    ehr: str,
    hour: str,
) -> None:
    form = {"order": order, "protocol": protocol, "ehr": ehr, "clock": "story", "hour": hour}
    tab = Tab(base, story).do("sign", **form)
    given = tab.wire("Response")
    saved = tab.get(f"/visits/{tab.visit}/request/order-sign.json")
    assert saved.headers["Content-Disposition"].startswith('attachment; filename="order-sign-')
    file = tmp_path / "request.json"
    file.write_bytes(saved.content)
    at = given["extension"]["org.btce-cds.assessment"]["evaluatedAt"]
    assert f"--protocol {protocol} --now {at}" in tab.page.text("answer")
    assert main(["explain", str(file), "--protocol", protocol, "--now", at]) == 0
    explained = json.loads(capsys.readouterr().out)["response"]
    zone = ZONES[protocol]
    assert given["cards"] != []
    assert [comparable(one, ZoneInfo("UTC")) for one in explained["cards"]] == [
        comparable(one, zone) for one in given["cards"]
    ]


def test_a_hook_that_was_not_fired_has_nothing_to_save(base: str) -> None:
    tab = Tab(base, "fever-only")
    assert tab.get(f"/visits/{tab.visit}/request/order-sign.json").status_code == 404
    assert tab.get(f"/visits/{'0' * 32}/request/patient-view.json").status_code == 404


def test_the_saved_request_holds_no_token(base: str) -> None:
    tab = Tab(base, "fever-only")
    saved = tab.get(f"/visits/{tab.visit}/request/patient-view.json").json()
    assert "fhirAuthorization" not in saved
