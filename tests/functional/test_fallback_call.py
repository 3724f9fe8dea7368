"""Hook calls that bring no data: the wired service reads them from the EHR's server, or says so.

Over real sockets, a well-behaved server and hostile ones. Only upper bounds of time are asserted:
the deadline of two seconds and a margin for a busy machine.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cds.demo.drugs import ORDERS
from cds.demo.sign import order_sign as demo_order_sign
from cds.demo.story import load
from cds.services import PREFETCH
from knowledge.library import Library
from tests.conftest import CheckedClient, State
from tests.functional.bodies import (
    HOOK_INSTANCE,
    NOW,
    PATIENT,
    Json,
    bundle,
    draft,
    fever,
    normal_vitals,
    order_sign,
    vital,
    without,
)
from tests.functional.fhir_upstream import (
    TOKEN,
    Behaviour,
    Listener,
    Upstream,
    page,
    raw,
    reply,
    running,
    silent,
)


AT_MOST = 2.5  # seconds: the deadline is 2
EXTENSION = "org.btce-cds.assessment"
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n\r\n"
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "x"}]}
STORIES = load()
ClientFor = Callable[..., CheckedClient]


def hypotensive() -> list[Json]:
    return [
        vital("8310-5", 39.4, "Cel"),
        vital("8480-6", 84, "mm[Hg]"),
        vital("59408-5", 96, "%"),
    ]


def of_story(name: str) -> Json:
    story = STORIES[name]
    return demo_order_sign(story, ORDERS[story.order], now=NOW, hook_instance=HOOK_INSTANCE)


CHARTS: dict[str, Json] = {
    "fever": order_sign(*fever()),
    "nothing wrong": order_sign(*normal_vitals()),
    "low pressure": order_sign(*hypotensive()),
    "three drafts": order_sign(
        *fever(),
        drafts=(draft(), draft("tocilizumab", id="d2"), draft("acetaminophen 650 mg", id="d3")),
    ),
    **{name: of_story(name) for name in STORIES},
}


def authorization(**changes: Any) -> Json:
    token = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "btce",
    }
    return {**token, **changes}


def bare(body: Json, base: str, keep: tuple[str, ...] = (), **changes: Any) -> Json:
    """The same call without prefetch (but for `keep`), with a token for the EHR's server."""
    kept = {key: body["prefetch"][key] for key in keep}
    made = {**body, "fhirServer": base, "fhirAuthorization": authorization(**changes)}
    return {**made, "prefetch": kept} if kept else without(made, "prefetch")


def holding(body: Json) -> dict[str, Behaviour]:
    """How a server answers that has this chart: by path, each query of its own patient."""
    patient = body["context"]["patientId"]
    told = body["prefetch"]
    return {
        template.replace("{{context.patientId}}", patient): reply(told.get(key) or bundle())
        for key, template in PREFETCH.items()
    }


def serve(server: Upstream, body: Json, **instead: Behaviour) -> None:
    """Give the server the chart; `instead`, by prefetch key, what it does otherwise."""
    paths = {k: t.replace("{{context.patientId}}", PATIENT) for k, t in PREFETCH.items()}
    server.does = holding(body) | {paths[key]: behaviour for key, behaviour in instead.items()}
    server.does |= {key: server.does[path] for key, path in paths.items() if path in server.does}


def answer(client: CheckedClient, body: Json) -> Json:
    """A 200 within the deadline, as JSON."""
    start = time.monotonic()
    response = client.call(body)
    assert time.monotonic() - start < AT_MOST
    assert response.status_code == 200, response.text
    found: Json = response.get_json()
    return found


def notices(found: Json) -> list[str]:
    assessment = found["extension"][EXTENSION]
    return [one["text"] for one in assessment.get("notices", []) if one["code"] == "not-read"]


def missing(found: Json) -> set[str]:
    assessment = found["extension"][EXTENSION]
    return {one["fact"] for axis in ("crs", "icans") for one in assessment[axis]["missing"]}


