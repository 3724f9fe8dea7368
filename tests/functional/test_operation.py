"""What operators see of the wired service: counters, readiness, what runs here, log, its end."""

import json
import math
import re
import signal
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from cds import log
from cds.about import installed_commit
from cds.app import create_app
from cds.config import Settings
from cds.fhir_guard import Kind as UpstreamKind
from cds.services import PREFETCH, SERVICES
from cds.store.inbox import Inbox
from cds.store.rows import WakeUp
from cds.trust import Kind as RefusalKind
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.conformance.deployment import issuers_of
from tests.conformance.tokens import EPIC, ORACLE, PUBLIC_URL, SANDBOX, T
from tests.conftest import CALL, CheckedClient, State, clock
from tests.functional.bodies import FHIR_BASE, bundle, fever, order_sign
from tests.functional.deployed import Deployed, another_call, deploy, logged, topics
from tests.functional.fhir_upstream import running, silent
from tests.functional.served import Call, accepts, started
from tests.functional.test_fallback_call import ClientFor, bare, serve


FEEDBACK = f"{CALL}/feedback"
HOSTILE = 'Canaryname"} 1\nbtce_requests_total{status="CANARYNAME'
CANARY = re.compile("canary", re.IGNORECASE)
Samples = dict[tuple[str, ...], float]


def samples(client: CheckedClient) -> Samples:
    """Each value of /metrics by the name and the label values of its line, sorted by label."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
    }


def labels(client: CheckedClient) -> dict[str, set[str]]:
    """Every value of every label."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            for name, value in sample.labels.items():
                found.setdefault(name, set()).add(value)
    return found


def ready(client: CheckedClient) -> tuple[int, str, dict[str, str]]:
    """HTTP status, the whole, and each check's status."""
    answer = client.get("/readyz")
    body = answer.get_json(force=True)
    return (
        answer.status_code,
        body["status"],
        {name: check["status"] for name, check in body["checks"].items()},
    )


def says(client: CheckedClient, check: str) -> str:
    found: str = client.get("/readyz").get_json(force=True)["checks"][check]["says"]
    return found


@pytest.fixture
def here(tmp_path: Path, settings: Settings, library: Library, codes: CodeSets) -> Deployed:
    """The service over a database and a spool of its own."""
    return deploy(settings, tmp_path, library, codes)


# --- /metrics ------------------------------------------------------------------------------------


def test_metrics_count_calls_cards_and_the_time_of_evaluation(here: Deployed) -> None:
    client = here.client
    shown = [topics(client.call(another_call(*fever()))) for _ in range(3)]
    found = samples(client)
    assert found["btce_requests_total", "btce-order-sign", "2xx"] == 3
    assert found["btce_evaluation_seconds_count", "btce-order-sign"] == 3
    assert 0 < found["btce_evaluation_seconds_sum", "btce-order-sign"] < 3
    assert found["btce_store_writes_total", "store"] == 3
    by_topic = {key[2]: value for key, value in found.items() if key[0] == "btce_cards_total"}
    assert by_topic == dict.fromkeys(shown[0], 3)
    assert not any(key[0] == "btce_cannot_evaluate_total" for key in found)


def test_metrics_count_what_could_not_be_evaluated(here: Deployed) -> None:
    here.client.call({**another_call(), "prefetch": {}})
    here.client.call(another_call(*fever()))
    assert samples(here.client)["btce_cannot_evaluate_total", "btce-order-sign"] == 1


def test_metrics_count_failed_reads_by_their_kind(client_for: ClientFor) -> None:
    body = order_sign(*fever())
    with running() as server:
        serve(server, body, labs=silent)
        del server.does["conditions"]  # answered 404
        client = client_for(fhir_base=server.base)
        client.call(bare(body, server.base))
    found = samples(client)
    assert found["btce_upstream_errors_total", "timeout"] == 1
    assert found["btce_upstream_errors_total", "not-found"] == 1


def test_metrics_count_refused_calls_by_their_status(here: Deployed) -> None:
    client = here.client
    assert client.call(b"{").status_code == 400
    assert client.call(order_sign(), Content_Type="text/plain").status_code == 415
    assert client.call({**another_call(), "fhirServer": "https://else.example"}).status_code == 400
    assert samples(client)["btce_requests_total", "btce-order-sign", "4xx"] == 3


