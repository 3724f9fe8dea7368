"""`replay` on what cannot be used: each line and file is counted and named by number and reason; no
moment at all is a failure, in one sentence."""

import json
import os
import resource
import shutil
from pathlib import Path
from typing import Any

import pytest

from cds.cli import main
from cds.replay.index import Index
from knowledge.library import DATA
from tests.functional.replay_files import (
    STORIES,
    Json,
    at,
    by_name,
    export,
    replayed,
    request,
    resources,
    save,
)


CANNULA = STORIES["cannula-without-flow"]
PATIENT = {"resourceType": "Patient", "id": CANNULA.id}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one sentence of a run that must fail."""
    assert main(["replay", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    return line


NOTHING: list[Any] = [
    pytest.param({"a.json": b'{"hook":'}, "1 x not a JSON object", id="broken JSON"),
    pytest.param({"a.json": b"<!doctype html>"}, "a web page", id="an HTML page named .json"),
    pytest.param({"a.html": b"<html>"}, "neither .json nor .ndjson", id="an HTML file"),
    pytest.param({"a.json": b"[]"}, "not a JSON object", id="an array"),
    pytest.param({"a.json": b"{}"}, "neither a hook request nor feedback", id="another object"),
    pytest.param({"a.json": b""}, "not a JSON object", id="an empty file"),
    pytest.param({"a.ndjson": b""}, "no moment", id="an empty export"),
    pytest.param({"a.ndjson": b"<html>\n"}, "not-a-json-object", id="a page as an export"),
    pytest.param({"a.json": b'{"resourceType":"Bundle"}'}, "a FHIR resource", id="a Bundle"),
    pytest.param({"a.json": b'{"feedback":[]}'}, "must not be empty", id="empty feedback"),
    pytest.param(
        {"a.json": b'{"hook":"order-sign"}'}, "bad-hook-request", id="an incomplete request"
    ),
    pytest.param(
        {"a.ndjson": json.dumps(PATIENT).encode()}, "no moment", id="a patient without an order"
    ),
    pytest.param({"a.json": b"\xff\xfe{"}, "not a JSON object", id="not UTF-8"),
    pytest.param({"a.json": b"[" * 100_000}, "not a JSON object", id="too deep"),
    pytest.param({"a.json": b'{"a":' * 100_000}, "not a JSON object", id="too deep, objects"),
]


@pytest.mark.parametrize(("files", "reason"), NOTHING)
def test_no_moment_is_a_failure_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], files: dict[str, bytes], reason: str
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    line = refused(capsys, str(folder), "--out", str(out))
    assert reason in line
    assert "DIR needs" in line
    assert not out.exists()


def test_an_empty_folder_and_none_are_failures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "holds no file" in refused(capsys, str(tmp_path))
    assert "not a folder" in refused(capsys, str(tmp_path / "nowhere"))


OPTIONS: list[Any] = [
    pytest.param(("--protocol", "mine"), "community-sop, nhs-waht, us-label", id="protocol"),
    pytest.param(("--site", "north"), "add --config", id="a site without a configuration"),
    pytest.param(("--against", "nowhere"), "not a folder", id="no such knowledge"),
    pytest.param(
        ("--against", "docs"), "--against does not hold knowledge", id="a folder of something else"
    ),
    pytest.param(
        ("--config", "docs/examples/hospital.toml"), "north, south", id="two sites, none named"
    ),
    pytest.param(("--config", "nowhere.toml"), "nowhere.toml", id="no such configuration"),
]


@pytest.mark.parametrize(("options", "reason"), OPTIONS)
def test_an_option_that_does_not_fit_is_a_failure_with_the_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], reason: str
) -> None:
    folder = save(tmp_path / "in", request(CANNULA))
    assert reason in refused(capsys, str(folder), *options)


def test_a_report_among_its_own_evidence_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save(tmp_path / "in", request(CANNULA))
    assert "--out is inside DIR" in refused(capsys, str(folder), "--out", str(folder / "out"))
    assert sorted(path.name for path in folder.iterdir()) == ["001.json"]


def test_every_line_is_used_or_counted_with_its_reason(tmp_path: Path) -> None:
    dose = next(one for one in resources(CANNULA) if "effectiveDateTime" in one)
    other = {"reference": "Patient/somebody-else"}
    lines: list[object] = [
        *resources(CANNULA),
        {**dose, "id": "x1", "subject": other},
        {**dose, "id": "x2", "subject": {"display": "N. N."}},
        {**dose, "id": "x3", "subject": {"reference": "https://elsewhere.example/Patient/1"}},
        {**dose, "id": "x4", "subject": {"reference": "Group/g1"}},
        {"resourceType": "Practitioner", "id": "d1"},
        {"resourceType": "Medication", "id": "m1"},
        {"resourceType": "Patient"},
        {"no": "type"},
        {"resourceType": "Patient", "id": "without-a-moment"},
    ]
    texts = [json.dumps(line) for line in lines]
    texts += ["", "not json", "[]", '{"resourceType": "Obs']
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "all.ndjson").write_text("\n".join(texts), encoding="utf-8")
    report = replayed(folder, tmp_path / "out")
    first = len(resources(CANNULA)) + 1
    (file,) = report["files"]
    found = {one["reason"]: (one["count"], one["firstLine"]) for one in file["unused"]}
    assert found == {
        "patient-not-in-export": (1, first),
        "no-patient": (2, first + 1),
        "absolute-reference-and-no-site": (1, first + 2),
        "type-not-read": (1, first + 4),
        "no-id": (1, first + 6),
        "not-a-resource": (1, first + 7),
        "not-a-json-object": (3, first + 10),
    }
    assert report["input"]["lines"] == {
        "total": len(texts),
        "evaluated": first - 1,
        "withoutMoment": 1,
        "shared": 1,
        "blank": 1,
        "notUsed": 10,
    }
    assert (report["input"]["patients"], report["input"]["evaluatedPatients"]) == (2, 1)


def test_a_file_that_is_not_used_does_not_stop_the_others(tmp_path: Path) -> None:
    other = request(CANNULA, 2)
    other["prefetch"]["vitals"]["entry"][0]["resource"]["subject"]["reference"] = "Patient/x"
    folder = save(tmp_path / "in", request(CANNULA), b"{", other)
    (folder / "notes.txt").write_text("", encoding="utf-8")
    os.mkfifo(folder / "pipe.ndjson")
    (folder / "gone.json").symlink_to(folder / "nowhere")
    (folder / "linked").symlink_to(tmp_path)
    report = replayed(folder, tmp_path / "out")
    problems = {one["number"]: one["problem"] for one in report["files"]}
    assert problems == {
        1: "",
        2: "not a JSON object",
        3: "another-patient",
        4: "cannot be read: No such file or directory",
        5: "a link to a folder: not followed",
        6: "neither .json nor .ndjson",
        7: "not a regular file",
    }
    assert report["input"]["filesNotUsed"] == 6
    assert report["moments"]["total"] == 1
    assert by_name(report["moments"]["refused"]) == {"another-patient": 1}


UNTIMED: list[Any] = [
    pytest.param("2026-11-20", id="a date alone"),
    pytest.param("2026-11-20T10:00:00", id="no zone"),
    pytest.param("0001-01-01T00:00:00Z", id="the year 1"),
    pytest.param("9999-12-31T23:59:59Z", id="the end of the calendar"),
    pytest.param(None, id="no time"),
    pytest.param(5, id="a number"),
]


@pytest.mark.parametrize("when", UNTIMED)
def test_a_dose_without_a_usable_time_is_counted_and_no_moment(
    tmp_path: Path, when: object
) -> None:
    found = resources(CANNULA)
    doses = [one for one in found if one["resourceType"] == "MedicationAdministration"]
    doses[0]["effectiveDateTime"] = when
    report = replayed(export(tmp_path / "in", *found), tmp_path / "out")
    assert report["moments"]["total"] == 1
    assert sum(by_name(report["moments"]["refused"]).values()) == 1


HOSTILE: list[Any] = [
    pytest.param({"meta": 5, "issued": {}, "effectivePeriod": []}, id="members of other types"),
    pytest.param({"effectiveDateTime": "0001-01-01T00:00:00Z"}, id="a grade of the year 1"),
    pytest.param({"category": "x", "code": {"coding": [5]}}, id="codes of other types"),
    pytest.param({"id": "\u202e" * 10, "valueQuantity": {"value": 1e400}}, id="odd texts, numbers"),
    pytest.param({"subject": {"reference": "http://[::1/Patient/x"}}, id="a URL that is none"),
]


@pytest.mark.parametrize("members", HOSTILE)
def test_odd_resources_never_end_the_run(tmp_path: Path, members: Json) -> None:
    found = resources(STORIES["resolved-long-grade-three"])
    odd = [{**one, **members} for one in found if one["resourceType"] == "Observation"]
    report = replayed(export(tmp_path / "in", *found, *odd), tmp_path / "out")
    assert report["moments"]["total"] == 2
    lines = report["input"]["lines"]
    assert lines["total"] == len(found) + len(odd) == lines["evaluated"] + lines["notUsed"]


def test_the_same_resource_twice_is_one_moment(tmp_path: Path) -> None:
    found = resources(CANNULA)
    report = replayed(export(tmp_path / "in", *found, *found), tmp_path / "out")
    assert report["moments"]["total"] == 2


def test_a_product_in_another_file_tells_which_drug_was_given(tmp_path: Path) -> None:
    found = resources(CANNULA)
    doses = [one for one in found if one["resourceType"] == "MedicationAdministration"]
    concepts = [one.pop("medicationCodeableConcept") for one in doses]
    for one in doses:
        one["medicationReference"] = {"reference": "Medication/m1"}
    product = {"resourceType": "Medication", "id": "m1", "code": concepts[0]}
    report = replayed(export(tmp_path / "in", *found, product), tmp_path / "out")
    assert report["moments"]["total"] == 2


def test_a_type_that_was_not_exported_is_not_taken_as_none_charted(tmp_path: Path) -> None:
    """Without a single administration nobody knows whether a vasopressor ran."""
    order = request(CANNULA)["context"]["draftOrders"]["entry"][0]["resource"]
    found = [one for one in resources(CANNULA) if one["resourceType"] != "MedicationAdministration"]
    report = replayed(export(tmp_path / "in", *found, {**order, "id": "o1"}), tmp_path / "out")
    facts = {one["fact"] for one in report["missing"]}
    assert "vasopressors" in facts


# --- a site of a configuration -------------------------------------------------------------------


SITE = ("--config", "docs/examples/hospital.toml", "--site", "south")
BASE = "https://fhir.example.org/r4"


def test_a_site_brings_its_protocol_base_and_switched_off_topics(tmp_path: Path) -> None:
    found = resources(CANNULA)
    for one in found:
        if "subject" in one:
            one["subject"] = {"reference": f"{BASE}/Patient/{CANNULA.id}"}
    order = request(CANNULA)["context"]["draftOrders"]["entry"][0]["resource"]
    later = {**order, "id": "o1", "authoredOn": at(-0.1)}
    report = replayed(export(tmp_path / "in", *found, later), tmp_path / "out", *SITE)
    assert (report["site"], report["protocol"].partition("@")[0]) == ("south", "nhs-waht")
    assert report["moments"]["total"] == 3
    assert report["cards"]["total"] > 0  # the site is silent: these are what it would show


def test_a_request_from_another_server_than_the_sites_is_not_used(tmp_path: Path) -> None:
    other = {**request(CANNULA), "fhirServer": "https://elsewhere.example/fhir"}
    own = {**request(CANNULA, 2), "fhirServer": BASE}
    report = replayed(save(tmp_path / "in", other, own), tmp_path / "out", *SITE)
    assert report["moments"]["total"] == 1
    assert "is not the FHIR base of this site" in report["files"][0]["problem"]


def test_lines_of_another_server_than_the_sites_are_not_used(tmp_path: Path) -> None:
    found = resources(CANNULA)
    found[-1]["subject"] = {"reference": "https://elsewhere.example/fhir/Patient/1"}
    report = replayed(export(tmp_path / "in", *found), tmp_path / "out", *SITE)
    reasons = [line["reason"] for file in report["files"] for line in file["unused"]]
    assert reasons == ["another-base"]


# --- this machine ---------------------------------------------------------------------------------


def test_an_export_may_have_more_files_than_a_process_may_open(tmp_path: Path) -> None:
    """One patient, a resource in each file: every file is read twice."""
    folder = tmp_path / "export"
    folder.mkdir()
    found = resources(CANNULA)
    found += [{**found[-1], "id": f"more-{number}"} for number in range(300)]
    for number, one in enumerate(found):
        (folder / f"{number:04}.ndjson").write_text(json.dumps(one), encoding="utf-8")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 120, hard)
    )
    try:
        report = replayed(folder, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert report["input"]["lines"]["evaluated"] == len(found)


def test_a_link_that_leads_to_itself_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save(tmp_path / "in", request(CANNULA))
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert "DIR is not a folder" in refused(capsys, str(loop), "--out", str(tmp_path / "out"))
    assert main(["replay", str(folder), "--out", str(loop)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("--out: the report cannot be written (")


@pytest.mark.parametrize("kind", ["a folder", "a link to nothing"])
def test_other_knowledge_that_cannot_be_read_is_not_blamed_on_the_report(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save(tmp_path / "in", request(CANNULA))
    other = tmp_path / "knowledge"
    shutil.copytree(DATA, other)
    file = other / "references.yaml"
    file.unlink()
    if kind == "a folder":
        file.mkdir()
    else:
        file.symlink_to("/nowhere/references.yaml")
    line = refused(capsys, str(folder), "--against", str(other))
    assert line.startswith("--against holds a file that cannot be read (")


def test_a_file_that_changes_while_it_is_read_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = export(tmp_path / "in", *resources(CANNULA))
    finish = Index.finish

    def gone(index: Index) -> None:
        for file in folder.iterdir():
            file.unlink()
        finish(index)

    monkeypatch.setattr(Index, "finish", gone)
    assert "cannot be read a second time" in refused(capsys, str(folder))
