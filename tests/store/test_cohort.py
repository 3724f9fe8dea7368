"""Who is watched: by site and until when, whatever the order in which it was found out."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from cds.store import Store, StoreDown, open_store
from cds.store.cohort import Cohort
from cds.store.rows import Watched
from tests.store.rows import NOW


DAY = timedelta(days=1)


def seen(patient: str = "p1", **changes: Any) -> Watched:
    """A patient of site north who had teclistamab yesterday."""
    fields: dict[str, Any] = {
        "site": "north",
        "patient": patient,
        "agent": "teclistamab",
        "last_dose": NOW - DAY,
        "until": NOW + 44 * DAY,
        "seen_at": NOW,
    }
    return Watched(**(fields | changes))


@pytest.fixture
def cohort(store: Store) -> Cohort:
    return Cohort(store)


def test_a_site_sees_its_own_patients_in_order(cohort: Cohort) -> None:
    cohort.watch([seen("p2"), seen("p1"), seen("p1", site="south")])
    cohort.watch([])

    assert cohort.watched("north", NOW) == (seen("p1"), seen("p2"))
    assert cohort.watched("south", NOW) == (seen("p1", site="south"),)
    assert cohort.watched("west", NOW) == ()


def test_a_patient_is_watched_to_the_last_moment_and_no_longer(cohort: Cohort) -> None:
    cohort.watch([seen()])
    until = seen().until

    assert cohort.watched("north", until) == (seen(),)
    assert cohort.watched("north", until + timedelta(microseconds=1)) == ()


def test_the_last_finding_counts_whatever_came_first_and_watching_is_never_cut_short(
    cohort: Cohort,
) -> None:
    found = [
        seen(agent="teclistamab", last_dose=NOW - 9 * DAY, seen_at=NOW - 2 * DAY),
        seen(agent="talquetamab", last_dose=NOW - 3 * DAY, until=NOW + 60 * DAY),
        seen(agent="epcoritamab", last_dose=NOW - 5 * DAY, seen_at=NOW + DAY),
    ]
    expected = seen(
        agent="epcoritamab", last_dose=NOW - 5 * DAY, until=NOW + 60 * DAY, seen_at=NOW + DAY
    )

    for number, order in enumerate(permutations(found)):
        site = f"site {number}"
        for one in order:
            cohort.watch([changed(one, site)])
        assert cohort.watched(site, NOW) == (changed(expected, site),)


def changed(row: Watched, site: str) -> Watched:
    return seen(
        site=site,
        agent=row.agent,
        last_dose=row.last_dose,
        until=row.until,
        seen_at=row.seen_at,
    )


def test_those_whose_time_is_over_are_forgotten(cohort: Cohort) -> None:
    cohort.watch([seen("old", until=NOW - DAY), seen("now", until=NOW), seen("p1")])

    assert cohort.forget(NOW) == 1
    assert [row.patient for row in cohort.watched("north", NOW - 2 * DAY)] == ["now", "p1"]


def test_a_database_without_tables_says_that_it_is_down(engine_url: str) -> None:
    empty = open_store(engine_url)
    with pytest.raises(StoreDown):
        Cohort(empty).watch([seen()])
    with pytest.raises(StoreDown):
        Cohort(empty).watched("north", NOW)
    empty.close()
