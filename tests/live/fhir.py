"""A plain FHIR client of the tests, over HTTP, and resources that no other test has."""

import uuid
from datetime import datetime
from http import HTTPStatus
from typing import Any

import requests


Json = dict[str, Any]
FHIR_JSON = "application/fhir+json"
SECONDS = 60
_CONFLICTS = 5


class Fhir:
    """One FHIR base. Nothing is taken from the environment, and no search from a cache."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({"Accept": FHIR_JSON, "Cache-Control": "no-cache"})

    def send(
        self, method: str, path: str, body: Json | None = None, **headers: str
    ) -> requests.Response:
        """One request below the base; header names with `_` for `-`.

        Sent again where the server was busy with the resource itself: HAPI answers 409 then, most
        likely to a change just after another.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            named["Content-Type"] = FHIR_JSON
        url = path if path.startswith(self.base) else f"{self.base}/{path}".rstrip("/")
        again = 0 if "If-Match" in named else _CONFLICTS
        while True:
            answer = self.session.request(method, url, json=body, headers=named, timeout=SECONDS)
            if answer.status_code != HTTPStatus.CONFLICT or again == 0:
                return answer
            again -= 1

    def get(self, path: str) -> Json:
        """What is there; any answer but 200 fails."""
        answer = self.send("GET", path)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def put(self, resource: Json) -> Json:
        """Create or update under its own id; the resource as it is stored."""
        answer = self.send("PUT", f"{resource['resourceType']}/{resource['id']}", resource)
        assert answer.status_code in {200, 201}, answer.text
        stored: Json = answer.json()
        return stored

    def post(self, resource: Json) -> Json:
        """Create; the resource as it is stored."""
        answer = self.send("POST", resource["resourceType"], resource)
        assert answer.status_code == 201, answer.text
        stored: Json = answer.json()
        return stored

    def transaction(self, *entries: Json) -> Json:
        """All of it or nothing; the answer Bundle, with the resources as they are stored."""
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}
        answer = self.send("POST", "", bundle, Prefer="return=representation")
        assert answer.status_code == 200, answer.text
        done: Json = answer.json()
        return done

    def new_patient(self) -> str:
        """The id of a patient that no other test has."""
        patient: str = self.put({"resourceType": "Patient", "id": new_id("p")})["id"]
        return patient

    def ids(self, search: str) -> list[str]:
        """The ids a search finds on its first page, in its order."""
        return [one["resource"]["id"] for one in self.get(search).get("entry", ())]


def new_id(what: str = "t") -> str:
    """An id of this run alone: the server may hold what others left."""
    return f"{what}-{uuid.uuid4().hex[:12]}"


def updated(resource: Json) -> Json:
    """An entry that creates or updates the resource under its own id."""
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"resource": resource, "request": {"method": "PUT", "url": url}}


def version(resource: Json) -> str:
    """The version of a stored resource."""
    number: str = resource["meta"]["versionId"]
    return number


def last_updated(resource: Json) -> datetime:
    """When the server stored it."""
    return datetime.fromisoformat(resource["meta"]["lastUpdated"])
