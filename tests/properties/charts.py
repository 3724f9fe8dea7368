"""Random charts for Hypothesis: any facts at any times, realistic or not; how to change them."""

import copy
import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.builders import (
    NOW,
    Json,
    acetaminophen,
    administration,
    arousal,
    assessment,
    bp,
    bundle,
    charted_grade,
    concept,
    dexamethasone,
    draft_order,
    hours_ago,
    ice,
    observation,
    oxygen_device,
    oxygen_flow,
    patient,
    quantity,
    spo2,
    teclistamab,
    temp,
    tocilizumab,
    weight,
)


KEYS = ("vitals", "oxygen", "assessments", "labs", "administrations", "procedures", "conditions")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9:]{5})")
_IN_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]+Z")
_ICD = "http://hl7.org/fhir/sid/icd-10-cm"
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_PRESSORS = {"norepinephrine": "7512", "vasopressin": "11149", "dobutamine": "3616"}
_DEVICES = ("room air", "nasal cannula", "hfnc", "non-rebreather", "bipap", "ventilator", "XYZ-9")


class Chart(NamedTuple):
    """Resources with the query each comes from, and the drafts."""

    entries: tuple[tuple[str, Json], ...]
    drafts: tuple[Json, ...]

    def prefetch(self, without: Iterable[str] = ()) -> dict[str, Json]:
        """Every query answered, but those named."""
        pages: dict[str, list[Json]] = {key: [] for key in KEYS}
        for key, resource in self.entries:
            pages.setdefault(key, []).append(resource)
        made = {key: bundle(*resources) for key, resources in pages.items()}
        return {
            key: value
            for key, value in {"patient": patient(), **made}.items()
            if key not in frozenset(without)
        }

    def mapped(self, change: Callable[[Json], Json | None]) -> "Chart":
        """The same chart with every resource changed, or left out."""
        changed = [(key, change(copy.deepcopy(one))) for key, one in self.entries]
        return self._replace(entries=tuple((key, one) for key, one in changed if one is not None))


# Quarters of an hour: mostly the last half day, some up to three weeks back.
_QUARTERS = st.one_of(st.integers(0, 48), st.integers(0, 48), st.integers(49, 2000))
_AT = _QUARTERS.map(lambda quarters: hours_ago(quarters / 4))


def _tenths(low: int, high: int) -> st.SearchStrategy[float]:
    return st.integers(low, high).map(lambda number: number / 10)


def _words(code: str, *words: str) -> st.SearchStrategy[Json]:
    return st.builds(lambda word, at: assessment(code, word, at=at), st.sampled_from(words), _AT)


@st.composite
def _infusions(draw: st.DrawFn) -> Json:
    name, code = draw(st.sampled_from(sorted(_PRESSORS.items())))
    start = draw(st.integers(1, 200))
    length = draw(st.none() | st.integers(1, 100))
    running = length is None or length >= start
    return administration(
        concept(_RXNORM, code, name),
        at=hours_ago(start / 4),
        until=None if running or length is None else hours_ago((start - length) / 4),
        status="in-progress" if running else "completed",
        rate=quantity(0.1, "ug/kg/min"),
        route="IV",
    )


def _bolus(at: int) -> Json:
    return administration(
        {"text": "sodium chloride 0.9 %"},
        at=hours_ago(at / 4 + 0.5),
        until=hours_ago(at / 4),
        dose=quantity(500, "mL"),
        route="IV",
    )


def _diagnosis(grade: int, at: str) -> Json:
    code = concept(_ICD, f"D89.83{grade}")
    subject = {"reference": "Patient/p1"}
    return {"resourceType": "Condition", "code": code, "subject": subject, "onsetDateTime": at}


