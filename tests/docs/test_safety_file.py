"""What the safety file names exists: tests that run, modules, sources with dates, attributes."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from cds.source_attributes import source_attributes
from knowledge.library import Library
from tests.docs.markdown import ROOT, documents, text


SAFETY = [name for name in documents() if name.startswith("docs/safety/")]
HAZARDS, FUNCTIONS = "docs/safety/hazards.md", "docs/safety/functions.md"
CHECKLIST, ATTRIBUTES = "docs/safety/checklist.md", "docs/safety/source-attributes.md"
WRITTEN = ("README", "checklist", "functions", "hazards", "intended-use", "source-attributes")
# What the project set out to control, by the word that has to be in the heading.
SEEDS = {
    "H01": "wrong patient",
    "H02": "too low",
    "H03": "too high",
    "H04": "nothing is said",
    "H05": "outlives",
    "H06": "unit or weight",
    "H07": "repeated dose",
    "H08": "fever hidden",
    "H09": "ICANS is missed",
    "H10": "infection is missed",
    "H11": "wrong product",
    "H12": "zone",
    "H13": "corrected",
    "H14": "slow",
    "H15": "outage",
    "H16": "too many cards",
    "H17": "without a look",
    "H18": "knowledge version",
    "H19": "mixed up",
    "H20": "malicious",
}
FIELDS = {"hazard", "causes", "harm", "who", "initial", "the site must"}
RESIDUAL = "residual, the authors' estimate"
TEST = re.compile(r"`(tests/[\w/.-]*\.py(?:::\w+)+)`")
RISK = re.compile(r"([1-5]) × ([1-5]) = ([1-5])")


def sections(document: str) -> dict[str, str]:
    """The text below each heading of the second level."""
    parts = re.split(r"^## (.+)$", text(document), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def hazards() -> dict[str, str]:
    found = sections(HAZARDS)
    return {name[:3]: f"{name}\n{body}" for name, body in found.items() if name[0] == "H"}


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split(" | ")]


def rows(written: str) -> list[list[str]]:
    """The rows of every table, heads and rules left out."""
    lines = written.splitlines()
    found = []
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("|") and not {*line} <= {*"|- "} and not re.match(r"\|[- |]+\|$", after):
            found.append(cells(line))
    return found


@cache
def run_in(path: str) -> frozenset[str]:
    """The tests of a file that pytest collects and that are not skipped whatever happens."""
    file = ROOT / path
    if not (file.is_file() and file.name.startswith("test_")):
        return frozenset()
    tree = ast.parse(file.read_text("utf-8"))
    marks = [node for node in tree.body if _assigns(node, "pytestmark")]
    return frozenset() if any(_skips(mark) for mark in marks) else frozenset(_tests(tree.body, ""))


def _assigns(node: ast.stmt, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else []
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _tests(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            if any(_skips(one) for one in node.decorator_list):
                continue
            if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
                yield from _tests(node.body, f"{node.name}::")
            elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield prefix + node.name


def _skips(node: ast.AST) -> bool:
    """`skip`, `xfail`, and `skipif` or `xfail` on a constant; a real condition is no such mark."""
    for one in ast.walk(node):
        called = one.func if isinstance(one, ast.Call) else one
        name = called.attr if isinstance(called, ast.Attribute) else ""
        if name in {"skip", "xfail"}:
            return True
        if isinstance(one, ast.Call) and name == "skipif" and isinstance(one.args[0], ast.Constant):
            return True
    return False


def is_run(test: str) -> bool:
    path, _, name = test.partition("::")
    return name in run_in(path)


@pytest.mark.parametrize("document", SAFETY)
def test_every_test_that_is_named_exists_and_is_not_skipped(document: str) -> None:
    assert [test for test in TEST.findall(text(document)) if not is_run(test)] == []


@pytest.mark.parametrize("document", SAFETY)
def test_every_word_that_looks_like_a_test_is_named_in_full(document: str) -> None:
    written = TEST.sub("", text(document))
    assert re.findall(r"test_\w+(?:\.py)?(?:::\w+)*", written) == []


def test_a_test_that_is_gone_or_skipped_is_noticed(tmp_path: Path) -> None:
    here = "tests/docs/test_safety_file.py::test_a_test_that_is_gone_or_skipped_is_noticed"
    assert is_run(here)
    assert not is_run(here.replace("noticed", "not_noticed"))
    assert not is_run("tests/docs/markdown.py::text")
    assert not is_run("tests/docs/test_nowhere.py::test_nothing")
    for number, mark in enumerate(("skip", "skip('x')", "skipif(True)", "xfail(reason='x')")):
        file = tmp_path / f"test_{number}.py"
        file.write_text(f"import pytest\n@pytest.mark.{mark}\ndef test_a(): ...\ndef test_b(): ...")
        assert run_in(str(file)) == {"test_b"}
        file = tmp_path / f"test_whole_{number}.py"
        file.write_text(f"import pytest\npytestmark = [pytest.mark.{mark}]\ndef test_a(): ...")
        assert run_in(str(file)) == frozenset()
    needs = tmp_path / "test_needs.py"
    needs.write_text(
        "import pytest\n@pytest.mark.skipif(not java(), reason='x')\ndef test_a(): ..."
    )
    assert run_in(str(needs)) == {"test_a"}


def test_every_hazard_the_project_set_out_with_is_a_row() -> None:
    headings = {id_: body.partition("\n")[0].lower() for id_, body in hazards().items()}
    assert {id_: word for id_, word in SEEDS.items() if word.lower() not in headings[id_]} == {}
    assert sorted(headings) == [f"H{number:02}" for number in range(1, len(headings) + 1)]


@pytest.mark.parametrize("hazard", sorted(hazards()))
def test_a_hazard_has_all_its_fields_and_controls_with_code_and_tests(hazard: str) -> None:
    table = rows(hazards()[hazard])
    fields = {row[0]: row[1] for row in table if len(row) == 2}
    controls = [row for row in table if len(row) == 3]
    assert FIELDS | {RESIDUAL} <= fields.keys()
    assert all(fields[name] for name in (*FIELDS, RESIDUAL))
    assert controls
    for words, code, tests in controls:
        assert words
        assert re.search(r"\]\(\.\./\.\./[\w/]+\.py\)", code), words
        assert TEST.search(tests), words


@pytest.mark.parametrize("hazard", sorted(hazards()))
def test_the_levels_of_a_hazard_are_those_of_the_matrix_and_controls_lower_likelihood_alone(
    hazard: str,
) -> None:
    matrix = {
        (severity, int(likelihood)): int(level)
        for likelihood, *levels in (row for row in rows(sections(HAZARDS)["The scale"]))
        if len(levels) == 5
        for severity, level in enumerate(levels, start=1)
    }
    assert len(matrix) == 25
    fields = {row[0]: row[1] for row in rows(hazards()[hazard]) if len(row) == 2}
    found = [RISK.fullmatch(fields[name]) for name in ("initial", RESIDUAL)]
    (severity, before, _), (after_severity, after, _) = [
        [int(number) for number in one.groups()] if one else [] for one in found
    ]
    assert [int(one[3]) for one in found if one] == [
        matrix[severity, before],
        matrix[after_severity, after],
    ]
    assert (after_severity, after <= before) == (severity, True)


def test_the_overview_of_hazards_says_what_their_sections_say() -> None:
    overview = rows(sections(HAZARDS)["All hazards"])
    said = {row[0][1:4]: row[1:] for row in overview}
    found = {}
    for id_, body in hazards().items():
        fields = {row[0]: row[1] for row in rows(body) if len(row) == 2}
        found[id_] = [fields["initial"], fields[RESIDUAL]]
    assert said == found


def test_the_residual_risk_is_left_to_the_site() -> None:
    said = " ".join(text(HAZARDS).split())
    assert "to be judged by the site's clinical safety officer" in said
    assert "nobody clinical has reviewed" in said


def test_every_function_names_modules_that_exist_and_a_reading() -> None:
    table = [row for row in rows(sections(FUNCTIONS)["The functions"]) if row[0][0] == "F"]
    assert [row[0] for row in table] == [f"F{number:02}" for number in range(1, len(table) + 1)]
    for row in table:
        assert len(row) == 9
        assert all(row)
        modules = re.findall(r"\]\(\.\./\.\./([\w/]+\.py)\)", row[7])
        assert modules, row[0]
        assert [name for name in modules if not (ROOT / name).is_file()] == []
        assert row[8] in {"arguable", "weak", "device-like", "outside"}


def test_every_function_is_argued() -> None:
    argument = sections(FUNCTIONS)["The argument, function by function"]
    table = [row[0] for row in rows(sections(FUNCTIONS)["The functions"]) if row[0][0] == "F"]
    assert [id_ for id_ in table if id_ not in argument] == []


@pytest.mark.parametrize("document", SAFETY)
def test_every_source_has_a_title_and_a_date(document: str) -> None:
    """A web address stands in one paragraph with a title in italics and the day or year of it."""
    for paragraph in re.split(r"\n\n", re.sub(r"```.*?```", "", text(document), flags=re.DOTALL)):
        for address in re.findall(r"https?://[^\s>)]+", paragraph):
            before = paragraph.partition(address)[0]
            assert re.search(r"\b(19|20)\d\d\b", before), address
            assert "*" in before or "§" in before or "Section" in before, address


def test_the_checklist_answers_every_item_with_evidence() -> None:
    table = [row for row in rows(text(CHECKLIST)) if row[0].isdecimal()]
    assert [int(row[0]) for row in table] == [n for n in range(1, 43) if n != 19]
    for number, asked, answer, evidence in table:
        assert answer.strip("*") in {"yes", "part", "no", "site", "n/a"}, number
        assert asked, number
        assert evidence, number
        if answer == "yes":
            assert TEST.search(evidence) or "as 27" in evidence, number


def test_every_source_attribute_is_answered_under_its_number(library: Library) -> None:
    table = [row for row in rows(text(ATTRIBUTES)) if row[0].isdecimal()]
    assert [(int(row[0]), row[1]) for row in table] == [
        (one["number"], one["attribute"]) for one in source_attributes(library)
    ]
    assert all(row[2] for row in table)
    for row, one in zip(table, source_attributes(library), strict=True):
        assert (row[2].startswith("not used")) == (one["value"] == "not used"), row[1]


def test_every_page_is_in_the_index_and_says_what_it_is_not() -> None:
    index = text("docs/safety/README.md")
    for name in WRITTEN:
        document = f"docs/safety/{name}.md"
        assert name == "README" or f"]({name}.md)" in index
        said = " ".join(text(document).lower().split())
        assert "claim" in said or "not audited by anybody" in said, name
        for word in ("is compliant", "complies with", "is certified", "is approved"):
            assert word not in said
