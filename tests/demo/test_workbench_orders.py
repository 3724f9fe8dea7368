"""Ordering as an EHR does it: hooks, prefetch, drafts, suggestions, feedback; over real HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from cds.demo.observations import CATEGORY, PROJECT
from cds.demo.story import load
from cds.services import PREFETCH
from tests.demo.workbench_room import NOW, Json, Tab, running


STORIES = load()
CANNULA = "cannula-without-flow"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running demo with a fixed clock."""
    with running(tmp_path_factory.mktemp("demo")) as found:
        yield found


def drafted(request: Json) -> list[Json]:
    """The orders of a request."""
    entries = request["context"]["draftOrders"]["entry"]
    return [one["resource"] for one in entries if one["resource"]["resourceType"] != "Medication"]


def action_types(tab: Tab) -> list[str]:
    """What the suggestions of the first card do, in their order."""
    cards = tab.wire("Response")["cards"]
    return [one["actions"][0]["type"] for one in cards[0].get("suggestions", ())]


def found(tab: Tab) -> Json:
    """The assessment on the page."""
    return tab.wire("Assessment")


def test_opening_a_chart_fires_patient_view_with_the_templates_filled(base: str) -> None:
    tab = Tab(base, CANNULA)
    request = tab.wire("Request")
    assert "Answer to patient-view under us-label" in tab.page.text("answer")
    assert request["hook"] == "patient-view"
    assert request["context"]["patientId"] == CANNULA
    assert set(request["prefetch"]) == set(PREFETCH)
    assert request["prefetch"]["patient"]["id"] == CANNULA
    assert request["prefetch"]["administrations"]["total"] == 2
    assert request["fhirServer"] == f"{base}/fhir"
    assert found(tab)["crs"]["grade"] == {"atLeast": 2, "atMost": 3}


def test_each_query_of_the_prefetch_is_on_the_page_with_what_came(base: str) -> None:
    text = Tab(base, CANNULA).page.text("answer")
    assert f"Patient/{CANNULA} read" in text
    assert f"MedicationAdministration?patient={CANNULA}&_sort=-effective-time&_count=200 2" in text


def test_choosing_a_drug_fires_order_select_for_that_order(base: str) -> None:
    tab = Tab(base, CANNULA).do("select", order="teclistamab")
    request = tab.wire("Request")
    assert request["hook"] == "order-select"
    assert request["context"]["selections"] == ["MedicationRequest/draft-1"]
    assert [one["id"] for one in drafted(request)] == ["draft-1"]
    assert "Hold teclistamab" in tab.page.text("answer")


def test_several_drafts_are_signed_together(base: str) -> None:
    tab = Tab(base, CANNULA)
    tab.do("select", order="teclistamab").do("select", order="dexamethasone")
    assert tab.wire("Request")["context"]["selections"] == ["MedicationRequest/draft-2"]
    request = tab.do("sign", order="anakinra").wire("Request")
    assert request["hook"] == "order-sign"
    texts = [one["medicationCodeableConcept"]["text"] for one in drafted(request)]
    assert len(texts) == 2
    assert "teclistamab" in texts[0]
    assert texts[1] == "dexamethasone"


def test_sign_without_a_draft_signs_the_chosen_order(base: str) -> None:
    request = Tab(base, CANNULA).do("sign", order="tarlatamab").wire("Request")
    assert [one["status"] for one in drafted(request)] == ["draft"]
    assert found(Tab(base, CANNULA).do("sign", order="tarlatamab"))["orders"][0]["ingredient"] == (
        "tarlatamab"
    )


def test_a_regimen_is_several_medication_requests_selected_at_once(base: str) -> None:
    request = Tab(base, CANNULA).do("select", order="regimen-teclistamab").wire("Request")
    orders = drafted(request)
    assert {one["resourceType"] for one in orders} == {"MedicationRequest"}
    assert len(orders) == 4
    assert request["context"]["selections"] == [f"MedicationRequest/{one['id']}" for one in orders]


@pytest.mark.parametrize("protocol", ["us-label", "community-sop", "nhs-waht"])
def test_the_protocol_can_be_switched(base: str, protocol: str) -> None:
    tab = Tab(base, CANNULA).do("settings", protocol=protocol)
    assert found(tab)["protocol"]["id"] == protocol
    assert found(tab.do("sign"))["protocol"]["id"] == protocol


def test_a_hold_that_is_accepted_changes_the_draft_and_is_told(base: str) -> None:
    tab = Tab(base, CANNULA).do("sign", order="teclistamab")
    before = drafted(tab.wire("Request"))[0]
    tab.do("accept", hook="order-sign", card="0", suggestion="0")
    assert tab.orders()[0].startswith("on-hold: on-hold teclistamab")
    assert "The orders have changed." in tab.page.text("message")
    assert "accepted: Hold teclistamab" in tab.page.text("answer")
    assert "taken, HTTP 200" in tab.page.text("answer")
    after = drafted(tab.do("sign").wire("Request"))
    assert after == [{**before, "status": "on-hold"}]


