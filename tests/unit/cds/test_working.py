"""Subscriptions are looked after for as long as the worker lives, whatever fails meanwhile."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from cds.config import Site
from cds.store import StoreDown
from cds.working import look_after
from tests.functional.deployed import logged


SITES = tuple(
    Site(id=name, fhir_base=None, protocol="us-label", zone=ZoneInfo("UTC"))
    for name in ("north", "south")
)


def rounds(number: int) -> Callable[[], bool]:
    """True, which ends it, after so many rounds."""
    left = iter([False] * number + [True])
    return lambda: next(left)


@pytest.mark.parametrize("error", [StoreDown("gone"), KeyError("a name")], ids=["store", "fault"])
def test_what_fails_at_one_site_stops_neither_the_other_nor_the_next_round(
    error: Exception,
) -> None:
    asked: list[str] = []

    def work(site: Site) -> None:
        asked.append(site.id)
        if asked == ["north"]:
            raise error

    with logged() as lines:
        look_after(SITES, work, rounds(2))
    assert asked == ["north", "south", "north", "south"]
    (line,) = lines
    assert line["site"] == "north"
    assert "a name" not in str(line)


def test_it_ends_without_another_round_when_it_is_over() -> None:
    asked: list[Site] = []
    look_after(SITES, asked.append, rounds(0))
    assert asked == []
