"""The address a FHIR server sends notifications to: who sends, how much, and what it is answered.

Knows HTTP and nothing of what a notification says. The secret is looked at first: without it no
answer tells which sites and subscriptions there are.
"""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import NoReturn, Protocol
from uuid import uuid4

import msgspec
from flask import Blueprint, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from cds.clock import Clock
from cds.config import Settings
from cds.errors import ServiceError, TooLarge, UnknownPath, WrongMediaType, operation_outcome
from cds.metrics import Metrics
from cds.notifications.errors import TooManyNotifications, UnreadableNotification, WrongSecret
from cds.notifications.flood import Buckets, Limits
from cds.notifications.intake import Inbox, Intake, Subscribed
from cds.notifications.model import Notification
from cds.notifications.parse import Sent, parse
from cds.notifications.secret import proven, read_secrets
from cds.store.errors import StoreDown
from cds.store.rows import SubscriptionRow


FHIR_JSON = "application/fhir+json"
# What HAPI FHIR needs for an answer to its transaction, and any server can read.
RECEIVED = msgspec.json.encode({"resourceType": "Bundle", "type": "transaction-response"})
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_JSON = frozenset({"", "application/fhir+json", "application/json", "application/json+fhir"})
_ENDPOINT = "/events/<site_id>/<which>"
_WHY: dict[type[ServiceError], str] = {
    TooLarge: "too-large",
    WrongMediaType: "other-media",
    UnreadableNotification: "unreadable",
}


class Parts(Protocol):
    """The part of `cds.deployment.Deployment` that is used here."""

    @property
    def settings(self) -> Settings:
        """The sites and their FHIR bases."""
        ...

    @property
    def clock(self) -> Clock:
        """The present time."""
        ...

    @property
    def monotonic(self) -> Callable[[], float]:
        """Seconds, for limits."""
        ...

    @property
    def metrics(self) -> Metrics:
        """What is counted."""
        ...


class _Desk:
    """Where notifications are taken: all that does not change from one to the next."""

    def __init__(
        self, parts: Parts, intake: Intake, secrets: Mapping[str, bytes], limits: Limits
    ) -> None:
        self.parts = parts
        self.intake = intake
        self.secrets = secrets
        self.buckets = Buckets(parts.monotonic, limits)

    def receive(self, site_id: str, which: str, below: str) -> Response:
        """Prove, admit, read, commit, answer."""
        self._prove(site_id)
        row = self._admitted(site_id, which)
        try:
            notification = self._read(row, below)
        except (TooLarge, WrongMediaType, UnreadableNotification) as refused:
            why = _WHY[type(refused)]
            self._see(why)
            self._everybody(row, why)
            raise
        taken = self.intake.take(notification, row, self.parts.clock())
        self._see(notification.kind, taken.new)
        for word, counts in (
            ("gap", taken.gap),
            ("restart", taken.restart),
            ("foreign", any(change.foreign for change in notification.changes)),
            ("of-another", notification.of_another),
            ("failing", notification.status in {"error", "off"} or notification.errors > 0),
        ):
            if counts:
                self.parts.metrics.notification(word)
        return _answer(notification)

    def _prove(self, site_id: str) -> None:
        """A site of another secret is no different from one that does not exist."""
        found = proven(request.headers.get("Authorization"), self.secrets)
        if not found:
            self.parts.metrics.notification("wrong-secret")
            g.seen = {"refusal": "wrong-secret"}
            raise WrongSecret
        if site_id not in found:
            self._unknown()
        g.seen = {"site": site_id}

    def _admitted(self, site_id: str, which: str) -> SubscriptionRow:
        if not _ID.fullmatch(which):
            self._unknown()
        verdict = self.buckets.admit(f"{site_id}/{which}")
        if verdict.wait:
            self._see("flood")
        if verdict.wait and not verdict.tell:
            raise TooManyNotifications(verdict.wait)
        try:
            row = self.intake.subscription(which)
            if row is None or row.site != site_id:
                self._unknown()
            if verdict.tell:
                self._everybody(row, "flood")
        except StoreDown:
            if verdict.tell:
                self.buckets.owe(f"{site_id}/{which}")
            raise
        if verdict.wait:
            raise TooManyNotifications(verdict.wait)
        return row

    def _read(self, row: SubscriptionRow, below: str) -> Notification:
        base = self.parts.settings.sites[row.site].fhir_base
        try:
            body = request.get_data(cache=False)
        except RequestEntityTooLarge:
            raise TooLarge("the body is larger than this service reads") from None
        if request.method != "DELETE" and body.strip():
            _refuse_other_media()
        sent = Sent(
            method=request.method,
            below=below,
            body=body,
            version=request.headers.get("If-Match", ""),
            deleted=request.headers.get("X-Medplum-Deleted-Resource", ""),
        )
        return parse(sent, row, base)

    def _everybody(self, row: SubscriptionRow, why: str) -> None:
        self.parts.metrics.woken(self.intake.everybody(row, why, self.parts.clock()))

    def _see(self, word: str, new: int = 0) -> None:
        self.parts.metrics.notification(word)
        self.parts.metrics.woken(new)
        g.seen = {**g.get("seen", {}), "notification": word}

    def _unknown(self) -> NoReturn:
        self._see("unknown")
        raise UnknownPath("nothing of this site has this address")


def blueprint(
    parts: Parts,
    inbox: Inbox,
    subscribed: Subscribed,
    *,
    limits: Limits | None = None,
    fresh: Callable[[], str] | None = None,
) -> Blueprint:
    """The endpoints of every site with `events`. The files with the secrets are read here, once."""
    events = Blueprint("notifications", __name__)
    intake = Intake(inbox, subscribed, fresh or (lambda: str(uuid4())))
    desk = _Desk(parts, intake, read_secrets(parts.settings), limits or Limits())

    @events.route(_ENDPOINT, methods=["POST", "PUT", "DELETE"])
    @events.route(f"{_ENDPOINT}/", methods=["POST", "PUT", "DELETE"])
    @events.route(f"{_ENDPOINT}/<path:below>", methods=["POST", "PUT", "DELETE"])
    def receive(site_id: str, which: str, below: str = "") -> Response:
        return desk.receive(site_id, which, below)

    @events.errorhandler(TooManyNotifications)
    def too_many(error: TooManyNotifications) -> Response:
        g.code = error.code
        response = Response(
            msgspec.json.encode(operation_outcome(error)), status=error.status, mimetype=FHIR_JSON
        )
        response.headers["Retry-After"] = str(error.seconds)
        return response

    return events


def _answer(notification: Notification) -> Response:
    """200 in any case; a Bundle for a Bundle, nothing at all for a resource.

    HAPI FHIR reads what it gets: a Bundle for its transaction, for a PUT only what is FHIR. Inferno
    goes on only if a handshake is answered with 200 itself.
    """
    if notification.bundle:
        return Response(RECEIVED, status=HTTPStatus.OK, mimetype=FHIR_JSON)
    response = Response(status=HTTPStatus.OK)
    del response.headers["Content-Type"]
    return response


def _refuse_other_media() -> None:
    if request.mimetype not in _JSON:
        raise WrongMediaType("the Content-Type must be FHIR JSON", field="Content-Type")
    if request.mimetype_params.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise WrongMediaType("the charset must be utf-8", field="Content-Type")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise WrongMediaType("the body must not be compressed", field="Content-Encoding")