def test_metrics_count_feedback_by_its_outcome(here: Deployed) -> None:
    card = "4e0a3a1e-3d0b-4b54-8f5a-111111111111"
    given = {"card": card, "outcomeTimestamp": "2026-11-21T11:00:00Z"}
    batch = [
        {**given, "outcome": "overridden", "overrideReason": {"userComment": "no"}},
        {**given, "outcome": "accepted", "acceptedSuggestions": [{"id": card}]},
        {**given, "outcome": HOSTILE},
    ]
    answer = here.client.post(FEEDBACK, json={"feedback": batch})
    assert answer.status_code == 200
    found = samples(here.client)
    assert found["btce_feedback_total", "accepted"] == 1
    assert found["btce_feedback_total", "overridden"] == 1
    assert labels(here.client)["outcome"] == {"accepted", "overridden"}


def test_a_silent_site_shows_no_card_and_counts_none(client_for: ClientFor) -> None:
    client = client_for(mode="silent")
    client.call(another_call(*fever()))
    found = samples(client)
    assert found["btce_requests_total", "btce-order-sign", "2xx"] == 1
    assert not any(key[0] == "btce_cards_total" for key in found)


@pytest.fixture
def signed(tmp_path: Path, settings: Settings, library: Library, codes: CodeSets) -> Deployed:
    """Sites of several clients; Inferno's keys are at a port that nobody listens on."""
    issuers = issuers_of(tmp_path, "http://127.0.0.1:9/jwks")
    sites = {
        id_: msgspec.structs.replace(
            settings.site,
            id=id_,
            issuers=found,
            mode="silent",
            fhir_base=f"https://ehr.example.org/{id_}",
        )
        for id_, found in issuers.items()
    }
    networked = msgspec.structs.replace(
        settings, auth="jwt", public_url=PUBLIC_URL, sites=sites, default_site=""
    )
    return deploy(networked, tmp_path, library, codes)


def test_metrics_count_refused_tokens_by_kinds_of_ours_alone(signed: Deployed) -> None:
    client = signed.client
    good = EPIC.token()
    tokens = [
        "",
        HOSTILE.split("\n", maxsplit=1)[0],
        SANDBOX.token(claims={"iss": HOSTILE}),
        SANDBOX.token(claims={"aud": HOSTILE}),
        SANDBOX.token(header={"kid": HOSTILE}),
        ORACLE.token(claims={"tenant": HOSTILE}),
        SANDBOX.token(claims={"exp": T - 3600, "iat": T - 3700}),
        SANDBOX.token(by=ORACLE.signer),
        good,
        good,
    ]
    body = {name: value for name, value in another_call().items() if name != "fhirServer"}
    statuses = [client.call(body, Authorization=f"Bearer {one}").status_code for one in tokens]
    assert statuses == [401] * 8 + [200, 401]
    found = samples(client)
    refused = {key[1]: value for key, value in found.items() if key[0].endswith("refusals_total")}
    assert sum(refused.values()) == 9
    assert set(refused) <= set(get_args(RefusalKind))
    assert len(refused) >= 5
    assert not CANARY.search(client.get("/metrics").text)


def test_no_label_is_taken_from_a_request(here: Deployed) -> None:
    client = here.client
    headers = {"Content-Type": "application/json", "Origin": HOSTILE[:10], "X-Site": "Canaryname"}
    client.post("/cds-services/Canaryname%22%7D%0A", data=b"{}", headers=headers)
    client.post("/Canaryname/%0abtce_x%201", data=b"{}", headers=headers)
    client.open("/cds-services", method="CANARYNAME")
    client.call({**another_call(*fever()), "hook": HOSTILE}, X_Service=HOSTILE[:5])
    body = another_call(*fever())
    for resource in (
        *body["prefetch"]["vitals"]["entry"],
        body["context"]["draftOrders"]["entry"][0],
    ):
        resource["resource"]["code"] = {"text": HOSTILE, "coding": [{"code": HOSTILE}]}
        resource["resource"]["note"] = [{"text": HOSTILE}]
    body["prefetch"]["Canaryname"] = bundle()
    body["context"]["draftOrders"]["entry"][0]["resource"]["medicationCodeableConcept"] = {
        "text": f"{HOSTILE} teclistamab"
    }
    client.call(body)
    reason = {"reason": {"code": HOSTILE, "system": HOSTILE}, "userComment": HOSTILE}
    given = {"card": HOSTILE, "outcome": "overridden", "outcomeTimestamp": "2026-11-21T11:00:00Z"}
    client.post(FEEDBACK, json={"feedback": [{**given, "overrideReason": reason}]})
    page = client.get("/metrics").text
    assert not CANARY.search(page)
    found = labels(client)
    assert all(re.fullmatch(r"[A-Z0-9]+", topic) for topic in found.pop("topic", set()))
    ours = {*SERVICES, *get_args(UpstreamKind), *get_args(RefusalKind), "other", "us-label"}
    ours |= {"2xx", "4xx", "info", "warning", "critical", "accepted", "overridden", "store"}
    buckets = found.pop("le")
    assert all(float(bound) > 0 for bound in buckets)
    assert set().union(*found.values()) <= ours


