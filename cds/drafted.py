"""What the draft orders need beside themselves: the Medication that one names by reference only.

The drafts are the one thing no advice is possible without. CDS Hooks 2.0.1, "CDS Service Response":
412 where data a service needs were neither sent nor can be read.
"""

import re
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Raw, Struct

from cds.hook_request import HookRequest
from fhir_mapping.bundles import BAD_INPUT, is_null, read_head, read_raw_entries


MOST = 5  # references read for one request
PREFIX = "drafted-medication-"
DRAFTS = "context.draftOrders"
_REFERENCE = re.compile(r"Medication/[A-Za-z0-9\-.]{1,64}")
_ORDERS = frozenset({"MedicationRequest", "ServiceRequest"})


class _Reference(Struct):
    reference: str | None = None
    display: str | None = None


class _Order(Struct, rename="camel"):
    resource_type: str | None = None
    medication_reference: _Reference | None = None
    medication_codeable_concept: Raw = Raw()


def medications_to_read(request: HookRequest, base: str) -> dict[str, str]:
    """The reads of Medications that drafts refer to and the request does not have, by key."""
    there = _sent(request)
    wanted = dict.fromkeys(
        reference
        for reference in (_relative(text, base) for text in _bare_references(request))
        if _REFERENCE.fullmatch(reference) and reference not in there
    )
    return {f"{PREFIX}{index}": one for index, one in enumerate(list(wanted)[:MOST], 1)}


def required_missing(request: HookRequest) -> tuple[str, ...]:
    """The members without which nothing can be evaluated; empty: answer, naming what is unknown.

    Ask after fetching. Missing are the drafts if there are some and no drug of any can be told.
    """
    if request.draft_orders is None or is_null(request.draft_orders):
        return ()
    resources = [raw for _, raw in read_raw_entries(request.draft_orders) or ()]
    if resources and all(_is_nothing(raw) for raw in resources):
        return (DRAFTS,)
    orders = [order for order in map(_order, resources) if order is not None]
    there = _sent(request)
    lost = [order for order in orders if _lost(order, there, request.fhir_server or "")]
    return (DRAFTS,) if orders and len(lost) == len(orders) else ()


def _is_nothing(raw: Raw) -> bool:
    """An entry without a resource, or with an OperationOutcome in its place."""
    head = read_head(raw) if memoryview(raw).nbytes else None
    return head is None or head.resource_type in {None, "OperationOutcome"}


def _bare_references(request: HookRequest) -> Iterator[str]:
    """References of drafts that have no word or code for their drug."""
    if request.draft_orders is None or is_null(request.draft_orders):
        return
    for _, raw in read_raw_entries(request.draft_orders) or ():
        order = _order(raw)
        text = None if order is None else _bare(order)
        if text is not None:
            yield text


def _order(raw: Raw) -> _Order | None:
    try:
        order = msgspec.json.decode(raw, type=_Order)
    except BAD_INPUT:
        return None
    return order if order.resource_type in _ORDERS else None


def _bare(order: _Order) -> str | None:
    named = order.medication_reference
    if named is None or named.display or memoryview(order.medication_codeable_concept).nbytes:
        return None
    text = named.reference or ""
    return None if not text or text.startswith("#") else text


def _lost(order: _Order, there: frozenset[str], base: str) -> bool:
    text = _bare(order)
    return text is not None and text not in there and _relative(text, base) not in there


def _relative(text: str, base: str) -> str:
    """A reference without its version; without its base where that is the site's own."""
    own = base.rstrip("/") + "/"
    return text.removeprefix(own if base else "").partition("/_history/")[0]


def _sent(request: HookRequest) -> frozenset[str]:
    """How Medications that came along, or were read, are referred to."""
    raws: Iterable[Raw] = request.prefetch.values()
    if request.draft_orders is not None:
        raws = (request.draft_orders, *raws)
    return frozenset(name for raw in raws if b'"Medication"' in bytes(raw) for name in _names(raw))


def _names(raw: Raw) -> Iterator[str]:
    entries = read_raw_entries(raw) or ()
    for full_url, resource in (*entries, (None, raw)):
        head = read_head(resource) if memoryview(resource).nbytes else None
        if head is not None and head.resource_type == "Medication":
            yield f"Medication/{head.id}"
            if full_url:
                yield full_url
