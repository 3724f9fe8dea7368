"""One hook call of a known site: what is missing is read, the rest evaluated, the decision kept.

Knows no HTTP of its own side and nothing clinical.
"""

import re
from datetime import timedelta
from uuid import uuid4

from msgspec import Struct

from cards.model import Card
from cds.config import Site, same_base
from cds.deployment import Deployment
from cds.drafted import required_missing
from cds.errors import AnotherPatient, BadHookRequest, DataUnavailable
from cds.fhir_fetch import Failure, read_missing
from cds.hook_request import HookRequest, access_token, parse
from cds.pipeline import EXTENSION, Evaluation, evaluate, record_of
from cds.prefetch import covers
from cds.services import Service
from cds.store.inputs import input_refs
from cds.store.recording import Call, decision_row, sent_assessment


_RESERVE = 0.4  # seconds kept of the deadline for evaluating and keeping the decision
_KEY = re.compile(r"(context\.)?[A-Za-z][A-Za-z0-9_-]{0,31}")  # of those that templates have
_TOKEN = b'"fhirAuthorization"'


class Answered(Struct, frozen=True):
    """What was found out for one call; `id` names the decision in the store and in the log."""

    id: str
    evaluation: Evaluation
    failed: tuple[Failure, ...] = ()

    @property
    def shown(self) -> tuple[Card, ...]:
        """The cards the client gets: none at a silent site."""
        live = self.evaluation.decision.assessment.mode == "live"
        return self.evaluation.cards if live else ()


def answer(
    body: bytes, service: Service, site: Site, deployment: Deployment, *, started: float
) -> Answered:
    """Parse, read, evaluate, keep. `started`: the monotonic second at which the call arrived.

    Raises `BadHookRequest`, `TooLarge`, `AnotherPatient`, `DataUnavailable`.
    """
    request = parse(body, service.hook)
    refuse_other_server(request, site)
    now = deployment.clock()
    failed: tuple[Failure, ...] = ()
    token = access_token(body) if site.fetch and _TOKEN in body else None
    if token is not None and site.fhir_base is not None:
        left = float(deployment.settings.deadline_seconds) - _RESERVE
        rules = site.site_rules(deployment.library.rules)
        request, failed = read_missing(
            request,
            service.prefetch,
            base=site.fhir_base,
            token=token,
            seconds=max(0.0, left - (deployment.monotonic() - started)),
            enough=covers(now, timedelta(days=rules.icans_lookback_days)),
        )
    for name in required_missing(request):
        raise DataUnavailable("was neither sent nor could it be read", field=name)
    begun = deployment.monotonic()
    try:
        evaluation = evaluate(
            request,
            site=site,
            library=deployment.library,
            codes=deployment.codes[site.id],
            now=now,
            acknowledged=_acknowledged(request, site, deployment),
            unread=tuple(map(str, failed)),
            earlier=deployment.recorder.earlier(site.id, request.patient_id, now),
        )
    except AnotherPatient as error:
        place = _place(error.field)
        raise AnotherPatient(error.message.replace(error.field, place), field=place) from None
    deployment.metrics.evaluated(service.id, deployment.monotonic() - begun)
    answered = Answered(str(uuid4()), evaluation, failed)
    _keep(answered, request, service, site, deployment)
    return answered


def refuse_other_server(request: HookRequest, site: Site) -> None:
    """The body may not choose the FHIR server: it must be the site's own."""
    server, own = request.fhir_server, site.fhir_base
    if server is not None and own is not None and not same_base(server, own):
        raise BadHookRequest("is not the FHIR base of this site", field="fhirServer")


def _place(field: str) -> str:
    """Where it was. A prefetch key that is shaped otherwise is not repeated: it may be a name."""
    key, _, rest = field.removeprefix("prefetch.").partition(".entry")
    if field.startswith("prefetch.") and not _KEY.fullmatch(key):
        return f"prefetch.entry{rest}" if rest else "prefetch"
    return field


def _acknowledged(request: HookRequest, site: Site, deployment: Deployment) -> frozenset[str]:
    library = deployment.library
    if not library.protocols[site.protocol].rems_applies:
        return frozenset()
    return deployment.recorder.acknowledged(
        site.id,
        request.patient_id,
        programs=library.rems,
        rules=site.site_rules(library.rules),
        now=deployment.clock(),
    )


def _keep(
    answered: Answered, request: HookRequest, service: Service, site: Site, deployment: Deployment
) -> None:
    evaluation = answered.evaluation
    call = Call(
        id=answered.id,
        site=site.id,
        patient=request.patient_id,
        hook=request.hook,
        hook_instance=request.hook_instance,
        service=service.id,
    )
    row = decision_row(
        call,
        evaluation.decision,
        cards=evaluation.cards,
        assessment=sent_assessment(evaluation.response, EXTENSION),
        inputs=input_refs((*request.prefetch.values(), request.draft_orders)),
        programs={one.program: one.id for one in deployment.library.rems.values()},
        commit=deployment.commit,
        record=record_of(evaluation),
    )
    deployment.recorder.record(row)
