"""Write-back: what is built is valid FHIR and is read back as the facts that were charted."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mapping import write
from fhir_mapping.answers import CannotWrite
from fhir_mapping.definitions import questions
from fhir_mapping.write import Charting
from knowledge.facts import Facts, ToxicityName
from knowledge.library import load
from tests.builders import NOW, SNOMED, TOXICITY, Json, bundle
from tests.unit.fhir_mapping.mapped import map_request


AT = NOW - timedelta(hours=1)
BY = Charting("p1", "Practitioner/d1", AT)
FULL = {"ice-orientation": 4, "ice-naming": 3, "ice-command": 1, "ice-writing": 0}
MOST = {  # ASTCT 2019: ten points
    "ice-orientation": 4,
    "ice-naming": 3,
    "ice-command": 1,
    "ice-writing": 1,
    "ice-attention": 1,
}
ICANS, CRS = load().icans, load().crs
SEIZURES = [kind for kind in ICANS.seizure.levels if kind != "none"]
ANY = settings(max_examples=200, deadline=None)


def _read(*made: Json) -> Facts:
    """As a server would send them back: what was written, each with an id."""
    stored = [{**one, "id": f"o{index}"} for index, one in enumerate(made)]
    return map_request({"assessments": write.as_json(bundle(*stored))}).facts


def _clean(facts: Facts) -> bool:
    return (facts.missing, facts.notices, facts.unreadable) == ((), (), ())


# --- the Observation ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(write.ice(BY, {**FULL, "ice-attention": 1}), id="ICE"),
        pytest.param(write.capd(BY, 9), id="CAPD"),
        pytest.param(write.arousal(BY, "voice"), id="arousal"),
        pytest.param(write.seizure(BY, "brief", minutes=Decimal(2), count=1), id="seizure"),
        pytest.param(write.motor(BY, "focal-weakness"), id="motor"),
        pytest.param(write.raised_icp(BY, "papilledema"), id="raised ICP"),
        pytest.param(write.oxygen_device(BY, "336623009", flow=Decimal(2)), id="oxygen"),
        pytest.param(write.hypotension_support(BY, "fluids"), id="support"),
        pytest.param(write.attribution(BY, "crs", "other-cause"), id="attribution"),
        pytest.param(write.grade(BY, "icans", 3), id="grade"),
        pytest.param(write.not_performed(BY, "ice-total", "intubated"), id="not performed"),
    ],
)
def test_every_observation_is_a_final_survey_by_a_practitioner(made: Json) -> None:
    model = Observation.model_validate(json.loads(write.as_json(made)))
    assert model.status == "final"
    assert made["category"][0]["coding"][0]["code"] == "survey"
    assert made["subject"] == {"reference": "Patient/p1"}
    assert made["performer"] == [{"reference": "Practitioner/d1"}]
    assert made["effectiveDateTime"] == "2026-11-21T11:00:00Z"
    (coding,) = made["code"]["coding"]
    assert coding["system"] == TOXICITY
    assert made["code"]["text"] == coding["display"] == questions()[coding["code"]].text


def test_an_encounter_is_named_where_there_is_one() -> None:
    by = Charting("p1", "Practitioner/d1", AT, encounter="Encounter/e1")
    assert write.capd(by, 0)["encounter"] == {"reference": "Encounter/e1"}
    assert "encounter" not in write.capd(BY, 0)


def test_a_time_is_written_in_utc_to_the_microsecond() -> None:
    at = datetime(2026, 11, 21, 12, 30, 0, 250000, tzinfo=timezone(timedelta(hours=1, minutes=30)))
    made = write.capd(Charting("p1", "Practitioner/d1", at), 0)
    assert made["effectiveDateTime"] == "2026-11-21T11:00:00.250000Z"
    assert _read(made).capd[0].at == at


def test_decimals_are_sent_as_they_were_charted() -> None:
    made = write.seizure(BY, "brief", minutes=Decimal("2.50"))
    assert b'"value":2.50,' in write.as_json(made)


def test_a_coded_answer_carries_its_plain_words() -> None:
    value = write.arousal(BY, "spontaneous")["valueCodeableConcept"]
    assert value["text"] == value["coding"][0]["display"] == "drowsy, wakes by itself"


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: write.ice(BY, FULL), "needs a total or all five items"),
        (lambda: write.ice(BY, {}, 11), "does not agree"),
        (lambda: write.ice(BY, FULL, 7), "does not agree"),
        (lambda: write.ice(BY, {**FULL, "ice-attention": 1}, 10), "does not agree"),
        (lambda: write.ice(BY, {"ice-orientation": 0}, 7), "does not agree"),
        (lambda: write.ice(BY, {"ice-naming": 4}, 9), "ice-naming: 4 is not"),
        (lambda: write.ice(BY, {"capd-total": 4}, 9), "not one of the five"),
        (lambda: write.ice(BY, {}, True), "not a whole number"),
        (lambda: write.capd(BY, 33), "from 0 to 32"),
        (lambda: write.capd(BY, -1), "from 0 to 32"),
        (lambda: write.arousal(BY, "drowsy"), "not one of the answers"),
        (lambda: write.seizure(BY, "none", count=1), "no duration and no count"),
        (lambda: write.seizure(BY, "none", minutes=Decimal(0)), "no duration and no count"),
        (lambda: write.seizure(BY, "brief", minutes=Decimal(-1)), "outside"),
        (lambda: write.seizure(BY, "brief", minutes=Decimal("NaN")), "without a number"),
        (lambda: write.seizure(BY, "brief", count=0), "from 1 to 1000"),
        (lambda: write.oxygen_device(BY, " "), "has no name"),
        (lambda: write.oxygen_device(BY, "CPAP", flow=Decimal(500)), "outside"),
        (lambda: write.hypotension_support(BY, "voice"), "not one of the answers"),
        (lambda: write.attribution(BY, "crs", "icans"), "not one of the answers"),
        (lambda: write.grade(BY, "crs", 5), "from 0 to 4"),
        (lambda: write.grade(BY, "cough", 1), "not a question"),  # type: ignore[arg-type]
        (lambda: write.not_performed(BY, "ice-total", " "), "no reason"),
        (lambda: write.not_performed(BY, "crs-grade", "busy"), "not an assessment"),
        (lambda: write.capd(Charting("p1", "Practitioner/d1", datetime(2026, 1, 1)), 0), "zone"),  # noqa: DTZ001
        (lambda: write.capd(Charting("", "Practitioner/d1", AT), 0), "needs an id"),
        (lambda: write.capd(Charting("Patient/p1", "Practitioner/d1", AT), 0), "needs an id"),
        (lambda: write.capd(Charting("p1", "Patient/p1", AT), 0), "practitioner"),
        (lambda: write.capd(Charting("p1", "d1", AT), 0), "practitioner"),
    ],
)
def test_what_makes_no_fact_is_refused_in_words(build: Callable[[], Json], said: str) -> None:
    with pytest.raises(CannotWrite, match=said):
        build()


@pytest.mark.parametrize(
    "performer",
    ["Practitioner/d1", "PractitionerRole/r1", "https://ehr.example/fhir/Practitioner/d1"],
)
def test_a_grade_by_a_practitioner_is_usable_when_read(performer: str) -> None:
    made = write.grade(Charting("p1", performer, AT), "crs", 2)
    assert [one.usable for one in _read(made).grades] == [True]


# --- and back -------------------------------------------------------------------------------------

MINUTES = st.decimals(0, 10080, places=2, allow_nan=False)
TIMES = st.timedeltas(timedelta(), timedelta(days=6)).map(lambda ago: NOW - ago)
ITEMS = st.fixed_dictionaries({code: st.integers(0, most) for code, most in MOST.items()})


@given(items=ITEMS, at=TIMES)
@ANY
def test_five_items_are_read_back_as_their_sum(items: dict[str, int], at: datetime) -> None:
    facts = _read(write.ice(Charting("p1", "Practitioner/d1", at), items))
    assert [(one.value, one.at) for one in facts.ice] == [(Decimal(sum(items.values())), at)]
    assert _clean(facts)


@given(items=ITEMS, asked=st.sets(st.sampled_from(sorted(MOST)), max_size=4))
@ANY
def test_a_total_with_some_of_its_items_is_read_back(
    items: dict[str, int], asked: set[str]
) -> None:
    total = sum(items.values())
    facts = _read(write.ice(BY, {code: items[code] for code in asked}, total))
    assert [one.value for one in facts.ice] == [total]
    assert _clean(facts)


@given(total=st.integers(0, 32))
@ANY
def test_capd_is_read_back(total: int) -> None:
    facts = _read(write.capd(BY, total))
    assert [one.value for one in facts.capd] == [total]
    assert _clean(facts)


STATES: list[tuple[Any, str, Iterable[str]]] = [
    (write.arousal, "arousal", ICANS.arousal.levels),
    (write.seizure, "seizure", ICANS.seizure.levels),
    (write.motor, "motor", ICANS.motor.levels),
    (write.raised_icp, "raised_icp", ICANS.raised_icp.levels),
    (write.hypotension_support, "support", CRS.hypotension.levels),
]


@pytest.mark.parametrize(
    ("build", "field", "state"),
    [(build, field, state) for build, field, states in STATES for state in states],
)
def test_a_state_is_read_back_as_itself(
    build: Callable[[Charting, str], Json], field: str, state: str
) -> None:
    facts = _read(build(BY, state))
    (charted,) = getattr(facts, field)
    assert (charted.levels, charted.at, charted.preliminary) == ((state,), AT, False)
    assert _clean(facts)


def test_sedated_is_read_back_as_not_assessable() -> None:
    assert [one.levels for one in _read(write.arousal(BY, "sedated")).arousal] == [()]


@given(minutes=MINUTES, kind=st.sampled_from(SEIZURES))
@ANY
def test_a_seizure_of_five_minutes_is_never_read_back_as_brief(minutes: Decimal, kind: str) -> None:
    facts = _read(write.seizure(BY, kind, minutes=minutes))
    expected = "prolonged" if kind == "brief" and minutes >= 5 else kind
    contradicts = kind == "prolonged" and minutes < 5  # both of what it says are possible
    levels = ("brief", "prolonged") if contradicts else (expected,)
    assert [one.levels for one in facts.seizure] == [levels]
    assert facts.unreadable == ()


@given(count=st.integers(1, 1000), kind=st.sampled_from(SEIZURES))
@ANY
def test_a_count_of_seizures_is_read_back_and_only_widens(count: int, kind: str) -> None:
    facts = _read(write.seizure(BY, kind, count=count))
    assert [one.value for one in facts.seizure_counts] == [count]
    resolved = kind in {"brief", "nonconvulsive-resolved"}
    unclear = resolved and count > 1  # was there a return to baseline in between?
    levels = (kind, "repetitive") if unclear else (kind,)
    assert [one.levels for one in facts.seizure] == [levels]


@given(grade=st.integers(0, 4), toxicity=st.sampled_from(["crs", "icans"]), at=TIMES)
@ANY
def test_a_grade_is_read_back(grade: int, toxicity: ToxicityName, at: datetime) -> None:
    facts = _read(write.grade(Charting("p1", "Practitioner/d1", at), toxicity, grade))
    (read,) = facts.grades
    assert (read.toxicity, read.grade, read.at, read.usable) == (toxicity, grade, at, True)
    assert _clean(facts)


@pytest.mark.parametrize("cause", ["btce", "other-cause", "undetermined"])
@pytest.mark.parametrize("toxicity", ["crs", "icans"])
def test_an_attribution_is_read_back(toxicity: ToxicityName, cause: str) -> None:
    facts = _read(write.attribution(BY, toxicity, cause))
    assert [(one.toxicity, one.cause, one.at) for one in facts.attributions] == [
        (toxicity, cause, AT)
    ]
    assert _clean(facts)


# ASTCT 2019: low flow is up to 6 L/min; blow-by is low flow, masks are high flow.
@pytest.mark.parametrize(
    ("device", "flow", "level"),
    [
        ("722742002", None, "none"),
        ("336623009", "2", "low-flow"),
        ("336623009", "7.5", "high-flow"),
        ("425478008", None, "low-flow"),
        ("426854004", "40", "high-flow"),
        ("336602003", "5", "high-flow"),
        ("428285009", None, "high-flow"),
        ("427591007", "15", "high-flow"),
        ("47545007", None, "positive-pressure"),
        ("1186618000", None, "positive-pressure"),
        ("1258985005", None, "positive-pressure"),
        ("Nasal cannula", "4", "low-flow"),
        ("room air", None, "none"),
    ],
)
def test_an_oxygen_device_is_read_back_on_its_level(
    device: str, flow: str | None, level: str
) -> None:
    made = write.oxygen_device(BY, device, flow=None if flow is None else Decimal(flow))
    facts = _read(made)
    assert [(one.levels, one.at) for one in facts.oxygen] == [((level,), AT)]
    assert facts.unreadable == ()


def test_a_device_that_is_not_on_the_form_is_text() -> None:
    made = write.oxygen_device(BY, " home-made hood ")
    assert made["valueString"] == "home-made hood"
    assert len(_read(made).oxygen[0].levels) == 4


@pytest.mark.parametrize("question", ["arousal", "seizure", "motor", "raised-icp"])
def test_not_performed_is_read_back_as_not_assessable(question: str) -> None:
    facts = _read(write.not_performed(BY, question, "intubated"))
    assert [one.levels for one in getattr(facts, question.replace("-", "_"))] == [()]


@pytest.mark.parametrize(("question", "field"), [("ice-total", "ice"), ("capd-total", "capd")])
def test_a_score_that_was_not_performed_is_no_zero(question: str, field: str) -> None:
    facts = _read(write.not_performed(BY, question, "intubated"))
    assert getattr(facts, field) == ()
    assert [one.fact for one in facts.missing] == [field]


# --- the QuestionnaireResponse --------------------------------------------------------------------


def _plain(items: list[Json]) -> list[tuple[str, object]]:
    """linkId and answer of every answered question, in order."""
    found: list[tuple[str, object]] = []
    for item in items:
        for answer in item.get("answer", ()):
            (value,) = answer.values()
            if isinstance(value, dict):
                value = value["value"] if "value" in value else value["code"]
            found.append((item["linkId"], value))
        found += _plain(item.get("item", []))
    return found


def test_a_response_holds_every_answer_under_the_code_of_its_question() -> None:
    made = write.questionnaire_response(
        BY,
        [
            write.grade(BY, "icans", 3),
            write.ice(BY, {**FULL, "ice-attention": 1}),
            write.seizure(BY, "brief", minutes=Decimal("2.50"), count=1),
            write.not_performed(BY, "motor", "sedated"),
            write.oxygen_device(BY, "336623009", flow=Decimal(2)),
            write.attribution(BY, "crs", "other-cause"),
            write.attribution(BY, "icans", "btce"),
        ],
    )
    model = QuestionnaireResponse.model_validate(json.loads(write.as_json(made)))
    assert (model.status, model.questionnaire) == (
        "completed",
        "https://btce-cds.org/fhir/Questionnaire/toxicity-assessment|1",
    )
    assert made["authored"] == "2026-11-21T11:00:00Z"
    assert made["author"] == {"reference": "Practitioner/d1"}
    assert [one["linkId"] for one in made["item"]] == [
        "group-ice",
        "group-neurology",
        "group-support",
        "group-attribution",
        "group-attribution",
        "group-grades",
    ]
    assert _plain(made["item"]) == [
        ("ice-orientation", 4),
        ("ice-naming", 3),
        ("ice-command", 1),
        ("ice-writing", 0),
        ("ice-attention", 1),
        ("ice-total", 9),
        ("seizure", "brief"),
        ("seizure-duration", Decimal("2.50")),
        ("seizure-count", 1),
        ("oxygen-device", "336623009"),
        ("oxygen-flow", Decimal(2)),
        ("toxicity", "crs"),
        ("attribution", "other-cause"),
        ("toxicity", "icans"),
        ("attribution", "btce"),
        ("icans-grade", 3),
    ]
    assert b'"value":2.50,' in write.as_json(made)


def test_a_device_in_words_is_answered_in_words() -> None:
    made = write.questionnaire_response(BY, [write.oxygen_device(BY, "hood")])
    assert _plain(made["item"]) == [("oxygen-device", "hood")]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([], "nothing was answered"),
        ([write.not_performed(BY, "ice-total", "intubated")], "nothing was answered"),
        ([write.capd(BY, 1), write.capd(BY, 2)], "answered twice"),
        ([write.capd(Charting("p2", "Practitioner/d1", AT), 1)], "another patient"),
    ],
)
def test_a_response_that_answers_no_form_is_refused(made: list[Json], said: str) -> None:
    with pytest.raises(CannotWrite, match=said):
        write.questionnaire_response(BY, made)


def test_a_response_belongs_to_no_fact_and_disturbs_none() -> None:
    made = write.arousal(BY, "voice")
    facts = _read(made, write.questionnaire_response(BY, [made]))
    assert [one.levels for one in facts.arousal] == [("voice",)]
    assert _clean(facts)


def test_devices_on_the_form_are_sent_with_their_code() -> None:
    (coding,) = write.oxygen_device(BY, "47545007")["valueCodeableConcept"]["coding"]
    assert (coding["system"], coding["code"]) == (SNOMED, "47545007")
