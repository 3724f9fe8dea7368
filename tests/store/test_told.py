"""What was told about an event: one row an event, the last word in the place of the one before."""

from datetime import timedelta
from typing import Any

import pytest

from cds.store import Store
from cds.store.told import Told, ToldRow
from tests.store.rows import NOW


def said(what: str = "grade 2", **changes: Any) -> ToldRow:
    """Of the CRS event of patient p1 of site north that began now."""
    fields: dict[str, Any] = {
        "site": "north",
        "patient": "p1",
        "toxicity": "crs",
        "onset": NOW,
        "said": what,
        "ref": "Flag/1",
        "at": NOW,
    }
    return ToldRow(**(fields | changes))


@pytest.fixture
def told(store: Store) -> Told:
    return Told(store)


def test_the_last_word_about_an_event_is_the_one_that_counts(told: Told) -> None:
    told.keep(said("grade 2", ref=""))
    told.keep(said("grade 3", at=NOW + timedelta(hours=1)))

    assert told.last("north", "p1", "crs", NOW) == said("grade 3", at=NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    "other",
    [
        {"site": "south"},
        {"patient": "p2"},
        {"toxicity": "icans"},
        {"onset": NOW + timedelta(microseconds=1)},
    ],
)
def test_another_site_patient_toxicity_or_onset_is_another_event(
    told: Told, other: dict[str, Any]
) -> None:
    told.keep(said("grade 2"))
    told.keep(said("grade 4", **other))

    assert told.last("north", "p1", "crs", NOW) == said("grade 2")


def test_of_an_event_nothing_was_told_about_there_is_nothing(told: Told) -> None:
    assert told.last("north", "p1", "crs", NOW) is None


def test_what_was_told_about_a_patient_is_listed_by_onset(told: Told) -> None:
    later = NOW + timedelta(days=1)
    rows = [said(onset=later), said(toxicity="icans"), said(), said(patient="p2")]
    for row in rows:
        told.keep(row)

    assert told.of_patient("north", "p1") == (rows[2], rows[1], rows[0])
