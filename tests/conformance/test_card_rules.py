"""The checker can fail: a broken message for every rule, refused by that rule."""

import copy
import json
from typing import Any

import pytest
from flask import Flask, request_finished

from tests.conformance.checker import (
    EXTENSION,
    ORIGINS,
    RECORDER,
    Exchange,
    Recorder,
    check_exchange,
)
from tests.conformance.rules import RULES, RuleBroken
from tests.functional.bodies import bundle, draft


REMOVED = object()
SENT = {"context": {"draftOrders": bundle(draft(), draft(id="d2"))}}
(ORIGIN,) = ORIGINS
UPDATE = {
    "type": "update",
    "description": "Put the order on hold",
    "resource": {**draft(), "status": "on-hold"},
}
CREATE = {
    "type": "create",
    "description": "Order 560 mg",
    "resource": {"resourceType": "MedicationRequest", "status": "draft"},
}
DELETE = {"type": "delete", "description": "Remove it", "resourceId": "MedicationRequest/d2"}
CARD = {
    "uuid": "d74fd841-e031-51da-bcf2-129fc47a21aa",
    "summary": "x" * 139,
    "detail": "Line\n\n- **item** < 40, REMS\\@FDA",
    "indicator": "warning",
    "source": {
        "label": "A label",
        "url": "https://label.example/a.pdf",
        "topic": {"code": "CRSG1TO4", "system": "https://a.example/topic", "display": "CRS 1"},
    },
    "suggestions": [
        {"label": "Hold", "uuid": "cdb90cad-20c0-5d53-a675-be113674a4a7", "actions": [UPDATE]},
        {"label": "Give", "uuid": "cdb90cad-20c0-5d53-a675-be113674a4a8", "actions": [CREATE]},
        {"label": "Drop", "uuid": "cdb90cad-20c0-5d53-a675-be113674a4a9", "actions": [DELETE]},
    ],
    "selectionBehavior": "any",
    "overrideReasons": [{"code": "held", "system": "https://a.example/why", "display": "Held"}],
    "links": [{"label": "Grade", "url": "https://app.example/launch", "type": "smart"}],
}
RESPONSE = {"cards": [CARD], "extension": {EXTENSION: {"schema": "btce-cds/assessment/1"}}}
DISCOVERY = {
    "services": [
        {
            "hook": "order-sign",
            "id": "check",
            "title": "Check",
            "description": "Checks",
            "prefetch": {"patient": "Patient/{{context.patientId}}"},
        }
    ]
}
ISSUE = {
    "severity": "error",
    "code": "invalid",
    "details": {"coding": [{"code": "bad-hook-request"}], "text": "is required"},
}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [ISSUE]}
CORS = {
    "vary": "Origin",
    "access-control-allow-origin": ORIGIN,
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "Authorization, Content-Type",
}