def test_without_a_clinicians_grade_no_card_offers_to_remove_the_order(base: str) -> None:
    tab = Tab(base, "seizure-seven-minutes").do("sign", order="teclistamab")
    assert "confirm the grade" in tab.page.text("answer")
    assert "delete" not in action_types(tab)


def test_with_a_clinicians_grade_the_order_can_be_removed_by_the_card(base: str) -> None:
    tab = Tab(base, "seizure-seven-minutes")
    grade = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": "survey"}]}],
        "code": {"coding": [{"system": PROJECT, "code": "icans-grade"}]},
        "valueInteger": 4,
        "subject": {"reference": "Patient/seizure-seven-minutes"},
        "effectiveDateTime": "2026-11-21T11:59:00Z",
        "performer": [{"reference": "Practitioner/demo-clinician"}],
    }
    headers = {"Content-Type": "application/fhir+json"}
    url = f"{base}/open/fhir/Observation"
    assert requests.post(url, json=grade, headers=headers, timeout=10).status_code == 201
    tab.do("sign", order="teclistamab")
    place = action_types(tab).index("delete")
    tab.do("accept", hook="order-sign", card="0", suggestion=str(place))
    assert tab.orders()[0].startswith("removed: removed teclistamab")
    assert "taken, HTTP 200" in tab.page.text("answer")
    assert "None" not in tab.page.text("order")
    assert drafted(tab.do("sign", order="dexamethasone").wire("Request"))[0]["id"] == "draft-2"


# Community procedure, grade 4: give tocilizumab, 8 mg/kg; the story's patient weighs 82 kg.
@pytest.mark.parametrize(("ehr", "dose"), [("plain", 656), ("epic", None)])
def test_an_order_that_a_card_suggests_joins_the_drafts(
    base: str, ehr: str, dose: int | None
) -> None:
    tab = Tab(base, "two-vasopressors")
    tab.do("sign", order="teclistamab", protocol="community-sop", ehr=ehr)
    place = action_types(tab).index("create")
    tab.do("accept", hook="order-sign", card="0", suggestion=str(place))
    assert "tocilizumab" in tab.orders()[1]
    assert "(ordered from a card)" in tab.orders()[1]
    assert ("Epic takes the details from its own record" in tab.orders()[1]) == (ehr == "epic")
    made = drafted(tab.do("sign").wire("Request"))[1]
    told = [one["doseAndRate"][0] for one in made.get("dosageInstruction", ())]
    assert [one["doseQuantity"]["value"] for one in told] == ([] if dose is None else [dose])
    assert made["id"] != drafted(tab.wire("Request"))[0]["id"]


def test_an_override_is_told_with_its_reason_and_words(base: str) -> None:
    tab = Tab(base, CANNULA).do("sign", order="teclistamab")
    tab.do("override", hook="order-sign", card="0", reason="other-cause", comment="sepsis")
    text = tab.page.text("answer")
    assert "overridden: Hold teclistamab" in text
    assert "(The findings have another cause; sepsis)" in text
    assert "taken, HTTP 200" in text


def test_a_draft_that_is_taken_back_is_not_sent(base: str) -> None:
    tab = Tab(base, CANNULA).do("select", order="regimen-crs")
    tab.do("remove", draft="draft-1")
    assert len(tab.orders()) == 1
    assert len(drafted(tab.do("sign").wire("Request"))) == 1


def test_what_is_filed_is_an_order_of_the_chart(base: str) -> None:
    tab = Tab(base, "fever-only").do("sign", order="dexamethasone")
    tab.do("file")
    assert "Filed at the FHIR server: dexamethasone 10 mg IV (active)" in tab.page.text("message")
    assert tab.orders() == []
    found = tab.get("/open/fhir/MedicationRequest", patient="fever-only", status="active").json()
    assert found["total"] == 1
    assert tab.do("settings").wire("Request")["prefetch"]["orders"]["total"] == 1


def test_two_tabs_do_not_mix(base: str) -> None:
    one, other = Tab(base, CANNULA), Tab(base, "nothing-wrong")
    one.do("settings", protocol="nhs-waht").do("select", order="teclistamab")
    other.do("select", order="dexamethasone")
    assert one.visit != other.visit
    assert [text.split()[1] for text in one.look().orders()] == ["draft"]
    assert "teclistamab" in one.look().orders()[0]
    assert "dexamethasone" in other.look().orders()[0]
    assert found(other)["protocol"]["id"] == "us-label"
    assert "Nora" in other.page.text("chart")


def test_a_visit_as_epic_sends_drugs_by_reference_and_long_ids(base: str) -> None:
    plain = Tab(base, CANNULA).do("sign", order="teclistamab")
    epic = Tab(base, CANNULA).do("sign", order="teclistamab", ehr="epic")
    bundle = epic.wire("Request")["context"]["draftOrders"]["entry"]
    order, medication = (one["resource"] for one in bundle)
    assert order["medicationReference"]["reference"] == f"Medication/{medication['id']}"
    assert len(order["id"]) == 194
    assert [one["summary"] for one in epic.wire("Response")["cards"]] == [
        one["summary"] for one in plain.wire("Response")["cards"]
    ]
    epic.do("accept", hook="order-sign", card="0", suggestion="0")
    assert epic.orders()[0].startswith("on-hold: on-hold teclistamab")


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        ("no-drug", 412, "context.draftOrders"),
        ("other-patient", 400, "prefetch.vitals"),
        ("other-server", 400, "fhirServer: is not the FHIR base of this site"),
        ("no-instance", 400, "hookInstance: is required"),
        ("no-service", 404, "no service has this id"),
    ],
)
def test_what_the_service_refuses_is_shown_with_its_place(
    base: str, fault: str, status: int, said: str
) -> None:
    text = Tab(base, CANNULA).do("sign", order="teclistamab", fault=fault).page.text("answer")
    assert f"HTTP {status}" in text
    assert said in text
    assert "Not evaluated." in text


