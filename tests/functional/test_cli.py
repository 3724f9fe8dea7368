"""The command line: `explain` shows what the service would answer; exit 2 on bad input."""

import json
from pathlib import Path
from typing import Any

import pytest

from cds.cli import main
from cds.schemas import ASSESSMENT, FOLDER, assessment_schema, text
from tests.conformance.checker import check_response
from tests.functional.bodies import Json, fever, order_sign, vital, with_value, without


NOW = "2026-11-21T13:00:00+01:00"


@pytest.fixture
def explain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*bodies: object, options: tuple[str, ...] = ()) -> tuple[int, list[Json], str]:
        files = []
        for number, body in enumerate(bodies):
            path = tmp_path / f"{number}.json"
            path.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
            files.append(str(path))
        status = main(["explain", *files, "--now", NOW, *options])
        captured = capsys.readouterr()
        return status, [json.loads(line) for line in captured.out.splitlines()], captured.err

    return run


def test_explain_prints_facts_assessment_and_response(explain: Any) -> None:
    status, (document,), err = explain(order_sign(*fever()))
    assert (status, err) == (0, "")
    assert set(document) == {"facts", "assessment", "response"}
    check_response(document["response"])
    extension = document["response"]["extension"]["org.btce-cds.assessment"]
    assert document["assessment"] == extension
    assert extension["site"] == "explain"
    assert extension["mode"] == "live"
    assert extension["protocol"]["id"] == "us-label"
    assert extension["evaluatedAt"] == "2026-11-21T12:00:00Z"


def test_explain_takes_a_protocol(explain: Any) -> None:
    _, (document,), _ = explain(order_sign(*fever()), options=("--protocol", "nhs-waht"))
    assert document["assessment"]["protocol"]["id"] == "nhs-waht"


def test_explain_is_the_same_every_time(explain: Any) -> None:
    assert explain(order_sign(*fever())) == explain(order_sign(*fever()))


def test_explain_several_files_one_document_a_line_and_the_rest_run(explain: Any) -> None:
    other = order_sign(vital("8310-5", 38.6, "Cel", patient="p2"))
    status, lines, err = explain(order_sign(), b"x", other, order_sign(*fever()))
    assert status == 2
    assert [set(line) == {"error"} for line in lines] == [False, True, True, False]
    assert [line["error"]["code"] for line in lines[1:3]] == ["bad-hook-request", "another-patient"]
    assert all(line["error"]["status"] == 400 for line in lines[1:3])
    assert all(line["error"]["message"] for line in lines[1:3])
    assert "1.json" in err
    assert "2.json" in err


@pytest.mark.parametrize(
    ("hook", "context"),
    [
        ("order-select", {"selections": ["MedicationRequest/d1"]}),
        ("patient-view", {}),
        ("org.btce-cds.observation-create", {"observations": {"resourceType": "Bundle"}}),
        ("encounter-start", {}),
    ],
)
def test_explain_runs_any_hook(explain: Any, hook: str, context: Json) -> None:
    body = with_value(order_sign(*fever()), "hook", hook)
    body["context"] |= context
    assert explain(body)[0] == 0


@pytest.mark.parametrize(
    ("hook", "path"),
    [
        ("order-select", "context.selections"),
        ("patient-view", "context.userId"),
        ("org.btce-cds.observation-create", "context.observations"),
    ],
)
def test_explain_names_the_context_a_hook_requires(explain: Any, hook: str, path: str) -> None:
    body = without(order_sign(), "context.userId")
    status, (line,), _ = explain(with_value(body, "hook", hook))
    assert status == 2
    if hook != "order-select":  # where userId is named first
        assert path in line["error"]["message"]


def test_explain_reads_posted_observations_as_part_of_the_record(explain: Any) -> None:
    body = with_value(order_sign(), "hook", "org.btce-cds.observation-create")
    posted = {"resourceType": "Bundle", "entry": [{"resource": vital("8310-5", 39.2, "Cel", 0.1)}]}
    body["context"]["observations"] = posted
    _, (document,), _ = explain(body)
    assert document["assessment"]["crs"]["axes"]["fever"]["level"] == "present"


def test_explain_counts_the_requests_own_server_as_the_site_base(explain: Any) -> None:
    reference = "https://ehr.example.org/fhir/Patient/p1"
    seen = vital("8310-5", 38.6, "Cel")
    seen["subject"] = {"reference": reference}
    body = {**order_sign(seen), "fhirServer": "https://ehr.example.org/fhir"}
    assert explain(body)[0] == 0
    assert explain({**body, "fhirServer": "https://other.example.org/fhir"})[0] == 2


def test_explain_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps(order_sign(*fever())), encoding="utf-8")
    assert main(["explain", str(path), "--now", NOW, "--format", "text"]) == 0
    out = capsys.readouterr().out
    assert "CRS" in out
    assert "disposition" in out
    assert "not clinically reviewed" in out


@pytest.mark.parametrize("now", ["2026-11-21T12:00:00", "yesterday", "0001-01-01T00:00:00+14:00"])
def test_explain_now_needs_a_zone(now: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["explain", "x.json", "--now", now])
    assert caught.value.code == 2
    assert "--now" in capsys.readouterr().err


@pytest.mark.parametrize("options", [("--protocol", "no-such"), ()], ids=["protocol", "no file"])
def test_explain_bad_input_is_exit_2_with_the_reason(
    tmp_path: Path, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(tmp_path / "absent.json"), *options]) == 2
    assert capsys.readouterr().err


def test_check_accepts_the_shipped_knowledge_and_refuses_a_bad_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "btce.toml"
    path.write_text('bind = "0.0.0.0:80"', encoding="utf-8")
    assert main(["check", "--config", str(path)]) == 1
    assert "public_url" in capsys.readouterr().err
    assert main(["serve", "--config", str(path)]) == 1


def test_spec_and_check_say_what_is_wrong_with_the_specification(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("knowledge.spec.write", lambda: ("no cases here",))
    monkeypatch.setattr("knowledge.spec.check", lambda: ("SPEC.md is stale",))
    assert main(["spec"]) == 1
    assert capsys.readouterr().err == "no cases here\n"
    assert main(["check"]) == 1
    assert "SPEC.md is stale" in capsys.readouterr().err


def test_the_assessment_schema_on_disk_is_the_one_in_code() -> None:
    on_disk = (FOLDER / ASSESSMENT).read_text(encoding="utf-8")
    assert on_disk == text(assessment_schema()), "run: python -m cds.schemas"


def test_the_assessment_schema_requires_what_is_always_present() -> None:
    values = assessment_schema()["$defs"]
    assert set(values["Assessment"]["required"]) == {
        "schema",
        "evaluatedAt",
        "patient",
        "site",
        "mode",
        "protocol",
        "engine",
        "knowledge",
        "crs",
        "icans",
        "disposition",
    }
    assert set(values["Disposition"]["properties"]["action"]["enum"]) == {
        "withhold",
        "interrupt",
        "discontinue-current",
        "discontinue-permanently",
        "continue",
        "resume-with-conditions",
        "not-stated",
        "no-toxicity",
        "not-applicable",
        "cannot-evaluate",
    }