# --- /readyz -------------------------------------------------------------------------------------


def test_a_sound_deployment_is_ready(here: Deployed) -> None:
    status, whole, checks = ready(here.client)
    assert (status, whole) == (200, "ready")
    names = {"process", "store", "spool", "inbox", "knowledge", "protocols", "keys"}
    assert set(checks) == names
    assert set(checks.values()) == {"ready"}


def test_without_its_store_it_still_answers_and_says_so_until_the_spool_is_empty(
    here: Deployed,
) -> None:
    client = here.client
    away = here.file.with_suffix(".away")
    here.store.close()
    here.file.rename(away)
    status, whole, checks = ready(client)
    assert (status, whole, checks["store"]) == (200, "degraded", "degraded")
    assert client.call(another_call(*fever())).status_code == 200
    assert "1 decisions wait" in says(client, "spool")
    assert samples(client)["btce_store_writes_total", "spool"] == 1

    here.store.close()
    away.rename(here.file)
    assert client.call(another_call(*fever())).status_code == 200
    assert ready(client)[:2] == (200, "ready")
    assert len(here.decisions()) == 2


def test_with_neither_store_nor_spool_it_takes_no_calls(here: Deployed) -> None:
    here.store.close()
    here.file.unlink()
    here.spool.path.write_text("a file where the folder should be")
    status, whole, checks = ready(here.client)
    assert (status, whole, checks["store"]) == (503, "not-ready", "not-ready")
    assert here.client.call(another_call(*fever())).status_code == 200  # asked all the same


def test_a_decision_that_was_set_aside_is_for_somebody_to_look_at(here: Deployed) -> None:
    aside = here.spool.path / "set-aside"
    aside.mkdir(parents=True)
    (aside / "x.decision").write_text("?")
    status, whole, checks = ready(here.client)
    assert (status, whole, checks["spool"]) == (200, "degraded", "degraded")


@pytest.mark.parametrize(
    ("day", "whole", "words"),
    [
        (datetime(2027, 10, 11, tzinfo=UTC), "ready", "in force"),
        (datetime(2027, 10, 12, tzinfo=UTC), "degraded", "nhs-waht ends in 60 days"),
        (datetime(2027, 12, 11, 23, tzinfo=UTC), "degraded", "nhs-waht ends in 0 days"),
        (datetime(2027, 12, 12, tzinfo=UTC), "degraded", "nhs-waht is over: no management advice"),
    ],
)
def test_a_protocol_near_its_last_day_is_announced(
    day: datetime,
    whole: str,
    words: str,
    tmp_path: Path,
    settings: Settings,
    library: Library,
    codes: CodeSets,
) -> None:
    site = msgspec.structs.replace(settings.site, protocol="nhs-waht")
    other = msgspec.structs.replace(settings, sites={"demo": site})
    here = deploy(other, tmp_path, library, codes, now=lambda: day)
    assert ready(here.client)[:2] == (200, whole)
    assert says(here.client, "protocols") == words
    left = datetime(2027, 12, 11, tzinfo=UTC).date() - day.date()
    found = samples(here.client)
    assert found["btce_protocol_days_left", "nhs-waht"] == left / timedelta(days=1)


def wake_up(received: datetime, event: str = "1") -> WakeUp:
    return WakeUp(site="demo", source="s", event=event, patient="p1", received_at=received)


@pytest.mark.parametrize(
    ("seconds", "whole", "words"),
    [
        (300, "ready", "2 wait"),
        (301, "degraded", "2 wait, the oldest for 301 s"),
    ],
)
def test_wake_ups_that_wait_for_more_than_five_minutes_are_said(
    seconds: int, whole: str, words: str, here: Deployed
) -> None:
    """Calls are answered all the same: each reads the patient itself."""
    old = clock() - timedelta(seconds=seconds)
    Inbox(here.store).put([wake_up(old), wake_up(clock() - timedelta(seconds=1), "2")])
    assert ready(here.client)[:2] == (200, whole)
    assert says(here.client, "inbox") == words
    found = samples(here.client)
    assert found[("btce_inbox_waiting",)] == 2
    assert found[("btce_inbox_oldest_seconds",)] == seconds


