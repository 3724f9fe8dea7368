"""What the project relies on of a FHIR R4 server, asked of HAPI. FHIR R4, "RESTful API", "Search".

Each test has a patient of its own, so that the server may hold other data.
"""

from typing import Any

import pytest

from tests.live.fhir import SECONDS, Fhir, Json, last_updated, new_id, updated, version


pytestmark = pytest.mark.live

LOINC = "http://loinc.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
IDENTIFIERS = "https://btce-cds.org/fhir/test-identifier"


def vital(patient: str, code: str, hour: int, value: float, **other: Any) -> Json:
    """A vital sign of 20 November 2026 at that hour UTC, with an id."""
    return {
        "resourceType": "Observation",
        "id": new_id(f"o{hour}"),
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": f"2026-11-20T{hour:02}:00:00Z",
        "valueQuantity": {
            "value": value,
            "unit": "1",
            "system": "http://unitsofmeasure.org",
            "code": "1",
        },
        **other,
    }


class Chart:
    """A patient with a temperature at 1, 2, 3, 4, 5 o'clock, a saturation at 3 and one lab at 4."""

    def __init__(self, fhir: Fhir) -> None:
        self.patient = new_id("p")
        self.temperatures = [vital(self.patient, "8310-5", hour, 36 + hour) for hour in range(1, 6)]
        self.saturation = vital(self.patient, "59408-5", 3, 97)
        lab = {"category": [{"coding": [{"system": CATEGORY, "code": "laboratory"}]}]}
        self.lab = vital(self.patient, "2276-4", 4, 900, **lab)
        whose = {"resourceType": "Patient", "id": self.patient, "birthDate": "1960-01-01"}
        fhir.transaction(
            *map(updated, (whose, *self.temperatures, self.saturation, self.lab)),
        )

    @property
    def by_hour(self) -> list[str]:
        """The ids of the temperatures, oldest first."""
        return [one["id"] for one in self.temperatures]

    def query(self, search: str) -> str:
        """A search of this patient's Observations."""
        return f"Observation?patient={self.patient}&{search}"


@pytest.fixture(scope="module")
def chart(fhir: Fhir) -> Chart:
    return Chart(fhir)


# --- one resource ---------------------------------------------------------------------------------


def test_server_says_that_it_is_r4_and_has_subscriptions(fhir: Fhir) -> None:
    said = fhir.get("metadata")
    assert said["fhirVersion"] == "4.0.1"
    assert "Subscription" in {one["type"] for one in said["rest"][0]["resource"]}


def test_created_resource_is_read_where_the_location_says(fhir: Fhir) -> None:
    patient = {"resourceType": "Patient", "birthDate": "1970-02-03"}
    answer = fhir.send("POST", "Patient", patient)
    assert answer.status_code == 201
    assert answer.headers["Location"].startswith(f"{fhir.base}/Patient/")
    assert fhir.get(answer.headers["Location"].partition("/_history")[0])["birthDate"] == (
        "1970-02-03"
    )


def test_client_gives_the_id_and_an_update_counts_the_version_up(fhir: Fhir) -> None:
    patient = {"resourceType": "Patient", "id": new_id(), "gender": "male"}
    first = fhir.put(patient)
    second = fhir.put({**patient, "gender": "female"})
    assert first["id"] == second["id"] == patient["id"]
    assert int(version(second)) == int(version(first)) + 1
    assert last_updated(second) > last_updated(first)
    assert fhir.get(f"Patient/{patient['id']}")["gender"] == "female"


def test_numeric_id_of_a_client_is_taken(fhir: Fhir) -> None:
    number = str(int(new_id().removeprefix("t-"), 16))
    assert fhir.put({"resourceType": "Patient", "id": number})["id"] == number


def test_history_has_every_version(fhir: Fhir) -> None:
    patient = {"resourceType": "Patient", "id": new_id(), "gender": "male"}
    fhir.put(patient)
    fhir.put({**patient, "gender": "female"})
    past = fhir.get(f"Patient/{patient['id']}/_history")
    assert past["type"] == "history"
    assert [one["resource"]["gender"] for one in past["entry"]] == ["female", "male"]


def test_update_of_an_older_version_is_refused(fhir: Fhir) -> None:
    patient = {"resourceType": "Patient", "id": new_id(), "gender": "male"}
    path = f"Patient/{patient['id']}"
    first = version(fhir.put(patient))
    changed = fhir.send("PUT", path, {**patient, "gender": "other"}, If_Match=f'W/"{first}"')
    late = fhir.send("PUT", path, {**patient, "gender": "female"}, If_Match=f'W/"{first}"')
    assert changed.status_code == 200
    assert late.status_code in {409, 412}  # R4 says 412, HAPI answers 409
    assert fhir.get(path)["gender"] == "other"