def counted(client: CheckedClient, name: str) -> dict[str, float]:
    """A counter of /metrics by the value of its one label."""
    page_ = client.get("/metrics").text
    return {
        next(iter(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page_)
        for sample in family.samples
        if sample.name == f"btce_{name}_total"
    }


@pytest.mark.parametrize("name", CHARTS)
def test_what_is_read_gives_the_very_answer_of_what_is_sent(
    name: str, client_for: ClientFor
) -> None:
    body = CHARTS[name]
    sent = {**body, "prefetch": {key: body["prefetch"].get(key) for key in PREFETCH}}
    with running() as server:
        serve(server, body)
        client = client_for(fhir_base=server.base)
        expected = answer(client, {**sent, "fhirServer": server.base})
        assert server.asked == []
        found = answer(client, bare(body, server.base))
        assert len(server.asked) == len(PREFETCH)
    assert found == expected
    assert notices(found) == []


@pytest.mark.parametrize("key", PREFETCH)
def test_one_key_left_out_is_read_and_no_other_is_asked(key: str, client_for: ClientFor) -> None:
    body = order_sign(*fever())
    with running() as server:
        serve(server, body)
        client = client_for(fhir_base=server.base)
        expected = answer(client, {**body, "fhirServer": server.base})
        kept = tuple(one for one in body["prefetch"] if one != key)
        found = answer(client, bare(body, server.base, kept))
        assert server.paths() == [PREFETCH[key].replace("{{context.patientId}}", PATIENT)]
    assert found == expected


def test_the_token_goes_to_the_server_with_every_query(client_for: ClientFor) -> None:
    with running() as server:
        serve(server, order_sign(*fever()))
        answer(client_for(fhir_base=server.base), bare(order_sign(*fever()), server.base))
        assert {fields["authorization"] for _, fields in server.asked} == {f"Bearer {TOKEN}"}


HOSTILE: dict[str, tuple[Behaviour, str, str]] = {
    "never answers": (silent, "timeout", "in time"),
    "drips its headers": (
        raw(b"HTTP/1.1 200 OK\r\n", for_ever=b"A: b\r\n", every=0.2),
        "timeout",
        "in time",
    ),
    "drips its body": (raw(JSON_HEAD, for_ever=b" ", every=0.2), "timeout", "in time"),
    "redirects elsewhere": (
        reply(b"", status=302, Location="http://127.0.0.1:9/x"),
        "redirect",
        "redirect",
    ),
    "sends entries for ever": (
        raw(JSON_HEAD + b'{"entry":[', for_ever=b'{"resource":{"resourceType":"Basic"}},' * 100),
        "too-large",
        "more than is read",
    ),
    "breaks off": (raw(JSON_HEAD + b'{"resourceType":'), "not-fhir", "not what was asked for"),
    "sends a page of HTML": (reply(b"<html>", kind="text/html"), "not-fhir", "not what was asked"),
    "reports an error": (reply(OUTCOME), "failed", "reports an error"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_server_that_misbehaves_leaves_a_card_that_names_what_is_missing(
    name: str, client_for: ClientFor
) -> None:
    behaviour, kind, words = HOSTILE[name]
    with running() as server:
        server.otherwise = behaviour
        client = client_for(fhir_base=server.base)
        found = answer(client, bare(order_sign(*fever()), server.base))
    said = notices(found)
    assert len(said) == len(PREFETCH)
    # Many answers for ever share one limit on bytes and the deadline: which ends first may vary.
    ended = [one for one in said if words in one or (kind == "too-large" and "in time" in one)]
    assert ended == said
    assert {one.partition("server: ")[2].partition(":")[0] for one in said} == set(PREFETCH)
    assert {"temperature", "blood-pressure"} <= missing(found)
    assert any("temperature" in card.get("detail", "").lower() for card in found["cards"])
    assert sum(counted(client, "upstream_errors").values()) == len(PREFETCH)
    assert counted(client, "upstream_errors")[kind] > 0


def test_a_server_that_is_not_there_is_said_to_be_unreachable(client_for: ClientFor) -> None:
    with running() as server:
        base = server.base
    client = client_for(fhir_base=base)
    found = answer(client, bare(order_sign(*fever()), base))
    assert all("cannot be reached" in one for one in notices(found))
    assert len(notices(found)) == len(PREFETCH)
    assert found["cards"]
    assert counted(client, "upstream_errors") == {"unreachable": len(PREFETCH)}


def test_pages_for_ever_end_in_time_and_what_was_read_counts(client_for: ClientFor) -> None:
    with running() as server:
        number = iter(range(10**6))

        def next_page(connection: Any) -> None:
            following = f"{server.base}/Observation?page={next(number)}"
            reply(page(*fever(), following=following))(connection)

        serve(server, order_sign(*fever()), vitals=next_page, oxygen=next_page)
        server.otherwise = next_page
        found = answer(client_for(fhir_base=server.base), bare(order_sign(*fever()), server.base))
    assert any(
        one.startswith("Not read from the FHIR server: oxygen: only") for one in notices(found)
    )
    assert found["cards"][0]["summary"].startswith("Hold teclistamab")


def test_one_slow_query_costs_no_other_its_answer(client_for: ClientFor) -> None:
    with running() as server:
        serve(server, order_sign(*fever()), conditions=silent)
        found = answer(client_for(fhir_base=server.base), bare(order_sign(*fever()), server.base))
    (said,) = notices(found)
    assert "conditions" in said
    assert "in time" in said
    assert found["cards"][0]["summary"].startswith("Hold teclistamab")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, "not-authorised", "does not allow it"),
        (403, "not-authorised", "does not allow it"),
        (404, "not-found", "does not have it"),
        (410, "not-found", "does not have it"),
        (429, "too-many-requests", "is asked too often"),
        (500, "server-error", "reports a fault"),
        (503, "server-error", "reports a fault"),
    ],
)
def test_refused_absent_and_broken_are_told_apart_in_the_notice_and_the_metric(
    status: int, kind: str, words: str, client_for: ClientFor
) -> None:
    with running() as server:
        serve(server, order_sign(*fever()), administrations=reply(OUTCOME, status=status))
        client = client_for(fhir_base=server.base)
        found = answer(client, bare(order_sign(*fever()), server.base))
    (said,) = notices(found)
    assert said == f"Not read from the FHIR server: administrations: the server {words}."
    assert "vasopressors" in missing(found)
    assert counted(client, "upstream_errors") == {kind: 1}