_ITEMS: tuple[tuple[str, st.SearchStrategy[Json]], ...] = (
    ("vitals", st.builds(lambda value, at: temp(value, at=at), _tenths(355, 415), _AT)),
    ("vitals", st.builds(lambda value, at: temp(value, at=at), _tenths(375, 385), _AT)),
    (
        "vitals",
        st.builds(lambda s, at: bp(s, s - 30, at=at), st.integers(70, 140), _AT),
    ),
    ("vitals", st.builds(lambda value, at: spo2(value, at=at), st.integers(80, 100), _AT)),
    (
        "oxygen",
        st.builds(lambda word, at: oxygen_device(word, at=at), st.sampled_from(_DEVICES), _AT),
    ),
    ("oxygen", st.builds(lambda flow, at: oxygen_flow(flow, at=at), st.integers(0, 15), _AT)),
    ("assessments", st.builds(lambda total, at: ice(total, at=at), st.integers(0, 10), _AT)),
    (
        "assessments",
        st.builds(
            lambda level, at: arousal(level, at=at),
            st.sampled_from(("alert", "voice", "tactile", "unarousable", "sedated")),
            _AT,
        ),
    ),
    ("assessments", _words("seizure", "none", "brief", "prolonged")),
    ("assessments", _words("motor", "none", "focal-weakness")),
    ("assessments", _words("hypotension-support", "none", "fluids", "one-vasopressor")),
    (
        "assessments",
        st.builds(
            lambda name, grade, at: charted_grade(name, grade, at=at),
            st.sampled_from(("crs", "icans")),
            st.integers(0, 4),
            _AT,
        ),
    ),
    (
        "labs",
        st.builds(lambda pounds, at: weight(pounds, "[lb_av]", at=at), st.integers(40, 500), _AT),
    ),
    ("administrations", st.builds(lambda at: teclistamab(at=at), _AT)),
    ("administrations", st.builds(lambda at: tocilizumab(at=at), _AT)),
    ("administrations", st.builds(lambda at: dexamethasone(at=at), _AT)),
    ("administrations", st.builds(lambda at: acetaminophen(at=at), _AT)),
    ("administrations", st.builds(_bolus, st.integers(0, 60))),
    ("administrations", _infusions()),
    ("conditions", st.builds(_diagnosis, st.integers(1, 4), _AT)),
)
_ENTRY = st.one_of(*(st.tuples(st.just(key), item) for key, item in _ITEMS))


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    """A chart of up to thirty resources, most often with a dose two days ago, and its draft."""
    entries = draw(st.lists(_ENTRY, max_size=30))
    if draw(st.integers(0, 3)):
        entries.append(("administrations", teclistamab(at=hours_ago(48.1))))
    named = [(key, {**one, "id": f"r{index}"}) for index, (key, one) in enumerate(entries)]
    order = draw(st.sampled_from(("teclistamab", "epcoritamab", "tocilizumab", "")))
    return Chart(tuple(named), (draft_order(order),) if order else ())


def in_fahrenheit_and_kilograms(resource: Json) -> Json:
    """The same resource in the other unit of each kind."""
    value = resource.get("valueQuantity", {})
    if value.get("code") == "Cel":
        resource["valueQuantity"] = quantity(round(value["value"] * 1.8 + 32, 2), "[degF]")
    if value.get("code") == "[lb_av]":
        resource["valueQuantity"] = quantity(round(value["value"] * 0.45359237, 8), "kg")
    return resource


