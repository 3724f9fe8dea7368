"""What the knowledge says, against tables written out from the documents, and never says."""

import itertools
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from knowledge.assessment import Hours
from knowledge.library import DATA, Library, load
from knowledge.product_model import Product, Protocol
from knowledge.row_model import Row
from knowledge.rows import Circumstances, holds


LIBRARY = load()
OWNERS: list[Product | Protocol] = [*LIBRARY.products.values(), *LIBRARY.protocols.values()]
ROWS = [pytest.param(row, id=f"{owner.id}#{row.id}") for owner in OWNERS for row in owner.rows]


def row(owner: Product | Protocol, row_id: str) -> Row:
    return next(item for item in owner.rows if item.id == row_id)


@pytest.mark.parametrize("item", ROWS)
def test_row_says_where_it_stands_in_its_source(item: Row) -> None:
    assert f"grade {item.when.grade}" in item.at


# Where the word stands without ending therapy: "consider" in the cell, and what the manufacturer's
# page says of rows whose column our source leaves out.
SAID_OTHERWISE = {
    "Lymphoma ICANS table, grade 3, first occurrence, glofitamab, lasting more than 7 days",
    "Small cell lung cancer CRS table, grade 3, tarlatamab, recurrent (column left out)",
    "Small cell lung cancer CRS table, grade 4, tarlatamab",
}
SAYS_CONTINUE = {
    "Lymphoma ICANS table, grade 1, glofitamab",
    "Lymphoma ICANS table, grade 1, mosunetuzumab",
}


@pytest.mark.parametrize("item", ROWS)
def test_permanently_is_said_only_where_therapy_ends(item: Row) -> None:
    said = "permanently" in msgspec.json.encode(item).decode().lower()
    weaker = f"{item.at}" in SAID_OTHERWISE

    assert said == (item.then.action == "discontinue-permanently" or weaker)


@pytest.mark.parametrize("item", ROWS)
def test_no_row_turns_silence_into_continue(item: Row) -> None:
    assert item.then.action not in {"resume-with-conditions", "no-toxicity"}
    assert (item.then.action == "continue") == (item.at in SAYS_CONTINUE)


@pytest.mark.parametrize("item", ROWS)
def test_row_ids_are_read_in_rule_ids(item: Row) -> None:
    assert item.id == item.id.strip().lower()
    assert "#" not in item.id


HOURS = tuple(map(Decimal, ("0", "47.9", "48", "100")))


WEIGHTS = tuple(map(Decimal, ("44.9", "45", "70")))


def meets(item: Row, occurrence: str, hours: Decimal, weight: Decimal) -> bool:
    if item.when.occurrence not in {None, occurrence}:
        return False
    each = Hours(hours, hours)
    return holds(item.when, Circumstances(hours=(each, each, each), weight=weight), surely=True)


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.id)
def test_every_case_of_a_grade_meets_exactly_one_row(owner: Product | Protocol) -> None:
    stated = {(item.when.toxicity, item.when.grade) for item in owner.rows}
    cases = itertools.product(stated, ("first", "recurrent"), HOURS, WEIGHTS)
    for (toxicity, grade), occurrence, hours, weight in cases:
        met = [
            item.id
            for item in owner.rows
            if (item.when.toxicity, item.when.grade) == (toxicity, grade)
            and not item.clause_of
            and meets(item, occurrence, hours, weight)
        ]
        assert len(met) == 1, (toxicity, grade, occurrence, hours, weight)


NHS_ACTIONS = {
    "crs-1-first": "interrupt",
    "crs-1-first-over-3-days": "discontinue-current",
    "crs-1-recurrent": "discontinue-current",
    "crs-1-recurrent-over-3-days": "discontinue-current",
    "crs-2": "discontinue-current",
    "crs-3-first": "discontinue-current",
    "crs-3-recurrent": "discontinue-permanently",
    "crs-4": "discontinue-permanently",
    "icans-1": "interrupt",
    "icans-2": "interrupt",
    "icans-3-first": "interrupt",
    "icans-3-recurrent": "discontinue-permanently",
    "icans-4": "discontinue-permanently",
}


def test_nhs_actions(library: Library) -> None:
    rows = library.protocols["nhs-waht"].rows

    assert {item.id: item.then.action for item in rows} == NHS_ACTIONS


