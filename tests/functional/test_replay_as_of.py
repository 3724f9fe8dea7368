"""`replay` looks back without knowing what came later: nothing that was charted, ended, changed or
filed after a moment may change what is said of that moment."""

import copy
import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds.demo.story import Given, Infusion, Vitals
from cds.hook_request import HookRequest
from cds.replay.choosing import Choice, setup_of
from cds.replay.exported import read_exports
from cds.replay.judge import Judge
from cds.replay.ledger import sources
from cds.replay.state import State
from cds.replay.tally import Origin
from cds.replay.values import Row
from tests.functional.replay_files import (
    LATEST,
    NOW,
    STORIES,
    Json,
    at,
    by_name,
    export,
    rates,
    replayed,
    request,
    resources,
    save,
    story,
)


SETUP = setup_of(Choice(), {})
LONG = STORIES["resolved-long-grade-three"]
SECOND_TOCILIZUMAB = STORIES["second-tocilizumab"]
Said = dict[tuple[int, int], tuple[datetime, bytes]]


class Recorded:
    """A record and what is said of it; without a long representation, which hypothesis refuses."""

    def __init__(self, folder: Path, found: list[Json], said: Said) -> None:
        self.folder, self.found, self.said = folder, found, said


class Listening(Judge):
    """Keeps the answer of each moment by its row."""

    def __init__(self, state: State) -> None:
        super().__init__(SETUP, state.tally, time.monotonic)
        self.said: Said = {}

    def moment(self, origin: Origin, row: Row, request: HookRequest, at: datetime) -> str:
        answer = self._evaluate(request, at, SETUP.library).response
        self.said[row.file, row.line] = (at, answer)
        return super().moment(origin, row, request, at)


def said_of(folder: Path) -> Said:
    """What is said at each moment of an export."""
    state = State(SETUP, time.monotonic)
    listening = state.judge = Listening(state)
    read_exports(sources(folder), state)
    return listening.said


def assessment(answer: bytes) -> Json:
    found: Json = json.loads(answer)["extension"]["org.btce-cds.assessment"]
    return found


def as_by_now(one: Json, known: str) -> Json:
    return {**one, "meta": {"lastUpdated": known}}


def later_resources(hours: float, before: float, kind: str, grade: int) -> Json:
    """Something that became known at `hours`, about a time `before` that or about that time."""
    known, about = at(hours), at(hours - before)
    vitals = Vitals(at=hours - before, temperature=39.9, pressure=(70, 40), spo2=80)
    temperature = resources(story(vitals, id_=LONG.id))[2]
    given_ = resources(story(Given(at=hours, drug="tocilizumab", mg=560, route="IV"), id_=LONG.id))
    subject = {"reference": f"Patient/{LONG.id}"}
    toxicity = "https://btce-cds.org/fhir/CodeSystem/toxicity-assessment"
    made: dict[str, Json] = {
        "vital": {**temperature, "effectiveDateTime": known},
        "vital-issued": {**temperature, "issued": known},
        "vital-filed": as_by_now(temperature, known),
        "given": given_[-1],
        "given-filed": as_by_now({**given_[-1], "effectiveDateTime": about}, known),
        "grade": {
            **temperature,
            "code": {"coding": [{"system": toxicity, "code": "crs-grade"}]},
            "valueQuantity": None,
            "valueInteger": grade,
            "performer": [{"reference": "Practitioner/1"}],
            "issued": known,
        },
        "diagnosis": {
            "resourceType": "Condition",
            "subject": subject,
            "code": {
                "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "D89.834"}]
            },
            "onsetDateTime": about,
            "recordedDate": known,
        },
        "stay": {
            "resourceType": "Encounter",
            "status": "in-progress",
            "class": {"code": "EMER"},
            "subject": subject,
            "period": {"start": known},
        },
        "allergy": {
            "resourceType": "AllergyIntolerance",
            "patient": subject,
            "code": {"text": "teclistamab"},
            "recordedDate": known,
        },
        "order": {
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"text": "tocilizumab"},
            "subject": subject,
            "authoredOn": known,
        },
        "death": {
            "resourceType": "Patient",
            "id": LONG.id,
            "meta": {"lastUpdated": known},
            "active": False,
            "deceasedDateTime": known,
        },
    }
    return {**made[kind], "id": LONG.id if kind == "death" else f"later-{kind}"}


