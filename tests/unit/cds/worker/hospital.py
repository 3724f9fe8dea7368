"""A site's FHIR server in memory, as the worker sees it: it answers, fails, and keeps what it is
given. Test equipment of the worker alone; the sandbox server speaks HTTP."""

import copy
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec
from msgspec import Raw

from cds.config import Site
from cds.fhir_fetch import Failure, Fetched
from cds.fhir_guard import Kind
from cds.hook_request import HookRequest
from cds.prefetch import Enough
from cds.worker.ports import Created, Unread
from tests.builders import Json, bundle


CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def of(resource: Json, patient: str = "p1", category: str = "vital-signs") -> Json:
    """The resource as this patient's; an Observation under its category."""
    made: Json = {**resource, "subject": {"reference": f"Patient/{patient}"}}
    if made["resourceType"] == "Observation":
        made["category"] = [{"coding": [{"system": CATEGORY, "code": category}]}]
    return made


class Hospital:
    """`down`: every request fails so. `failing`: by prefetch key. `refusing`: every write does."""

    def __init__(self) -> None:
        self.resources: dict[str, Json] = {}
        self.versions: dict[str, int] = {}
        self.down: Kind | None = None
        self.failing: dict[str, Kind] = {}
        self.refusing: Kind | None = None
        self.reads: list[str] = []
        self.writes: list[tuple[str, str]] = []
        self.queries: list[str] = []

    def put(self, resource: Json) -> str:
        """Create or change; "Type/id/_history/version"."""
        ref = f"{resource['resourceType']}/{resource['id']}"
        self.versions[ref] = self.versions.get(ref, 0) + 1
        meta = {"versionId": str(self.versions[ref])}
        self.resources[ref] = {**copy.deepcopy(resource), "meta": meta}
        return f"{ref}/_history/{self.versions[ref]}"

    def delete(self, ref: str) -> None:
        """Gone, if it was there."""
        if self.resources.pop(ref, None) is not None:
            self.versions[ref] += 1

    def of_type(self, kind: str) -> list[Json]:
        """Every resource of this type."""
        return [one for one in self.resources.values() if one["resourceType"] == kind]

    def everything(
        self, site: Site, request: HookRequest, templates: Mapping[str, str], enough: Enough
    ) -> Fetched:
        """All the queries."""
        self.reads.append(request.patient_id)
        prefetch: dict[str, Raw] = {}
        failed: list[Failure] = []
        for key, template in templates.items():
            kind = self.down or self.failing.get(key)
            answer = (
                None if kind else self._answer(template, request.patient_id, site.fhir_base or "")
            )
            if answer is None:
                failed.append(Failure(key, kind or "not-found"))
            else:
                prefetch[key] = Raw(json.dumps(answer).encode())
        return Fetched(msgspec.structs.replace(request, prefetch=prefetch), tuple(failed))

    def resource(self, site: Site, ref: str) -> Raw | None:
        """One of them."""
        self._refuse(self.down)
        found = self.resources.get(ref)
        return None if found is None else Raw(json.dumps(found).encode())

    def found(self, site: Site, query: str) -> tuple[Raw, ...]:
        """Administrations, whatever else is asked."""
        self.queries.append(query)
        self._refuse(self.down)
        kind = query.partition("?")[0]
        return tuple(Raw(json.dumps(one).encode()) for one in self.of_type(kind))

    def create(self, site: Site, resource: Mapping[str, Any], identifier: str) -> Created:
        """Unless it is there."""
        self._refuse(self.down or self.refusing)
        system, _, value = identifier.partition("|")
        kind = resource["resourceType"]
        for one in self.of_type(kind):
            if {"system": system, "value": value} in one.get("identifier", []):
                return Created(f"{kind}/{one['id']}", as_sent=False)
        made = {**resource, "id": f"w{len(self.writes) + 1}"}
        self.writes.append(("create", kind))
        self.put(made)
        return Created(f"{kind}/{made['id']}", as_sent=True)

    def update(self, site: Site, ref: str, resource: Mapping[str, Any]) -> None:
        """Whatever is there."""
        self._refuse(self.down or self.refusing)
        assert resource["id"] == ref.partition("/")[2]
        self.writes.append(("update", ref.partition("/")[0]))
        self.put(dict(resource))

    def close(self) -> None:
        """It has no connections."""

    def _refuse(self, kind: Kind | None) -> None:
        if kind is not None:
            raise Unread(kind)

    def _answer(self, template: str, patient: str, base: str) -> Json | None:
        kind, _, query = template.replace("{{context.patientId}}", patient).partition("?")
        if not query:
            return self.resources.get(kind)
        wanted = parse_qs(query)
        mine = [one for one in self.of_type(kind) if _is_of(one, patient)]
        if "category" in wanted:
            mine = [one for one in mine if wanted["category"][0] in json.dumps(one["category"])]
        if "code" in wanted:
            codes = {token.rpartition("|")[2] for token in wanted["code"][0].split(",")}
            mine = [one for one in mine if codes & _codes(one)]
        return bundle(*mine, base=base)


def _is_of(resource: Json, patient: str) -> bool:
    named = resource.get("subject") or resource.get("patient") or {}
    return bool(named.get("reference") == f"Patient/{patient}")


def _codes(resource: Json) -> set[str]:
    return {coding["code"] for coding in resource["code"]["coding"]}