# Rule broken, path into the response, value there.
RESPONSES: list[tuple[str, str, Any]] = [
    ("cards", "cards", REMOVED),
    ("cards", "cards", {}),
    ("cards", "cards", None),
    ("cards", "cards.0", "card"),
    ("response", "links", ["x"]),
    ("system-actions", "systemActions", [UPDATE]),
    ("assessment", "extension", {"org.other": {"a": 1}}),
    ("extension", "extension", [{"a": 1}]),
    ("extension", "extension", "org.example"),
    ("extension", "extension.short", 1),
    ("extension", "cards.0.extension", ["x"]),
    ("extension", "cards.0.extension", {"short": 1}),
    ("not-empty", "cards.0.detail", None),
    ("not-empty", "cards.0.detail", ""),
    ("not-empty", "cards.0.detail", " \n"),
    ("not-empty", "cards.0.links", []),
    ("not-empty", "cards.0.suggestions", []),
    ("not-empty", "cards.0.overrideReasons", []),
    ("not-empty", "cards.0.source.topic", {}),
    ("not-empty", "cards.0.suggestions.0.actions", []),
    ("not-empty", "cards.0.suggestions.0.actions.0.resource.note", [{"text": None}]),
    ("members", "cards.0.title", "CRS"),
    ("members", "cards.0.source.name", "CRS"),
    ("members", "cards.0.source.topic.version", "1"),
    ("members", "cards.0.suggestions.0.actionSelectionBehavior", "any"),
    ("members", "cards.0.suggestions.0.actions.0.id", "1"),
    ("members", "cards.0.links.0.icon", "https://a.example/a.png"),
    ("uuid", "cards.0.uuid", REMOVED),
    ("uuid", "cards.0.uuid", "1"),
    ("uuid", "cards.0.uuid", "{d74fd841-e031-51da-bcf2-129fc47a21aa}"),
    ("uuid", "cards.0.suggestions.0.uuid", REMOVED),
    ("uuid", "cards.0.suggestions.0.uuid", CARD["uuid"]),
    ("uuid", "cards.1", CARD),
    ("summary", "cards.0.summary", REMOVED),
    ("summary", "cards.0.summary", "x" * 140),
    ("summary", "cards.0.summary", "two\nlines"),
    ("summary", "cards.0.summary", 7),
    ("detail", "cards.0.detail", 7),
    ("detail", "cards.0.detail", "see <b>this</b>"),
    ("detail", "cards.0.detail", "<script src=x>"),
    ("indicator", "cards.0.indicator", REMOVED),
    ("indicator", "cards.0.indicator", "hard-stop"),
    ("indicator", "cards.0.indicator", "Warning"),
    ("source", "cards.0.source", REMOVED),
    ("source", "cards.0.source", "A label"),
    ("source", "cards.0.source.label", REMOVED),
    ("url", "cards.0.source.url", "/a.pdf"),
    ("url", "cards.0.source.url", "javascript:alert(1)"),
    ("url", "cards.0.source.icon", "icon.png"),
    ("url", "cards.0.links.0.url", "launch"),
    ("url", "cards.0.links.0.url", REMOVED),
    ("topic", "cards.0.source.topic", REMOVED),
    ("topic", "cards.0.source.topic.system", REMOVED),
    ("topic", "cards.0.source.topic.code", 7),
    ("topic", "cards.0.source.topic.display", REMOVED),
    ("topic-code", "cards.0.source.topic.code", "CRS-G2"),
    ("topic-code", "cards.0.source.topic.code", "CRSµ2"),
    ("topic-code", "cards.0.source.topic.code", "C" * 101),
    ("selection-behavior", "cards.0.selectionBehavior", REMOVED),
    ("selection-behavior", "cards.0.selectionBehavior", "at-most-one"),
    ("selection-behavior", "cards.0.suggestions", REMOVED),
    ("suggestions", "cards.0.suggestions", {"label": "x"}),
    ("suggestions", "cards.0.suggestions.0", "Hold"),
    ("suggestions", "cards.0.suggestions.0.label", REMOVED),
    ("preselected", "cards.0.suggestions.0.isRecommended", True),
    ("one-action", "cards.0.suggestions.0.actions", REMOVED),
    ("one-action", "cards.0.suggestions.0.actions", [CREATE, CREATE]),
    ("action", "cards.0.suggestions.0.actions.0.type", "UPDATE"),
    ("action", "cards.0.suggestions.0.actions.0.type", REMOVED),
    ("action", "cards.0.suggestions.0.actions.0.description", REMOVED),
    ("resource", "cards.0.suggestions.0.actions.0.resource", REMOVED),
    ("resource", "cards.0.suggestions.0.actions.0.resource", "{}"),
    ("resource", "cards.0.suggestions.0.actions.0.resource.resourceType", REMOVED),
    ("resource", "cards.0.suggestions.0.actions.0.resource.id", REMOVED),
    ("resource", "cards.0.suggestions.1.actions.0.resourceId", "MedicationRequest/d1"),
    ("resource-id", "cards.0.suggestions.2.actions.0.resourceId", REMOVED),
    ("resource-id", "cards.0.suggestions.2.actions.0.resourceId", "d2"),
    ("resource-id", "cards.0.suggestions.2.actions.0.resource", draft()),
    ("target", "cards.0.suggestions.2.actions.0.resourceId", "MedicationRequest/d3"),
    ("target", "cards.0.suggestions.0.actions.0.resource.id", "d3"),
    ("target", "cards.0.suggestions.0.actions.0.resource.subject", REMOVED),
    ("override-reasons", "cards.0.overrideReasons.0.display", REMOVED),
    ("override-reasons", "cards.0.overrideReasons.0.code", REMOVED),
    ("override-reasons", "cards.0.overrideReasons.0.system", REMOVED),
    ("override-reasons", "cards.0.overrideReasons", {"code": "x"}),
    ("link", "cards.0.links.0.label", REMOVED),
    ("link", "cards.0.links.0.type", "absolut"),
    ("link", "cards.0.links.0", {**CARD["links"][0], "type": "absolute", "appContext": "x"}),  # type: ignore[index]
    ("link", "cards.0.links.0.autolaunchable", "true"),
    ("link", "cards.0.links", {"label": "x"}),
]

