"""One hook of a visit as a real HTTP call: prefetch from the FHIR server, then the service.

An EHR's part only. The answer is kept as it came.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import requests
from msgspec import Struct

from cds.clock import Clock
from cds.demo.answer import Answer, open_session, send
from cds.demo.drafting import entries
from cds.demo.faults import spoilt, url_of
from cds.demo.meaning import Meaning
from cds.demo.patients import PRACTITIONER, encounter_id
from cds.demo.prefetching import NoDiscovery, Prefetched, Source, fill, templates_of
from cds.demo.settable import HEADER
from cds.demo.story import Story
from cds.demo.visit import Ehr, Visit


SERVICES: Mapping[str, str] = {
    "patient-view": "btce-patient-view",
    "order-select": "btce-order-select",
    "order-sign": "btce-order-sign",
}
_ORDERING = ("order-select", "order-sign")


class Hospital(Struct, frozen=True, kw_only=True):
    """Where everything is. `base`: of the demo. `fhir`: the FHIR base the services know.

    `doors`: by EHR, where the workbench reaches the FHIR server. `began`: hour 0 of the stories.
    """

    base: str
    fhir: str
    doors: Mapping[Ehr, str]
    clock: Clock
    began: datetime
    connect: Callable[[], requests.Session] = open_session

    def door(self, ehr: Ehr) -> str:
        """Of this EHR, or the plain one."""
        return self.doors.get(ehr) or self.doors["plain"]

    def service(self, protocol: str, hook: str) -> str:
        """The URL of the service of a hook."""
        return f"{self.base}/{protocol}/cds-services/{SERVICES[hook]}"

    def now(self, visit: Visit) -> datetime:
        """The time of a visit: the hour of the story it was set to, or the real clock."""
        if visit.hour is None:
            return self.clock()
        return min(self.began + timedelta(hours=visit.hour), self.clock())


def context_of(
    hook: str, visit: Visit, story: Story, *, selected: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The context of a hook, by its definition. `selected`: what was chosen last."""
    found: dict[str, Any] = {
        "userId": PRACTITIONER,
        "patientId": story.id,
        "encounterId": encounter_id(story),
    }
    if hook == "order-select":
        found["selections"] = list(selected)
    if hook in _ORDERING:
        found["draftOrders"] = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": entries(visit.unsigned, visit.ehr),
        }
    return found


def call(
    hospital: Hospital, hook: str, visit: Visit, story: Story, *, selected: tuple[str, ...] = ()
) -> Answer:
    """Fire the hook. What fails is an answer that says so."""
    context = context_of(hook, visit, story, selected=selected)
    url = url_of(hospital.service(visit.protocol, hook), visit.fault)
    now = hospital.now(visit)
    past = None if visit.hour is None else now
    source = Source(door=hospital.door(visit.ehr), base=hospital.fhir, until=past)
    with hospital.connect() as session:
        try:
            templates = templates_of(session, f"{hospital.base}/{visit.protocol}", SERVICES[hook])
        except NoDiscovery as error:
            return _unknown(url, hook, now, visit.protocol, str(error))
        got = fill(session, templates, context, source)
        headers = {} if past is None else {HEADER: past.isoformat()}
        body = spoilt(_body(hook, context, hospital.fhir, got), visit.fault)
        answer = send(session, url, body, headers=headers)
    about = ", ".join(one.partition("/")[2][:20] for one in selected)
    return msgspec.structs.replace(
        answer, hook=hook, queries=got.queries, at=now, about=about, protocol=visit.protocol
    )


def _body(hook: str, context: dict[str, Any], fhir: str, got: Prefetched) -> dict[str, Any]:
    return {
        "hook": hook,
        "hookInstance": str(uuid4()),
        "fhirServer": fhir,
        "context": context,
        "prefetch": got.values,
    }


def _unknown(url: str, hook: str, now: datetime, protocol: str, why: str) -> Answer:
    return Answer(
        url=url,
        hook=hook,
        elapsed_ms=0,
        status=0,
        cards=(),
        request="",
        response="",
        meaning=Meaning(
            "The service does not say what it needs, so nothing was sent.",
            "Check that it runs, and that GET /cds-services lists this hook.",
            (why,),
        ),
        at=now,
        protocol=protocol,
    )