def test_what_waits_in_the_inbox_is_not_known_while_the_store_is_down(here: Deployed) -> None:
    assert says(here.client, "inbox") == "0 wait"
    here.store.close()
    here.file.unlink()
    assert ready(here.client)[2]["inbox"] == "degraded"
    assert says(here.client, "inbox") == "not known: the store cannot be read"
    found = samples(here.client)
    assert math.isnan(found[("btce_inbox_waiting",)])
    assert math.isnan(found[("btce_inbox_oldest_seconds",)])


def test_keys_that_were_never_read_are_named_by_their_site(signed: Deployed) -> None:
    status, whole, checks = ready(signed.client)
    assert (status, whole, checks["keys"]) == (200, "degraded", "degraded")
    assert says(signed.client, "keys").endswith(": inferno")


def test_other_knowledge_than_approved_is_said(client_for: ClientFor) -> None:
    client = client_for(approved_knowledge="0" * 64)
    status, whole, checks = ready(client)
    assert (status, whole, checks["knowledge"]) == (200, "degraded", "degraded")
    assert client.call(another_call(*fever())).get_json()["cards"] == []


# --- /about --------------------------------------------------------------------------------------


def test_about_tells_what_runs_here(client_for: ClientFor, library: Library) -> None:
    off = {"off_topics": frozenset({"CRSG1"}), "off_rules": frozenset({"teclistamab-label#crs-2"})}
    page = client_for(**off).get("/about").get_json()
    assert page["notice"] == "not clinically reviewed"
    assert page["knowledge"]["clinicallyReviewed"] is False
    assert page["knowledge"]["sha256"] == library.sha256
    assert page["commit"] == installed_commit()
    assert page["commit"] == "unknown" or re.fullmatch(r"[0-9a-f]{7,64}", page["commit"])
    (site,) = page["sites"]
    assert site["switchedOff"] == {"topics": ["CRSG1"], "rules": ["teclistamab-label#crs-2"]}
    assert FHIR_BASE not in json.dumps(page)


def test_about_has_the_thirteen_source_attributes_in_their_order(client: CheckedClient) -> None:
    attributes = client.get("/about").get_json()["sourceAttributes"]
    assert attributes["rule"] == "45 CFR 170.315(b)(11)(iv)(A)"
    told = attributes["attributes"]
    assert [one["number"] for one in told] == list(range(1, 14))
    assert all(one["attribute"] and one["value"] for one in told)
    # 45 CFR 170.315(b)(11)(iv)(A)(1) to (13), by a word of each
    words = ["citation", "developer", "funding", "release", "race", "ethnicity", "language"]
    words += ["orientation", "gender identity", "sex", "birth", "social", "assessment"]
    assert all(word in one["attribute"] for word, one in zip(words, told, strict=True))


# --- the log -------------------------------------------------------------------------------------


def test_a_line_of_every_outcome_has_allowed_fields_alone(
    here: Deployed, settings: Settings, library: Library, codes: CodeSets, state: State
) -> None:
    def broken() -> Any:
        raise RuntimeError(HOSTILE)

    faulty = create_app(settings, library=library, codes=codes, clock=broken, **state)
    with logged() as lines:
        here.client.call(another_call(*fever()))
        here.client.call(b"{")
        here.client.post("/cds-services/Canaryname", json={})
        here.client.get("/about?Canaryname")
        here.client.post(FEEDBACK, json={"feedback": []})
        faulty.test_client().post(CALL, json=order_sign())
        here.store.close()
        here.file.unlink()
        here.client.call(another_call(*fever()))
    assert {line["event"] for line in lines} == {"request", "fault", "spooled"}
    allowed = log.ALLOWED_FIELDS | {"time", "level", "event"}
    assert all(set(line) <= allowed for line in lines)
    assert not CANARY.search(json.dumps(lines))
    statuses = [line["status"] for line in lines if line["event"] == "request"]
    assert statuses == [200, 400, 404, 200, 400, 500, 200]


