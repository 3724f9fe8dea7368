"""The named quirks over a real socket: what a client of such a server meets.

Expectations are from the public sources that cds/demo/fhir/vendors.py names with each quirk.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from cds.demo.fhir import quirks_of
from cds.demo.fhir.vendors import NAMED, SETS
from cds.demo.observations import vitals
from cds.demo.story import Vitals
from tests.demo.fhir_sandbox import NOW, Client, Json, observation, patient, served


FLOWSHEET = "urn:oid:1.2.840.114350.1.13.0.1.7.2.707679"
CODE_SET = "https://fhir.cerner.com/ec2458f2-1e24-41c8-b71b-0e701af7583d/codeSet/72"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
OF_P1 = "Observation?patient=p1&category=vital-signs"


def charted() -> list[Json]:
    """Four sets of vital signs, an hour apart, oldest first; a dose and an infusion."""
    found: list[Json] = [patient("p1")]
    for hour in range(4, 0, -1):
        at = (NOW - timedelta(hours=hour)).isoformat()
        charted = Vitals(at=-hour, temperature=38.5, pressure=(120, 70), spo2=95)
        for name, one in zip(("t", "b", "s"), vitals(charted), strict=True):
            of = {"id": f"{name}{hour}", "subject": {"reference": "Patient/p1"}}
            found.append({**one, **of, "effectiveDateTime": at})
    drug = {"coding": [{"system": RXNORM, "code": "7512"}], "text": "norepinephrine"}
    given = {
        "resourceType": "MedicationAdministration",
        "id": "m1",
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": drug,
        "effectiveDateTime": NOW.isoformat(),
        "dosage": {"rateQuantity": {"value": 0.1, "unit": "ug/kg/min"}},
    }
    return [*found, given]


@pytest.fixture(scope="module", params=["epic", "oracle"])
def vendor(request: pytest.FixtureRequest) -> Iterator[tuple[str, Client]]:
    with served(quirks=quirks_of(request.param)) as fhir:
        fhir.store.load(charted(), now=NOW)
        yield request.param, fhir


@pytest.fixture(scope="module")
def epic() -> Iterator[Client]:
    with served(quirks=quirks_of("epic")) as fhir:
        fhir.store.load(charted(), now=NOW)
        yield fhir


@pytest.fixture(scope="module")
def oracle() -> Iterator[Client]:
    with served(quirks=quirks_of("oracle")) as fhir:
        fhir.store.load(charted(), now=NOW)
        yield fhir


def matches(bundle: Json) -> list[Json]:
    return [one["resource"] for one in bundle["entry"] if one["search"]["mode"] == "match"]


def links(bundle: Json) -> dict[str, str]:
    return {one["relation"]: one["url"] for one in bundle["link"]}


def issues(bundle: Json) -> list[Json]:
    notes = [one for one in bundle["entry"] if one["search"]["mode"] == "outcome"]
    return [issue for one in notes for issue in one["resource"]["issue"]]


def codings(resource: Json) -> list[tuple[str, str]]:
    return [(one["system"], one["code"]) for one in resource["code"]["coding"]]


def test_every_quirk_says_what_it_is_and_where_that_is_from() -> None:
    for name, one in NAMED.items():
        assert one.what, name
        assert "http" in one.source, name
        assert one.settings, name
    assert set(SETS) == {"none", "epic", "oracle"}
    assert all(name in NAMED for names in SETS.values() for name in names)


def test_an_unknown_quirk_is_refused() -> None:
    with pytest.raises(KeyError):
        quirks_of("epik")


def test_quirks_add_up() -> None:
    both = quirks_of("panel-only", "ignored-parameters")
    assert {"_sort", "component-code"} <= both.ignored
    assert len(quirks_of("flowsheet-codings", "proprietary-codings").shapes) == 3


def test_without_quirks_the_resource_is_as_it_was_written() -> None:
    with served(quirks=quirks_of("none")) as fhir:
        fhir.store.load([observation("o1")], now=NOW)
        assert codings(fhir.get("Observation/o1").json()) == [(LOINC, "8310-5")]


@pytest.mark.parametrize("path", ["Observation/t1", f"{OF_P1}&_id=t1"])
def test_epic_has_the_flowsheet_row_first_and_loinc_behind_it(epic: Client, path: str) -> None:
    body = epic.get(path).json()
    (found,) = matches(body) if body["resourceType"] == "Bundle" else (body,)
    assert codings(found)[0] == (FLOWSHEET, "6")
    assert (LOINC, "8310-5") in codings(found)[1:]
    assert (LOINC, "8716-3") in codings(found)


def test_epic_has_a_pressure_as_components_of_two_panels(epic: Client) -> None:
    found = epic.get("Observation/b1").json()
    assert codings(found)[0] == (FLOWSHEET, "5")
    assert {(LOINC, "85354-9"), (LOINC, "55284-4")} <= set(codings(found))
    assert [part["valueQuantity"]["value"] for part in found["component"]] == [120, 70]
    assert "valueQuantity" not in found


def test_what_a_search_asks_for_is_what_is_shown() -> None:
    with served(quirks=quirks_of("flowsheet-alone")) as fhir:
        fhir.store.load(charted(), now=NOW)
        assert fhir.ids("Observation?patient=p1&code=8310-5") == []
        assert len(fhir.ids(f"Observation?patient=p1&code={FLOWSHEET}|6")) == 4
        assert {system for system, _ in codings(fhir.get("Observation/s1").json())} == {
            FLOWSHEET,
            "http://open.epic.com/FHIR/StructureDefinition/observation-flowsheet-id",
        }


def test_epic_names_a_drug_by_a_reference_that_can_be_read(epic: Client) -> None:
    given = epic.get("MedicationAdministration/m1").json()
    assert "medicationCodeableConcept" not in given
    named = given["medicationReference"]
    assert named["display"] == "norepinephrine"
    assert epic.get(named["reference"]).json()["code"]["coding"][0]["code"] == "7512"
    assert epic.get("Medication/rx-0").status_code == 404


def test_epic_ignores_the_order_and_says_so_in_an_entry_and_by_its_self_link(epic: Client) -> None:
    found = epic.bundle(f"{OF_P1}&_sort=-date&_count=100")
    assert "_sort" not in links(found)["self"]
    (issue,) = issues(found)
    assert (issue["severity"], issue["code"]) == ("information", "invalid")
    assert "_SORT" in issue["details"]["text"]
    shown = [one["id"] for one in matches(found)]
    assert shown == [f"{name}{hour}" for name in "tbs" for hour in (1, 2, 3, 4)]


def test_epic_answers_an_empty_search_with_a_total_of_0_and_a_warning(epic: Client) -> None:
    found = epic.bundle("Procedure?patient=p1")
    assert found["total"] == 0
    assert matches(found) == []
    (issue,) = issues(found)
    assert (issue["severity"], issue["details"]["coding"][0]["code"]) == ("warning", "4101")


def test_epic_counts_the_page_and_leads_on_by_a_session_alone(epic: Client) -> None:
    first = epic.bundle(f"{OF_P1}&_count=5")
    assert (first["total"], len(matches(first))) == (5, 5)
    following = links(first)["next"]
    assert set(parse_qs(urlsplit(following).query)) == {"sessionID"}
    second = epic.bundle(following)
    assert not {one["id"] for one in matches(first)} & {one["id"] for one in matches(second)}


def test_a_session_is_over_after_its_time() -> None:
    times = [NOW]
    with served(quirks=quirks_of("epic"), clock=lambda: times[-1]) as fhir:
        fhir.store.load(charted(), now=NOW)
        following = links(fhir.bundle(f"{OF_P1}&_count=5"))["next"]
        times.append(NOW + timedelta(seconds=299))
        assert fhir.get(following).status_code == 200
        times.append(NOW + timedelta(seconds=301))
        assert fhir.get(following).status_code == 410


def test_oracle_has_its_own_code_first_marked_as_the_users(oracle: Client) -> None:
    found = oracle.get("Observation/t1").json()
    assert codings(found) == [(CODE_SET, "703558"), (LOINC, "8310-5")]
    assert found["code"]["coding"][0]["userSelected"] is True


def test_oracle_finds_a_pressure_by_its_panel_only(oracle: Client) -> None:
    assert len(oracle.ids("Observation?patient=p1&code=85354-9")) == 4
    assert oracle.ids("Observation?patient=p1&code=8480-6") == []
    part = oracle.get("Observation/b1").json()["component"][0]
    assert codings(part) == [(CODE_SET, "703501"), (LOINC, "8480-6"), (LOINC, "85354-9")]


def test_oracle_leaves_units_out_of_some_values_and_changes_no_number(oracle: Client) -> None:
    found = matches(oracle.bundle(f"{OF_P1}&code=8310-5,59408-5"))
    values = [one["valueQuantity"] for one in found]
    bare = [one for one in values if set(one) == {"value"}]
    assert 0 < len(bare) < len(values)
    assert {one["value"] for one in values} == {38.5, 95}


def test_oracle_has_the_drug_of_an_infusion_in_a_contained_medication(oracle: Client) -> None:
    given = oracle.get("MedicationAdministration/m1").json()
    (mixed,) = given["contained"]
    assert given["medicationReference"]["reference"] == f"#{mixed['id']}"
    drug, diluent = (one["itemCodeableConcept"] for one in mixed["ingredient"])
    assert drug["coding"][0]["code"] == "7512"
    assert "coding" not in diluent


def test_oracle_has_no_total_and_leads_on_by_the_search_with_a_context(oracle: Client) -> None:
    first = oracle.bundle(f"{OF_P1}&_sort=-date&_count=5")
    assert "total" not in first
    assert "_sort" in links(first)["self"]
    query = parse_qs(urlsplit(links(first)["next"]).query)
    assert query["-pageDirection"] == ["NEXT"]
    assert query["patient"] == ["p1"]
    assert "-pageContext" in query
    assert [one["id"] for one in matches(first)][:3] == ["t1", "b1", "s1"]
    second = matches(oracle.bundle(links(first)["next"]))
    assert not {one["id"] for one in matches(first)} & {one["id"] for one in second}


def test_oracle_has_an_order_of_time_only_where_its_pages_state_one() -> None:
    hours = (3, 1, 2)
    times = {str(hour): (NOW - timedelta(hours=hour)).isoformat() for hour in hours}
    of = {"subject": {"reference": "Patient/p1"}}
    drug = {"medicationCodeableConcept": {"text": "dexamethasone"}, **of}
    made: list[Json] = []
    for hour, at in times.items():
        made += [
            {"resourceType": "Observation", "effectiveDateTime": at, "code": {}, **of},
            {"resourceType": "Encounter", "period": {"start": at}, "class": {}, **of},
            {"resourceType": "MedicationRequest", "authoredOn": at, **drug},
            {"resourceType": "MedicationAdministration", "effectiveDateTime": at, **drug},
            {"resourceType": "Procedure", "performedDateTime": at, **of},
            {"resourceType": "Condition", "recordedDate": at, **of},
        ]
        for one in made[-6:]:
            one |= {"id": hour, "status": "final"}
    with served(quirks=quirks_of("oracle")) as fhir:
        fhir.store.load([patient("p1"), *made], now=NOW)
        for kind in ("Observation", "Encounter"):
            found = fhir.ids(f"{kind}?patient=p1&_sort=date")
            assert found == [f"{kind}/{hour}" for hour in (1, 2, 3)]
        for kind in ("MedicationRequest", "MedicationAdministration", "Procedure", "Condition"):
            found = fhir.ids(f"{kind}?patient=p1&_sort=-date")
            assert found == [f"{kind}/{hour}" for hour in hours]


def test_oracle_has_200_entries_of_a_page_at_most() -> None:
    with served(quirks=quirks_of("oracle")) as fhir:
        fhir.store.load([observation(f"o{n}") for n in range(201)], now=NOW)
        assert len(matches(fhir.bundle("Observation?patient=p1&_count=1000"))) == 200


@pytest.mark.parametrize(
    "query",
    [
        "Observation?category=vital-signs",
        "Observation",
        "Condition?category=problem-list-item",
        "Observation?patient=p1&date=ne2026-11-21",
        "Observation?patient=p1&date=sa2026-11-21",
        "Observation?patient=p1&date=ge2026-11-20&date=ge2026-11-21",
        "Observation?patient=p1&date=ge2026&date=le2027&date=lt2027",
        "Observation?patient=p1&date=ge2026-11-20&_lastUpdated=ge2026-11-20",
        "MedicationAdministration?patient=p1&effective-time=ge2026-11-20",
        "MedicationAdministration?patient=p1&effective-time=2026-11-20T00:00:00Z",
    ],
)
def test_oracle_refuses(oracle: Client, query: str) -> None:
    answer = oracle.get(query)
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "query",
    [
        "Observation?patient=p1&date=ge2026-11-20&date=lt2026-11-22",
        "Observation?subject=Patient/p1&date=2026-11-21",
        "Observation?_id=t1",
        "MedicationAdministration?patient=p1&effective-time=ge2026-11-20T00:00:00Z",
        "Medication",
    ],
)
def test_oracle_answers(oracle: Client, query: str) -> None:
    assert oracle.get(query).status_code == 200


def test_neither_serves_subscriptions_or_says_so(vendor: tuple[str, Client]) -> None:
    _, fhir = vendor
    assert fhir.get("Subscription").status_code == 404
    (rest,) = fhir.get("metadata").json()["rest"]
    assert "Subscription" not in {one["type"] for one in rest["resource"]}


def test_what_is_written_through_a_vendors_door_is_kept_as_it_was_written() -> None:
    with served(quirks=quirks_of("epic")) as fhir:
        made = fhir.create(observation("", of="Patient/p1"))
        with fhir.store.reading() as records:
            kept = records.current("Observation", made["id"])
        assert kept is not None
        assert kept.resource is not None
        assert codings(kept.resource) == [(LOINC, "8310-5")]


@pytest.mark.parametrize(
    "odd",
    [
        {"code": "8310-5"},
        {"code": {"coding": "8310-5"}},
        {"code": {"coding": [None, {"code": 5}]}},
        {"component": ["x", {"code": None, "valueQuantity": "5"}]},
        {"category": "vital-signs", "valueQuantity": [{"value": 1}]},
    ],
)
def test_resources_of_an_odd_shape_are_shown_all_the_same(odd: Json) -> None:
    every = tuple(NAMED)
    with served(quirks=quirks_of(*every)) as fhir:
        fhir.store.load([{**observation("o1"), **odd}], now=NOW)
        assert fhir.get("Observation/o1").status_code == 200
        assert len(matches(fhir.bundle("Observation?patient=p1"))) == 1


def test_every_quirk_is_in_the_guide_with_its_source() -> None:
    guide = Path("docs/sandbox-fhir.md").read_text(encoding="utf-8")
    for name, one in NAMED.items():
        sets = ", ".join(name_ for name_ in ("epic", "oracle") if name in SETS[name_]) or "-"
        assert f"| `{name}` | {sets} | {one.what} | {one.source} |" in guide
