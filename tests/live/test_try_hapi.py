"""`try` and `doctor` against HAPI FHIR: the grades are those of the demo's server, and the checks
say what HAPI does."""

import json
from pathlib import Path

import msgspec
import pytest

from cds.cli import main
from cds.clock import system_clock
from cds.demo import patients
from cds.demo.story import Story, load
from cds.services import PREFETCH
from tests.demo.fhir_sandbox import served
from tests.functional.test_try_bad_input import configured
from tests.live.fhir import Fhir, Json, new_id, updated


pytestmark = pytest.mark.live

STORIES = load()
NOW = system_clock()


def stored(fhir: Fhir, name: str) -> Story:
    """The story of a patient that the server does not have yet, put there."""
    story = msgspec.structs.replace(STORIES[name], id=new_id(name))
    whose = (patients.patient(story, NOW), patients.encounter(story, NOW))
    fhir.transaction(*map(updated, (*whose, *patients.chart(story, NOW))))
    return story


def tried(base: str, story: Story, capsys: pytest.CaptureFixture[str]) -> Json:
    words = ["--fhir", base, "--patient", story.id, "--order", "teclistamab"]
    assert main(["try", *words, "--now", NOW.isoformat(), "--format", "json"]) == 0
    document: Json = json.loads(capsys.readouterr().out)
    return document


@pytest.mark.parametrize("name", STORIES)
def test_the_same_story_gives_the_same_answer_as_on_the_demos_server(
    fhir: Fhir, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    story = stored(fhir, name)
    found = tried(fhir.base, story, capsys)
    with served() as ours:
        known = (patients.patient(story, NOW), patients.encounter(story, NOW))
        ours.store.load((*known, *patients.chart(story, NOW)), now=NOW)
        expected = tried(ours.base, story, capsys)
    for scale in ("crs", "icans"):
        assert found["assessment"][scale] == expected["assessment"][scale]
    assert found["assessment"]["disposition"] == expected["assessment"]["disposition"]
    assert found["read"] == expected["read"]
    counts = [[(one["key"], one["resources"]) for one in x["queries"]] for x in (found, expected)]
    assert counts[0] == counts[1]


def test_an_unknown_patient_is_told(fhir: Fhir, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--fhir", fhir.base, "--patient", new_id("nobody"), "--order", "teclistamab"]
    assert main(["try", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("the server has no such patient (404): ")


def test_doctor_fails_nothing(
    fhir: Fhir, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story = stored(fhir, "fever-only")
    config = str(configured(tmp_path, fhir.base))
    words = ["--config", config, "--patient", story.id, "--format", "json"]
    assert main(["doctor", *words]) == 0
    said = capsys.readouterr().out
    (site,) = json.loads(said)["sites"]
    found = {one["check"]: one for one in site["findings"]}
    for key in PREFETCH:
        check = "patient" if key == "patient" else f"query {key}"
        assert found[check]["status"] == "ok", found[check]
    for name in ("_sort", "code", "category", "_lastUpdated"):
        assert found[f"parameter {name}"]["finding"].startswith("heeded")
    assert found["subscription"]["status"] == "ok"
    assert story.id not in said
    assert story.family not in said


def test_doctor_finds_a_patient_by_itself(
    fhir: Fhir, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(fhir, "two-vasopressors")
    assert main(["doctor", "--config", str(configured(tmp_path, fhir.base))]) == 0
    assert " patient                read." in capsys.readouterr().out
