"""Counters and times for operators, in the text format of Prometheus; no value of a request.

Every label is a word of our own tables or of the configuration; any other is counted as `other`.
Each process counts for itself. With several workers on one port set PROMETHEUS_MULTIPROC_DIR to an
empty folder before this module is imported: whichever worker is asked then answers for all.
"""

import os
import re
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector


OTHER = "other"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# Seconds; most calls take milliseconds, the deadline is two seconds.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
_INDICATORS = frozenset({"info", "warning", "critical"})
_OUTCOMES = frozenset({"accepted", "overridden"})
# What a FHIR server sent (the first line), why it was not taken, and what its numbers showed.
_NOTIFICATIONS = frozenset(
    {"change", "event", "handshake", "heartbeat", "query"}
    | {"wrong-secret", "unknown", "flood", "too-large", "other-media", "unreadable"}
    | {"gap", "restart", "foreign", "of-another", "failing"}
)
_TOPIC = re.compile(r"[A-Z0-9]{1,100}")  # how cards write a topic
_MOST_TOPICS = 200


class Metrics:
    """What one process counts. A new one for each application; it keeps nothing of a patient.

    `services`: ids of the hook services. `upstream`: kinds of errors of FHIR servers and key
    servers. `refusals`: kinds of refused tokens. Others than these are counted as `other`.
    """

    def __init__(
        self, *, services: Iterable[str], upstream: Iterable[str], refusals: Iterable[str]
    ) -> None:
        self._services = frozenset(services)
        self._upstream = frozenset(upstream)
        self._refusals = frozenset(refusals)
        self._topics: set[str] = set()
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "btce_evaluation_seconds",
            "Time from the parsed request to the encoded answer.",
            ("service",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._requests = self._counter("requests", "Answers.", "service", "status")
        self._cards = self._counter("cards", "Cards shown.", "topic", "indicator")
        self._cannot = self._counter("cannot_evaluate", "Calls not evaluated.", "service")
        self._failed = self._counter("upstream_errors", "Failed reads from others.", "kind")
        self._feedback = self._counter("feedback", "Feedback received.", "outcome")
        self._stored = self._counter("store_writes", "Writes, to the store or its spool.", "to")
        self._refused = self._counter("token_refusals", "Refused client tokens.", "kind")
        self._notified = self._counter("notifications", "Sent by FHIR servers.", "kind")
        self._woken = self._counter("wake_ups", "New reasons to read a patient again.")
        self._days = Gauge(
            "btce_protocol_days_left",
            "Days until the last day of a protocol; negative once it is over.",
            ("protocol",),
            registry=self._registry,
            multiprocess_mode="mostrecent",
        )
        self._waiting = self._gauge(
            "inbox_waiting", "Reasons to read a patient again, not yet read."
        )
        self._oldest = self._gauge("inbox_oldest_seconds", "For how long the oldest of them waits.")

    def request(self, service: str, status: int) -> None:
        """One answer, with its HTTP status; `service` empty where no hook service was asked."""
        group = f"{status // 100}xx" if 100 <= status <= 599 else OTHER
        self._requests.labels(_known(service, self._services), group).inc()

    def evaluated(self, service: str, seconds: float) -> None:
        """One evaluation that took so long."""
        self._seconds.labels(_known(service, self._services)).observe(seconds)

    def card(self, topic: str, indicator: str) -> None:
        """One card that was shown, by the code of its topic."""
        self._cards.labels(self._topic(topic), _known(indicator, _INDICATORS)).inc()

    def cannot_evaluate(self, service: str) -> None:
        """One call whose disposition is that it could not be evaluated."""
        self._cannot.labels(_known(service, self._services)).inc()

    def upstream_error(self, kind: str) -> None:
        """One failed read from a FHIR server or a key server."""
        self._failed.labels(_known(kind, self._upstream)).inc()

    def feedback(self, outcome: str) -> None:
        """One item of feedback."""
        self._feedback.labels(_known(outcome, _OUTCOMES)).inc()

    def stored(self) -> None:
        """One decision committed to the store."""
        self._stored.labels("store").inc()

    def spooled(self) -> None:
        """One decision kept in the spool because the store was down."""
        self._stored.labels("spool").inc()

    def token_refused(self, kind: str) -> None:
        """One refused client token; never by its issuer, which anybody may write."""
        self._refused.labels(_known(kind, self._refusals)).inc()

    def notification(self, kind: str) -> None:
        """One notification of a FHIR server, or what was odd about one."""
        self._notified.labels(_known(kind, _NOTIFICATIONS)).inc()

    def woken(self, number: int) -> None:
        """So many new rows in the inbox."""
        self._woken.inc(number)

    def days_left(self, protocol: str, days: int) -> None:
        """How long a protocol of a site may still be used; set before each `render`."""
        self._days.labels(protocol).set(days)

    def backlog(self, waiting: float, oldest_seconds: float) -> None:
        """What waits in the inbox now; set before each `render`. NaN: the store cannot be read."""
        self._waiting.set(waiting)
        self._oldest.set(oldest_seconds)

    def render(self) -> tuple[bytes, str]:
        """The page and its content type: of all workers, where they share a folder."""
        if os.environ.get(FOLDER):
            together = CollectorRegistry()
            MultiProcessCollector(together)
            return generate_latest(together), CONTENT_TYPE_LATEST
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"btce_{name}", says, labels, registry=self._registry)

    def _gauge(self, name: str, says: str) -> Gauge:
        """Of the whole deployment, whichever process was asked last."""
        return Gauge(f"btce_{name}", says, registry=self._registry, multiprocess_mode="mostrecent")

    def _topic(self, code: str) -> str:
        """Topics are built from our words; a bound keeps a mistake there from growing the page."""
        if not _TOPIC.fullmatch(code):
            return OTHER
        if len(self._topics) < _MOST_TOPICS:
            self._topics.add(code)
        return _known(code, self._topics)


def _known(word: str, words: frozenset[str] | set[str]) -> str:
    return word if word in words else OTHER
