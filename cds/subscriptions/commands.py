"""What `btce-cds subscriptions` does: each command gives the lines to print, and prints nothing.

No line names a patient. Every one raises `ConfigError` for its file, `StoreDown` for a database
that cannot be used, `ValueError` for options that do not fit, and in the end `Unfinished` where
something is not as it should be.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from cds.backend import BackendFailed, BackendTokens, FhirClient, uncovered
from cds.backend.scopes import SUBSCRIPTIONS
from cds.clock import Clock, system_clock
from cds.config import Settings, Site, load
from cds.store import open_store
from cds.store.cohort import Cohort
from cds.store.inbox import Inbox
from cds.store.subscribed import Subscribed
from cds.subscriptions import manage, server
from cds.subscriptions.desk import Desk, desk
from cds.subscriptions.outcome import Outcome
from cds.subscriptions.plan import Shape


SECONDS = 20.0  # for one request to a FHIR server
NONE_SERVED = "the server lists no Subscription it would create; polling covers this site"
Work: TypeAlias = Callable[[Desk], Iterator[str]]


class Unfinished(Exception):
    """The command did what it could; `problems`: what is left, one sentence each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def create_subscriptions(
    config: Path, environ: Mapping[str, str], *, site: str | None, shape: Shape
) -> Iterator[str]:
    """Create what the cohort of each site lacks. A site whose server has none is unfinished."""

    def work(at: Desk) -> Iterator[str]:
        if not server.serves(at.client):
            raise Unfinished((f"{at.site}: {NONE_SERVED}",))
        lacking = uncovered(at.client.scope(), SUBSCRIPTIONS)
        if lacking:
            yield f"{at.site}: the token does not cover {', '.join(lacking)}"
        yield from _report(at, manage.create(at, shape))

    return _at_each(config, environ, site, work)


def check_subscriptions(
    config: Path, environ: Mapping[str, str], *, site: str | None
) -> Iterator[str]:
    """What is wrong with the subscriptions of each site; changes nothing."""

    def work(at: Desk) -> Iterator[str]:
        if not at.rows.of_site(at.site) and not server.serves(at.client):
            yield f"{at.site}: {NONE_SERVED}"
            return
        yield from _report(at, manage.check(at))
        yield from _strangers(at)

    return _at_each(config, environ, site, work)


def renew_subscriptions(
    config: Path, environ: Mapping[str, str], *, site: str | None
) -> Iterator[str]:
    """Put right what `check` finds."""
    return _at_each(config, environ, site, lambda at: _report(at, manage.renew(at)))


def remove_subscriptions(
    config: Path, environ: Mapping[str, str], *, site: str | None, strangers: bool
) -> Iterator[str]:
    """Remove those of each site; with `strangers` also what sends here and is not known."""

    def work(at: Desk) -> Iterator[str]:
        yield from _report(at, manage.remove(at))
        if strangers:
            yield from _report(at, manage.remove_strangers(at, manage.strangers(at)))
        else:
            yield from _strangers(at)

    return _at_each(config, environ, site, work)


def _at_each(
    config: Path,
    environ: Mapping[str, str],
    site: str | None,
    work: Work,
    clock: Clock = system_clock,
) -> Iterator[str]:
    """Do `work` at each site with events, or at one; what one site refuses stops no other."""
    settings = load(config, environ)
    tokens = BackendTokens(clock=clock, monotonic=time.monotonic)
    problems: list[str] = []
    with closing(open_store(settings.store)) as store:
        for one in _sites(settings, site):
            with FhirClient(one, tokens, seconds=SECONDS) as client:
                at = desk(
                    one,
                    settings.public_url,
                    client=client,
                    rows=Subscribed(store),
                    inbox=Inbox(store),
                    cohort=Cohort(store),
                    now=clock(),
                )
                try:
                    yield from work(at)
                except BackendFailed as error:
                    problems.append(f"{one.id}: {error}")
                except Unfinished as error:
                    problems += error.problems
    if problems:
        raise Unfinished(tuple(problems))


def _sites(settings: Settings, wanted: str | None) -> tuple[Site, ...]:
    sites = tuple(
        site
        for site in settings.sites.values()
        if site.events is not None and wanted in (None, site.id)
    )
    if wanted is not None and not sites:
        raise ValueError("--site: no such site with events is configured")
    return sites


def _report(at: Desk, outcomes: Iterable[Outcome]) -> Iterator[str]:
    """A line for each that is not simply in order, and one for all; raises `Unfinished`."""
    counts: Counter[str] = Counter()
    wrong = 0
    for outcome in outcomes:
        counts[_word(outcome)] += 1
        if outcome.problem is not None or outcome.kind is not None:
            yield f"{at.site}: {outcome}"
        wrong += outcome.kind is not None or (
            outcome.problem is not None and outcome.done == "nothing"
        )
    words = ", ".join(f"{number} {word}" for word, number in sorted(counts.items()))
    yield f"{at.site}: {words or 'nothing to do'}"
    if wrong:
        raise Unfinished((f"{at.site}: {wrong} not in order",))


def _word(outcome: Outcome) -> str:
    if outcome.kind is not None:
        return "failed"
    if outcome.done == "nothing":
        return "in order" if outcome.problem is None else "not in order"
    return outcome.done


def _strangers(at: Desk) -> Iterator[str]:
    """How many subscriptions at the server send here without being known here."""
    try:
        found = manage.strangers(at)
    except BackendFailed as error:
        yield f"{at.site}: others that send here could not be listed: {error}"
        return
    if found.found:
        ids = ", ".join(one.id for one in found.found)
        yield f"{at.site}: not of this store, removed with --strangers: {ids}"
    if not found.complete:
        yield f"{at.site}: the server listed a part of its subscriptions only"
