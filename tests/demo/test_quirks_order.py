"""A server that does not sort: what looks newest first may have anything behind it.

FHIR R4 search, "Server Conformance": the `self` link tells which parameters were used.
"""

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cds.demo.drugs import ORDERS, medication
from cds.demo.fhir import quirks_of
from cds.demo.fhir.quirks import Quirks
from cds.demo.sign import order_sign
from cds.demo.story import load
from cds.fhir_fetch import Fetched, read_missing
from cds.hook_request import parse
from cds.prefetch import covers
from cds.services import PREFETCH
from fhir_mapping.codes import CodeSets
from fhir_mapping.read import PatientInput, read
from knowledge.facts import Facts
from knowledge.library import Library
from tests.demo.fhir_sandbox import NOW, Json, patient, served


STORY = load()["nothing-wrong"]
OF = {"reference": f"Patient/{STORY.id}"}
SIX_HOURLY = 480  # doses in 120 days: newest first, they reach past every window


def given(name: str, drug: str, hours_ago: float) -> Json:
    return {
        "resourceType": "MedicationAdministration",
        "id": name,
        "status": "completed",
        "subject": OF,
        "medicationCodeableConcept": medication(drug),
        "effectiveDateTime": (NOW - timedelta(hours=hours_ago)).isoformat(),
    }


def stay(name: str, kind: str) -> Json:
    return {
        "resourceType": "Encounter",
        "id": name,
        "status": "in-progress",
        "class": {"code": kind},
        "subject": OF,
        "period": {"start": (NOW - timedelta(days=3)).isoformat()},
    }


def fetched(quirks: Quirks, resources: list[Json]) -> Fetched:
    body: dict[str, Any] = order_sign(
        STORY, ORDERS["teclistamab"], now=NOW, hook_instance="00000000-0000-4000-8000-000000000001"
    )
    del body["prefetch"]
    with served(quirks=quirks) as fhir:
        fhir.store.load([patient(STORY.id), *resources], now=NOW)
        return read_missing(
            parse(json.dumps(body).encode(), "order-sign"),
            PREFETCH,
            base=fhir.base,
            token=None,
            seconds=120,
            enough=covers(NOW, timedelta(days=45)),
        )


def facts_of(found: Fetched, library: Library, codes: CodeSets) -> Facts:
    request = found.request
    data = PatientInput(STORY.id, None, request.draft_orders, None, request.prefetch)
    return read(data, now=NOW, rules=library.rules, codes=codes).facts


@pytest.fixture(params=["self-link", "outcome-entry"])
def unsorted(request: pytest.FixtureRequest) -> Quirks:
    """Says by one of two ways that the order was ignored: the other one hides it."""
    if request.param == "self-link":
        return quirks_of("ignored-parameters", "grouped-order")
    return quirks_of("ignored-parameters", "grouped-order", "echoed-self-link", "outcome-entries")


def many_doses() -> list[Json]:
    often = [given(f"d{n}", "dexamethasone", 6 * n) for n in range(SIX_HOURLY)]
    return [*often, given("bispecific", "teclistamab", 40)]


def test_a_dose_on_the_last_page_of_an_unsorted_answer_is_found(
    unsorted: Quirks, library: Library, codes: CodeSets
) -> None:
    found = fetched(unsorted, many_doses())
    assert found.failed == ()
    facts = facts_of(found, library, codes)
    assert [dose.ingredient for dose in facts.doses] == ["teclistamab"]
    assert "administrations" in facts.answered


def test_an_unsorted_answer_that_was_not_read_to_its_end_is_no_answer(
    unsorted: Quirks, library: Library, codes: CodeSets
) -> None:
    short = msgspec.structs.replace(unsorted, largest_page=45)  # 10 pages of them are read
    found = fetched(short, many_doses())
    assert [(one.key, one.kind) for one in found.failed] == [("administrations", "too-large")]
    facts = facts_of(found, library, codes)
    assert facts.doses == ()
    assert "administrations" not in facts.answered
    assert "administrations" not in facts.read_back_to


def test_a_sorted_answer_is_read_as_far_as_it_matters(library: Library, codes: CodeSets) -> None:
    short = msgspec.structs.replace(Quirks(), largest_page=45)
    found = fetched(short, many_doses())
    facts = facts_of(found, library, codes)
    assert found.failed == ()
    assert [dose.ingredient for dose in facts.doses] == ["teclistamab"]
    assert "administrations" in facts.answered


def test_one_of_several_encounters_does_not_say_that_the_patient_is_elsewhere(
    unsorted: Quirks, library: Library, codes: CodeSets
) -> None:
    both = [stay("series", "AMB"), stay("ward", "IMP")]
    assert facts_of(fetched(unsorted, both), library, codes).in_hospital is None
    assert facts_of(fetched(unsorted, both[::-1]), library, codes).in_hospital is True
    assert facts_of(fetched(unsorted, both[:1]), library, codes).in_hospital is False


def test_the_newest_of_a_sorted_answer_still_says_it(library: Library, codes: CodeSets) -> None:
    old = {**stay("ward", "IMP"), "period": {"start": (NOW - timedelta(days=90)).isoformat()}}
    both = [old, stay("series", "AMB")]
    facts = facts_of(fetched(Quirks(), both), library, codes)
    assert facts.in_hospital is False
    assert facts.missing == ()


def test_a_prefetched_page_of_an_unsorted_answer_is_no_answer_either(
    library: Library, codes: CodeSets
) -> None:
    behind = {"relation": "next", "url": "https://fhir.example.org/A?page=2"}
    entries = [{"resource": one} for one in many_doses()[:-1]]
    for query, whole in (("patient=p1", False), ("patient=p1&_sort=-effective-time", True)):
        own = {"relation": "self", "url": f"https://fhir.example.org/A?{query}"}
        page = {"resourceType": "Bundle", "link": [own, behind], "entry": entries}
        raw = msgspec.Raw(json.dumps(page).encode())
        data = PatientInput(STORY.id, None, None, None, {"administrations": raw})
        facts = read(data, now=NOW, rules=library.rules, codes=codes).facts
        assert ("administrations" in facts.answered) == whole
