"""Corticosteroids are never added together: when the notice is there, and when it is not."""

from decimal import Decimal
from typing import Any

import pytest

from knowledge.facts import ActiveOrder, Order
from knowledge.library import load
from knowledge.steroids import CORTICOSTEROIDS, duplicate_notice
from knowledge.treatment import Medication
from tests.spec.chart import chart, masking


RULES = load().rules


def draft(ingredient: str, number: int = 1) -> Order:
    return Order(f"MedicationRequest/d{number}", "corticosteroid", ingredient, ingredient)


def on_order(ingredient: str, ref: str = "MedicationRequest/o1") -> ActiveOrder:
    return ActiveOrder(ref, ingredient)


def medicine(agent: str, rule: str = "", mg: int = 10) -> Medication:
    return Medication(agent=agent, strength="administer", dose=Decimal(mg), unit="mg", rule=rule)


def notice(medications: tuple[Medication, ...] = (), **changes: Any) -> str:
    found = duplicate_notice(chart(**changes), medications, RULES)
    if found is None:
        return ""
    assert found.code == "duplicate-steroid"
    assert found.text.startswith("Corticosteroids must not be added together: ")
    return found.text


DEXAMETHASONE = (draft("dexamethasone"),)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        pytest.param({"orders": DEXAMETHASONE}, "", id="one draft alone"),
        pytest.param(
            {"orders": DEXAMETHASONE, "active_orders": (on_order("methylprednisolone"),)},
            "dexamethasone is drafted, methylprednisolone is on order",
            id="another is on order",
        ),
        pytest.param(
            {"orders": DEXAMETHASONE, "active_orders": (on_order("dexamethasone"),)},
            "dexamethasone is drafted, dexamethasone is on order",
            id="the same is on order",
        ),
        pytest.param(
            {
                "orders": DEXAMETHASONE,
                "active_orders": (on_order("dexamethasone", "MedicationRequest/d1"),),
            },
            "",
            id="the draft itself is no other order",
        ),
        pytest.param(
            {"orders": DEXAMETHASONE, "active_orders": (on_order("acetaminophen"),)},
            "",
            id="an order for something else",
        ),
        pytest.param(
            {
                "orders": DEXAMETHASONE,
                "masking": (
                    masking("steroid", 20, "methylprednisolone"),
                    masking("steroid", 5, "methylprednisolone"),
                ),
            },
            "dexamethasone is drafted, methylprednisolone was given 5 h ago",
            id="another was given",
        ),
        pytest.param(
            {"orders": DEXAMETHASONE, "masking": (masking("steroid", 36, "prednisone"),)},
            "prednisone was given 36 h ago",
            id="36 h ago is recent",
        ),
        pytest.param(
            {"orders": DEXAMETHASONE, "masking": (masking("steroid", 37, "prednisone"),)},
            "",
            id="37 h ago is not",
        ),
        pytest.param(
            {"orders": DEXAMETHASONE, "masking": (masking("steroid", 5, "dexamethasone"),)},
            "",
            id="an earlier dose of the same goes on",
        ),
        pytest.param(
            {"orders": DEXAMETHASONE, "masking": (masking("antipyretic", 5),)},
            "",
            id="an antipyretic was given",
        ),
        pytest.param(
            {"orders": (*DEXAMETHASONE, draft("methylprednisolone", 2))},
            "dexamethasone is drafted, methylprednisolone is drafted too",
            id="two drafts",
        ),
        pytest.param(
            {
                "orders": (),
                "active_orders": (on_order("methylprednisolone"), on_order("dexamethasone")),
            },
            "",
            id="without a draft orders are not judged",
        ),
    ],
)
def test_a_draft_beside_another_corticosteroid(changes: dict[str, Any], text: str) -> None:
    found = notice(**changes)
    assert text in found
    assert bool(found) is bool(text)


@pytest.mark.parametrize(
    ("medications", "text"),
    [
        pytest.param((medicine("dexamethasone", "a@1#1"),), "", id="one"),
        pytest.param((medicine("acetaminophen"), medicine("dexamethasone")), "", id="one of two"),
        pytest.param(
            (medicine("dexamethasone", "a@1#1"), medicine("methylprednisolone", "b@1#2")),
            "the rules reached name dexamethasone (a@1#1) and methylprednisolone (b@1#2)",
            id="of two rows",
        ),
        pytest.param(
            (medicine("dexamethasone", "a@1#crs-3"), medicine("dexamethasone", "a@1#icans-2")),
            "dexamethasone (a@1#crs-3) and dexamethasone (a@1#icans-2)",
            id="the same for both toxicities",
        ),
        pytest.param(
            (medicine("dexamethasone", "a@1#crs-3"), medicine("dexamethasone", "a@1#crs-3", 8)),
            "",
            id="twice in one row is one regimen",
        ),
        pytest.param(
            (medicine("corticosteroid"), medicine("dexamethasone")),
            "name corticosteroid and dexamethasone",
            id="the class and a substance",
        ),
    ],
)
def test_rows_that_name_two(medications: tuple[Medication, ...], text: str) -> None:
    found = notice(medications, orders=())
    assert text in found
    assert bool(found) is bool(text)


def test_no_doses_are_summed_up() -> None:
    rows = (medicine("dexamethasone", mg=10), medicine("methylprednisolone", mg=1000))
    assert not any(character.isdigit() for character in notice(rows))


def test_every_corticosteroid_the_rules_name_is_known() -> None:
    library = load()
    rows = [row for product in library.products.values() for row in product.rows]
    rows += [row for protocol in library.protocols.values() for row in protocol.rows]
    named = {medicine.agent for row in rows for medicine in row.then.medications}
    assert {agent for agent in named if agent.endswith(("sone", "lone", "steroid"))} <= (
        CORTICOSTEROIDS
    )
