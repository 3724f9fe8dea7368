"""What one call has seen, the next call still knows when it is not sent (CDS Hooks calls are apart,
the patient is the same)."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cds.config import Settings
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.functional.bodies import NOW, fever, normal_vitals
from tests.functional.deployed import Deployed, another_call, assessment, deploy, topics


class Clock:
    """Time that passes between calls."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ward(
    settings: Settings, tmp_path: Path, library: Library, codes: CodeSets, clock: Clock
) -> Deployed:
    return deploy(settings, tmp_path, library, codes, now=clock)


def without(body: Any, *keys: str) -> Any:
    """The same call from a client that did not send these queries."""
    kept = {key: value for key, value in body["prefetch"].items() if key not in keys}
    return {**body, "prefetch": kept}


def sent(body: Any) -> tuple[str, ...]:
    return tuple(body["prefetch"])


def test_an_event_that_was_seen_holds_when_the_next_call_brings_no_data(
    ward: Deployed, clock: Clock
) -> None:
    first = assessment(ward.client.call(another_call(*fever())))
    assert first["crs"]["event"]["from"] == "request"
    clock.later(minutes=10)
    body = another_call()
    answer = ward.client.call(without(body, *sent(body)))
    found = assessment(answer)
    assert found["crs"]["event"]["from"] == "store"
    assert found["crs"]["event"]["onset"] == first["crs"]["event"]["onset"]
    assert found["crs"]["grade"] == {"atLeast": 0, "atMost": 4}
    assert found["disposition"]["action"] == "withhold"
    assert any("CRS" in topic for topic in topics(answer))


def test_it_is_gone_when_the_same_queries_show_that_it_was_an_error(
    ward: Deployed, clock: Clock
) -> None:
    ward.client.call(another_call(*fever()))
    clock.later(minutes=10)
    found = assessment(ward.client.call(another_call(*normal_vitals())))
    assert "event" not in found["crs"]
    clock.later(minutes=10)
    body = another_call()
    blind = assessment(ward.client.call(without(body, *sent(body))))
    assert "event" not in blind["crs"]


@pytest.mark.parametrize("patient", ["p2", "p10"])
def test_nothing_of_it_reaches_another_patient(ward: Deployed, clock: Clock, patient: str) -> None:
    ward.client.call(another_call(*fever()))
    clock.later(minutes=10)
    body = another_call(patient=patient)
    found = assessment(ward.client.call(without(body, *sent(body))))
    assert "event" not in found["crs"]


def test_while_the_store_cannot_be_read_the_answer_says_that_the_history_is_missing(
    settings: Settings, tmp_path: Path, library: Library, codes: CodeSets
) -> None:
    ward = deploy(settings, tmp_path, library, codes, ready=False)
    found = assessment(ward.client.call(another_call(*fever())))
    assert "history-not-read" in {notice["code"] for notice in found["notices"]}
    assert found["crs"]["grade"]["atLeast"] == 1


def test_the_events_are_kept_with_the_decision(ward: Deployed) -> None:
    ward.client.call(another_call(*fever()))
    (row,) = ward.store.decisions()
    assert row.crs_events is not None
    assert '"toxicity":"crs"' in row.crs_events