DISCOVERIES: list[tuple[str, str, Any]] = [
    ("discovery", "services", REMOVED),
    ("discovery", "services", {"a": 1}),
    ("service", "services.0.id", REMOVED),
    ("service", "services.0.hook", 7),
    ("service", "services.0.description", REMOVED),
    ("service", "services.0.prefetch", ["Patient/1"]),
    ("service", "services.0.prefetch.patient", 7),
    ("not-empty", "services.0.prefetch", {}),
    ("not-empty", "services.0.usageRequirements", ""),
    ("hook-name", "services.0.hook", "observation-create"),
    ("hook-name", "services.0.hook", "org.example"),
]

OUTCOMES: list[tuple[str, str, Any]] = [
    ("outcome", "resourceType", "Bundle"),
    ("outcome", "issue", REMOVED),
    ("outcome", "issue.0.severity", "warning"),
    ("outcome", "issue.0.code", "bad-hook-request"),
    ("outcome", "issue.0.details", REMOVED),
    ("outcome", "issue.0.details.coding", REMOVED),
    ("outcome", "issue.0.details.text", REMOVED),
    ("not-empty", "issue.0.expression", []),
    ("not-empty", "issue", []),
    ("outcome-value", "issue.0.diagnostics", "no order teclistamab"),
    ("outcome-value", "issue.0.expression", ["Patient/p1"]),
]


def changed(message: Any, path: str, value: object) -> Any:
    """A copy with another value at the path, or without it."""
    made = copy.deepcopy(message)
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    target = made
    for step in parents:
        target = target[step]
    if value is REMOVED:
        del target[last]
    elif isinstance(target, list) and last == len(target):
        target.append(value)
    else:
        target[last] = value
    return made