KINDS = [
    "vital",
    "vital-issued",
    "vital-filed",
    "given",
    "given-filed",
    "grade",
    "diagnosis",
    "stay",
    "allergy",
    "order",
    "death",
]
LATER = st.builds(
    later_resources,
    st.sampled_from([-149.0, -131.5, -100.0, -50.0, -10.0, -0.25]),
    st.sampled_from([0.5, 3.0, 30.0, 120.0]),
    st.sampled_from(KINDS),
    st.integers(0, 4),
)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("record")
    order = request(LONG)["context"]["draftOrders"]["entry"][0]["resource"]
    orders = [
        {**order, "id": f"order-{hours}", "authoredOn": at(hours)}
        for hours in (-130, -100, -60, -1)
    ]
    found = [*resources(LONG), *orders]
    return Recorded(folder, found, said_of(export(folder / "before", *found)))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(LATER, min_size=1, max_size=4))
def test_what_becomes_known_later_changes_nothing_that_was_said_before(
    record: Recorded, later: list[Json]
) -> None:
    folder, found, before = record.folder, record.found, record.said
    known = [known_at(one) for one in later]
    into = folder / "after"
    for path in into.rglob("*") if into.exists() else ():
        path.unlink()
    export(into, *found)
    export(into, *later, name=LATEST)
    after = said_of(into)
    first = min(known)
    compared = [row for row, (moment, _) in before.items() if moment < first]
    assert compared
    for row in compared:
        assert after[row] == before[row]


def known_at(one: Json) -> datetime:
    times = (one.get("issued"), one.get("meta", {}).get("lastUpdated"), one.get("recordedDate"))
    text = next((text for text in times if text), None)
    text = text or one.get("effectiveDateTime") or one.get("authoredOn") or one["period"]["start"]
    return datetime.fromisoformat(text)


def test_what_was_known_before_does_change_it(record: Recorded) -> None:
    """So that the property above can fail."""
    folder, found, before = record.folder, record.found, record.said
    grade = later_resources(-130.25, 0.0, "grade", 4)
    export(folder / "graded", *found)
    after = said_of(export(folder / "graded", grade, name=LATEST))
    moments = {moment: (before[row][1], after[row][1]) for row, (moment, _) in before.items()}
    one, other = moments[NOW - timedelta(hours=130)]
    assert one != other


# --- parts of a resource that came later ---------------------------------------------------------


PRESSORS = (
    Given(at=-40, drug="teclistamab", mg=21, route="SC"),
    Vitals(at=-9, temperature=38.6, pressure=(84, 50), spo2=97, device="room-air"),
)
TOCILIZUMAB = Given(at=-8, drug="tocilizumab", mg=560, route="IV")


def test_an_infusion_that_ended_later_was_running(tmp_path: Path) -> None:
    ended = story(
        *PRESSORS, Infusion(at=-10, until=-5, drug="norepinephrine", rate=0.1), TOCILIZUMAB
    )
    running = story(*PRESSORS, Infusion(at=-10, drug="norepinephrine", rate=0.1), TOCILIZUMAB)
    one = said_of(export(tmp_path / "ended", *resources(ended)))
    other = said_of(export(tmp_path / "running", *resources(running)))
    assert sorted(one.values()) == sorted(other.values())
    (level,) = (
        assessment(answer)["crs"]["axes"]["hypotension"]["level"]
        for moment, answer in one.values()
        if moment == NOW - timedelta(hours=8)
    )
    assert level == "one-vasopressor"


def test_a_diagnosis_that_abated_later_was_active(tmp_path: Path) -> None:
    condition = {
        "resourceType": "Condition",
        "id": "c1",
        "clinicalStatus": {"coding": [{"code": "resolved"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "D89.832"}]},
        "subject": {"reference": f"Patient/{CASE.id}"},
        "onsetDateTime": at(-20),
        "recordedDate": at(-19),
    }
    active = {**condition, "clinicalStatus": {"coding": [{"code": "active"}]}}
    one = said_of(
        export(tmp_path / "one", *resources(CASE), {**condition, "abatementDateTime": at(-2)})
    )
    other = said_of(export(tmp_path / "other", *resources(CASE), active))
    assert one == other


CASE = story(*PRESSORS, TOCILIZUMAB)


def test_who_died_later_was_alive(tmp_path: Path) -> None:
    before = said_of(export(tmp_path / "before", *resources(CASE)))
    found = copy.deepcopy(resources(CASE))
    for later in ({"deceasedDateTime": at(-1)}, {"deceasedBoolean": True}):
        found[0] = {**resources(CASE)[0], **later}
        assert said_of(export(tmp_path / "after", *found)) == before