def test_conditional_create_makes_one_resource_however_often_it_is_sent(fhir: Fhir) -> None:
    identifier = {"system": IDENTIFIERS, "value": new_id()}
    flag = {
        "resourceType": "Flag",
        "identifier": [identifier],
        "status": "active",
        "code": {"text": "test"},
        "subject": {"reference": "Patient/nobody"},
    }
    found = f"identifier={IDENTIFIERS}|{identifier['value']}"
    answers = [fhir.send("POST", "Flag", flag, If_None_Exist=found) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 200]
    assert len(fhir.ids(f"Flag?{found}")) == 1


def test_deleted_resource_is_gone_and_not_found_by_search(fhir: Fhir) -> None:
    patient = fhir.new_patient()
    one = fhir.put(vital(patient, "8310-5", 1, 38))
    assert fhir.ids(f"Observation?patient={patient}") == [one["id"]]
    assert fhir.send("DELETE", f"Observation/{one['id']}").status_code in {200, 204}
    assert fhir.send("GET", f"Observation/{one['id']}").status_code == 410
    assert fhir.ids(f"Observation?patient={patient}") == []


def test_what_is_not_there_is_answered_with_an_operation_outcome(fhir: Fhir) -> None:
    answer = fhir.send("GET", f"Patient/{new_id()}")
    assert answer.status_code == 404
    assert answer.json()["resourceType"] == "OperationOutcome"


# --- transactions ---------------------------------------------------------------------------------


def test_transaction_replaces_urn_uuids_by_the_new_ids(fhir: Fhir) -> None:
    whose, whom = "urn:uuid:0b1f9a1e-2d0c-4c5a-8a55-000000000001", new_id("p")
    observation = vital(whom, "8310-5", 1, 38, subject={"reference": whose})
    del observation["id"]
    patient = {"resourceType": "Patient", "gender": "male"}
    made = fhir.transaction(
        {"fullUrl": whose, "resource": patient, "request": {"method": "POST", "url": "Patient"}},
        {"resource": observation, "request": {"method": "POST", "url": "Observation"}},
    )
    assert made["type"] == "transaction-response"
    first, second = (one["response"]["location"].partition("/_history")[0] for one in made["entry"])
    assert fhir.get(second)["subject"]["reference"] == first


