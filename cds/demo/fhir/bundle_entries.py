"""The entries of a Bundle that is to be processed: read, checked, and named in a refusal."""

from typing import Any

from msgspec import Struct

from cds.demo.fhir.errors import FhirError
from cds.demo.fhir.resource_json import Resource


ORDER = ("DELETE", "POST", "PUT", "GET")


class Entry(Struct, frozen=True):
    """One request inside a Bundle."""

    method: str
    path: tuple[str, ...]
    query: str
    full_url: str
    resource: Resource
    if_match: str
    if_none_exist: str

    @property
    def kind(self) -> str:
        """The resource type it is about."""
        return self.path[0] if self.path else ""


def entry_of(raw: Any, base: str) -> Entry:
    """Raises `FhirError` 400 for an entry that is no request."""
    asked = raw.get("request") if isinstance(raw, dict) else None
    if not isinstance(asked, dict):
        raise FhirError(400, "required", "request is required")
    names = ("method", "url", "ifMatch", "ifNoneExist")
    method, url, if_match, if_none_exist = (asked.get(name, "") for name in names)
    full_url, resource = raw.get("fullUrl", ""), raw.get("resource", {})
    texts = (method, url, if_match, if_none_exist, full_url)
    if not all(isinstance(one, str) for one in texts) or not isinstance(resource, dict):
        raise FhirError(400, "structure", "the entry is not built as R4 has it")
    path, _, query = url.removeprefix(base).lstrip("/").partition("?")
    parts = tuple(path.split("/")) if path else ()
    lengths = {"POST": 1, "PUT": 2, "DELETE": 2}
    if method not in ORDER or len(parts) != lengths.get(method, len(parts)):
        raise FhirError(400, "not-supported", "request: not something this server does in a Bundle")
    return Entry(method, parts, query, full_url, resource, if_match, if_none_exist)


class Place:
    """Says in a refusal which entry it is about."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        if isinstance(error, FhirError):
            raise error.at(f"Bundle.entry[{self._number}]") from None
