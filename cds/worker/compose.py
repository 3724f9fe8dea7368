"""The one place where a worker's parts are put together; tests call it with fakes."""

import signal
import threading
import time
from collections.abc import Callable
from typing import get_args

from cds.about import installed_commit
from cds.backend.token import BackendTokens
from cds.clock import Clock
from cds.config import ConfigError, Settings, Site, site_codes, unfit, unsound
from cds.fhir_guard import Kind as UpstreamKind
from cds.metrics import Metrics
from cds.recorder import Recorder
from cds.services import SERVICES, services_of
from cds.store import Spool, Store
from cds.store.cohort import Cohort
from cds.store.inbox import Inbox
from cds.store.latest import Latest
from cds.store.told import Told
from cds.worker.loop import Worker
from cds.worker.ports import Server
from cds.worker.reader import Reader
from cds.worker.watching import Watching
from cds.worker.workplace import Workplace
from fhir_mapping.codes import CodeSets
from knowledge.library import Library


def build_worker(
    settings: Settings,
    *,
    library: Library,
    codes: CodeSets,
    clock: Clock,
    store: Store,
    spool: Spool,
    monotonic: Callable[[], float] = time.monotonic,
    server: Server | None = None,
) -> Worker:
    """A worker, ready to run. Raises `ConfigError` for settings that do not fit.

    `codes`: for every site that has no overlay of its own. `server`: in place of the sites' own
    FHIR servers.
    """
    own, refused = site_codes(settings)
    problems = [*unsound(settings), *refused, *unfit(settings, library)]
    if problems:
        raise ConfigError(tuple(problems))
    by_site = {site: own.get(site, codes) for site in settings.sites}
    services = {
        site: {one.id: one for one in services_of(known)} for site, known in by_site.items()
    }
    metrics = Metrics(services=SERVICES, upstream=get_args(UpstreamKind), refusals=())
    recorder = Recorder(store, spool, metrics=metrics, start=_here)
    cohort = Cohort(store)
    place = Workplace(
        settings=settings,
        library=library,
        codes=by_site,
        services=services,
        clock=clock,
        inbox=Inbox(store),
        cohort=cohort,
        watching=Watching(cohort),
        history=Latest(store),
        records=recorder,
        told=Told(store),
        server=server or Reader(BackendTokens(clock=clock, monotonic=monotonic)),
        acknowledged=_acknowledged(recorder, library, clock),
        commit=installed_commit(),
    )
    return Worker(place)


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set: the claim in hand is finished, then the worker ends."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _here(work: Callable[[], None]) -> None:
    """What a server does beside its calls, a worker does at once."""
    work()


def _acknowledged(
    recorder: Recorder, library: Library, clock: Clock
) -> Callable[[Site, str], frozenset[str]]:
    def acknowledged(site: Site, patient: str) -> frozenset[str]:
        if not library.protocols[site.protocol].rems_applies:
            return frozenset()
        return recorder.acknowledged(
            site.id,
            patient,
            programs=library.rems,
            rules=site.site_rules(library.rules),
            now=clock(),
        )

    return acknowledged