def exchange(answer: Any, **members: Any) -> Exchange:
    """A service call and this answer, with everything else as it should be."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    media = "application/json" if members.get("status", 200) < 400 else "application/fhir+json"
    headers = {"content-type": media, "x-content-type-options": "nosniff"}
    members["headers"] = {**headers, **members.get("headers", {})}
    usual: dict[str, Any] = {
        "method": "POST",
        "path": "/cds-services/check",
        "status": 200,
        "body": body,
        "sent": json.dumps(SENT).encode(),
    }
    return Exchange(**{**usual, **members})


def broken(one: Exchange, *, schema: bool = False) -> str:
    """The rule that is broken."""
    with pytest.raises(RuleBroken) as refused:
        check_exchange(one, schema=schema)
    return refused.value.rule


OF_EXCHANGES: list[tuple[str, Exchange]] = [
    ("assessment", exchange(RESPONSE)),
    ("json", exchange(b"<html/>")),
    ("json", exchange(b'{"cards": [NaN]}')),
    ("json", exchange(b'{"cards": [], "cards": []}')),
    ("json", exchange(b'{"cards": "\xff"}')),
    ("json", exchange(b"")),
    ("response", exchange([])),
    ("status", exchange(RESPONSE, status=204)),
    ("status", exchange(RESPONSE, status=302)),
    ("media-type", exchange(RESPONSE, headers={"content-type": "text/html"})),
    ("media-type", exchange(OUTCOME, status=400, headers={"content-type": "application/json"})),
    ("nosniff", exchange(RESPONSE, headers={"x-content-type-options": ""})),
    ("nosniff", exchange(OUTCOME, status=400, headers={"x-content-type-options": ""})),
    ("unauthorized", exchange(OUTCOME, status=401)),
    (
        "unauthorized",
        exchange(OUTCOME, status=401, headers={"www-authenticate": 'Bearer error="expired"'}),
    ),
    ("allow", exchange(OUTCOME, status=405)),
    ("cors", exchange(RESPONSE, origin=ORIGIN)),
    ("cors", exchange(OUTCOME, status=400, origin=ORIGIN)),
    ("cors", exchange(RESPONSE, headers={"access-control-allow-origin": "*"})),
    ("cors", exchange(RESPONSE, origin="https://elsewhere.example", headers=CORS)),
    ("cors", exchange(RESPONSE, origin=ORIGIN, headers={**CORS, "vary": "Accept"})),
    (
        "cors",
        exchange(RESPONSE, origin=ORIGIN, headers={**CORS, "access-control-allow-methods": "GET"}),
    ),
    (
        "cors",
        exchange(
            RESPONSE, origin=ORIGIN, headers={**CORS, "access-control-allow-headers": "Accept"}
        ),
    ),
    ("not-empty", exchange({"stored": None}, path="/cds-services/check/feedback")),
]


@pytest.mark.parametrize(
    "one",
    [
        exchange(RESPONSE),
        exchange({**RESPONSE, "cards": []}),
        exchange(RESPONSE, origin=ORIGIN, headers=CORS),
        exchange(DISCOVERY, method="GET", path="/cds-services"),
        exchange({"services": []}, method="GET", path="/cds-services"),
        exchange(OUTCOME, status=400),
        exchange(OUTCOME, status=503, origin=ORIGIN, headers=CORS),
        exchange(OUTCOME, status=401, headers={"www-authenticate": "Bearer"}),
        exchange(OUTCOME, status=405, headers={"allow": "POST"}),
    ],
    ids=lambda one: f"{one.status} {one.method} {one.path}",
)
def test_a_message_that_keeps_every_rule_is_accepted(one: Exchange) -> None:
    check_exchange(one, schema=False)


@pytest.mark.parametrize(("rule", "path", "value"), RESPONSES)
def test_a_broken_answer_is_refused_by_its_rule(rule: str, path: str, value: object) -> None:
    assert broken(exchange(changed(RESPONSE, path, value))) == rule


@pytest.mark.parametrize(("rule", "path", "value"), DISCOVERIES)
def test_a_broken_discovery_is_refused_by_its_rule(rule: str, path: str, value: object) -> None:
    answer = changed(DISCOVERY, path, value)
    assert broken(exchange(answer, method="GET", path="/cds-services")) == rule


@pytest.mark.parametrize(("rule", "path", "value"), OUTCOMES)
def test_a_broken_error_is_refused_by_its_rule(rule: str, path: str, value: object) -> None:
    assert broken(exchange(changed(OUTCOME, path, value), status=400)) == rule


@pytest.mark.parametrize(("rule", "one"), OF_EXCHANGES)
def test_a_broken_exchange_is_refused_by_its_rule(rule: str, one: Exchange) -> None:
    assert broken(one, schema=True) == rule


def test_every_rule_has_a_message_that_breaks_it() -> None:
    tables = [*RESPONSES, *DISCOVERIES, *OUTCOMES, *OF_EXCHANGES]
    assert {row[0] for row in tables} == set(RULES)


def test_the_recorder_keeps_what_any_client_of_the_service_was_sent() -> None:
    app = Flask("cds")
    app.add_url_rule("/cds-services/check", view_func=lambda: RESPONSE, methods=["POST"])
    recorder = Recorder()
    with request_finished.connected_to(recorder.finished, app):
        app.test_client().post("/cds-services/check", json=SENT)
    assert RECORDER.take(), "the one of the whole test suite saw it too"
    assert recorder.seen == 1
    assert "nosniff" in recorder.take()[0]
    assert recorder.take() == []
