"""The worker process of this machine: its parts, its signals, and the subscriptions it looks after.

What several sites' servers say about subscriptions may take long: a thread of its own asks them.
"""

import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager

from cds import log
from cds.backend import BackendTokens, FhirClient
from cds.clock import system_clock
from cds.config import Settings, Site
from cds.store import Spool, Store, StoreDown, open_store
from cds.store.cohort import Cohort
from cds.store.inbox import Inbox
from cds.store.subscribed import Subscribed
from cds.subscriptions.desk import desk
from cds.subscriptions.keep import keep
from cds.worker.compose import build_worker, stop_on_signals
from cds.worker.faults import Contained
from fhir_mapping.codes import load_codes
from knowledge import library


KEEP_SECONDS = 300.0
ASK_SECONDS = 20.0  # for one request to a FHIR server


def run(settings: Settings, *, once: bool = False) -> None:
    """Work until a signal says to end, or with `once` until nothing is due.

    Raises `ConfigError`, `AnotherWorker`, and with `once` `StoreDown`.
    """
    log.configure(sys.stderr)
    log.guard_process()
    stop = stop_on_signals()
    with closing(open_store(settings.store)) as store:
        worker = build_worker(
            settings,
            library=library.load(),
            codes=load_codes(),
            clock=system_clock,
            store=store,
            spool=Spool(settings.spool),
        )
        with closing(worker), _keeping(settings, store, stop):
            worker.run(stop, once=once)


@contextmanager
def _keeping(settings: Settings, store: Store, stop: threading.Event) -> Iterator[None]:
    """While this lasts, the subscriptions of every site are looked after."""
    tokens = BackendTokens(clock=system_clock, monotonic=time.monotonic)
    sites = [site for site in settings.sites.values() if site.events is not None]
    ended = threading.Event()

    def work(site: Site) -> None:
        _keep(site, settings.public_url, tokens, store)

    def over() -> bool:
        return ended.wait(KEEP_SECONDS) or stop.is_set()

    thread = threading.Thread(
        target=look_after, args=(sites, work, over), name="subscriptions", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=ASK_SECONDS)


def look_after(
    sites: Iterable[Site], work: Callable[[Site], None], over: Callable[[], bool]
) -> None:
    """Do `work` at each site, round after round; `over` waits for the next one and may end it.

    What one site or the store cannot do now stops no other site and no later round.
    """
    while not over():
        for site in sites:
            try:
                with Contained("chore-fault", site.id):
                    work(site)
            except StoreDown as down:
                log.event("store-down", level=logging.WARNING, code=down.cause, site=site.id)


def _keep(site: Site, public_url: str, tokens: BackendTokens, store: Store) -> None:
    with FhirClient(site, tokens, seconds=ASK_SECONDS) as client:
        outcomes = keep(
            desk(
                site,
                public_url,
                client=client,
                rows=Subscribed(store),
                inbox=Inbox(store),
                cohort=Cohort(store),
                now=system_clock(),
            )
        )
    found = Counter(one.kind or one.done for one in outcomes)
    if found.keys() - {"nothing"}:
        log.event("subscriptions-kept", site=site.id, outcomes=sorted(found))