def test_the_dose_of_a_moment_is_not_yet_given_at_it(tmp_path: Path) -> None:
    """Nor is it at the moment of the order it fulfils, were both at the same minute."""
    only = story(Given(at=-8, drug="teclistamab", mg=4.2, route="SC"))
    found = resources(only)
    order = request(only)["context"]["draftOrders"]["entry"][0]["resource"]
    found.append({**order, "id": "o1", "authoredOn": at(-8)})
    found[2]["request"] = {"reference": "MedicationRequest/o1"}
    said = said_of(export(tmp_path / "in", *found))
    assert len(said) == 2
    for _, answer in said.values():
        assert assessment(answer)["crs"]["reason"] == "not-exposed"


# --- which time counts ---------------------------------------------------------------------------


FEVER = Vitals(at=-9, temperature=38.6, pressure=(120, 80), spo2=97, device="room-air")
FEVERISH = story(Given(at=-40, drug="teclistamab", mg=21, route="SC"), FEVER, TOCILIZUMAB)


def with_times(**times: Any) -> list[Json]:
    found = resources(FEVERISH)
    return [{**one, **times} if one["resourceType"] == "Observation" else one for one in found]


def assessed(tmp_path: Path, found: list[Json], *options: str) -> tuple[int, dict[str, int]]:
    report = replayed(export(tmp_path / "in", *found), tmp_path / "out", *options)
    return report["grades"][0]["assessed"]["count"], by_name(report["asOf"]["leftOut"])


TIMES: list[Any] = [
    pytest.param({}, 1, id="charted at the time it is about, where nothing else is said"),
    pytest.param({"issued": at(-8)}, 1, id="issued at the very moment"),
    pytest.param({"issued": at(-7.9)}, 0, id="issued a little later"),
    pytest.param({"meta": {"lastUpdated": at(-7)}}, 0, id="last updated later"),
    pytest.param({"issued": at(-8.5), "meta": {"lastUpdated": at(-7)}}, 1, id="issued comes first"),
    pytest.param({"issued": "soon"}, 0, id="issued at no time that can be read"),
    pytest.param({"issued": "2026-11-21"}, 0, id="issued on a day that was not over"),
    pytest.param({"issued": "2026-11-19"}, 1, id="issued on a day before"),
]


@pytest.mark.parametrize(("times", "count"), TIMES)
def test_an_observation_counts_once_it_was_surely_known(
    tmp_path: Path, times: Json, count: int
) -> None:
    assert assessed(tmp_path, with_times(**times))[0] == count


def test_the_load_date_of_an_export_hides_everything_and_can_be_passed_over(
    tmp_path: Path,
) -> None:
    found = with_times(meta={"lastUpdated": "2026-12-24T00:00:00Z"})
    count, left = assessed(tmp_path, found)
    assert count == 0
    assert left["last-updated"] > 0
    count, left = assessed(tmp_path, found, "--ignore-last-updated")
    assert count == 1
    assert "last-updated" not in left


def test_what_has_no_time_never_counts_and_is_counted(tmp_path: Path) -> None:
    found = with_times(effectiveDateTime=None)
    assert assessed(tmp_path, found)[1]["no-time"] > 0


# --- saved requests ------------------------------------------------------------------------------


def test_what_is_surely_later_than_its_draft_is_left_out_of_a_request(tmp_path: Path) -> None:
    one = STORIES["cannula-without-flow"]
    body = request(one)
    body["context"]["draftOrders"]["entry"][0]["resource"]["authoredOn"] = at(-5)
    report = replayed(save(tmp_path / "in", body), tmp_path / "out")
    assert rates(report["actions"]) == {"no-toxicity": 1}
    assert by_name(report["asOf"]["leftOut"])["effective"] > 0


def test_a_request_without_a_time_is_taken_as_of_the_latest_thing_in_it(tmp_path: Path) -> None:
    body = request(STORIES["cannula-without-flow"])
    del body["context"]["draftOrders"]["entry"][0]["resource"]["authoredOn"]
    report = replayed(save(tmp_path / "in", body), tmp_path / "out")
    assert report["moments"]["timedByLatest"] == 1
    assert rates(report["actions"]) == {"withhold": 1}


def test_adding_nothing_keeps_every_byte(tmp_path: Path) -> None:
    found = resources(SECOND_TOCILIZUMAB)
    one = said_of(export(tmp_path / "one", *found))
    assert one == said_of(export(tmp_path / "two", *copy.deepcopy(found)))
    assert msgspec.json.decode(next(iter(one.values()))[1])["cards"] is not None
