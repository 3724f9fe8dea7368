"""`replay` over public FHIR files turned into exports: it runs through and accounts for each line.

The folder is the one named by BTCE_PAYLOADS. Nobody in it was given a bispecific, so a dose of one
is added to each patient: the files themselves bring everything else.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.functional.replay_files import Json, by_name, export, replayed
from tests.payloads.fsh import read_folder
from tests.payloads.source import FOLDER, teclistamab_given


pytestmark = pytest.mark.payloads
_URN = re.compile(r"urn:uuid:([0-9a-f-]{36})")


def folder(name: str) -> Path:
    if FOLDER is None:
        pytest.skip("BTCE_PAYLOADS names no folder of public FHIR files")
    if not (FOLDER / name).is_dir():
        pytest.skip(f"no folder {name} in the one named by BTCE_PAYLOADS")
    return FOLDER / name


def accounted(report: Json, lines: int, evaluated: int) -> None:
    """The parts add up to the whole, per file and over all."""
    counts = report["input"]["lines"]
    assert counts["total"] == lines
    assert sum(counts.values()) == 2 * lines
    assert counts["evaluated"] >= evaluated
    not_used = sum(line["count"] for file in report["files"] for line in file["unused"])
    assert counts["notUsed"] == not_used
    assert sum(file["lines"] for file in report["files"]) == lines
    assert all(file["problem"] == "" for file in report["files"])


def synthea() -> dict[str, list[Json]]:
    """The resources of each patient, `urn:uuid` references made relative as in an export."""
    found: dict[str, list[Json]] = {}
    for path in sorted(folder("synthea-smart-r4").glob("*.json")):
        bundle = json.loads(path.read_text(encoding="utf-8"))
        entries = [entry["resource"] for entry in bundle.get("entry", [])]
        types = {one["id"]: one["resourceType"] for one in entries if "id" in one}

        def relative(match: re.Match[str], types: dict[str, str] = types) -> str:
            return f"{types.get(match[1], 'Resource')}/{match[1]}"

        people = [one for one in entries if one["resourceType"] == "Patient"]
        if len(people) == 1:
            found[people[0]["id"]] = [
                json.loads(_URN.sub(relative, json.dumps(one))) for one in entries
            ]
    return found


def test_synthea_patients_run_through_and_every_line_is_accounted_for(tmp_path: Path) -> None:
    records = synthea()
    everything = [one for record in records.values() for one in record]
    for patient in records:
        dose = teclistamab_given(patient, "2026-01-01T00:00:00Z")
        everything.append({**dose, "id": f"given-{patient}"})
    export(tmp_path / "in", *everything)
    report = replayed(tmp_path / "in", tmp_path / "out")
    assert len(records) == 4
    assert report["moments"]["total"] == 4
    assert report["moments"]["refused"] == []
    accounted(report, len(everything), 2 * len(records))
    reasons = {line["reason"] for file in report["files"] for line in file["unused"]}
    assert reasons <= {"type-not-read"}
    assert report["asOf"]["counted"] > 100


def test_synthea_alone_has_no_moment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cds.cli import main  # noqa: PLC0415

    export(tmp_path / "in", *(one for record in synthea().values() for one in record))
    assert main(["replay", str(tmp_path / "in")]) == 2
    assert "no moment" in capsys.readouterr().err


def test_the_examples_of_mimic_run_through_and_every_line_is_accounted_for(tmp_path: Path) -> None:
    """The dates are a century on; the examples are of several patients, two of them there."""
    found: dict[str, Any] = read_folder(folder("mimic-profiles-fsh"))
    patients = [one["id"] for one in found.values() if one["resourceType"] == "Patient"]
    doses = [
        {**teclistamab_given(patient, "2201-12-31T00:00:00Z"), "id": f"given-{number}"}
        for number, patient in enumerate(patients)
    ]
    everything = [*found.values(), *doses]
    report = replayed(export(tmp_path / "in", *everything), tmp_path / "out")
    assert report["moments"]["total"] == len(patients) >= 1
    accounted(report, len(everything), 2 * len(patients))
    assert by_name(report["moments"]["bySource"]) == {"administration": len(patients)}


def test_every_ndjson_file_there_is_runs_through(tmp_path: Path) -> None:
    """Whole exports, where the folder has some; nothing is expected of what is in them."""
    if FOLDER is None or not any(FOLDER.rglob("*.ndjson")):
        pytest.skip("no .ndjson file in the folder named by BTCE_PAYLOADS")
    dose = teclistamab_given("replayed-patient", "2026-01-01T00:00:00Z")
    into = export(tmp_path / "in", {"resourceType": "Patient", "id": "replayed-patient"}, dose)
    for number, path in enumerate(sorted(FOLDER.rglob("*.ndjson"))):
        (into / f"payload-{number}.ndjson").symlink_to(path)
    report = replayed(into, tmp_path / "out")
    counts = report["input"]["lines"]
    assert sum(counts.values()) == 2 * counts["total"]
