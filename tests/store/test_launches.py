"""Launches of the bedside app: of two who change one row, one wins; what is over holds nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from cds.store import Store, StoreDown, StoreRefused, open_store
from cds.store.launches import Launches, LaunchRow
from tests.store.rows import NOW


MINUTE = timedelta(minutes=1)


def launch(number: int = 1, **changes: Any) -> LaunchRow:
    """One of site north that has just been asked for."""
    fields: dict[str, Any] = {
        "id": f"{number:032x}",
        "site": "north",
        "stage": "asked",
        "secret_sha256": "ab" * 32,
        "sealed": b"\x00sealed\xff",
        "touched_at": NOW,
        "ends_at": NOW + 30 * MINUTE,
    }
    return LaunchRow(**(fields | changes))


@pytest.fixture
def launches(store: Store) -> Launches:
    return Launches(store)


def test_a_launch_is_read_as_it_was_kept(launches: Launches) -> None:
    launches.begin(launch())

    assert launches.get(launch().id) == launch()
    assert launches.get(launch(2).id) is None


def test_an_id_is_given_once(launches: Launches) -> None:
    launches.begin(launch())

    with pytest.raises(StoreRefused):
        launches.begin(launch(site="south"))
    assert launches.get(launch().id) == launch()


def test_the_launches_of_a_browser_come_with_the_one_used_last_first(launches: Launches) -> None:
    for number in (1, 2, 3, 4):
        launches.begin(launch(number, touched_at=NOW + (number % 3) * MINUTE))
    wanted = {launch(number).id for number in (1, 2, 3, 9)}

    assert [int(row.id, 16) for row in launches.of(wanted)] == [2, 1, 3]
    assert launches.of(()) == ()


def test_a_change_replaces_what_was_read(launches: Launches) -> None:
    launches.begin(launch())
    opened = launch(stage="open", sealed=b"rights", touched_at=NOW + MINUTE, ends_at=NOW + MINUTE)

    assert launches.change(launch(), opened)
    assert launches.get(launch().id) == opened


@pytest.mark.parametrize(
    "changes",
    [{"stage": "ended"}, {"sealed": b"other"}, {"touched_at": NOW + MINUTE}, {"id": "0" * 32}],
)
def test_who_read_something_else_changes_nothing(
    launches: Launches, changes: dict[str, Any]
) -> None:
    launches.begin(launch())
    mine = launch(**changes)

    assert not launches.change(mine, replace(mine, stage="open"))
    assert launches.get(launch().id) == launch()


def test_a_change_moves_no_row_to_another_site_or_secret(launches: Launches) -> None:
    launches.begin(launch())
    launches.change(launch(), launch(stage="open", site="south", secret_sha256="cd" * 32))

    assert launches.get(launch().id) == launch(stage="open")


def test_of_many_changes_at_once_one_wins(launches: Launches) -> None:
    launches.begin(launch())
    everybody = Barrier(6)

    def answer(number: int) -> bool:
        everybody.wait()
        return launches.change(launch(), launch(stage="answering", sealed=b"%d" % number))

    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(answer, range(6)))

    assert sum(won) == 1
    row = launches.get(launch().id)
    assert row is not None
    assert row.sealed == b"%d" % won.index(True)


def test_use_is_noted_of_what_is_open_and_never_moves_back(launches: Launches) -> None:
    launches.begin(launch(1, stage="open"))
    launches.begin(launch(2, stage="refreshing"))
    for number in (1, 2):
        launches.touch(launch(number).id, NOW + MINUTE)
        launches.touch(launch(number).id, NOW - MINUTE)

    assert launches.get(launch(1).id) == launch(1, stage="open", touched_at=NOW + MINUTE)
    assert launches.get(launch(2).id) == launch(2, stage="refreshing")


def test_what_is_over_holds_nothing_and_still_says_so(launches: Launches) -> None:
    launches.begin(launch(1, stage="open"))
    launches.begin(launch(2, stage="open"))
    launches.end({launch(1).id, launch(9).id})

    assert launches.get(launch(1).id) == launch(1, stage="ended", sealed=b"")
    assert launches.get(launch(2).id) == launch(2, stage="open")
    assert not launches.change(launch(1, stage="open"), launch(1, stage="open", sealed=b"again"))


def test_only_what_had_to_end_before_is_removed(launches: Launches) -> None:
    launches.begin(launch(1, ends_at=NOW - MINUTE))
    launches.begin(launch(2, ends_at=NOW))

    assert launches.prune(NOW) == 1
    assert launches.get(launch(1).id) is None
    assert launches.get(launch(2).id) is not None


def test_without_its_tables_the_store_is_down(engine_url: str, migrated: str) -> None:
    assert engine_url == migrated
    store = open_store(migrated)
    with store.engine.begin() as connection:
        connection.execute(text("DROP TABLE launches"))

    with pytest.raises(StoreDown):
        Launches(store).get(launch().id)
    store.close()
