"""Whatever becomes of the notifications, the last decision is that of the record as it is.

Changes of a record happen at the hospital in one order. What tells of them is delivered in any
other, twice, late, without saying whose it is, or never, with the worker, outages and restarts in
between. After the next poll the decision equals that of a worker which heard everything in order
and read once at the end.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from cds.store.migrations import migrate
from cds.store.rows import WakeUp
from cds.worker.regrade import regrade
from cds.worker.unchanged import timeless
from tests.builders import (
    NOW,
    Json,
    arousal,
    assessment,
    bp,
    charted_grade,
    hours_ago,
    ice,
    oxygen_device,
    spo2,
    teclistamab,
    temp,
    tocilizumab,
)
from tests.properties.figures import Figures
from tests.properties.service import CODES, LIBRARY, how_many
from tests.unit.cds.worker.hospital import of
from tests.unit.cds.worker.ward import Ward


PATIENTS = ("p1", "p2")
END = NOW + timedelta(minutes=15)  # past every back-off, and three polls later


class Change(NamedTuple):
    """A resource of a patient is written, taken back, or deleted."""

    patient: str
    kind: str
    slot: int
    value: int
    how: str


class Deliver(NamedTuple):
    """The notification of one of the changes so far arrives, once more or for the first time."""

    which: int
    form: str


class Work(NamedTuple):
    """The worker works until nothing is due."""

    restarted: bool


class Outage(NamedTuple):
    """The hospital's server fails from now on, or no longer."""

    down: bool


Step = Change | Deliver | Work | Outage

_KINDS = (
    "dose",
    "temperature",
    "temperature",
    "pressure",
    "saturation",
    "device",
    "ice",
    "arousal",
    "support",
    "grade",
    "tocilizumab",
)
_CHANGES = st.builds(
    Change,
    st.sampled_from(PATIENTS),
    st.sampled_from(_KINDS),
    st.integers(0, 1),
    st.integers(0, 4),
    st.sampled_from(("write", "write", "write", "correct", "entered-in-error", "delete")),
)
_DELIVERIES = st.builds(
    Deliver, st.integers(0, 30), st.sampled_from(("patient", "patient", "resource", "empty"))
)
_STEPS = st.lists(
    st.one_of(
        _CHANGES,
        _CHANGES,
        _DELIVERIES,
        _DELIVERIES,
        st.builds(Work, st.booleans()),
        st.builds(Outage, st.booleans()),
    ),
    min_size=1,
    max_size=25,
)


class Wards(NamedTuple):
    """Two of them, and the empty database with which each history begins."""

    anyhow: Ward
    orderly: Ward
    database: Path

    def begin(self, *, watched: bool) -> None:
        """Nothing has happened yet; `watched`: but a dose of p1, which was heard of."""
        for ward in (self.anyhow, self.orderly):
            ward.empty(self.database)
            for patient in PATIENTS:
                ward.admit(patient, dosed=watched and patient == "p1")
        if watched:
            self.anyhow.wake("p1", "the-first")
            self.anyhow.work()


@pytest.fixture(scope="module")
def wards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wards]:
    """Made once: a history takes a part of the time that a store takes to be opened."""
    folder = tmp_path_factory.mktemp("convergence")
    database = folder / "empty.db"
    migrate(f"sqlite:///{database}")
    made = []
    for name in ("anyhow", "orderly"):
        (folder / name).mkdir()
        made.append(Ward(folder / name, LIBRARY, CODES, pause_seconds=0))
    yield Wards(made[0], made[1], database)
    for ward in made:
        ward.close()