def by_reference(*ids: str) -> Json:
    """Drafts that name their drug by reference alone."""
    drafts = []
    for one in ids:
        made = without(draft(id=f"d-{one}"), "medicationCodeableConcept")
        drafts.append({**made, "medicationReference": {"reference": f"Medication/{one}"}})
    return order_sign(*fever(), drafts=tuple(drafts))


def medication(one: str, text: str = "teclistamab") -> Json:
    return {"resourceType": "Medication", "id": one, "code": {"text": text}}


def test_a_drug_named_by_reference_is_read(client_for: ClientFor) -> None:
    body = by_reference("m1")
    with running() as server:
        serve(server, body)
        server.does["Medication/m1"] = reply(medication("m1"))
        found = answer(client_for(fhir_base=server.base), bare(body, server.base))
    assert found["cards"][0]["summary"].startswith("Hold teclistamab")


@pytest.mark.parametrize("behaviour", [reply(OUTCOME, status=404), silent], ids=["gone", "silent"])
def test_412_is_for_drafts_whose_drugs_nobody_can_tell(
    behaviour: Behaviour, client_for: ClientFor
) -> None:
    body = by_reference("m1", "m2")
    with running() as server:
        serve(server, body)
        server.does["Medication/m1"] = server.does["Medication/m2"] = behaviour
        start = time.monotonic()
        response = client_for(fhir_base=server.base).call(bare(body, server.base))
        assert time.monotonic() - start < AT_MOST
    assert response.status_code == 412
    outcome = response.get_json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["details"]["coding"] == [{"code": "data-unavailable"}]
    assert outcome["issue"][0]["expression"] == ["context.draftOrders"]


def test_one_drug_that_can_be_told_is_enough_for_an_answer(client_for: ClientFor) -> None:
    body = by_reference("m1", "m2")
    with running() as server:
        serve(server, body)
        server.does["Medication/m2"] = reply(medication("m2"))
        found = answer(client_for(fhir_base=server.base), bare(body, server.base))
    assert any("drafted-medication-1" in one for one in notices(found))
    assert found["cards"][0]["summary"].startswith("Hold teclistamab")


