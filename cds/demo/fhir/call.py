"""What every interaction is given: the server's parts, and what the headers of the request ask."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from cds.clock import Clock
from cds.demo.fhir.definitions import TYPES
from cds.demo.fhir.errors import unknown_type
from cds.demo.fhir.feed import Feed
from cds.demo.fhir.quirks import Quirks
from cds.demo.fhir.resource_json import Resource
from cds.demo.fhir.search import Pages
from cds.demo.fhir.storage import Sandbox, Version
from cds.demo.fhir.visible import Visible, everything


Interaction: TypeAlias = Literal[
    "read", "vread", "history", "search", "create", "update", "delete", "bundle", "operation"
]


class Ask(Struct, frozen=True, kw_only=True):
    """What somebody wants to do. `authorization`: the header as it came; never to be logged."""

    authorization: str
    interaction: Interaction
    kind: str
    id: str = ""
    pairs: Sequence[tuple[str, str]] = ()
    resource: Resource | None = None


# Raises `FhirError`, or tells what may be shown to whoever asks; None: everything.
Authorize: TypeAlias = Callable[[Ask], Visible | None]


def open_to_all(_: Ask) -> None:
    """No authorization: whoever reaches the loopback address may do everything."""


class Server(Struct, frozen=True, kw_only=True):
    """The parts of one sandbox server. `security`: of its CapabilityStatement."""

    store: Sandbox
    base: str
    clock: Clock
    quirks: Quirks
    authorize: Authorize
    pages: Pages
    feed: Feed
    security: Resource | None = None


class Call(Struct, frozen=True, kw_only=True):
    """One request. `strict`: `Prefer: handling=strict`."""

    server: Server
    authorization: str
    strict: bool

    def allow(
        self,
        interaction: Interaction,
        kind: str,
        id_: str = "",
        *,
        pairs: Sequence[tuple[str, str]] = (),
        resource: Resource | None = None,
    ) -> Visible:
        """What the answer may show.

        Raises `FhirError` for a type that is not served or a caller who may not.
        """
        if kind and (kind not in TYPES or kind in self.server.quirks.left_out):
            raise unknown_type()
        visible = self.server.authorize(
            Ask(
                authorization=self.authorization,
                interaction=interaction,
                kind=kind,
                id=id_,
                pairs=pairs,
                resource=resource,
            )
        )
        return visible or everything

    def now(self) -> datetime:
        """The present time."""
        return self.server.clock()


class Reply(Struct, frozen=True):
    """An answer before it is HTTP. `version`: gives ETag and Last-Modified. `created`: Location."""

    status: int
    resource: Resource | None = None
    version: Version | None = None
    created: bool = False
