"""/about: what runs, what is switched off, where it comes from.

The thirteen source attributes: 45 CFR 170.315(b)(11)(iv)(A)(1) to (13).
"""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cds import __version__
from cds.about import about, installed_commit, next_review
from cds.config import Settings, Site
from cds.pipeline import effective_mode
from cds.source_attributes import source_attributes
from fhir_mapping.resources import Patient
from knowledge.library import Library


ROOT = Path(__file__).parents[3]
COMMIT = "58a369b0c1d2e3f405162738495a6b7c8d9e0f10"


def page(settings: Settings, library: Library) -> dict[str, Any]:
    found = about(settings, library, lambda site: effective_mode(site, library), commit=COMMIT)
    return json.loads(json.dumps(found))


def test_it_says_what_runs_and_that_no_clinician_reviewed_it(
    settings: Settings, library: Library
) -> None:
    found = page(settings, library)
    assert (found["version"], found["commit"]) == (__version__, COMMIT)
    assert found["notice"] == "not clinically reviewed"
    assert found["knowledge"]["sha256"] == library.sha256
    assert found["knowledge"]["clinicallyReviewed"] is False
    first = min(file.reviewed.on for file in library.files.values())
    assert next_review(library) - first == timedelta(days=library.rules.knowledge_stale_days)


def test_a_site_is_shown_with_its_mode_approval_and_what_is_off(
    settings: Settings, site: Site, library: Library
) -> None:
    own = msgspec.structs.replace(
        site,
        protocol="nhs-waht",
        approved_knowledge="0" * 64,
        off_topics=frozenset({"CRSG1", "ACUTE"}),
        off_rules=frozenset({"us-label#x"}),
    )
    (found,) = page(msgspec.structs.replace(settings, sites={"demo": own}), library)["sites"]
    assert found == {
        "id": "demo",
        "protocol": "nhs-waht",
        "mode": "silent",
        "approved": False,
        "switchedOff": {"topics": ["ACUTE", "CRSG1"], "rules": ["us-label#x"]},
        "fetch": True,
        "protocolExpires": "2027-12-11",
    }


def test_approved_means_this_very_knowledge(
    settings: Settings, site: Site, library: Library
) -> None:
    approved = msgspec.structs.replace(site, approved_knowledge=library.sha256)
    for own, said in ((site, False), (approved, True)):
        changed = msgspec.structs.replace(settings, sites={"demo": own})
        assert page(changed, library)["sites"][0]["approved"] is said


def test_nothing_secret_of_the_configuration_is_shown(settings: Settings, library: Library) -> None:
    changed = msgspec.structs.replace(settings, store="postgresql+psycopg://u:canary@db/x")
    text = json.dumps(page(changed, library))
    assert "canary" not in text
    assert settings.site.fhir_base is not None
    assert settings.site.fhir_base not in text


def test_the_thirteen_attributes_are_there_in_the_order_of_the_rule(library: Library) -> None:
    names = [
        "bibliographic citation",
        "developer",
        "funding source",
        "release and revision dates",
        "use of race",
        "use of ethnicity",
        "use of language",
        "use of sexual orientation",
        "use of gender identity",
        "use of sex",
        "use of date of birth",
        "use of social determinants of health",
        "use of health status assessments",
    ]
    found = source_attributes(library)
    assert [one["number"] for one in found] == list(range(1, 14))
    for one, name in zip(found, names, strict=True):
        assert str(one["attribute"]).startswith(name)
        assert one["value"]


def test_every_source_is_cited_with_its_date(settings: Settings, library: Library) -> None:
    found = page(settings, library)
    assert {one["id"] for one in found["sources"]} == set(library.references)
    label = next(one for one in found["sources"] if one["id"] == "tecvayli-label-2024-05")
    assert label["published"] == "2024-05-28"
    citation = found["sourceAttributes"]["attributes"][0]["value"]
    assert all(one.title in citation for one in library.references.values())


def using(word: str) -> set[str]:
    """The modules that decide something by a fact, not those that only describe it."""
    describing = {"facts.py", "case_model.py", "spec_given.py", "spec_facts.py"}
    return {
        path.name
        for path in (ROOT / "knowledge").glob("*.py")
        if re.search(rf"\bfacts\.{word}\b", path.read_text("utf-8"))
    } - describing


def test_what_is_said_of_sex_and_age_is_what_the_knowledge_does() -> None:
    """A change here needs another look at the words of the attributes."""
    assert using("sex") == {"clearance.py"}
    assert using("age_years") == {"clearance.py", "cognition.py", "hypotension.py", "toxicity.py"}
    importers = {
        path.name
        for path in (ROOT / "knowledge").glob("*.py")
        if "knowledge.clearance import" in path.read_text("utf-8")
    }
    assert all(name.startswith("anakinra") for name in importers)


def test_no_other_personal_attribute_of_the_patient_is_even_read() -> None:
    """Race and ethnicity are extensions, language is `communication`: none is a member here."""
    own = {field.name for field in msgspec.structs.fields(Patient)}
    assert own & {"extension", "communication", "marital_status", "address", "name"} == set()


@pytest.mark.parametrize(
    ("written", "commit"),
    [(f"{COMMIT}\n", COMMIT), ("58a369b", "58a369b"), ("main\n", "unknown"), ("", "unknown")],
)
def test_the_commit_is_what_the_build_wrote_and_never_invented(
    tmp_path: Path, written: str, commit: str
) -> None:
    file = tmp_path / "COMMIT"
    file.write_text(written, encoding="utf-8")
    assert installed_commit(file) == commit


def test_without_a_file_and_a_record_the_commit_is_unknown(tmp_path: Path) -> None:
    assert installed_commit(tmp_path / "absent", "no-such-distribution") == "unknown"


@pytest.mark.parametrize(
    ("record", "commit"),
    [
        ({"url": "x", "vcs_info": {"vcs": "git", "commit_id": COMMIT}}, COMMIT),
        ({"url": "x", "dir_info": {"editable": True}}, "unknown"),
    ],
)
def test_the_record_of_the_installer_names_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: Any, commit: str
) -> None:
    """PEP 610: direct_url.json of the installed distribution."""
    info = tmp_path / "some_service-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-service\nVersion: 1.0\n")
    (info / "direct_url.json").write_text(json.dumps(record))
    monkeypatch.syspath_prepend(tmp_path)
    assert installed_commit(tmp_path / "absent", "some-service") == commit
