"""`replay --against`: the moments at which two versions of the knowledge say something else."""

import shutil
from pathlib import Path

import pytest

from knowledge.library import DATA
from tests.functional.replay_files import STORIES, Json, replayed, request, save


FILE = Path("products") / "teclistamab.yaml"
GRADE_TWO = "when: {toxicity: crs, grade: 2}\n    then:\n      action: withhold\n"


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "knowledge"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Grade 1; grade 2 to 3; nothing wrong."""
    names = ("fever-only", "cannula-without-flow", "nothing-wrong")
    return save(tmp_path / "in", *(request(STORIES[name], n) for n, name in enumerate(names)))


def change(knowledge: Path, old: str, new: str) -> None:
    text = (knowledge / FILE).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (knowledge / FILE).write_text(text.replace(old, new), encoding="utf-8")


def against(folder: Path, knowledge: Path, tmp_path: Path) -> Json:
    report = replayed(folder, tmp_path / "out", "--against", str(knowledge))
    found: Json = report["against"]
    assert len(found["changed"]) + found["same"] + found["onlyRules"] + found["refused"] == 3
    return found


def test_the_same_knowledge_says_the_same(folder: Path, knowledge: Path, tmp_path: Path) -> None:
    found = against(folder, knowledge, tmp_path)
    assert (found["same"], found["changed"]) == (3, [])


def test_another_action_for_grade_two_changes_the_moment_that_reaches_it(
    folder: Path, knowledge: Path, tmp_path: Path
) -> None:
    """Row 2 is the request with a cannula; the fever alone and the quiet one stay."""
    change(knowledge, GRADE_TWO, GRADE_TWO.replace("withhold", "interrupt"))
    found = against(folder, knowledge, tmp_path)
    (changed,) = found["changed"]
    assert changed["row"] == {"file": 2, "line": 1}
    assert "action" in changed["what"]
    assert (changed["here"]["action"], changed["against"]["action"]) == ("withhold", "interrupt")
    assert any(rule.endswith("#crs-2") for rule in changed["against"]["rules"])
    assert found["knowledge"]["clinicallyReviewed"] is False


def test_a_new_version_alone_changes_rule_ids_and_no_moment(
    folder: Path, knowledge: Path, tmp_path: Path
) -> None:
    text = (knowledge / FILE).read_text(encoding="utf-8")
    version = next(line for line in text.splitlines() if line.startswith("version: "))
    change(knowledge, version, "version: 99")
    found = against(folder, knowledge, tmp_path)
    assert found["changed"] == []
    assert found["onlyRules"] == 2  # no rule of the product speaks where nothing is wrong


def test_the_page_names_the_rows_and_rules(folder: Path, knowledge: Path, tmp_path: Path) -> None:
    change(knowledge, GRADE_TWO, GRADE_TWO.replace("withhold", "interrupt"))
    found = against(folder, knowledge, tmp_path)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert '<th scope="row">2, 1</th>' in page
    assert found["knowledge"]["sha256"] in page
    assert "teclistamab-label@" in page


def test_without_the_option_there_is_no_such_part(folder: Path, tmp_path: Path) -> None:
    assert replayed(folder, tmp_path / "out")["against"] is None
