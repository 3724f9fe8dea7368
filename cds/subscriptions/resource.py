"""The Subscription resource of one of our rows: R4 (https://hl7.org/fhir/R4/subscription.html) or
Subscriptions R5 Backport 1.1 (https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/).

Checked through the models of fhir.resources (R4B; the fields used are those of R4) and sent as it
was built. It holds the secret of the site: never logged. Pure.
"""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fhir.resources.R4B.subscription import Subscription
from msgspec import Struct

from cds.store.rows import Content, SubscriptionKind, SubscriptionRow, SubscriptionStatus


Resource = dict[str, Any]
HEARTBEAT_SECONDS = 300
TIMEOUT_SECONDS = 10
MAX_COUNT = 20  # events in one notification
BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-"
_REASON = "Decision support for patients on a bispecific T-cell engager. Not clinically reviewed."
_FHIR_JSON = "application/fhir+json"


class Address(Struct, frozen=True, kw_only=True):
    """Where a site's server sends notifications, and the secret it sends with each."""

    url: str
    site: str
    secret: str

    def __repr__(self) -> str:
        return f"Address({self.site})"

    @property
    def prefix(self) -> str:
        """What the endpoint of every subscription of ours at this site begins with."""
        return f"{self.url}/events/{self.site}/"

    def endpoint(self, which: str) -> str:
        """Of the subscription with this id of ours."""
        return f"{self.prefix}{which}"

    @property
    def header(self) -> str:
        """R4 `Subscription.channel.header`: one line of a request."""
        return f"Authorization: Bearer {self.secret}"

    def new_id(self, kind: SubscriptionKind, content: Content, criteria: str) -> str:
        """The id of a new subscription: a UUID that the same wish always gets.

        Two processes that make it at once, or one that starts again, mean the same row; and nobody
        without the secret can tell a patient from it.
        """
        text = "\0".join((self.site, kind, content, criteria)).encode()
        digest = hmac.digest(self.secret.encode(), text, hashlib.sha256)
        return str(UUID(bytes=digest[:16], version=4))


def topic_and_filter(criteria: str) -> tuple[str, str]:
    """Of a row of kind topic, whose criteria are "canonical Type?query"."""
    topic, _, query = criteria.partition(" ")
    return topic, query


def type_of(row: SubscriptionRow) -> str:
    """The type of resource a row is about: the part of its criteria that names no patient."""
    query = topic_and_filter(row.criteria)[1] if row.kind == "topic" else row.criteria
    return query.partition("?")[0]


def build(
    row: SubscriptionRow, address: Address, *, status: SubscriptionStatus, ends_at: datetime
) -> Resource:
    """What is sent to the server; with the id it gave where it has one."""
    resource = _topic(row, address) if row.kind == "topic" else _rest_hook(row, address)
    resource |= {
        "resourceType": "Subscription",
        "status": status,
        "reason": _REASON,
        "end": ends_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if row.remote:
        resource["id"] = row.remote
    Subscription.model_validate(resource)
    return resource


def _rest_hook(row: SubscriptionRow, address: Address) -> Resource:
    """R4: without `payload` the notification is empty."""
    channel: Resource = _channel(row, address)
    if row.content != "empty":
        channel["payload"] = _FHIR_JSON
    return {"criteria": row.criteria, "channel": channel}


def _topic(row: SubscriptionRow, address: Address) -> Resource:
    topic, query = topic_and_filter(row.criteria)
    channel = _channel(row, address) | {
        "payload": _FHIR_JSON,
        "_payload": {"extension": [_extension("payload-content", "valueCode", row.content)]},
        "extension": [
            _extension(
                "heartbeat-period", "valueUnsignedInt", row.heartbeat_seconds or HEARTBEAT_SECONDS
            ),
            _extension("timeout", "valueUnsignedInt", TIMEOUT_SECONDS),
            _extension("max-count", "valuePositiveInt", MAX_COUNT),
        ],
    }
    return {
        "meta": {"profile": [f"{BACKPORT}subscription"]},
        "criteria": topic,
        "_criteria": {"extension": [_extension("filter-criteria", "valueString", query)]},
        "channel": channel,
    }


def _channel(row: SubscriptionRow, address: Address) -> Resource:
    return {
        "type": "rest-hook",
        "endpoint": address.endpoint(row.id),
        "header": [address.header],
    }


def _extension(name: str, value: str, content: str | int) -> Resource:
    return {"url": f"{BACKPORT}{name}", value: content}