# --- a process, its lines and its end ------------------------------------------------------------


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_calls_in_flight_are_answered_before_the_process_ends(
    sent: signal.Signals, tmp_path: Path
) -> None:
    body = order_sign(*fever())
    with running() as server, started(tmp_path, server.base) as process:
        serve(server, body)
        idle = requests.Session()  # a kept connection must not hold the end up
        idle.trust_env = False
        idle.get(f"{process.url}/livez", timeout=5)
        server.wait = 1.0  # each query: the call is in flight that long
        calls = [Call(process.url, bare(body, server.base)) for _ in range(3)]
        for call in calls:
            call.start()
        while len(server.asked) < len(calls) * len(PREFETCH):
            time.sleep(0.02)
        process.popen.send_signal(sent)
        time.sleep(0.2)
        refused = not accepts(process.url)
        for call in calls:
            call.join()
        status, lines = process.ended(8)
        idle.close()
    assert [call.status for call in calls] == [200, 200, 200]
    assert all(call.cards for call in calls)
    assert refused
    assert status == 0
    assert lines


def test_every_line_of_the_process_is_json_of_allowed_fields(tmp_path: Path) -> None:
    with started(tmp_path, FHIR_BASE) as process:
        with requests.Session() as session:
            session.trust_env = False
            session.post(process.url + CALL, json=order_sign(*fever()), timeout=10)
            session.post(process.url + CALL, data=b"{", timeout=10)
        with socket.create_connection(("127.0.0.1", int(process.url[17:])), timeout=5) as broken:
            broken.sendall(b"Canaryname / HTTP/9\r\nCanaryname\r\n\r\n")
            broken.recv(1)
        process.popen.terminate()
        _, lines = process.ended(15)
    odd = [line for line in lines if not line.startswith("{")]
    assert odd == []
    allowed = log.ALLOWED_FIELDS | {"time", "level", "event", "logger"}
    assert all(set(json.loads(line)) <= allowed for line in lines)
    assert not CANARY.search("\n".join(lines))


def process_check(url: str) -> tuple[int, str]:
    """What /readyz answers on a connection of its own: whichever worker takes it."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"{url}/readyz", timeout=30)
        return answer.status_code, answer.json()["checks"]["process"]["says"]


def until_it_drains(url: str) -> None:
    deadline = time.monotonic() + 30
    while process_check(url)[0] != 503:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_server_that_drains_says_so_in_every_worker_and_answers_until_a_second_signal(
    second: signal.Signals, tmp_path: Path
) -> None:
    with started(tmp_path, FHIR_BASE, "--workers", "2", "--drain-seconds", "600") as process:
        assert process_check(process.url) == (200, "taking calls")
        process.popen.send_signal(signal.SIGTERM)
        until_it_drains(process.url)
        asked = [process_check(process.url) for _ in range(16)]
        calls = [Call(process.url, another_call(*fever())) for _ in range(4)]
        for call in calls:
            call.start()
        for call in calls:
            call.join()
        assert process.popen.poll() is None
        process.popen.send_signal(second)
        assert process.ended(60)[0] == 0
    assert set(asked) == {(503, "finishing the calls it has: it takes no new ones")}
    assert [call.status for call in calls] == [200] * 4


def test_a_server_that_drains_ends_by_itself_once_the_time_is_over(tmp_path: Path) -> None:
    with started(tmp_path, FHIR_BASE, "--drain-seconds", "3") as process:
        sent = time.monotonic()
        process.popen.send_signal(signal.SIGTERM)
        assert process.ended(60)[0] == 0
        assert time.monotonic() - sent >= 3


def test_the_interrupt_key_never_waits(tmp_path: Path) -> None:
    """It reaches the workers too, so there is nobody left to wait for."""
    with started(tmp_path, FHIR_BASE, "--drain-seconds", "600") as process:
        process.popen.send_signal(signal.SIGINT)
        assert process.ended(60)[0] == 0


def test_several_workers_share_their_counters(tmp_path: Path) -> None:
    with started(tmp_path, FHIR_BASE, "--workers", "2") as process:
        for _ in range(12):
            with requests.Session() as session:  # a connection each: either worker may take it
                session.trust_env = False
                answer = session.post(process.url + CALL, json=another_call(*fever()), timeout=10)
                assert answer.status_code == 200
        with requests.Session() as session:
            session.trust_env = False
            page = session.get(f"{process.url}/metrics", timeout=10).text
        process.popen.terminate()
        assert process.ended(15)[0] == 0
    assert re.search(r'btce_requests_total\{service="btce-order-sign",status="2xx"\} 12\.0', page)