def test_a_token_of_another_patient_refuses_the_call_and_reads_nothing(
    client_for: ClientFor,
) -> None:
    canary = Listener()
    base = f"http://127.0.0.1:{canary.port}/fhir"
    body = bare(order_sign(*fever()), base, patient="p2")
    response = client_for(fhir_base=base).call(body)
    canary.close()
    assert response.status_code == 400
    outcome = response.get_json()
    assert outcome["issue"][0]["details"]["coding"] == [{"code": "another-patient"}]
    assert canary.connections == 0


def test_another_patients_resource_on_the_server_refuses_the_call(client_for: ClientFor) -> None:
    body = order_sign(*fever())
    with running() as server:
        serve(server, body, vitals=reply(bundle(vital("8310-5", 38.6, "Cel", patient="p2"))))
        response = client_for(fhir_base=server.base).call(bare(body, server.base))
    assert response.status_code == 400
    assert response.get_json()["issue"][0]["details"]["coding"] == [{"code": "another-patient"}]


@pytest.mark.parametrize(
    ("token", "changes"),
    [({"expires_in": 0}, {}), ({"expires_in": -1}, {}), ({}, {"fetch": False}), (None, {})],
    ids=["expired", "expired long ago", "site reads nothing", "no token"],
)
def test_where_nothing_may_be_read_no_connection_is_made(
    token: Json | None, changes: Json, client_for: ClientFor
) -> None:
    canary = Listener()
    base = f"http://127.0.0.1:{canary.port}/fhir"
    body = bare(order_sign(*fever()), base, **(token or {}))
    if token is None:
        del body["fhirAuthorization"]
    found = answer(client_for(fhir_base=base, **changes), body)
    canary.close()
    assert canary.connections == 0
    assert "temperature" in missing(found)
    assert found["cards"]


def test_a_call_for_another_server_is_refused_and_neither_is_asked(client_for: ClientFor) -> None:
    own, other = Listener(), Listener()
    body = bare(order_sign(*fever()), f"http://127.0.0.1:{other.port}/fhir")
    response = client_for(fhir_base=f"http://127.0.0.1:{own.port}/fhir").call(body)
    own.close()
    other.close()
    assert response.status_code == 400
    assert response.get_json()["issue"][0]["expression"] == ["fhirServer"]
    assert (own.connections, other.connections) == (0, 0)


def test_a_silent_site_reads_and_records_and_shows_nothing(
    client_for: ClientFor, state: State, library: Library
) -> None:
    body = order_sign(*fever())
    with running() as server:
        serve(server, body)
        client = client_for(fhir_base=server.base, mode="silent")
        found = answer(client, bare(body, server.base))
    assert found["cards"] == []
    assert found["extension"][EXTENSION]["crs"]["grade"]["atLeast"] == 1
    assert counted(client, "store_writes") == {"store": 1}


def test_the_token_is_in_no_log_no_answer_and_no_record(
    client_for: ClientFor, state: State, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    body = order_sign(*fever())
    with running() as server:
        serve(server, body, labs=reply(OUTCOME, status=401), conditions=reply(b"<html>"))
        client = client_for(fhir_base=server.base)
        found = answer(client, bare(body, server.base))
        refused = client.call(bare(body, server.base, patient="p2"))
        page_ = client.get("/metrics").text
    kept = [msgspec.json.encode(one).decode() for one in state["store"].decisions(since=NOW)]
    logged = [str(vars(record)) for record in caplog.records]
    assert kept
    assert logged
    for text in (json.dumps(found), refused.text, page_, *kept, *logged):
        assert TOKEN not in text


def test_each_call_has_its_own_time(client_for: ClientFor) -> None:
    """What one slow call used up is not missing from the next."""
    body = order_sign(*fever())
    with running() as server:
        serve(server, body, labs=silent)
        client = client_for(fhir_base=server.base)
        assert len(notices(answer(client, bare(body, server.base)))) == 1
        serve(server, body)
        assert notices(answer(client, bare(body, server.base))) == []
