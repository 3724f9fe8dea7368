"""Acetaminophen and paracetamol are one substance: time between doses and total of a day."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from knowledge.antipyretics import problem
from knowledge.facts import Masking, Order
from knowledge.library import load
from tests.spec.chart import ago, chart, masking, readings


LIBRARY = load()
PROTOCOLS = ("us-label", "community-sop", "nhs-waht")
UNREAD = "doses of the last 24 h that could not be read: "


def order(mg: str | None = "1000", ingredient: str = "acetaminophen", **changes: Any) -> Order:
    dose = None if mg is None else Decimal(mg)
    return Order("MedicationRequest/d4", "antipyretic", ingredient, "x", dose_mg=dose, **changes)


def given(
    hours: float, value: str = "1000", unit: str = "mg", agent: str = "acetaminophen"
) -> Masking:
    one = masking("antipyretic", hours, agent)
    evidence = msgspec.structs.replace(one.evidence, value=value, unit=unit)
    return msgspec.structs.replace(one, evidence=evidence)


def said(protocol: str, *drugs: Masking, drafted: Order | None = None, **changes: Any) -> str:
    facts = chart(masking=drugs, **changes)
    return problem(drafted or order(), facts, LIBRARY, LIBRARY.protocols[protocol])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_first_dose_is_no_problem(protocol: str) -> None:
    assert said(protocol) == ""


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_other_drugs_are_not_judged(protocol: str) -> None:
    drafted = order(ingredient="ibuprofen")
    assert said(protocol, given(1), drafted=drafted, answered=frozenset()) == ""


@pytest.mark.parametrize(
    ("hours", "us", "sop", "nhs"),
    [
        (3.9, False, True, True),
        (4.0, False, True, False),
        (5.9, False, True, False),
        (6.0, False, False, False),
    ],
)
def test_time_since_the_last_dose(hours: float, us: bool, sop: bool, nhs: bool) -> None:
    found = [said(protocol, given(hours)) for protocol in PROTOCOLS]
    assert ["too early" in text for text in found] == [us, sop, nhs]


def test_the_printed_times_are_shown() -> None:
    assert said("community-sop", given(5)) == (
        "too early: 5 h after the last acetaminophen, at least 6-8 h"
    )
    assert "at least 4 h (printed for the gap after premedication" in said("nhs-waht", given(3))


def test_the_planned_start_counts() -> None:
    assert said("community-sop", given(5), drafted=order(planned_start=ago(-1))) == ""
    assert "too early" in said("community-sop", given(5), drafted=order(planned_start=ago(3)))


@pytest.mark.parametrize("drafted", ["acetaminophen", "paracetamol"])
@pytest.mark.parametrize("earlier", ["acetaminophen", "paracetamol"])
def test_both_names_are_one_substance(drafted: str, earlier: str) -> None:
    text = said("community-sop", given(5, agent=earlier), drafted=order(ingredient=drafted))
    assert f"5 h after the last {earlier}" in text


def test_another_antipyretic_is_not_counted() -> None:
    assert said("community-sop", given(1, agent="ibuprofen")) == ""


@pytest.mark.parametrize(
    ("drugs", "mg", "over"),
    [
        pytest.param((given(18), given(12), given(6)), "1000", "", id="4 x 1000 mg"),
        pytest.param((given(18), given(12), given(6)), "1001", "4001", id="1 mg over"),
        pytest.param((given(24), given(18), given(12), given(6)), "1000", "", id="24 h ago is out"),
        pytest.param((given(23.9), given(18), given(12), given(6)), "650", "4650", id="four given"),
        pytest.param((given(12, "3.5", "g"),), "650", "4150", id="grams are converted"),
    ],
)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_total_of_the_day(protocol: str, drugs: tuple[Masking, ...], mg: str, over: str) -> None:
    text = said(protocol, *drugs, drafted=order(mg))
    total = f"{over} mg in 24 h with this dose is over 3-4 x 1000 mg a day"
    own = "" if protocol == "community-sop" else "for information, community-sop: "
    assert text == (f"{own}{total}" if over else "")


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("", ""),
        ("1000", ""),
        ("2", "tablet"),
        ("ten", "mg"),
        ("nan", "mg"),
        ("-1000", "mg"),
        ("1e9", "mg"),
        ("Infinity", "mg"),
    ],
)
def test_a_dose_that_cannot_be_read_is_named_never_assumed(value: str, unit: str) -> None:
    text = said("us-label", given(8, value, unit), given(7))
    assert text == f"{UNREAD}1"


def test_readable_doses_still_count_beside_unreadable_ones() -> None:
    text = said("community-sop", given(20, "4000"), given(10, ""))
    assert text == f"5000 mg in 24 h with this dose is over 3-4 x 1000 mg a day; {UNREAD}1"


def test_an_ordered_dose_that_cannot_be_read_is_named() -> None:
    text = "the ordered dose could not be read: total of the day not known"
    assert said("nhs-waht", drafted=order(None)) == text
    per_kg = order(None, dose_mg_per_kg=Decimal(15))
    assert said("nhs-waht", drafted=per_kg) == text
    assert said("nhs-waht", drafted=per_kg, weights=readings("w", (1, 70))) == ""


def test_unanswered_administrations_are_not_none() -> None:
    text = said("community-sop", answered=frozenset({"vitals"}))
    assert text.startswith("earlier doses were not available")
