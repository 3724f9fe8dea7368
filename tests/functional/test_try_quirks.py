"""`try` on servers that behave as vendors' do: the same grades, or wider with the facts named."""

import json
from typing import Any

import pytest

from cds.cli import main
from cds.demo import patients
from cds.demo.fhir import Quirks
from cds.demo.fhir.vendors import quirks_of
from cds.demo.story import load
from tests.demo.fhir_sandbox import NOW, Json, served


STORIES = load()


def tried(name: str, quirks: Quirks, capsys: pytest.CaptureFixture[str]) -> Json:
    story = STORIES[name]
    with served(quirks=quirks) as server:
        known = (patients.patient(story, NOW), patients.encounter(story, NOW))
        server.store.load((*known, *patients.chart(story, NOW)), now=NOW)
        words = ["--fhir", server.base, "--patient", name, "--order", "teclistamab"]
        assert main(["try", *words, "--now", NOW.isoformat(), "--format", "json"]) == 0
    document: Json = json.loads(capsys.readouterr().out)
    return document


def interval(scale: Any) -> tuple[int, int]:
    """What the grade can be; anything where it was not assessed."""
    grade = scale.get("acting") or {"atLeast": 0, "atMost": 4}
    return grade["atLeast"], grade["atMost"]


@pytest.mark.parametrize("vendor", ["epic", "oracle"])
@pytest.mark.parametrize("name", STORIES)
def test_a_vendors_server_never_narrows_a_grade(
    name: str, vendor: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = tried(name, Quirks(), capsys)["assessment"]
    found = tried(name, quirks_of(vendor), capsys)
    for scale in ("crs", "icans"):
        low, high = interval(plain[scale])
        least, most = interval(found["assessment"][scale])
        assert least <= low
        assert high <= most
        if (least, most) != (low, high):
            assert found["assessment"][scale]["missing"] or found["unreadable"]
    assert all(one["answered"] for one in found["queries"])


def test_codes_of_flowsheets_alone_are_counted_as_unknown_and_nothing_is_assumed_normal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = tried("fever-only", quirks_of("epic", "flowsheet-alone"), capsys)
    assert interval(found["assessment"]["crs"]) == (0, 4)
    assert any("urn:oid:" in code for code in found["codesNotUsed"]["unknown"]["Observation"])
    assert "temperatures" not in found["read"]
