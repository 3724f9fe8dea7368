"""What each state of a prefetch key means: one row a state, what is asked and what is known.

Expected from CDS Hooks 2.0.1, "Prefetch Template" and "Prefetch Templates With Unavailable
Resources": the service retrieves what is missing and does not repeat what the client tried.
"""

import json
from datetime import timedelta
from typing import Any

import pytest
from msgspec import Raw

from cds.config import Site
from cds.drafted import medications_to_read, required_missing
from cds.errors import AnotherPatient
from cds.fhir_fetch import Fetched, read_missing
from cds.hook_request import HookRequest, parse
from cds.pipeline import evaluate
from cds.prefetch import State, classify, covers
from cds.services import PREFETCH
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.functional.bodies import (
    NOW,
    Json,
    bundle,
    draft,
    fever,
    order_sign,
    vital,
    with_value,
    without,
)
from tests.functional.fhir_upstream import TOKEN, Upstream, page, reply, running


def outcome(severity: str, code: str = "processing") -> Json:
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, "details": {"coding": [{"code": "4101"}]}}],
    }


def noted(severity: str, *resources: Json) -> Json:
    """A searchset whose last entry is an outcome, as Epic sends it for an empty search."""
    made = bundle(*resources)
    made["entry"].append({"resource": outcome(severity), "search": {"mode": "outcome"}})
    return made


HTML = "<html><body>502</body></html>"
# What the key `administrations` holds, its state, whether the server is asked, and whether the
# assessment knows the doses if that server has nothing.
ROWS: list[tuple[str, State, object, bool, bool]] = [
    ("absent", "absent", ..., True, False),
    ("null", "none", None, False, True),
    ("an empty Bundle", "none", bundle(), False, True),
    ("a Bundle without entry", "none", {"resourceType": "Bundle", "total": 0}, False, True),
    ("only a warning, code 4101", "none", noted("warning"), False, True),
    ("only information", "none", noted("information"), False, True),
    ("data", "data", None, False, True),
    ("data and a warning", "data", None, False, True),
    ("data and an error", "caveats", None, False, False),
    ("an OperationOutcome as the value", "failed", outcome("error"), False, False),
    ("a Bundle with an error alone", "failed", noted("error"), False, False),
    ("a Bundle with a fatal error alone", "failed", noted("fatal"), False, False),
    ("a next page", "partial", None, True, False),
    ("a string of HTML", "wrong-type", HTML, True, False),
    ("a number", "wrong-type", 7, True, False),
    ("a list", "wrong-type", [], True, False),
    ("an object of no type", "wrong-type", {}, True, False),
    ("another resource", "wrong-type", {"resourceType": "Basic", "id": "b"}, True, False),
    ("a Bundle that is none", "wrong-type", {"resourceType": "Bundle", "entry": 7}, True, False),
]


def row_value(name: str, value: object, base: str) -> object:
    given = order_sign()["prefetch"]["administrations"]["entry"][0]["resource"]
    made = {
        "data": bundle(given),
        "data and a warning": noted("warning", given),
        "data and an error": noted("error", given),
        "a next page": page(given, following=f"{base}/MedicationAdministration?page=2"),
    }
    return made.get(name, value)


def request_with(name: str, value: object, base: str) -> HookRequest:
    body = {**order_sign(*fever()), "fhirServer": base}
    if name == "absent":
        return parse(json.dumps(without(body, "prefetch.administrations")).encode())
    sent = row_value(name, value, base)
    return parse(json.dumps(with_value(body, "prefetch.administrations", sent)).encode())


def assessed(request: HookRequest, base: str, library: Library, codes: CodeSets, site: Site) -> Any:
    own = Site(id=site.id, fhir_base=base, protocol=site.protocol, zone=site.zone)
    return evaluate(request, site=own, library=library, codes=codes, now=NOW)


