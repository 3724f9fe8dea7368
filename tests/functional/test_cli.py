"""The command line: `explain` shows what the service would answer; exit 2 on bad input."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cds.cli import main
from cds.schemas import ASSESSMENT, FOLDER, assessment_schema, text
from cds.store import Store, open_store
from tests.conformance.checker import check_response
from tests.functional.bodies import Json, fever, order_sign, vital, with_value, without
from tests.functional.serving import write_config
from tests.store.rows import KNOWLEDGE, answer, card, decision, uuid
from tests.store.rows import NOW as EVALUATED


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


# --- the store -----------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose database is beside it and not there yet."""
    return write_config(tmp_path)


@pytest.fixture
def kept(config: Path, tmp_path: Path) -> Path:
    """The same with a week of decisions and an answered card."""
    assert main(["migrate", "--config", str(config)]) == 0
    with closing(_store(tmp_path)) as store:
        for days in range(7):
            name, at = f"day {days}", EVALUATED - timedelta(days=days)
            store.record(decision(name, evaluated_at=at, cards=(card(name),)))
        store.record(decision("other", knowledge_sha256="cd" * 32, cards=()))
        store.add_feedback([answer("day 1", "accepted"), answer("day 2")], EVALUATED)
    return config


def _store(folder: Path) -> Store:
    return open_store(f"sqlite:///{folder / 'store.db'}")


def test_migrate_creates_the_store_for_its_owner_alone_and_may_be_run_again(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert main(["migrate", "--config", str(config)]) == 0
    assert capsys.readouterr() == ("", "")
    with closing(_store(tmp_path)) as store:
        store.ready()
    assert (tmp_path / "store.db").stat().st_mode & 0o077 == 0


def test_migrate_uses_the_store_of_the_environment(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BTCE_STORE", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    assert main(["migrate", "--config", str(config)]) == 0
    assert (tmp_path / "elsewhere.db").exists()
    assert not (tmp_path / "store.db").exists()


def test_feedback_counts_by_topic_since_a_day(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["feedback", "--config", str(kept), "--since", "2026-11-20"]
    assert main([*options, "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["since"] == "2026-11-20T00:00:00Z"
    assert report["evaluations"] == 3
    (topic,) = report["topics"]
    assert (topic["shown"], topic["accepted"], topic["ignored"]) == (2, 1, 1)
    assert topic["acceptance"] == {"count": 1, "n": 2, "percent": "50.0"}
    assert main(options) == 0
    out = capsys.readouterr().out
    assert "HOLDCRS2" in out
    assert "1/2 (50.0 %)" in out


def test_feedback_since_a_moment_with_a_zone(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moment = "2026-11-20T13:00:01+01:00"  # one second after the decision of that day
    options = ["--config", str(kept), "--format", "json", "--since", moment]
    assert main(["feedback", *options]) == 0
    assert json.loads(capsys.readouterr().out)["evaluations"] == 2


@pytest.mark.parametrize("digest", [KNOWLEDGE, KNOWLEDGE[:8], KNOWLEDGE.upper()])
def test_audit_lists_the_decisions_of_a_knowledge(
    kept: Path, capsys: pytest.CaptureFixture[str], digest: str
) -> None:
    assert main(["audit", "--config", str(kept), "--knowledge", digest, "--format", "json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["id"] for row in rows] == [uuid(f"day {days}") for days in reversed(range(7))]
    assert all("p1" not in row.values() for row in rows)


def test_audit_since_a_day_as_text(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--config", str(kept), "--knowledge", KNOWLEDGE, "--since", "2026-11-21"]
    assert main(["audit", *options]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert uuid("day 0") in line
    assert "teclistamab-label@1#crs-2" in line


@pytest.mark.parametrize(("rule", "found"), [("teclistamab-label", 7), ("talquetamab-label", 0)])
def test_audit_may_ask_for_rules(
    kept: Path, capsys: pytest.CaptureFixture[str], rule: str, found: int
) -> None:
    options = ["--config", str(kept), "--knowledge", KNOWLEDGE, "--rule", rule]
    assert main(["audit", *options]) == 0
    assert len(capsys.readouterr().out.splitlines()) == found


def test_what_is_no_digest_is_exit_2(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--config", str(kept), "--knowledge", "2026.11"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("--knowledge: must be")


@pytest.mark.parametrize(
    "options",
    [
        ["feedback", "--since", "yesterday"],
        ["feedback", "--since", "2026-11-20T12:00:00"],
        ["feedback"],
        ["feedback", "--since", "2026-11-20", "--format", "xml"],
        ["audit"],
        ["audit", "--knowledge", KNOWLEDGE, "--since", "2026-13-01"],
    ],
)
def test_what_cannot_be_asked_is_exit_2_and_names_the_option(
    kept: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*options, "--config", str(kept)])
    assert caught.value.code == 2
    assert "--" in capsys.readouterr().err.splitlines()[-1]


STORE_COMMANDS = {
    "migrate": ["migrate"],
    "feedback": ["feedback", "--since", "2026-11-01"],
    "audit": ["audit", "--knowledge", KNOWLEDGE],
}
every_store_command = pytest.mark.parametrize(
    "command", STORE_COMMANDS.values(), ids=STORE_COMMANDS
)


@every_store_command
def test_a_bad_configuration_is_exit_1_with_every_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('bind = "127.0.0.1:80"', encoding="utf-8")
    assert main([*command, "--config", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "public_url" in err
    assert "sites" in err


@pytest.mark.parametrize("command", [STORE_COMMANDS["feedback"], STORE_COMMANDS["audit"]])
def test_a_store_that_is_not_there_is_exit_1_and_is_not_created(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert main([*command, "--config", str(config)]) == 1
    assert capsys.readouterr() == ("", "store: gone\n")
    (tmp_path / "store.db").touch()
    assert main([*command, "--config", str(config)]) == 1
    assert capsys.readouterr() == ("", "store: not-migrated\n")


def test_reports_need_not_wait_for_the_service(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another process writes meanwhile."""
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for command in (STORE_COMMANDS["feedback"], STORE_COMMANDS["audit"]):
            assert main([*command, "--config", str(kept)]) == 0
    assert capsys.readouterr().err == ""


def test_who_reads_may_stop_early(kept: Path, tmp_path: Path) -> None:
    with closing(_store(tmp_path)) as store:
        many = tuple(f"teclistamab-label@1#row-{number}" for number in range(1000))
        for number in range(10):  # more than a pipe holds
            store.record(decision(f"more {number}", rules=many))
    command = [sys.executable, "-m", "cds", "audit", "--config", str(kept), "--knowledge"]
    with subprocess.Popen(  # noqa: S603 - this interpreter, a file of this test
        [*command, KNOWLEDGE], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 0


def test_a_command_whose_output_nobody_takes_ends_without_a_trace() -> None:
    """As `btce-cds replay DIR --format json | head -0` does: it is no success."""
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "cds", "replay", "docs/examples", "--format", "json"]
    done = subprocess.run(  # noqa: S603 - this interpreter, words of this file
        command, stdout=writes, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(writes)
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr
    assert done.returncode == 1


@every_store_command
def test_the_commands_are_in_the_help(
    capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert f"\n    {command[0]} " in capsys.readouterr().out