def test_nhs_asks_for_more_than_72_hours_without_crs(library: Library) -> None:
    nhs = library.protocols["nhs-waht"]
    for row_id in ("crs-1-first", "crs-1-recurrent", "crs-2", "crs-3-first"):
        next_dose = row(nhs, row_id).then.next_dose
        assert next_dose is not None
        assert next_dose.resolved is not None
        assert next_dose.resolved.hours == 72
        assert next_dose.resolved.strict
        assert next_dose.rate is not None
        assert (next_dose.rate.strength, next_dose.rate.percent) == ("consider", None)
        monitored = next_dose.monitor is not None and next_dose.monitor.strength == "required"
        assert monitored == (row_id in {"crs-2", "crs-3-first"})


# agent, strength, dose, per, route, every - from Appendix 1, grades 2 to 4, and Appendix 2
NHS_STEROIDS = {
    "crs-1-first": ("dexamethasone", "consider", 10, None, "PO", "once"),
    "crs-2": ("dexamethasone", "consider", 10, None, "IV", "6 h"),
    "crs-3-first": ("dexamethasone", "administer", 10, None, "IV", "6 h"),
    "crs-3-recurrent": ("dexamethasone", "administer", 10, None, "IV", "6 h"),
    "crs-4": ("methylprednisolone", "administer", 1000, "day", "IV", ""),
    "icans-1": ("dexamethasone", "consider", 10, None, "IV", "6 h"),
    "icans-2": ("dexamethasone", "consider", 10, None, "IV", "6 h"),
    "icans-3-first": ("methylprednisolone", "consider", 1, "kg", "IV", "12 h"),
    "icans-3-recurrent": ("methylprednisolone", "consider", 1, "kg", "IV", "12 h"),
    "icans-4": ("methylprednisolone", "consider", 1000, "day", "IV", ""),
}
SOP_STEROIDS = {
    "g1": ("dexamethasone", "consider", 10, None, "", "once"),
    "g2": ("dexamethasone", "administer", 10, None, "PO", "12 h"),
    "g3": ("dexamethasone", "administer", 10, None, "IV", "6 h"),
    "g4": ("dexamethasone", "administer", 20, None, "IV", "6 h"),
}


@pytest.mark.parametrize(
    ("protocol", "row_id", "expected"),
    [
        *(("nhs-waht", row_id, expected) for row_id, expected in NHS_STEROIDS.items()),
        *(("community-sop", row_id, expected) for row_id, expected in SOP_STEROIDS.items()),
    ],
)
def test_one_steroid_per_row_with_its_printed_dose(
    library: Library, protocol: str, row_id: str, expected: tuple[Any, ...]
) -> None:
    (steroid,) = (
        (item.agent, item.strength, item.dose, item.per, item.route, item.every)
        for item in row(library.protocols[protocol], row_id).then.medications
        if item.agent in {"dexamethasone", "methylprednisolone"}
    )
    assert steroid == expected


def test_community_procedure_states_no_disposition_and_says_whose_row_is_shown(
    library: Library,
) -> None:
    sop = library.protocols["community-sop"]

    assert {item.then.action for item in sop.rows} == {None}
    assert {item.when.toxicity for item in sop.rows} == {"crs"}
    assert sop.falls_back_to == "us-label"
    assert set(sop.fallback_scope) == {"disposition", "icans"}


def test_tocilizumab_is_considered_or_given_as_each_protocol_says(library: Library) -> None:
    said = {
        f"{protocol.id}#{item.id}": item.then.tocilizumab
        for protocol in library.protocols.values()
        for item in protocol.rows
    }
    considered = {key for key, value in said.items() if value == "consider"}

    assert None not in said.values()
    assert considered == {
        "community-sop#g1",
        "nhs-waht#crs-1-first",
        "nhs-waht#crs-1-recurrent",
        *(f"nhs-waht#{row_id}" for row_id in NHS_ACTIONS if row_id.startswith("icans")),
    }