def fetched(request: HookRequest, server: Upstream, **options: Any) -> Fetched:
    return read_missing(request, PREFETCH, base=server.base, token=TOKEN, seconds=5, **options)


@pytest.mark.parametrize(("name", "state", "value", "asks", "known"), ROWS, ids=str)
def test_each_state_says_what_is_asked_and_what_is_known_without_the_server(
    name: str,
    state: State,
    value: object,
    asks: bool,
    known: bool,
    library: Library,
    codes: CodeSets,
    site: Site,
) -> None:
    with running() as server:  # knows nothing: every question ends in 404
        request = request_with(name, value, server.base)
        sent = request.prefetch.get("administrations")
        assert classify(PREFETCH["administrations"], sent).state == state

        found = fetched(request, server)
        assert bool(server.asked) == asks
        assert {one.key for one in found.failed} == ({"administrations"} if asks else set())
        facts = assessed(found.request, server.base, library, codes, site).facts
        assert ("administrations" in facts.answered) == known


@pytest.mark.parametrize("name", [row[0] for row in ROWS if row[3]])
def test_what_the_server_answers_takes_the_place_of_what_was_no_answer(
    name: str, library: Library, codes: CodeSets, site: Site
) -> None:
    value = next(row[2] for row in ROWS if row[0] == name)
    given = order_sign()["prefetch"]["administrations"]
    with running({"administrations": given}) as server:
        server.does["MedicationAdministration?page=2"] = reply(bundle())
        found = fetched(request_with(name, value, server.base), server)
        assert found.failed == ()
        evaluation = assessed(found.request, server.base, library, codes, site)
    assert "administrations" in evaluation.facts.answered
    assert [dose.ingredient for dose in evaluation.facts.doses] == ["teclistamab"]
    assert evaluation.decision.assessment.unreadable == ()


def test_a_wrong_value_about_another_patient_is_not_replaced_but_refused(
    library: Library, codes: CodeSets, site: Site
) -> None:
    with running({"vitals": bundle()}) as server:
        for stranger in (
            vital("8310-5", 38.6, "Cel", patient="p2"),
            {"resourceType": "Patient", "id": "p2"},
        ):
            body = {**order_sign(), "fhirServer": server.base}
            request = parse(json.dumps(with_value(body, "prefetch.vitals", stranger)).encode())
            found = fetched(request, server)
            assert server.asked == []
            with pytest.raises(AnotherPatient):
                assessed(found.request, server.base, library, codes, site)


def test_error_severity_beside_data_is_shown_and_the_data_are_used(
    library: Library, codes: CodeSets, site: Site
) -> None:
    with running() as server:
        body = with_value(order_sign(), "prefetch.vitals", noted("error", *fever()))
        found = assessed(parse(json.dumps(body).encode()), server.base, library, codes, site)
    assessment = found.decision.assessment
    assert assessment.crs.grade.at_least == 1
    assert [one.at for one in assessment.unreadable] == ["prefetch.vitals.entry[3]"]


def test_pages_behind_one_that_reaches_past_the_window_are_not_read() -> None:
    with running() as server:
        link = f"{server.base}/MedicationAdministration?page=2"
        given = order_sign()["prefetch"]["administrations"]["entry"][0]["resource"]
        old = {**given, "id": "a0", "effectiveDateTime": "2026-01-01T00:00:00Z"}
        server.does["MedicationAdministration?page=2"] = reply(bundle())
        for resources, asks in (((given,), True), ((given, old), False)):
            body = with_value(
                order_sign(), "prefetch.administrations", page(*resources, following=link)
            )
            fetched(
                parse(json.dumps(body).encode()), server, enough=covers(NOW, timedelta(days=45))
            )
            assert bool(server.asked) == asks
            server.asked.clear()


