"""Metrics: what is counted under which labels, never a word of a request, and across processes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from cds.fhir_guard import Kind
from cds.metrics import FOLDER, Metrics
from cds.notifications.model import Kind as NotificationKind
from cds.services import SERVICES


CANARY = "Canaryname"
Samples = dict[tuple[str, ...], float]


def made() -> Metrics:
    return Metrics(services=SERVICES, upstream=get_args(Kind), refusals=("expired", "replayed"))


def samples(page: bytes) -> Samples:
    """Each value by the name and the label values of its line."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def counted(metrics: Metrics) -> Samples:
    return samples(metrics.render()[0])


def test_each_event_is_counted_under_its_own_label() -> None:
    metrics = made()
    metrics.request("btce-order-sign", 200)
    metrics.request("btce-order-sign", 204)
    metrics.request("btce-order-sign", 412)
    metrics.card("CRSG2", "warning")
    metrics.card("CRSG2", "warning")
    metrics.cannot_evaluate("btce-order-sign")
    metrics.upstream_error("timeout")
    metrics.feedback("overridden")
    metrics.stored()
    metrics.spooled()
    metrics.token_refused("expired")
    metrics.notification("event")
    metrics.notification("gap")
    metrics.woken(3)
    metrics.woken(0)
    metrics.days_left("nhs-waht", -3)
    found = counted(metrics)
    assert found["btce_requests_total", "btce-order-sign", "2xx"] == 2
    assert found["btce_requests_total", "btce-order-sign", "4xx"] == 1
    assert found["btce_cards_total", "warning", "CRSG2"] == 2
    assert found["btce_cannot_evaluate_total", "btce-order-sign"] == 1
    assert found["btce_upstream_errors_total", "timeout"] == 1
    assert found["btce_feedback_total", "overridden"] == 1
    assert found["btce_store_writes_total", "store"] == 1
    assert found["btce_store_writes_total", "spool"] == 1
    assert found["btce_token_refusals_total", "expired"] == 1
    assert found["btce_notifications_total", "event"] == 1
    assert found["btce_notifications_total", "gap"] == 1
    assert found[("btce_wake_ups_total",)] == 3
    assert found["btce_protocol_days_left", "nhs-waht"] == -3


def test_evaluation_time_is_a_histogram_that_can_show_150_ms_and_the_deadline() -> None:
    metrics = made()
    for seconds in (0.004, 0.15, 1.9, 7):
        metrics.evaluated("btce-order-sign", seconds)
    found = counted(metrics)
    buckets = {
        key[1]: value for key, value in found.items() if key[0] == "btce_evaluation_seconds_bucket"
    }
    assert (buckets["0.005"], buckets["0.15"], buckets["2.0"], buckets["+Inf"]) == (1, 2, 3, 4)
    assert found["btce_evaluation_seconds_count", "btce-order-sign"] == 4


def test_no_word_from_outside_becomes_a_label() -> None:
    metrics = made()
    metrics.request(CANARY, 999)
    metrics.evaluated(CANARY, 0.1)
    metrics.card(CANARY, CANARY)
    metrics.cannot_evaluate(CANARY)
    metrics.upstream_error(CANARY)
    metrics.feedback(CANARY)
    metrics.token_refused(CANARY)
    metrics.notification(CANARY)
    assert CANARY.lower() not in metrics.render()[0].decode().lower()
    assert counted(metrics)["btce_requests_total", "other", "other"] == 1


@pytest.mark.parametrize(
    "kind",
    [
        *get_args(NotificationKind),
        *("wrong-secret", "unknown", "flood", "too-large", "other-media", "unreadable"),
        *("gap", "restart", "foreign", "of-another", "failing"),
    ],
)
def test_every_word_about_notifications_has_its_own_label(kind: str) -> None:
    metrics = made()
    metrics.notification(kind)
    assert counted(metrics)["btce_notifications_total", kind] == 1


def test_the_page_stays_small_whatever_topics_come() -> None:
    metrics = made()
    for number in range(1000):
        metrics.card(f"T{number}", "info")
    topics = {key[2] for key in counted(metrics) if key[0] == "btce_cards_total"}
    assert len(topics) == 201
    assert counted(metrics)["btce_cards_total", "info", "other"] == 800


def test_two_applications_do_not_share_counts_and_nothing_of_the_process_is_shown() -> None:
    one, other = made(), made()
    one.stored()
    assert ("btce_store_writes_total", "store") not in counted(other)
    assert all(key[0].startswith("btce_") for key in counted(one))
    assert not any(family.name.startswith("btce_") for family in REGISTRY.collect())


def test_the_content_type_is_that_of_the_text_format() -> None:
    assert made().render()[1].startswith("text/plain; version=")


WORKER = """
from cds.metrics import Metrics
metrics = Metrics(services=("a",), upstream=(), refusals=())
metrics.request("a", 200)
metrics.evaluated("a", 0.1)
metrics.days_left("nhs-waht", 40)
"""
ASKED = WORKER + "import sys; sys.stdout.buffer.write(metrics.render()[0])"


@pytest.mark.parametrize(("shared", "total"), [(True, 3), (False, 1)])
def test_any_worker_answers_for_all_where_they_share_a_folder(
    tmp_path: Path, shared: bool, total: int
) -> None:
    environ = {**os.environ, FOLDER: str(tmp_path)} if shared else dict(os.environ)
    for script in (WORKER, WORKER):
        subprocess.run([sys.executable, "-c", script], env=environ, check=True)  # noqa: S603
    page = subprocess.run(  # noqa: S603
        [sys.executable, "-c", ASKED], env=environ, check=True, stdout=subprocess.PIPE
    ).stdout
    found = samples(page)
    assert found["btce_requests_total", "a", "2xx"] == total
    assert found["btce_evaluation_seconds_count", "a"] == total
    assert found["btce_protocol_days_left", "nhs-waht"] == 40
