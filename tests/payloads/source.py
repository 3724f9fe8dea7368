"""Where the public FHIR files are, and hook requests made around their contents; judges nothing.

The folder is named by BTCE_PAYLOADS and is only ever read.
"""

import itertools
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from cds.app import create_app
from cds.config import Settings, Site
from cds.hook_request import parse
from cds.pipeline import EXTENSION, evaluate
from cds.store import Spool, Store
from fhir_mapping.codes import CodeSets
from knowledge.facts import Facts
from knowledge.library import Library
from tests.conftest import CheckedClient
from tests.functional.bodies import HOOK_INSTANCE, Json, bundle, draft


_NAMED = os.environ.get("BTCE_PAYLOADS", "")
FOLDER = Path(_NAMED) if _NAMED else None
ALL_TIME = {"icans_lookback_days": 36500}  # so that no entry drops out by age
# Which prefetch query a capture answers, by the beginning of its file name.
QUERY_OF = {
    "observation-vital-signs": "vitals",
    "observation-lab": "labs",
    "condition": "conditions",
    "encounter": "encounter",
    "medicationrequest": "orders",
    "procedure": "procedures",
    "patient": "patient",
}


class Answer(NamedTuple):
    """What the service said over HTTP, and the facts behind it (None if it refused)."""

    status: int
    body: Any
    facts: Facts | None

    @property
    def known(self) -> Facts:
        assert self.facts is not None, self.body
        return self.facts

    @property
    def assessment(self) -> Any:
        return self.body["extension"][EXTENSION]

    def reasons(self, at: str) -> list[str]:
        """Why the part of the request at this place was not used."""
        return [one.reason for one in self.known.unreadable if one.at == at]


_NUMBERS = itertools.count(1)


class Service(NamedTuple):
    """The service as a whole: everything loaded, asked at any time under any base."""

    library: Library
    codes: CodeSets
    store: Store
    spool: Spool

    def ask(self, body: Json, now: datetime, *, rules: dict[str, Any] | None = None) -> Answer:
        """POST the request, then evaluate it again with its fhirServer as the site's base.

        Without authentication only a loopback base may be configured, so the site that is asked
        over HTTP knows no base; that must make no difference to the answer. Each time it is another
        site, which has seen nobody before.
        """
        site = Site(
            id=f"site-{next(_NUMBERS)}",
            fhir_base=None,
            protocol="us-label",
            zone=ZoneInfo("UTC"),
            rules=rules or {},
        )
        settings = Settings(
            host="127.0.0.1",
            port=8080,
            public_url="http://127.0.0.1:8080",
            auth="off",
            default_site=site.id,
            sites={site.id: site},
            origins=frozenset(),
        )
        app = create_app(
            settings,
            library=self.library,
            codes=self.codes,
            clock=lambda: now,
            store=self.store,
            spool=self.spool,
        )
        app.test_client_class = CheckedClient
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        data = json.dumps(body).encode()
        response = client.call(data)
        if response.status_code != 200:
            return Answer(response.status_code, response.get_json(force=True), None)
        based = msgspec.structs.replace(site, fhir_base=body.get("fhirServer"))
        again = evaluate(parse(data), site=based, library=self.library, codes=self.codes, now=now)
        assert again.response == response.data, "the same request must give the same bytes"
        return Answer(200, response.get_json(), again.facts)


def utc(text: str) -> datetime:
    """An instant."""
    return datetime.fromisoformat(text).astimezone(UTC)


def load(path: str) -> Any:
    """One file by its path in the folder."""
    assert FOLDER is not None
    return json.loads((FOLDER / path).read_bytes())


def body_of(path: str) -> Any:
    """What a capture's server answered; the page as text where it was not JSON."""
    content = load(path)["body"]
    if isinstance(content, dict) and "_non_json_body" in content:
        return content["_non_json_body"]
    return content


def all_files() -> list[str]:
    """Every JSON file, by its path in the folder; one made-up name if there is no folder."""
    if FOLDER is None or not FOLDER.is_dir():
        return ["no-folder"]
    return sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.json"))


def captures(vendor: str) -> Iterator[tuple[str, Any]]:
    """Name and answer of each of a vendor's captures that answers one of the queries."""
    for path in all_files():
        name = path.rpartition("/")[2]
        if path.startswith(f"ehr-sandbox-captures/{vendor}/") and name[0].islower():
            content = load(path)
            if isinstance(content, dict) and "_request" in content:
                yield name, content


def prefetch_of(vendor: str, patient: str) -> Json:
    """The captures of one patient under the names of the queries they answer."""
    found: Json = {}
    for name, content in captures(vendor):
        answer = content["body"]
        query = next((key for start, key in QUERY_OF.items() if name.startswith(start)), None)
        if query is None or patient not in _patients(answer):
            continue
        if answer["resourceType"] != "Bundle" and query != "patient":
            continue  # a read of one of the resources that its search has too
        found[query if query not in found else f"more-{name}"] = answer
    return found


def _patients(answer: Any) -> set[str]:
    if not isinstance(answer, dict):
        return set()
    resources = [entry["resource"] for entry in answer.get("entry", [])] or [answer]
    ids = {one["id"] for one in resources if one.get("resourceType") == "Patient" and "id" in one}
    subjects = [one.get("subject") or one.get("patient") or {} for one in resources]
    return ids | {one.get("reference", "").rpartition("/")[2] for one in subjects} - {""}


def order_sign(patient: str, prefetch: Json, base: str | None = None) -> Json:
    """A request to sign teclistamab for this patient with exactly this prefetch."""
    made: Json = {
        "hook": "order-sign",
        "hookInstance": HOOK_INSTANCE,
        "context": {
            "userId": "Practitioner/1",
            "patientId": patient,
            "draftOrders": bundle(draft(patient=patient)),
        },
        "prefetch": prefetch,
    }
    return made if base is None else {**made, "fhirServer": base}


def teclistamab_given(patient: str, at: str) -> Json:
    """An administration, so that the patient counts as exposed."""
    return {
        "resourceType": "MedicationAdministration",
        "id": "given-1",
        "status": "completed",
        "medicationCodeableConcept": {"text": "teclistamab"},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": at,
    }
