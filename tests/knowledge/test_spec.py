"""SPEC.md says what the cases say, is found stale, and a case file that is wrong is refused."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from knowledge import spec
from knowledge.case_model import read_cases
from knowledge.dosing_model import Limit
from knowledge.errors import KnowledgeError
from knowledge.library import Library
from knowledge.model import SourceRef
from knowledge.spec_facts import product_facts, protocol_facts


CASE = """\
- id: first
  says: A | B
  rule: crs-1
  possible: crs-2
  notRule: [crs-4]
  given:
    protocol: nhs-waht
    crs: "2-3"
    icans: not-assessed
    lasted: 47.5
    over: 80
    earlier: {crs: 3, icans: 2}
    charted: 3
    weight: unknown
    age: 17
    rate: 9
    seizures: 2
    route: sc
    tocilizumab: [20, 10]
    drafted: talquetamab
    product: teclistamab
    dosed: []
  expect:
    action: discontinue-permanently
    confirmed: true
    until: icans-resolved
    reason: cannot exclude
    monitor: {strength: required, hours: 22, hoursTo: 24}
    rate: {strength: consider, percent: 50}
    resolved: {hours: 72, strict: true}
    restart: {dose: 9, unit: mcg/day}
    escalate: {dose: 28, unit: mcg/day, afterDays: 7}
    doseLevel: same
    maxInfusionHours: 6
    currentInfusion: {action: restart, resumePercent: 50}
    medications: ["dexamethasone 10 mg PO every once: consider"]
    tocilizumab: none
    tocilizumabStatus: blocked
    notices: [source-omission]
    notNotices: [blank-cell]
    says: [slow]
    neverSays: [fast]
"""
SAID = (
    "| `first` | **A \\| B**<br>CRS grade 2 or 3 for 47.5 h, over for 80 h; ICANS not assessed; "
    "grade 3 charted by a clinician; earlier event of CRS grade 3 and ICANS grade 2, then a later "
    "dose; seizures charted: 2; tocilizumab given 20, 10 h ago; no dose given yet; weight unknown; "
    "17 years; infusion at 9 mcg/day; ordered SC; protocol nhs-waht; talquetamab ordered; "
    "teclistamab given before | **discontinue permanently**, confirmed until ICANS resolved "
    "(“cannot exclude”)<br>next dose: monitoring required, 22-24 h; slower infusion to be "
    "considered, 50 %; resolved for more than 72 h; restart at 9 mcg/day; escalate to 28 mcg/day "
    "after 7 days; dose level same; infusion of at most 6 h; present infusion restart, 50 %<br>"
    "dexamethasone 10 mg PO once: consider<br>limits of tocilizumab: blocked<br>says “slow”<br>"
    "never says “fast”<br>"
    "notice source-omission<br>no notice blank-cell<br>nothing on: tocilizumab | "
)


def folder(tmp_path: Path, text: str) -> Path:
    cases = tmp_path / "cases"
    cases.mkdir()
    (cases / "teclistamab.yaml").write_text(text, encoding="utf-8")
    return cases


def test_a_case_is_printed_in_words(tmp_path: Path, library: Library) -> None:
    lines = spec.text(library, read_cases(folder(tmp_path, CASE))).splitlines()
    (line,) = (line for line in lines if line.startswith("| `first`"))
    assert line.startswith(SAID)
    label = library.products["teclistamab"]
    ids = [f"`{library.rule_id(label, name)}`" for name in ("crs-1", "crs-2", "crs-4")]
    assert line.index(ids[0]) < line.index(f"possible: {ids[1]}") < line.index(f"not {ids[2]}")


def test_every_file_but_the_list_of_documents_says_that_it_is_not_reviewed(
    library: Library,
) -> None:
    printed = spec.text(library, {})
    missing = [
        file.id
        for file in library.files.values()
        if f"`{library.rule_id(file, '')}`, {file.status}, **not clinically reviewed**"
        not in printed
    ]
    assert missing == ["references"]


def test_a_limit_of_oxygen_flow_is_printed_with_its_place(library: Library) -> None:
    limit = Limit(value=Decimal(6), source=SourceRef("project", "flow"))
    protocol = msgspec.structs.replace(library.protocols["us-label"], low_flow_under=limit)
    printed = "\n".join(protocol_facts(protocol, library))
    assert "| Oxygen is low flow | under 6 L/min (decision of this project: flow) |" in printed


def test_a_product_without_printed_frequencies_shows_none(library: Library) -> None:
    product = msgspec.structs.replace(library.products["teclistamab"], incidence=None)
    assert "occurs" not in "\n".join(product_facts(product, library))


def test_the_specification_in_the_repository_is_current() -> None:
    assert spec.check() == ()


def test_a_stale_specification_is_found_and_written_anew(tmp_path: Path) -> None:
    cases, file = folder(tmp_path, CASE), tmp_path / "SPEC.md"
    (problem,) = spec.check(cases, file)
    assert "btce-cds spec" in problem
    assert spec.write(cases, file) == ()
    assert spec.check(cases, file) == ()
    file.write_text(file.read_text(encoding="utf-8") + "x", encoding="utf-8")
    assert spec.check(cases, file)


def test_without_the_cases_there_is_nothing_to_write_or_to_check(tmp_path: Path) -> None:
    (problem,) = spec.write(tmp_path / "cases", tmp_path / "SPEC.md")
    assert "no such folder" in problem
    assert spec.check(tmp_path / "cases", tmp_path / "SPEC.md") == ()


PLAIN = "- {id: one, says: x, given: {}, expect: {action: withhold}}\n"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("given: {}\n", "whole file", id="no list"),
        pytest.param("- one\n", "0", id="no mapping"),
        pytest.param(PLAIN * 2, "one", id="an id twice"),
        pytest.param(PLAIN.replace("says: x,", ""), "one", id="a key is absent"),
        pytest.param(PLAIN.replace("{}", "{crp: 3}"), "one.given", id="an unknown key"),
        pytest.param(PLAIN.replace("{}", "{crs: 5}"), "one.given.crs", id="no such grade"),
        pytest.param(PLAIN.replace("{}", "[crs]"), "one.given", id="given is a list"),
        pytest.param(PLAIN.replace("withhold", "hold"), "one.expect.action", id="no such action"),
    ],
)
def test_a_wrong_case_names_its_file_and_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        read_cases(folder(tmp_path, text))
    assert str(caught.value).startswith(f"teclistamab.yaml: {place}: ")
