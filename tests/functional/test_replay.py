"""`replay`: what saved requests and exports would have brought, counted by hand for small sets."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cds.cli import main
from cds.demo.story import Given, GradeCharted, Vitals
from cds.replay import schema
from tests.functional.replay_files import (
    NOW,
    STORIES,
    Json,
    at,
    by_name,
    export,
    rates,
    replayed,
    request,
    resources,
    save,
    story,
)


CANNULA = STORIES["cannula-without-flow"]
DOSE = Given(at=-40, drug="teclistamab", mg=21, route="SC")
NORMAL = Vitals(at=-2, temperature=36.8, pressure=(124, 78), spo2=98, device="room-air")
FEVER = Vitals(at=-2, temperature=38.6, pressure=(124, 78), spo2=98, device="room-air")
Replay = Callable[..., Json]


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    def run(folder: Path, *options: str) -> Json:
        return replayed(folder, tmp_path / "out", *options)

    return run


def test_a_saved_request_is_evaluated_at_the_time_its_draft_was_written(
    tmp_path: Path, replay: Replay
) -> None:
    """Cannula without a flow: grade 2 to 3, one hold, the flow missing, nothing else."""
    report = replay(save(tmp_path / "in", request(CANNULA)))
    assert report["moments"]["total"] == report["moments"]["withOrder"] == 1
    assert by_name(report["moments"]["bySource"]) == {"request": 1}
    assert rates(report["actions"]) == {"withhold": 1}
    (topic,) = report["cards"]["topics"]
    assert (topic["topic"], topic["per100Orders"]["perHundred"]) == ("CRSG2TO3", 100.0)
    assert by_name(topic["indicators"]) == {"warning": 1}
    assert rates(report["missing"]) == {"oxygen-flow": 1}
    assert report["cannotEvaluate"] == {"count": 0, "of": 1, "perHundred": 0.0}
    assert report["moments"]["timedByLatest"] == 0


def test_each_administration_of_an_export_is_a_moment_before_what_it_led_to(
    tmp_path: Path, replay: Replay
) -> None:
    """Both doses came before the fever: two REMS prompts, no hold, and no ICE at the second."""
    report = replay(export(tmp_path / "in", *resources(CANNULA)))
    assert by_name(report["moments"]["bySource"]) == {"administration": 2}
    assert rates(report["actions"]) == {"no-toxicity": 2}
    topics = {one["topic"]: one["cards"] for one in report["cards"]["topics"]}
    assert topics["REMSTECLISTAMAB"] == 2
    assert not any("CRSG" in topic for topic in topics)
    crs, icans = report["grades"]
    assert crs["assessed"]["count"] == 1  # at the first dose nobody was exposed
    assert icans["assessed"]["count"] == 0


def test_an_order_of_an_export_is_a_moment_with_what_was_charted_by_then(
    tmp_path: Path, replay: Replay
) -> None:
    order = request(CANNULA)["context"]["draftOrders"]["entry"][0]["resource"]
    signed = {**order, "id": "o1", "status": "completed", "authoredOn": at(-1.9)}
    early = {**signed, "id": "o2", "authoredOn": at(-2.1)}
    report = replay(export(tmp_path / "in", *resources(CANNULA), signed, early))
    assert by_name(report["moments"]["bySource"]) == {"administration": 2, "order": 2}
    topics = {one["topic"]: one["cards"] for one in report["cards"]["topics"]}
    assert topics["CRSG2TO3"] == 1  # the cannula was put on two hours ago
    assert topics["CRSG1"] == 1  # the fever four hours ago


def test_tocilizumab_is_a_moment_and_dexamethasone_is_none(tmp_path: Path, replay: Replay) -> None:
    chart = (
        DOSE,
        FEVER,
        Given(at=-1, drug="tocilizumab", mg=560, route="IV"),
        Given(at=-1, drug="dexamethasone", mg=10, route="IV"),
    )
    report = replay(export(tmp_path / "in", *resources(story(*chart))))
    assert by_name(report["moments"]["bySource"]) == {"administration": 2}


@pytest.mark.parametrize("status", ["not-done", "entered-in-error"])
def test_a_dose_that_was_not_given_is_no_moment(
    tmp_path: Path, replay: Replay, status: str
) -> None:
    found = resources(CANNULA)
    for one in found:
        if one["resourceType"] == "MedicationAdministration" and one["effectiveDateTime"] == at(
            -110
        ):
            one["status"] = status
    assert replay(export(tmp_path / "in", *found))["moments"]["total"] == 1


# --- agreement with charted grades ---------------------------------------------------------------


def charted(grade: int, hours: float = -1) -> GradeCharted:
    return GradeCharted(at=hours, toxicity="crs", grade=grade)


AGREEMENT: list[Any] = [
    pytest.param((FEVER, charted(1)), "exact", None, id="fever alone is 1, charted 1"),
    pytest.param((FEVER, charted(3)), "tooLow", "2", id="fever alone is 1, charted 3: 2 too low"),
    pytest.param((FEVER, charted(0)), "tooHigh", "1", id="fever alone is 1, charted 0: 1 too high"),
    pytest.param((NORMAL, charted(4)), "tooLow", "4", id="charted 4 beside normal signs is not 4"),
    pytest.param(
        (*CANNULA.chart[4:], charted(2, -0.4)), "inside", None, id="2 to 3 for want of a flow, 2"
    ),
]


@pytest.mark.parametrize(("chart", "outcome", "by"), AGREEMENT)
def test_a_charted_grade_is_compared_with_what_is_said_without_it(
    tmp_path: Path, replay: Replay, chart: tuple[Any, ...], outcome: str, by: str | None
) -> None:
    report = replay(export(tmp_path / "in", *resources(story(DOSE, *chart))))
    crs, icans = report["agreement"]
    assert (crs["compared"], crs["notAssessed"], icans["compared"]) == (1, 0, 0)
    counts = {"exact": crs["exact"]["count"], "inside": crs["inside"]["count"]}
    counts |= {name: sum(one["count"] for one in crs[name]) for name in ("tooLow", "tooHigh")}
    assert counts == {"exact": 0, "inside": 0, "tooLow": 0, "tooHigh": 0, outcome: 1}
    if by is not None:
        assert by_name(crs[outcome]) == {by: 1}
        assert crs["outside"][0]["by"] == int(by)


def test_an_earlier_charted_grade_is_hidden_too(tmp_path: Path, replay: Replay) -> None:
    """Grade 3 charted ten hours before would raise what the service says now, were it seen."""
    chart = (DOSE, FEVER, charted(3, -10), charted(1))
    crs = replay(export(tmp_path / "in", *resources(story(*chart))))["agreement"][0]
    assert crs["exact"]["count"] == 1


def test_a_grade_with_nothing_else_charted_is_no_agreement(tmp_path: Path, replay: Replay) -> None:
    """Were the statement seen, it would open an event, and any grade would be inside 0 to 4."""
    one = story(DOSE, charted(2))
    for folder in (
        export(tmp_path / "export", *resources(one)),
        save(tmp_path / "saved", request(one)),
    ):
        crs = replay(folder)["agreement"][0]
        assert (crs["compared"], crs["notAssessed"]) == (1, 1)


def test_a_preliminary_grade_is_counted_and_not_compared(tmp_path: Path, replay: Replay) -> None:
    found = resources(story(DOSE, FEVER, charted(1)))
    (grade,) = (one for one in found if "crs-grade" in json.dumps(one))
    grade["status"] = "preliminary"
    crs = replay(export(tmp_path / "in", *found))["agreement"][0]
    assert (crs["compared"], crs["notUsable"]) == (0, 1)


def test_one_statement_in_two_saved_requests_is_compared_once(
    tmp_path: Path, replay: Replay
) -> None:
    one = story(DOSE, FEVER, charted(1))
    report = replay(save(tmp_path / "in", request(one), request(one, 2)))
    assert report["moments"]["total"] == 2
    assert report["agreement"][0]["compared"] == 1


# --- feedback ------------------------------------------------------------------------------------


def test_feedback_on_a_card_that_is_made_again_is_counted_by_topic(
    tmp_path: Path, replay: Replay, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save(tmp_path / "in", request(CANNULA))
    assert main(["explain", str(folder / "001.json"), "--now", at(0)]) == 0
    uuid = json.loads(capsys.readouterr().out)["response"]["cards"][0]["uuid"]
    reason = {"reason": {"code": "monitoring", "system": "https://ehr.example/reasons"}}
    answer = {"outcome": "overridden", "outcomeTimestamp": at(0), "overrideReason": reason}
    other = "00000000-0000-4000-8000-000000000009"
    items = [{"card": uuid, **answer}, {"card": other, **answer}]
    (folder / "feedback.json").write_text(json.dumps({"feedback": items}), encoding="utf-8")
    feedback = replay(folder)["feedback"]
    assert (feedback["items"], feedback["unknownCards"]) == (2, 1)
    (topic,) = feedback["topics"]
    assert (topic["topic"], topic["overridden"], topic["accepted"]) == ("CRSG2TO3", 1, 0)
    assert by_name(topic["reasons"]) == {"monitoring": 1}


def test_without_feedback_there_is_no_such_part(tmp_path: Path, replay: Replay) -> None:
    assert replay(save(tmp_path / "in", request(CANNULA)))["feedback"] is None


# --- the report ----------------------------------------------------------------------------------


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    save(folder / "requests", *(request(one, n) for n, one in enumerate(STORIES.values())))
    for one in STORIES.values():
        export(folder / "exports" / one.id, *resources(one))
    (folder / "page.json").write_text("<!doctype html><html></html>", encoding="utf-8")
    return folder


def test_the_report_fits_its_schema_which_is_the_one_on_disk(
    everything: Path, replay: Replay
) -> None:
    assert schema.PATH.read_text(encoding="utf-8") == schema.text()
    jsonschema.Draft202012Validator(schema.schema()).validate(replay(everything))


def test_the_same_folder_gives_the_same_bytes_whatever_the_order_of_sets(
    everything: Path, tmp_path: Path
) -> None:
    found = []
    for seed in ("1", "2"):
        out = tmp_path / f"out-{seed}"
        command = [sys.executable, "-m", "cds", "replay", str(everything), "--out", str(out)]
        environ = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run(command, check=True, capture_output=True, env=environ)  # noqa: S603
        found.append([(out / f"report.{kind}").read_bytes() for kind in ("json", "html")])
    assert found[0] == found[1]


def test_neither_ids_nor_names_of_patients_or_files_are_in_what_comes_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = story(*CANNULA.chart, charted(0, -0.2), id_="canary-4711")
    folder, out = tmp_path / "in", tmp_path / "out"
    export(folder, *resources(one), name="canary-4711-")
    body = request(one)
    body["prefetch"]["canary-4711"] = {"resourceType": "Bundle", "link": [{"relation": "next"}]}
    body["hook"] = "canary-4711"
    save(folder, body, {"canary-4711": 1}, b"canary-4711")
    assert main(["replay", str(folder), "--out", str(out), "--against", "knowledge/data"]) == 0
    said = capsys.readouterr()
    texts = [said.out, said.err, *(path.read_text() for path in out.iterdir())]
    for text in texts:
        assert "canary" not in text
        assert one.family not in text
    times = [hours.strftime("%Y-%m-%dT%H") for hours in (NOW, NOW - timedelta(hours=40))]
    assert not any(time in text for time in times for text in texts)


def test_the_page_has_no_script_and_loads_nothing(everything: Path, tmp_path: Path) -> None:
    replayed(everything, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8").lower()
    for part in ("<script", "<link", "<img", "src=", "href=", "url(", "@import", "javascript:"):
        assert part not in page, part


def test_the_page_says_what_it_rests_on(everything: Path, tmp_path: Path) -> None:
    report = replayed(everything, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "not clinically reviewed" in page
    assert report["knowledge"]["sha256"] in page
    assert "a web page or XML, not JSON" in page
    assert page.count("<svg") == page.count("<title id=") == page.count("<desc id=") == 4
    assert page.count("<figure") == page.count("</figure>") >= 4


def test_times_of_the_run_are_beside_the_report_and_not_in_it(
    everything: Path, tmp_path: Path
) -> None:
    replayed(everything, tmp_path / "out")
    timing = json.loads((tmp_path / "out" / "timing.json").read_bytes())
    assert timing["moments"] > 0
    assert timing["seconds"] > 0
    assert b"econds" not in (tmp_path / "out" / "report.json").read_bytes()


def test_without_out_the_report_is_printed_and_nothing_written(
    everything: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert main(["replay", str(everything), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "btce-cds/replay/1"
    assert main(["replay", str(everything)]) == 0
    assert "not clinically reviewed" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before