def test_vital_signs_that_were_not_answered_are_missing_and_not_normal(base: str) -> None:
    tab = Tab(base, "nothing-wrong").do("sign", order="teclistamab", fault="no-vitals")
    assert "vitals" not in tab.wire("Request")["prefetch"]
    assert found(tab)["disposition"]["action"] != "no-toxicity"
    assert tab.wire("Response")["cards"] != []


# The story says when each thing was charted: ASTCT grade 1 is fever alone, from 38.0 degrees.
@pytest.mark.parametrize(
    ("hour", "grade"),
    [
        pytest.param("-8", {"atLeast": 0, "atMost": 0}, id="before-the-fever"),
        pytest.param("-4", {"atLeast": 1, "atMost": 1}, id="at-the-first-fever-without-oxygen"),
    ],
)
def test_the_clock_shows_the_story_as_it_was_at_an_hour(base: str, hour: str, grade: Json) -> None:
    tab = Tab(base, CANNULA).do("settings", clock="story", hour=hour)
    at = NOW + timedelta(hours=float(hour))
    assert datetime.fromisoformat(found(tab)["evaluatedAt"]) == at
    times = [
        datetime.fromisoformat(one["resource"]["effectiveDateTime"])
        for one in tab.wire("Request")["prefetch"]["vitals"]["entry"]
    ]
    assert max(times) <= at
    assert found(tab)["crs"]["grade"] == grade
    assert found(tab.do("settings", clock="real"))["crs"]["grade"] == {"atLeast": 2, "atMost": 3}


@pytest.mark.parametrize("hour", ["", "x", "1", "--2", "1e3", "-99999999"])
def test_an_hour_that_is_none_is_refused_with_what_to_enter(base: str, hour: str) -> None:
    tab = Tab(base, CANNULA).do("settings", clock="story", hour=hour)
    assert "enter 0 or less" in tab.page.text("message")
    assert datetime.fromisoformat(found(tab)["evaluatedAt"]) == NOW


def test_an_infusion_that_ran_then_has_no_end_yet(base: str) -> None:
    tab = Tab(base, "resolved-long-grade-three").do("settings", clock="story", hour="-100")
    running_then = [
        one["resource"]
        for one in tab.wire("Request")["prefetch"]["administrations"]["entry"]
        if one["resource"]["status"] == "in-progress"
    ]
    assert len(running_then) == 1
    assert "end" not in running_then[0]["effectivePeriod"]
    assert found(tab)["crs"]["grade"] == {"atLeast": 3, "atMost": 3}


def test_the_timeline_is_drawn_with_words_and_a_table(base: str) -> None:
    tab = Tab(base, CANNULA).look(timeline="72")
    text = tab.page.text("chart")
    assert "Temperature, °C" in text
    assert "Every value, newest first" in text
    assert "38.8" in text
    assert "svg" in tab.page.tags
    early = tab.do("settings", clock="story", hour="-8").look(timeline="24").page.text("chart")
    assert "38.8" not in early.partition("Timeline until")[2]


@pytest.mark.parametrize("story", STORIES)
def test_every_story_opens_and_signs(base: str, story: str) -> None:
    tab = Tab(base, story).do("sign")
    assert "HTTP 200" in tab.page.text("answer")
    assert datetime.fromisoformat(found(tab)["evaluatedAt"]).astimezone(UTC) == NOW


@pytest.mark.parametrize("ehr", ["epic", "oracle"])
def test_a_vendors_door_gives_the_same_grade_or_a_wider_one(base: str, ehr: str) -> None:
    story = "second-tocilizumab"
    plain = found(Tab(base, story).do("sign"))["crs"]["grade"]
    tab = Tab(base, story).do("sign", ehr=ehr)
    grade = found(tab)["crs"]["grade"]
    assert grade["atLeast"] <= plain["atLeast"] <= plain["atMost"] <= grade["atMost"]
    systems = {
        coding.get("system", "")
        for one in tab.wire("Request")["prefetch"]["vitals"]["entry"]
        if one["resource"]["resourceType"] == "Observation"
        for coding in one["resource"]["code"]["coding"]
    }
    vendors = {"epic": "urn:oid:1.2.840.114350", "oracle": "https://fhir.cerner.com"}
    assert any(system.startswith(vendors[ehr]) for system in systems)
    assert f"{base}/{ehr}/fhir" not in tab.wire("Request")["prefetch"]["vitals"].__repr__()