def test_the_newest_encounter_is_the_whole_answer_though_there_are_more() -> None:
    encounter = {"resourceType": "Encounter", "id": "e1", "subject": {"reference": "Patient/p1"}}
    with running() as server:
        more = page(encounter, following=f"{server.base}/Encounter?page=2")
        body = with_value(order_sign(), "prefetch.encounter", more)
        fetched(parse(json.dumps(body).encode()), server)
        assert server.asked == []
        server.does["encounter"] = reply(more)
        fetched(parse(json.dumps(without(body, "prefetch.encounter")).encode()), server)
        assert server.paths() == ["Encounter?patient=p1&_sort=-date&_count=1"]


def by_reference(reference: str, **more: object) -> Json:
    order = draft()
    del order["medicationCodeableConcept"]
    return {**order, "medicationReference": {"reference": reference, **more}}


def test_a_drafted_medication_named_by_reference_is_read_and_gives_the_order_its_name(
    library: Library, codes: CodeSets, site: Site
) -> None:
    medication = {"resourceType": "Medication", "id": "m1", "code": {"text": "teclistamab"}}
    with running() as server:
        server.does["Medication/m1"] = reply(medication)
        for reference in ("Medication/m1", f"{server.base}/Medication/m1"):
            body = {**order_sign(drafts=(by_reference(reference),)), "fhirServer": server.base}
            request = parse(json.dumps(body).encode())
            assert required_missing(request) == ("context.draftOrders",)
            found = fetched(request, server)
            assert found.failed == ()
            assert required_missing(found.request) == ()
            facts = assessed(found.request, server.base, library, codes, site).facts
            assert [order.ingredient for order in facts.orders] == ["teclistamab"]


@pytest.mark.parametrize(
    ("drafts", "missing"),
    [
        ((), False),
        ((draft(),), False),
        ((by_reference("Medication/m1"),), True),
        ((by_reference("Medication/m1"), draft(id="d2")), False),
        ((by_reference("Medication/m1", display="Tecvayli"),), False),
        ((by_reference("#m1"),), False),
        ((by_reference("Medication/m1"), {"resourceType": "Medication", "id": "m1"}), False),
        ((by_reference("https://elsewhere.example/Medication/m1"),), True),
        ((outcome("error"),), True),
        (({},), True),
    ],
    ids=[
        "no draft",
        "a named draft",
        "a reference to nothing",
        "one of two is named",
        "a reference with words",
        "a contained one",
        "it came along",
        "on another server",
        "an OperationOutcome in its place",
        "an empty resource",
    ],
)
def test_required_data_are_missing_only_where_no_drug_of_any_draft_can_be_told(
    drafts: tuple[Json, ...], missing: bool
) -> None:
    request = parse(json.dumps(order_sign(drafts=drafts)).encode())
    assert bool(required_missing(request)) == missing


@pytest.mark.parametrize("key", sorted(PREFETCH))
def test_no_prefetch_key_is_required(key: str) -> None:
    request = parse(json.dumps(without(order_sign(), f"prefetch.{key}")).encode())
    assert required_missing(request) == ()


def test_only_medications_of_the_own_server_are_read_and_few_of_them() -> None:
    drafts = tuple(by_reference(f"Medication/m{n}") for n in range(9))
    foreign = by_reference("https://elsewhere.example/fhir/Medication/m1")
    body = order_sign(drafts=(foreign, *drafts))
    found = medications_to_read(parse(json.dumps(body).encode()), "https://ehr.example/fhir")
    assert list(found.values()) == [f"Medication/m{n}" for n in range(5)]


def test_a_value_is_classified_by_what_it_is_not_by_how_it_is_written() -> None:
    spaced = Raw(b'  \n{ "resourceType" : "Bundle" , "entry" : [ ] }')
    assert classify("Observation?x", spaced).state == "none"
    assert classify("Patient/p1", Raw(b'{"resourceType":"Patient"}')).state == "data"
    assert classify("Patient/p1", Raw(b'{"resourceType":"Observation"}')).state == "wrong-type"
    assert classify("Observation?x", Raw(b'{"resourceType":"Observation"}')).state == "wrong-type"
