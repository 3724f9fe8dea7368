"""What the commands that look after the store do: each gives the lines to print, prints nothing.

Every one raises `ConfigError` for its file and `StoreDown` for a database that cannot be used.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from cds.config import load
from cds.store import Store, open_store
from cds.store import backup as copies
from cds.store.errors import ChainBroken
from cds.store.retention import Removed, remove_before, sites
from cds.store.verify import WORDS, Noted, Problem, heads, verify


WAIT_SECONDS = 30.0  # nobody waits for an answer in two seconds here
# Whatever the law asks to keep, an event in the course of treatment is looked for this far back.
LEAST_AGE = timedelta(days=90)
_NOTED = re.compile(r"(?P<site>[^\s:]+):(?P<position>\d+):(?P<link>[0-9a-f]{64})", re.ASCII)


def verify_chain(
    config: Path,
    environ: Mapping[str, str],
    *,
    site: str | None = None,
    noted: tuple[str, ...] = (),
) -> Iterator[str]:
    """A line a difference, then one a site with its head, to be noted somewhere else.

    `noted`: heads from earlier, as they were printed. Raises `ChainBroken` after the last line if
    there was a difference, and `ValueError` for a head that is none.
    """
    written = [_noted(word) for word in noted]
    broken = 0
    with closing(_store(config, environ)) as store:
        ends = {head.site: head for head in heads(store)}
        wanted = {*ends, *(name for name, _ in written)} if site is None else {site}
        for name in sorted(wanted):
            found = list(_problems(store, name, [one for of, one in written if of == name]))
            broken += len(found)
            yield from (_line(problem) for problem in found)
            head = ends.get(name)
            if not found and head is not None:
                yield f"{head.site}:{head.position}:{head.link}"
    if broken:
        raise ChainBroken(f"{broken} differences from what was kept")


def remove_old(
    config: Path,
    environ: Mapping[str, str],
    *,
    before: datetime,
    now: datetime,
    site: str | None = None,
) -> Iterator[str]:
    """A line a site with what was removed. Raises `ValueError` for a moment too near to `now`."""
    if before > now - LEAST_AGE:
        raise ValueError(f"--before: must be at least {LEAST_AGE.days} days ago")
    with closing(_store(config, environ)) as store:
        for name in sites(store) if site is None else [site]:
            yield f"{name}: {_gone(remove_before(store, before, site=name))}"


def back_up(config: Path, environ: Mapping[str, str], file: Path) -> Iterator[str]:
    """One line when the copy is on the disk. Raises `BackupFailed`."""
    size = copies.backup(load(config, environ).store, file)
    yield f"{file}: {size} bytes"


def restore(config: Path, environ: Mapping[str, str], file: Path) -> Iterator[str]:
    """One line when all is in the database, which held nothing. Raises `BackupFailed`."""
    copies.restore(load(config, environ).store, file)
    yield "restored; run `btce-cds migrate`, then `btce-cds audit verify`"


def _store(config: Path, environ: Mapping[str, str]) -> Store:
    return open_store(load(config, environ).store, wait=WAIT_SECONDS)


def _gone(gone: Removed) -> str:
    said = (
        f"{gone.decisions} decisions, {gone.feedback} feedback,"
        f" {gone.acknowledgements} acknowledgements, {gone.inbox} inbox, {gone.told} told,"
        f" {gone.statements} statements, {gone.launches} launches;"
        f" {gone.carried} last decisions kept"
    )
    if gone.unwritten:
        said += f"; {gone.unwritten} old statements kept that are in no chart"
    return said


def _problems(store: Store, site: str, noted: list[Noted]) -> Iterator[Problem]:
    yield from verify(store, site, noted[0] if noted else None)
    for one in noted[1:]:
        yield from (problem for problem in verify(store, site, one) if problem.what == "noted")


def _noted(word: str) -> tuple[str, Noted]:
    found = _NOTED.fullmatch(word)
    if found is None:
        raise ValueError("--noted: must be site:position:link, as it was printed")
    return found["site"], Noted(int(found["position"]), found["link"])


def _line(problem: Problem) -> str:
    row = f"  {problem.kind} {problem.id}" if problem.id else ""
    where = "-" if problem.position is None else str(problem.position)
    return f"{problem.site}  {where}{row}  {WORDS[problem.what]}"