@settings(
    max_examples=how_many(60, 2000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=_STEPS, watched=st.sampled_from((True, True, True, False)))
def test_any_delivery_of_a_history_ends_where_the_orderly_one_does(
    steps: list[Step], watched: bool, wards: Wards, figures: Figures
) -> None:
    wards.begin(watched=watched)
    anyhow, orderly, _ = wards
    changed = _live(anyhow, steps)
    orderly.hospital = anyhow.hospital
    orderly.another()
    orderly.now = END
    for number, one in enumerate(changed):
        _deliver(orderly, f"in-order/{number}", one, "patient")
    orderly.work()
    for patient in PATIENTS:
        found, expected = _final(anyhow, patient), _final(orderly, patient)
        note(f"{patient}: {json.dumps(found)[:2000]}")
        assert found == expected, patient
        assert _seen_by_a_hook(anyhow, patient) == _seen_by_a_hook(orderly, patient)
    figures.add("any delivery of a history of changes ends in the decision of the orderly one")


def test_the_histories_do_make_events_and_lose_notifications(wards: Wards) -> None:
    """The property would hold for histories in which nothing happens: these are none."""
    steps: list[Step] = [
        Change("p1", "dose", 0, 1, "write"),
        Deliver(0, "patient"),
        Work(False),
        Change("p1", "temperature", 0, 4, "write"),
        Change("p1", "support", 0, 1, "write"),
    ]
    wards.begin(watched=False)
    _live(wards.anyhow, steps)
    first, second = (json.loads(row.assessment) for row in wards.anyhow.decisions("p1"))
    assert first["crs"].get("event") is None
    assert second["crs"]["grade"]["atLeast"] >= 2


def _live(ward: Ward, steps: list[Step]) -> list[tuple[str, str]]:
    """Do all of it, then let the next polls come; (patient, "Type/id/_history/version") of each."""
    changed: list[tuple[str, str]] = []
    for number, step in enumerate(steps):
        match step:
            case Change():
                changed.append((step.patient, _change(ward, step)))
            case Deliver() if changed:
                index = step.which % len(changed)
                key = f"{changed[index][1]}/{number if step.form == 'empty' else ''}"
                _deliver(ward, f"{step.form}/{key}", changed[index], step.form)
            case Work():
                if step.restarted:
                    ward.another()
                ward.work()
            case Outage():
                ward.hospital.down = "unreachable" if step.down else None
            case _:
                pass
    ward.hospital.down = None
    ward.now = END
    ward.work()
    return changed


def _change(ward: Ward, change: Change) -> str:
    made = of(_resource(change), change.patient, _category(change.kind))
    made["id"] = f"{change.patient}-{change.kind}-{change.slot}"
    ref = f"{made['resourceType']}/{made['id']}"
    if change.how == "delete":
        ward.hospital.delete(ref)
        return f"{ref}/_history/{ward.hospital.versions.get(ref, 0)}"
    if change.how == "entered-in-error":
        made["status"] = "entered-in-error"
    if change.how == "correct" and made["resourceType"] == "Observation":
        made["status"] = "corrected"
    return ward.hospital.put(made)


def _resource(change: Change) -> Json:
    value, at = change.value, hours_ago(1.5 - change.slot)
    match change.kind:
        case "dose":
            return teclistamab(at=hours_ago(20 + 4 * value))
        case "temperature":
            return temp(37.0 + 0.5 * value, at=at)
        case "pressure":
            return bp(120 - 10 * value, 70 - 5 * value, at=at)
        case "saturation":
            return spo2(99 - 3 * value, at=at)
        case "device":
            return oxygen_device(("room air", "nasal cannula", "hfnc", "bipap", "X")[value], at=at)
        case "ice":
            return ice(10 - 2 * value, at=at)
        case "arousal":
            return arousal(("alert", "voice", "tactile", "unarousable", "sedated")[value], at=at)
        case "support":
            words = ("none", "one-vasopressor", "fluids", "multiple-vasopressors", "none")
            return assessment("hypotension-support", words[value], at=at)
        case "grade":
            return charted_grade("crs", value, at=at)
        case _:
            return tocilizumab(at=at)


def _category(kind: str) -> str:
    return "vital-signs" if kind in {"temperature", "pressure", "saturation"} else "survey"


def _deliver(ward: Ward, event: str, changed: tuple[str, str], form: str) -> None:
    patient, version = changed
    wake_up = WakeUp(
        site="demo",
        source="s1",
        event=event,
        received_at=ward.now,
        patient=patient if form == "patient" else "",
        ref="" if form == "empty" else version.partition("/_history/")[0],
    )
    ward.place.inbox.put([wake_up])


def _final(ward: Ward, patient: str) -> Any:
    """The last decision. Nobody need look at a patient who never had a bispecific, whatever else is
    charted: what would be said of the record stands for the decision."""
    last = ward.place.history.last("demo", patient)
    if last is not None:
        return timeless(last.assessment)
    now = timeless(regrade(ward.place, ward.site, patient).row.assessment)
    return now if "agent" not in now else "a patient with a bispecific was not read"


def _seen_by_a_hook(ward: Ward, patient: str) -> Any:
    """The answer of the next hook call, to the last number."""
    ward.now = END
    return json.loads(regrade(ward.place, ward.site, patient).row.assessment)
