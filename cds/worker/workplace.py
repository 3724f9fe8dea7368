"""What one worker process works with, put together once; decides nothing."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from cds.clock import Clock
from cds.config import Settings, Site
from cds.services import OBSERVATION, Service
from cds.worker.ports import Cohort, History, Inbox, Records, Server, Told
from cds.worker.watching import Watching
from fhir_mapping.codes import CodeSets
from knowledge.library import Library


HOOK = "regrade"  # what stands for the hook in a decision that no client asked for
SERVICE = "btce-worker"


class Workplace(Struct, frozen=True, kw_only=True):
    """The parts of a worker; `codes` and `services` by the id of the site.

    `acknowledged`: REMS programmes (by id) whose duties somebody has read, of (site, patient).
    `commit`: of the source this software was built from, "" if it is not known.
    """

    settings: Settings
    library: Library
    codes: Mapping[str, CodeSets]
    services: Mapping[str, Mapping[str, Service]]
    clock: Clock
    inbox: Inbox
    cohort: Cohort
    watching: Watching
    history: History
    records: Records
    told: Told
    server: Server
    acknowledged: Callable[[Site, str], frozenset[str]]
    commit: str = ""

    def sites(self) -> tuple[Site, ...]:
        """The sites that hear of events: the others only answer hook calls."""
        return tuple(
            site
            for site in self.settings.sites.values()
            if site.events is not None and site.backend is not None
        )

    def site(self, name: str) -> Site | None:
        """One of them by its id; None: it is not configured here."""
        return next((site for site in self.sites() if site.id == name), None)

    def templates(self, site: Site) -> Mapping[str, str]:
        """The queries that make up a patient's record at this site."""
        return self.services[site.id][OBSERVATION.id].prefetch