def test_transaction_with_one_bad_entry_changes_nothing(fhir: Fhir) -> None:
    patient = {"resourceType": "Patient", "id": new_id("p")}
    bad = {"resource": {"resourceType": "Patient"}, "request": {"method": "PUT", "url": "Patient"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [updated(patient), bad]}
    assert 400 <= fhir.send("POST", "", bundle).status_code < 500
    assert fhir.send("GET", f"Patient/{patient['id']}").status_code == 404


# --- search ---------------------------------------------------------------------------------------


def test_search_by_patient_finds_that_patient_s_and_no_other(fhir: Fhir, chart: Chart) -> None:
    other = fhir.put(vital(fhir.new_patient(), "8310-5", 1, 40))
    found = fhir.ids(f"Observation?patient={chart.patient}&_count=50")
    assert set(found) == {*chart.by_hour, chart.saturation["id"], chart.lab["id"]}
    assert other["id"] not in found
    assert set(fhir.ids(f"Observation?patient=Patient/{chart.patient}&_count=50")) == set(found)


@pytest.mark.parametrize(
    ("search", "codes"),
    [
        pytest.param("code=59408-5", {"59408-5"}, id="code alone"),
        pytest.param(f"code={LOINC}|59408-5", {"59408-5"}, id="system and code"),
        pytest.param("code=http://snomed.info/sct|59408-5", set(), id="code of another system"),
        pytest.param(
            f"code={LOINC}|59408-5,{LOINC}|2276-4", {"59408-5", "2276-4"}, id="one of several codes"
        ),
        pytest.param("category=laboratory", {"2276-4"}, id="category"),
        pytest.param("category=vital-signs", {"8310-5", "59408-5"}, id="another category"),
        pytest.param(f"category={CATEGORY}|laboratory", {"2276-4"}, id="category with its system"),
        pytest.param("category=vital-signs&code=59408-5", {"59408-5"}, id="both"),
    ],
)
def test_search_by_token(fhir: Fhir, chart: Chart, search: str, codes: set[str]) -> None:
    found = fhir.get(chart.query(search)).get("entry", ())
    assert {one["resource"]["code"]["coding"][0]["code"] for one in found} == codes


@pytest.mark.parametrize(
    ("dates", "hours"),
    [
        pytest.param("date=ge2026-11-20T03:00:00Z", [3, 4, 5], id="from an instant on"),
        pytest.param("date=gt2026-11-20T03:00:00Z", [4, 5], id="after an instant"),
        pytest.param("date=lt2026-11-20T03:00:00Z", [1, 2], id="before an instant"),
        pytest.param("date=le2026-11-20T03:00:00Z", [1, 2, 3], id="until an instant"),
        pytest.param(
            "date=ge2026-11-20T02:00:00Z&date=lt2026-11-20T04:00:00Z", [2, 3], id="a range"
        ),
        pytest.param("date=ge2026-11-20T05:30:00%2B02:00", [4, 5], id="another zone"),
        pytest.param("date=2026-11-20", [1, 2, 3, 4, 5], id="a day"),
        pytest.param("date=2026-11-19", [], id="a day without any"),
    ],
)
def test_search_by_date(fhir: Fhir, chart: Chart, dates: str, hours: list[int]) -> None:
    found = fhir.ids(chart.query(f"code=8310-5&{dates}"))
    assert sorted(found) == sorted(chart.by_hour[hour - 1] for hour in hours)


def test_sort_by_date_gives_the_newest_first_and_count_limits_the_page(
    fhir: Fhir, chart: Chart
) -> None:
    newest = list(reversed(chart.by_hour))
    assert fhir.ids(chart.query("code=8310-5&_sort=-date")) == newest
    assert fhir.ids(chart.query("code=8310-5&_sort=date")) == chart.by_hour
    assert fhir.ids(chart.query("code=8310-5&_sort=-date&_count=2")) == newest[:2]


def test_next_links_lead_through_every_page_once_and_stay_below_the_base(
    fhir: Fhir, chart: Chart
) -> None:
    seen: list[str] = []
    url = chart.query("code=8310-5&_sort=-date&_count=2")
    while url:
        page = fhir.get(url)
        assert len(page["entry"]) <= 2
        seen += [one["resource"]["id"] for one in page["entry"]]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
        assert not url or url.startswith((f"{fhir.base}?", f"{fhir.base}/"))
    assert seen == list(reversed(chart.by_hour))


def test_post_search_finds_what_get_finds(fhir: Fhir, chart: Chart) -> None:
    form = {"patient": chart.patient, "code": f"{LOINC}|8310-5", "_sort": "-date", "_count": "3"}
    answer = fhir.session.post(f"{fhir.base}/Observation/_search", data=form, timeout=SECONDS)
    assert answer.status_code == 200
    found = [one["resource"]["id"] for one in answer.json()["entry"]]
    assert found == list(reversed(chart.by_hour))[:3]


def test_last_updated_finds_what_was_stored_since(fhir: Fhir) -> None:
    patient = fhir.new_patient()
    first = fhir.put(vital(patient, "8310-5", 5, 38))
    second = fhir.put(vital(patient, "8310-5", 1, 39))
    since = second["meta"]["lastUpdated"].replace("+", "%2B")
    search = f"Observation?patient={patient}&_lastUpdated"
    assert fhir.ids(f"{search}=ge{since}") == [second["id"]]
    assert fhir.ids(f"{search}=lt{since}") == [first["id"]]
    again = fhir.put({**vital(patient, "8310-5", 5, 40), "id": first["id"]})
    assert set(fhir.ids(f"{search}=ge{since}")) == {second["id"], again["id"]}


def test_include_adds_the_patient(fhir: Fhir, chart: Chart) -> None:
    page = fhir.get(chart.query("code=59408-5&_include=Observation:subject"))
    modes = {one["resource"]["resourceType"]: one["search"]["mode"] for one in page["entry"]}
    assert modes == {"Observation": "match", "Patient": "include"}


def test_summary_counts(fhir: Fhir, chart: Chart) -> None:
    page = fhir.get(chart.query("code=8310-5&_summary=count"))
    assert (page["total"], page.get("entry")) == (5, None)


def test_unknown_parameter_is_refused_when_handling_is_strict(fhir: Fhir, chart: Chart) -> None:
    answer = fhir.send("GET", chart.query("no-such-thing=1"), Prefer="handling=strict")
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_number_comes_back_with_the_digits_it_was_sent_with(fhir: Fhir) -> None:
    body = vital(new_id("p"), "8310-5", 1, 38)
    text = str(body).replace("'", '"').replace(": 38,", ": 38.50,")
    assert "38.50" in text
    path = f"{fhir.base}/Observation/{body['id']}"
    headers = {"Content-Type": "application/fhir+json"}
    put = fhir.session.put(path, data=text, headers=headers, timeout=SECONDS)
    assert put.status_code == 201
    assert '"value":38.50' in fhir.send("GET", path).text.replace(" ", "")
