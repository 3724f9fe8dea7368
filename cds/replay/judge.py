"""Evaluates one moment through the service's own pipeline, and counts what comes out."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec import Struct

from cds.call import refuse_other_server
from cds.config import Site
from cds.drafted import required_missing
from cds.errors import DataUnavailable, ServiceError
from cds.hook_request import HookRequest
from cds.pipeline import Evaluation, evaluate
from cds.replay.differing import Differences
from cds.replay.tally import Origin, Tally
from cds.replay.values import Row
from fhir_mapping.codes import CodeSets
from knowledge.assessment import Assessment
from knowledge.library import Library


class Setup(Struct, frozen=True, kw_only=True):
    """How moments are evaluated. `site` named by a configuration: its base binds every request.

    `against`: another version of the knowledge to ask as well. `updates`: `meta.lastUpdated`
    counts as a time of charting.
    """

    site: Site
    library: Library
    codes: CodeSets
    configured: bool = False
    against: Library | None = None
    updates: bool = True


class Judge:
    """Asks the pipeline; `monotonic` in seconds, for the figures of `durations` alone."""

    def __init__(self, setup: Setup, tally: Tally, monotonic: Callable[[], float]) -> None:
        self.setup = setup
        self.tally = tally
        self.differences = None if setup.against is None else Differences(setup.against)
        self.durations: list[float] = []
        self._monotonic = monotonic

    def moment(self, origin: Origin, row: Row, request: HookRequest, at: datetime) -> str:
        """Evaluate, count, compare; why the service would refuse, or nothing."""
        begun = self._monotonic()
        try:
            evaluation = self._evaluate(request, at, self.setup.library)
        except ServiceError as error:
            self.tally.refused[reason_of(error)] += 1
            return reason_of(error)
        self.durations.append(self._monotonic() - begun)
        self.tally.add(origin, evaluation, request.prefetch)
        if self.differences is not None:
            self.differences.add(row, evaluation, self._against(request, at))
        return ""

    def site_of(self, request: HookRequest) -> Site:
        """The configured one, or as `explain` has it: the request's own server is its base."""
        site = self.setup.site
        if self.setup.configured:
            return site
        return msgspec.structs.replace(site, fhir_base=request.fhir_server)

    def assess(self, request: HookRequest, at: datetime) -> Assessment | None:
        """The assessment alone, counted nowhere; None where it is refused."""
        try:
            return self._evaluate(request, at, self.setup.library).decision.assessment
        except ServiceError:
            return None

    def _against(self, request: HookRequest, at: datetime) -> Evaluation | None:
        if self.setup.against is None:
            return None
        try:
            return self._evaluate(request, at, self.setup.against)
        except ServiceError:
            return None

    def _evaluate(self, request: HookRequest, at: datetime, library: Library) -> Evaluation:
        site = self.site_of(request)
        refuse_other_server(request, site)
        for name in required_missing(request):
            raise DataUnavailable("was not sent", field=name)
        return evaluate(request, site=site, library=library, codes=self.setup.codes, now=at)


def reason_of(error: ServiceError) -> str:
    """The stable code; of a request that cannot be read what is wrong, which repeats no value."""
    if error.code != "bad-hook-request":
        return error.code
    field = "" if "prefetch." in error.field else error.field
    return f"{error.code}: {field} {error.message}".replace(":  ", ": ")
