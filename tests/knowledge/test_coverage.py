"""What became of every statement of the sources: coverage.yaml says, and what it names exists."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from knowledge.case_model import read_cases
from knowledge.library import DATA, load
from knowledge.model import Strict
from knowledge.product_model import Product, Protocol
from knowledge.reading import parse
from tests.knowledge.cases import CASES, document


HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LIBRARY = load()
LINES = re.compile(
    r"(000|002|004):\d+(-\d+)?(,\d+(-\d+)?)*( (000|002|004):\d+(-\d+)?(,\d+(-\d+)?)*)*"
)

# The inventory: statements of the three documents (U, S, N), and what they contradict (C).
INVENTORY = (("U", 1, 146), ("S", 1, 17), ("N", 1, 21), ("C", 1, 17), ("C", 20, 41), ("C", 50, 63))
EXPECTED = [f"{letter}{n}" for letter, low, high in INVENTORY for n in range(low, high + 1)]


class Entry(Strict, frozen=True, kw_only=True):
    """Where one statement lives. `notDecidable`: why software cannot act on it.

    `rules`: "<file id>#<row id>". `where`: "<file id>#<guidance or principle id>", or
    "<file id>: <keys joined by dots>". `cases`: "<case file>:<case id>". `tests`: pytest nodes.
    """

    lines: str
    rules: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    not_decidable: str | None = None


COVERAGE = msgspec.convert(
    parse((HERE / "coverage.yaml").read_bytes(), "coverage.yaml"), dict[str, Entry]
)
ENTRIES = [pytest.param(entry, id=name) for name, entry in COVERAGE.items()]


def ruled() -> list[Product | Protocol]:
    """The files with rows."""
    return [*LIBRARY.products.values(), *LIBRARY.protocols.values()]


RULED = {file.id: file.rows for file in ruled()}
ROWS = {f"{name}#{row.id}" for name, rows in RULED.items() for row in rows}
NAMED = {f"{file.id}#{g.id}" for file in LIBRARY.protocols.values() for g in file.guidance} | {
    f"{file.id}#{p.id}" for file in LIBRARY.protocols.values() for p in file.principles
}
# The row each case reaches; test_cases.py sees to it that it does.
REACHED = {
    f"{name}:{case.id}": f"{document(LIBRARY, name).id}#{case.rule}"
    for name, cases in read_cases(CASES).items()
    for case in cases
}


@cache
def documents() -> dict[str, Any]:
    """Every knowledge file as it is written, by its id."""
    files = [parse(path.read_bytes(), path.name) for path in sorted(DATA.rglob("*.yaml"))]
    return {file["id"]: file for file in files}


def follow(value: Any, step: str) -> Any:
    """One key further. In a list: the items whose id or role is `step`."""
    if isinstance(value, list):
        return [item for item in value if step in (item.get("id"), item.get("role"))]
    return value.get(step) if isinstance(value, dict) else None


def there(place: str) -> bool:
    """Whether a `where` leads to something."""
    if "#" in place:
        return place in NAMED
    name, _, path = place.partition(": ")
    value = documents().get(name)
    for step in path.split("."):
        value = follow(value, step)
    return value not in (None, [], {}, "")


@cache
def functions_of(path: str) -> frozenset[str]:
    """The names of the test functions of one file."""
    file = ROOT / path
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return frozenset(re.findall(r"^def (test_\w+)\(", text, re.MULTILINE))


def test_every_statement_is_accounted_for_in_order() -> None:
    assert list(COVERAGE) == EXPECTED


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_an_entry_names_exists(entry: Entry) -> None:
    assert [rule for rule in entry.rules if rule not in ROWS] == []
    assert [place for place in entry.where if not there(place)] == []
    assert [case for case in entry.cases if case not in REACHED] == []
    nodes = [node.partition("::") for node in entry.tests]
    assert [(path, name) for path, _, name in nodes if name not in functions_of(path)] == []


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_says_where_it_is_printed_and_where_it_lives_or_why_nowhere(entry: Entry) -> None:
    assert LINES.fullmatch(entry.lines)
    lives = bool(entry.rules or entry.where or entry.cases or entry.tests)
    if entry.not_decidable is not None:
        assert len(entry.not_decidable.split()) > 2, "a reason, in words"
    else:
        assert lives


@pytest.mark.parametrize("entry", [one for one in ENTRIES if not str(one.id).startswith("C")])
def test_every_rule_of_a_statement_has_a_case_that_reaches_it(entry: Entry) -> None:
    reached = {REACHED.get(case) for case in entry.cases}

    assert [rule for rule in entry.rules if rule not in reached] == []


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.startswith("C")])
def test_a_contradiction_has_a_case_or_a_test(name: str) -> None:
    entry = COVERAGE[name]

    assert entry.cases or entry.tests or entry.not_decidable


@pytest.mark.parametrize("rule", sorted(ROWS))
def test_every_row_comes_from_a_statement_of_a_source(rule: str) -> None:
    printed = [name for name, entry in COVERAGE.items() if rule in entry.rules]

    assert any(not name.startswith("C") for name in printed), "a row no document stands behind"


def departures() -> dict[str, str]:
    """The table rows of DEPARTURES.md that have a number, by it."""
    text = (ROOT / "knowledge" / "DEPARTURES.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| (C\d+) \| (.+) \|$", text, re.MULTILINE))


def test_every_contradiction_is_in_the_departures() -> None:
    text = (ROOT / "knowledge" / "DEPARTURES.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (C\d+) \|", text, re.MULTILINE)

    assert sorted(listed) == sorted(name for name in EXPECTED if name.startswith("C"))


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.startswith("C")])
def test_what_the_departures_say_is_shown_by_what_they_name(name: str) -> None:
    shown = re.findall(r"`([^`]+)`", departures()[name].rpartition(" | ")[2])
    entry = COVERAGE[name]

    assert shown
    assert set(shown) <= {*entry.cases, *(node.partition("::")[2] for node in entry.tests)}


def test_documents_in_the_departures_are_those_of_the_references() -> None:
    cells = [row.rpartition(" | ")[0] for row in departures().values()]
    named = {word for cell in cells for word in re.findall(r"`([\w-]+)`", cell)}

    assert sorted(named - set(LIBRARY.references)) == []


def test_a_slip_in_an_entry_is_noticed() -> None:
    assert not there("tocilizumab: capMb")
    assert not there("us-label#no-such-guidance")
    assert not there("no-such-file: capMg")
    assert there("tocilizumab: capMg.value")
    assert there("tecvayli-talvey-rems: duties.prescriber")
    assert "test_a_slip_in_an_entry_is_noticed" in functions_of("tests/knowledge/test_coverage.py")
