"""Whose turn it is to renew a token, also when somebody vanished in the middle of it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from cds.smart.context import Context
from cds.smart.guarding.problem import Problem
from cds.smart.guarding.renewing import LEASE, Renewing
from cds.smart.guarding.sealing import digest, seal
from cds.smart.oauth import LaunchRefused, RefusedKind
from cds.store.launches import LaunchRow
from tests.unit.cds.smart.guarding.front_door import REFRESH, TOKEN, Door, front_door, site


SECRET, LAUNCH = "5a" * 32, "0" * 32
WARD = site()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with front_door(tmp_path) as made:
        yield made


def context(door: Door, *, left: timedelta, refresh: str = REFRESH) -> Context:
    return Context(
        launch=LAUNCH,
        site=WARD.id,
        patient="p1",
        user="Practitioner/dr1",
        csrf="csrf",
        access_token=TOKEN,
        refresh_token=refresh,
        expires_at=door.clock.now + left,
        scopes=frozenset({"patient/*.rs", "patient/Observation.c"}),
    )


def kept(door: Door, inside: Context) -> LaunchRow:
    row = LaunchRow(
        id=LAUNCH,
        site=WARD.id,
        stage="open",
        secret_sha256=digest(SECRET),
        sealed=seal(inside, SECRET, LAUNCH),
        touched_at=door.clock.now,
        ends_at=door.clock.now + timedelta(hours=12),
    )
    door.launches.begin(row)
    return row


def renewing(door: Door, *, pauses: list[float] | None = None) -> Renewing:
    def sleep(seconds: float) -> None:
        if pauses is not None:
            pauses.append(seconds)
        door.clock.later(seconds=seconds)

    return Renewing(door.launches, door.server, door.clock, sleep=sleep)


def test_a_token_with_a_minute_left_is_not_renewed(door: Door) -> None:
    inside = context(door, left=timedelta(seconds=60))
    row = kept(door, inside)

    assert renewing(door).fresh(row, WARD, SECRET) == inside
    assert door.server.refreshed == []


def test_a_renewed_token_brings_its_own_rights_and_changes_nobody(door: Door) -> None:
    inside = context(door, left=timedelta(seconds=59))
    door.server.patient = "somebody-else"
    found = renewing(door).fresh(kept(door, inside), WARD, SECRET)

    assert found == replace(
        inside,
        access_token=f"{TOKEN}-1",
        refresh_token=f"{REFRESH}-1",
        expires_at=door.clock.now + timedelta(hours=1),
        scopes=frozenset({"patient/*.rs"}),
    )
    assert renewing(door).fresh(door.launches.get(LAUNCH), WARD, SECRET) == found


def test_a_server_that_gives_no_new_refresh_token_is_asked_with_the_old_one(door: Door) -> None:
    row = kept(door, context(door, left=timedelta(seconds=30)))
    door.server.rotates = False

    assert renewing(door).fresh(row, WARD, SECRET).refresh_token == REFRESH


def test_who_read_the_row_before_it_was_used_renews_it_all_the_same(door: Door) -> None:
    row = kept(door, context(door, left=timedelta(seconds=30)))
    door.clock.later(seconds=1)
    door.launches.touch(LAUNCH, door.clock.now)

    assert renewing(door).fresh(row, WARD, SECRET).access_token == f"{TOKEN}-1"


@pytest.mark.parametrize("refuses", [None, "token-unreachable"], ids=["renewed", "refused"])
def test_renewing_is_no_use_of_the_launch(door: Door, refuses: RefusedKind | None) -> None:
    row = kept(door, context(door, left=timedelta(seconds=70)))
    door.clock.later(seconds=30)
    door.server.refuses = refuses
    renewing(door).fresh(row, WARD, SECRET)

    found = door.launches.get(LAUNCH)
    assert found is not None
    assert (found.stage, found.touched_at) == ("open", row.touched_at)


def test_who_vanished_while_renewing_is_not_waited_for_long(door: Door) -> None:
    row = kept(door, context(door, left=timedelta(seconds=30)))
    door.launches.change(row, replace(row, stage="refreshing"))
    pauses: list[float] = []
    with pytest.raises(Problem) as busy:
        renewing(door, pauses=pauses).fresh(door.launches.get(LAUNCH), WARD, SECRET)
    door.clock.later(seconds=LEASE.total_seconds())

    assert busy.value.kind == "busy"
    assert 5 < sum(pauses) < 15
    found = renewing(door).fresh(door.launches.get(LAUNCH), WARD, SECRET)
    assert found.access_token == f"{TOKEN}-1"


def test_a_refusal_is_told_once_the_token_is_over_and_gives_the_turn_back(door: Door) -> None:
    row = kept(door, context(door, left=timedelta(seconds=-1)))
    door.server.refuses = "refresh-refused"
    with pytest.raises(LaunchRefused):
        renewing(door).fresh(row, WARD, SECRET)
    door.server.refuses = None

    assert renewing(door).fresh(row, WARD, SECRET).access_token == f"{TOKEN}-1"


def test_a_server_that_renews_for_another_patient_ends_the_session_at_once(door: Door) -> None:
    row = kept(door, context(door, left=timedelta(seconds=30)))
    door.server.refuses = "patient-mismatch"
    with pytest.raises(LaunchRefused):
        renewing(door).fresh(row, WARD, SECRET)

    found = door.launches.get(LAUNCH)
    assert found is not None
    assert found.stage == "ended"


def test_a_session_that_was_left_while_its_token_was_renewed_stays_over(door: Door) -> None:
    row = kept(door, context(door, left=timedelta(seconds=30)))
    door.server.wait = lambda: door.launches.end({LAUNCH})
    with pytest.raises(Problem) as over:
        renewing(door).fresh(row, WARD, SECRET)

    assert over.value.kind == "over"
    found = door.launches.get(LAUNCH)
    assert found is not None
    assert (found.stage, found.sealed) == ("ended", b"")


def test_another_secret_renews_nothing(door: Door) -> None:
    row = kept(door, context(door, left=timedelta(seconds=30)))
    with pytest.raises(Problem) as refused:
        renewing(door).fresh(row, WARD, "5b" * 32)

    assert refused.value.kind == "no-session"
    assert door.server.refreshed == []