def test_tocilizumab_limits(library: Library) -> None:
    limits = library.tocilizumab
    sop, nhs = limits.counts["community-sop"], limits.counts["nhs-waht"]

    assert {name: limit.value for name, limit in limits.mg_per_kg.items()} == {
        "community-sop": 8,
        "nhs-waht": 8,
    }
    assert limits.cap_mg.value == 800
    assert limits.weight_over_kg.value == 30
    assert limits.interval_hours.value == 8
    assert limits.weight_max_age_days.value == 7
    assert sop.per_event is not None
    assert sop.in_window is not None
    assert sop.per_event.value == 2
    assert sop.in_window.value == 3
    assert sop.window_days == 42
    assert nhs.per_event is not None
    assert nhs.per_event.value == 4
    assert nhs.in_window is None
    assert set(limits.silent) == {"us-label"}


def test_crs_scale(library: Library) -> None:
    scale = library.crs

    assert scale.fever_cel.value == 38
    assert scale.low_flow_max.value == 6
    assert list(scale.hypotension.levels.items()) == [
        ("none", 0),
        ("fluids", 2),
        ("one-vasopressor", 3),
        ("multiple-vasopressors", 4),
    ]
    assert list(scale.hypoxia.levels.items()) == [
        ("none", 0),
        ("low-flow", 2),
        ("high-flow", 3),
        ("positive-pressure", 4),
    ]


def test_icans_scale(library: Library) -> None:
    scale = library.icans
    ice = {
        score: band.grade for band in scale.ice for score in range(band.low, band.high + 1)
    }  # fmt: skip

    assert ice == {0: 3, 1: 3, 2: 3, 3: 2, 4: 2, 5: 2, 6: 2, 7: 1, 8: 1, 9: 1, 10: 0}
    assert [(band.low, band.high, band.grade) for band in scale.capd] == [
        (0, 0, 0),
        (1, 8, 1),
        (9, 32, 3),
    ]
    assert scale.arousal.levels == {
        "alert": 0,
        "spontaneous": 1,
        "voice": 2,
        "tactile": 3,
        "vigorous": 4,
        "unarousable": 4,
    }
    assert scale.seizure_minutes.value == 5
    assert scale.capd_under_age.value == 12


def test_rems_covers_both_products_and_the_representative_is_not_the_prescriber(
    library: Library,
) -> None:
    program = library.rems["teclistamab"]

    assert program is library.rems["talquetamab"]
    assert program.verified_on.isoformat() == "2025-08-18"
    setting = " ".join(duty.text for duty in program.duties if duty.role == "pharmacy-and-setting")
    assert "must not be the certified prescriber" in setting
    assert "RDA" in setting
    assert any("Wallet Card" in duty.text for duty in program.duties if duty.role == "prescriber")


def test_rems_applies_to_the_us_protocols_only(library: Library) -> None:
    applies = {name: protocol.rems_applies for name, protocol in library.protocols.items()}

    assert applies == {"us-label": True, "community-sop": True, "nhs-waht": False}


def test_a_row_can_be_cited(library: Library) -> None:
    product = library.products["teclistamab"]
    item = row(product, "crs-2")
    citation = library.citation(product, item.at, item.id)

    assert citation.rule == "teclistamab-label@2#crs-2"
    assert citation.at == "Multiple myeloma CRS table, grade 2, teclistamab"
    assert citation.published is not None
    assert citation.published.isoformat() == "2024-05-28"
    assert citation.reviewed_by == "none"


def test_a_number_can_be_cited_from_its_own_document(library: Library) -> None:
    cap = library.tocilizumab.cap_mg.source
    citation = library.citation(library.tocilizumab, cap.at, ref=cap.ref)

    assert "WAHT-HAE-041" in citation.title
    assert citation.rule == "tocilizumab@2"


def test_nothing_claims_a_clinical_review(library: Library) -> None:
    assert not library.clinically_reviewed
    assert {header.reviewed.by for header in library.files.values()} == {"none"}


def test_the_digest_is_the_same_at_every_start(library: Library) -> None:
    assert library.version == "2026.11.21"
    assert len(library.sha256) == 64
    assert load().sha256 == library.sha256


def test_contacts_stay_with_the_site() -> None:
    text = "".join(path.read_text(encoding="utf-8").lower() for path in DATA.rglob("*.yaml"))

    assert "bleep" not in text
    assert "telephone" not in text
