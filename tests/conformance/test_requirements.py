"""Each statement of CDS Hooks 2.0 about a service is shown by tests that exist.

`python -m tests.conformance.test_requirements` rewrites docs/conformance.md.
"""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import pytest
import yaml
from msgspec import Struct


ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/conformance.md"
SPECIFICATION = "https://cds-hooks.hl7.org/2.0/#"
Verb = Literal["MUST", "SHALL", "SHALL NOT", "SHOULD", "SHOULD NOT", "MAY", "ours"]
HEAD = """# Conformance to CDS Hooks 2.0

What CDS Hooks 2.0 (and 2.0.1) asks of a service, in our own words, and the tests that show it.
Made from [requirements.yaml](../tests/conformance/requirements.yaml) by
`python -m tests.conformance.test_requirements`; a test compares this page with it, and each name
with the tests that exist. *ours*: the specification leaves the matter open, this project does not.

Beside these tests:

* one [checker](../tests/conformance/checker.py) holds every message of the whole test suite to the
  rules of cards, errors, media types and CORS ([the rules](../tests/conformance/rules.py));
* the [checks of Inferno](../tests/conformance/test_inferno_checks.py)'s CRD server suite;
* [requests](../tests/conformance/clients) as Epic, Oracle Health, the CDS Hooks sandbox and HL7's
  examples send them, each with its source;
* [JSON of every kind](../tests/conformance/json_cases.py) that parsers disagree about, and 20,000
  [requests that are nearly right](../tests/conformance/test_mutated_requests.py).

| statement | | asked | tests |
|---|---|---|---|
"""


class Statement(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing asked of a service. `awaits`: the file its tests will be in, while it is absent."""

    at: str
    verb: Verb
    text: str
    tests: tuple[str, ...] = ()
    awaits: str | None = None


STATEMENTS = msgspec.convert(
    yaml.safe_load(Path(__file__).with_name("requirements.yaml").read_bytes()),
    dict[str, Statement],
)


@cache
def functions_of(path: str) -> frozenset[str]:
    """The names of the test functions of one file."""
    tree = ast.parse((ROOT / path).read_bytes())
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def page() -> str:
    """docs/conformance.md as it has to be."""
    rows = []
    for name, one in STATEMENTS.items():
        links = "<br>".join(_link(test) for test in one.tests) or "in preparation"
        heading = f"[{name}]({SPECIFICATION}{one.at})"
        rows.append(f"| {heading} | {one.verb} | {one.text} | {links} |\n")
    return HEAD + "".join(rows)


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../{path})"


def exists(test: str) -> bool:
    """Whether a test has this name."""
    path, _, name = test.partition("::")
    return (ROOT / path).is_file() and name in functions_of(path)


@pytest.mark.parametrize("name", STATEMENTS)
def test_each_statement_is_shown_by_tests_that_exist(name: str) -> None:
    one = STATEMENTS[name]
    assert [test for test in one.tests if not exists(test)] == []
    assert len(set(one.tests)) == len(one.tests)
    if one.awaits is None:
        assert one.tests
    else:
        assert not one.tests
        assert not (ROOT / one.awaits).exists(), "the tests are there: name them"


def test_no_statement_awaits_its_tests() -> None:
    assert [name for name, one in STATEMENTS.items() if one.awaits is not None] == []


def test_the_statements_are_numbered_without_a_gap() -> None:
    numbers = [tuple(map(int, name.removeprefix("R").split("."))) for name in STATEMENTS]
    firsts = sorted({first for first, _ in numbers})
    assert firsts == list(range(1, 38))
    for first in firsts:
        seconds = [second for one, second in numbers if one == first]
        assert seconds == list(range(1, len(seconds) + 1))
    assert numbers == sorted(numbers)


def test_each_statement_is_a_sentence_under_a_heading_of_the_specification() -> None:
    for one in STATEMENTS.values():
        assert re.fullmatch(r"[a-z0-9_-]+", one.at)
        assert one.text.endswith(".")
        assert "|" not in one.text


def test_a_name_that_is_stale_would_be_found() -> None:
    assert not exists("tests/conformance/test_requirements.py::test_of_another_name")
    assert not exists("tests/conformance/test_absent.py::test_of_another_name")


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page()


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
