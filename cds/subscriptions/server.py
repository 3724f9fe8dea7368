"""What is asked of a site's FHIR server about subscriptions: one function a request."""

from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

import msgspec
from msgspec import Struct

from cds.backend import BackendFailed, FhirClient
from cds.store.rows import SubscriptionRow, SubscriptionStatus
from cds.subscriptions.remote import (
    Remote,
    Said,
    read_events,
    read_listing,
    read_remote,
    read_status,
)
from cds.subscriptions.resource import Address, build


_GONE = frozenset({404, 410})
_REFUSALS = frozenset({"rejected", "not-found", "failed"})  # the server does not do this


class Listing(NamedTuple):
    """The subscriptions with an endpoint of this site; `complete`: there are no others."""

    found: tuple[Remote, ...]
    complete: bool


class _Interaction(Struct):
    code: str = ""


class _Resource(Struct):
    type: str = ""
    interaction: tuple[_Interaction, ...] = ()


class _Rest(Struct):
    resource: tuple[_Resource, ...] = ()


class _Capability(Struct):
    rest: tuple[_Rest, ...] = ()


def serves(client: FhirClient) -> bool:
    """Whether the CapabilityStatement says that a Subscription can be created here."""
    try:
        found = msgspec.json.decode(client.read_json("metadata"), type=_Capability)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        raise BackendFailed("not-fhir") from None
    return any(
        resource.type == "Subscription"
        and any(interaction.code == "create" for interaction in resource.interaction)
        for rest in found.rest
        for resource in rest.resource
    )


def read(client: FhirClient, row: SubscriptionRow) -> Remote | None:
    """The subscription as the server has it; None: it has none, or it was never created."""
    if not row.remote:
        return None
    try:
        return read_remote(client.read_json(f"Subscription/{row.remote}"))
    except BackendFailed as error:
        if error.status in _GONE:
            return None
        raise


def listed(client: FhirClient, address: Address) -> Listing:
    """Everything at the server with an endpoint of this site, ours or not known any more."""
    found = client.search("Subscription?_count=200")
    ours = (one for one in read_listing(found.raw) if one.endpoint.startswith(address.prefix))
    return Listing(tuple(ours), found.kind is None)


def find(client: FhirClient, endpoint: str) -> Remote | None:
    """The one with this endpoint; None: there is none, or the server does not search them."""
    try:
        found = client.search(f"Subscription?url={quote(endpoint, safe='')}")
    except BackendFailed as error:
        if error.kind in _REFUSALS:
            return None
        raise
    return next((one for one in read_listing(found.raw) if one.endpoint == endpoint), None)


def create(
    client: FhirClient, row: SubscriptionRow, address: Address, ends_at: datetime
) -> Remote | None:
    """Ask for it, unless the server has one with this endpoint (R4, conditional create).

    None: it was created, and the server says nowhere under which id.
    """
    resource = build(row, address, status="requested", ends_at=ends_at)
    endpoint = address.endpoint(row.id)
    query = f"url={quote(endpoint, safe='')}"
    written = client.create("Subscription", resource, if_none_exist=query)
    if not written.id:
        return find(client, endpoint)
    sent_back = None if written.raw is None else read_remote(written.raw)
    return sent_back or Remote(id=written.id, status="requested", endpoint=endpoint)


def put(
    client: FhirClient,
    row: SubscriptionRow,
    address: Address,
    *,
    before: Remote,
    status: SubscriptionStatus,
    ends_at: datetime,
) -> Remote | None:
    """Put ours in the place of what was read; None: the server sends nothing back."""
    resource = build(row, address, status=status, ends_at=ends_at)
    written = client.update(f"Subscription/{row.remote}", resource, if_match=before.version)
    return None if written.raw is None else read_remote(written.raw)


def status(client: FhirClient, row: SubscriptionRow) -> Said | None:
    """What `$status` says; None: the server has no such operation."""
    try:
        found = client.read_json(f"Subscription/{row.remote}/$status")
        return read_status(found, row.remote, _base(client))
    except BackendFailed as error:
        if error.kind in _REFUSALS:
            return None
        raise


def events(client: FhirClient, row: SubscriptionRow, since: int, until: int) -> tuple[str, ...]:
    """What the events from `since` to `until`, both included, are about; empty: not known."""
    query = f"eventsSinceNumber={since}&eventsUntilNumber={until}"
    try:
        found = client.read_json(f"Subscription/{row.remote}/$events?{query}")
        return read_events(found, _base(client))
    except BackendFailed as error:
        if error.kind in _REFUSALS:
            return ()
        raise


def _base(client: FhirClient) -> str:
    return client.site.fhir_base or ""
