"""Files the unsigned orders of a visit at the FHIR server, as an EHR does once they are signed.

Shapes and transport. A draft on hold stays on hold; any other becomes active.
"""

import requests

from cds.demo.answer import TIMEOUT_SECONDS
from cds.demo.drafting import label_of
from cds.demo.fhir.resource_json import Resource, encode
from cds.demo.observing import Posted
from cds.demo.visit import Draft


def file(session: requests.Session, door: str, drafts: tuple[Draft, ...]) -> Posted:
    """Create each of them; `left` of the answer: the drafts that were not taken."""
    written, problems, left = [], [], []
    for one in drafts:
        name, resource = label_of(one.resource), _signed(one.resource)
        try:
            reply = session.post(
                f"{door}/{resource['resourceType']}",
                data=encode(resource),
                headers={"Content-Type": "application/fhir+json"},
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            problems.append(f"{name}: the FHIR server did not answer ({type(error).__name__}).")
            left.append(one.id)
            continue
        if reply.status_code == requests.codes.created:
            written.append(f"{name} ({resource['status']})")
        else:
            problems.append(f"{name}: the FHIR server refused it, HTTP {reply.status_code}.")
            left.append(one.id)
    return Posted(tuple(written), tuple(problems), tuple(left))


def _signed(draft: Resource) -> Resource:
    status = "on-hold" if draft.get("status") == "on-hold" else "active"
    rest = {name: value for name, value in draft.items() if name != "id"}
    return rest | {"status": status}