def shifted(value: Any, by: timedelta, zone: timezone) -> Any:
    """Every time in it that much later, written in that zone."""
    if isinstance(value, dict):
        return {key: shifted(one, by, zone) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [shifted(one, by, zone) for one in value]
    if isinstance(value, str) and _TIME.fullmatch(value):
        return (datetime.fromisoformat(value) + by).astimezone(zone).isoformat()
    return value


def outside_the_shorter_window(resource: Json) -> Json:
    """Times of two to twelve hours ago become six times as recent.

    How long a vital sign counts depends on the setting and on what the event reached; hiding a fact
    may thus make an old value of another one count. Such values are left out of this question.
    """
    text = json.dumps(resource)
    for moment in set(_IN_TEXT.findall(text)):
        age = NOW - datetime.fromisoformat(moment)
        if timedelta(hours=2) < age <= timedelta(hours=12):
            text = text.replace(moment, hours_ago(age / timedelta(hours=6)))
    made: Json = json.loads(text)
    return made


def _irrelevant() -> st.SearchStrategy[tuple[str, Json]]:
    rate = st.builds(
        lambda value, at: observation(
            "n",
            concept("http://loinc.org", "8867-4"),
            {"valueQuantity": quantity(value, "/min")},
            at=at,
        ),
        st.integers(30, 200),
        _AT,
    )
    local = st.builds(
        lambda at: observation(
            "n", concept("urn:local", "8310-5"), {"valueQuantity": quantity(41, "Cel")}, at=at
        ),
        _AT,
    )
    other = {"resourceType": "Condition", "subject": {"reference": "Patient/p1"}}
    diagnosis = st.just({**other, "code": concept(_ICD, "E11.9")})
    medicine = st.builds(lambda at: administration({"text": "pantoprazole"}, at=at), _AT)
    carer = st.just({"resourceType": "Practitioner", "id": "d1"})
    return st.tuples(st.sampled_from(KEYS), st.one_of(rate, local, diagnosis, medicine, carer))


def _in_error() -> st.SearchStrategy[tuple[str, Json]]:
    status = st.just("entered-in-error")
    return st.builds(lambda entry, text: (entry[0], _with_status(entry[1], text)), _ENTRY, status)


def _with_status(resource: Json, status: str) -> Json:
    if resource["resourceType"] == "Condition":
        code = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
        return {**resource, "verificationStatus": concept(code, status)}
    return {**resource, "status": status}


def _future() -> st.SearchStrategy[tuple[str, Json]]:
    ahead = st.integers(1, 5000).map(lambda quarters: timedelta(hours=quarters / 4))
    return st.builds(lambda entry, by: (entry[0], _moved(entry[1], by)), _ENTRY, ahead)


def _moved(resource: Json, by: timedelta) -> Json:
    """The same resource at `by` after the evaluation time."""
    moment = (NOW + by).strftime("%Y-%m-%dT%H:%M:%SZ")
    names = {"effectiveDateTime", "onsetDateTime"}
    made = {key: moment if key in names else value for key, value in resource.items()}
    return {**made, "effectivePeriod": {"start": moment}} if "effectivePeriod" in made else made


def _old() -> st.SearchStrategy[tuple[str, Json]]:
    """Vital signs and assessments from before every window; grades are history for ever."""
    back = st.integers(46, 900).map(lambda days: -timedelta(days=days))
    measured = st.one_of(*(st.tuples(st.just(key), item) for key, item in _ITEMS[:11]))
    return st.builds(lambda entry, by: (entry[0], _moved(entry[1], by)), measured, back)


def noise() -> st.SearchStrategy[list[tuple[str, Json]]]:
    """Resources that say nothing about now."""
    sort = st.one_of(_irrelevant(), _in_error(), _future(), _old())
    return st.lists(sort, min_size=1, max_size=6)


def answers(name: str, *codes: str) -> Callable[[Json], bool]:
    """Whether a resource is an Observation of one of these codes, or any of that type."""

    def chosen(resource: Json) -> bool:
        coding = resource.get("code", {}).get("coding", [{}])[0]
        return resource["resourceType"] == name and (not codes or coding.get("code") in codes)

    return chosen


# What can be hidden as a whole: all Observations of a fact, or the answer to a query.
FACTS = {
    "temperatures": answers("Observation", "8310-5"),
    "pressures": answers("Observation", "85354-9"),
    "saturations": answers("Observation", "59408-5"),
    "oxygen devices": answers("Observation", "oxygen-device"),
    "ICE": answers("Observation", "ice-total"),
    "arousal": answers("Observation", "arousal"),
}
# What a clinician said of the circulation: no fact like the others, it outranks what is inferred.
is_statement = answers("Observation", "hypotension-support")
_is_flow = answers("Observation", "3151-8")


def without_contradiction(chart: Chart) -> Chart:
    """The chart without room air where a flow of oxygen is charted too.

    Of two facts that contradict each other neither is believed; hiding one of them leaves the other
    certain, which is no loss of knowledge but the end of a doubt.
    """
    if not any(_is_flow(one) for _, one in chart.entries):
        return chart
    return chart.mapped(lambda one: None if one.get("valueString") == "room air" else one)


def without_sedation(chart: Chart) -> Chart:
    """The chart without the word that the patient is sedated.

    It says nothing of the mind and lets a low ICE score be doubted; hiding it ends that doubt.
    """
    return chart.mapped(lambda one: None if '"sedated"' in json.dumps(one) else one)
