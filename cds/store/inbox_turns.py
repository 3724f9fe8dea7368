"""In which order turns are taken: site after site, and within a site who waits longest."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select

from cds.store import inbox_statements as statements


# A turn that was put off further than this was put off by a clock that went wrong: it is due.
HORIZON = timedelta(days=1)
_LOOK_AGAIN = timedelta(seconds=1)  # for sites that had no turn before


class Rota:
    """Whose site was served last in this process: one that floods us is one among others."""

    def __init__(self) -> None:
        self.last = ""
        self._sites: tuple[str, ...] = ()
        self._looked: datetime | None = None

    def sites(self, connection: Connection, now: datetime) -> Iterator[str]:
        """Every site with a turn, the one that was served last at the end.

        While there is work, who is there is looked up once in a while.
        """
        last = self.last
        if self._looked is None or not timedelta(0) <= now - self._looked < _LOOK_AGAIN:
            yield from _after(last, self._look(connection, now))
            return
        known = self._sites
        yield from _after(last, known)
        yield from _after(last, set(self._look(connection, now)) - set(known))

    def _look(self, connection: Connection, now: datetime) -> tuple[str, ...]:
        self._sites = tuple(connection.execute(statements.sites_with_turns()).scalars())
        self._looked = now
        return self._sites


class Order(Struct, frozen=True):
    """The order at one moment, for one claim."""

    rota: Rota
    now: datetime

    def sites(self, connection: Connection) -> Iterator[str]:
        """Where to look, one after the other."""
        return self.rota.sites(connection, self.now)

    def turns(self, site: str, count: int) -> Iterator[Select[Any]]:
        """How to look for the first turns of this site."""
        yield statements.due_turns(site, self.now, count)
        yield statements.far_turns(site, self.now + HORIZON, count)

    def took(self, site: str) -> None:
        """A turn of this site is taken: the next one is another's."""
        self.rota.last = site


def _after(last: str, sites: Iterable[str]) -> list[str]:
    found = sorted(sites)
    return [one for one in found if one > last] + [one for one in found if one <= last]
