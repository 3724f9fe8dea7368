"""Every case of the specification, and that each row of each document has one that reaches it."""

from functools import cache

import pytest

from knowledge.case_model import Case, read_cases
from knowledge.decision import Decision
from knowledge.library import load
from knowledge.product_model import Product, Protocol
from tests.knowledge.cases import CASES, differences, document, run


LIBRARY = load()
FILES = read_cases(CASES)
DOCUMENTS: dict[str, Product | Protocol] = {**LIBRARY.products, **LIBRARY.protocols}
ROWS = [
    pytest.param(name, row.id, id=f"{name}#{row.id}")
    for name, file in DOCUMENTS.items()
    for row in file.rows
]


@cache
def decided(name: str, case: Case) -> Decision:
    return run(case, name, LIBRARY)


@pytest.mark.parametrize(
    ("name", "case"),
    [
        pytest.param(name, case, id=f"{name}:{case.id}")
        for name, cases in FILES.items()
        for case in cases
    ],
)
def test_case(name: str, case: Case) -> None:
    wrong = differences(case, name, decided(name, case), LIBRARY)
    assert not wrong, "\n".join([f"{name}:{case.id}: {case.says}", *wrong])


@pytest.mark.parametrize(("name", "row_id"), ROWS)
def test_row_has_a_case_that_reaches_it(name: str, row_id: str) -> None:
    rule = LIBRARY.rule_id(document(LIBRARY, name), row_id)
    cases = [case for case in FILES.get(name, ()) if case.rule == row_id]
    assert cases, f"no case in {name}.yaml has `rule: {row_id}`"
    decisions = [decided(name, case) for case in cases]
    assert any(row.reached and row.rule == rule for found in decisions for row in found.rows)


def test_every_case_file_is_about_a_product_or_a_protocol() -> None:
    assert sorted(set(FILES) - set(DOCUMENTS)) == []
