"""Feedback over the wire (CDS Hooks 2.0, "Feedback"): kept once, for its own site, and acted on."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from cds.config import Settings
from cds.feedback import EPIC_CATEGORY, MAX_ITEMS
from cds.store.tables import feedback as kept_feedback
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.conformance.tokens import EPIC, ORACLE, OTHER_TENANT
from tests.conftest import CALL, CheckedClient
from tests.functional.bodies import NOW, Json, draft, fever
from tests.functional.deployed import Deployed, another_call, counted, deploy, logged, topics
from tests.functional.hospitals import bearer, hospitals


PATH = f"{CALL}/feedback"
REMS = "REMSTECLISTAMAB"
AT = "2026-11-21T12:05:00Z"
CANARY = "Canaryname had 39.17"
Moments = list[datetime]


@pytest.fixture
def moments() -> Moments:
    """The evaluation time; a test may let it pass."""
    return [NOW]


@pytest.fixture
def deployed(
    settings: Settings, tmp_path: Path, library: Library, codes: CodeSets, moments: Moments
) -> Deployed:
    return deploy(settings, tmp_path, library, codes, now=lambda: moments[0])


@pytest.fixture
def two_hospitals(tmp_path: Path, library: Library, codes: CodeSets) -> Deployed:
    """North and south: one issuer, told apart by its tenant."""
    settings = hospitals(tmp_path, "https://keys.example.org/jwks.json", library)
    return deploy(settings, tmp_path, library, codes)


def accepted(card: str, *suggestions: str, at: str = AT) -> Json:
    made = [{"id": one} for one in suggestions]
    return {
        "card": card,
        "outcome": "accepted",
        "acceptedSuggestions": made,
        "outcomeTimestamp": at,
    }


def overridden(card: str, at: str = AT, **how: Any) -> Json:
    return {"card": card, "outcome": "overridden", "outcomeTimestamp": at, **how}


def tell(client: CheckedClient, *items: Any, **headers: Any) -> TestResponse:
    return client.post(PATH, json={"feedback": list(items)}, headers=headers)


def rows(one: Deployed) -> list[Any]:
    with one.store.engine.connect() as connection:
        return list(connection.execute(select(kept_feedback).order_by(kept_feedback.c.at)))


def card(one: Deployed, topic: str, **how: Any) -> Json:
    """The card of this topic that a new call is shown."""
    cards: list[Json] = one.client.call(another_call(**how)).get_json()["cards"]
    return next(card for card in cards if card["source"]["topic"]["code"] == topic)


def held(one: Deployed) -> Json:
    found: Json = one.client.call(another_call(*fever())).get_json()["cards"][0]
    return found


# --- what is kept --------------------------------------------------------------------------------


def test_an_accepted_suggestion_is_kept_with_its_card(deployed: Deployed) -> None:
    shown = held(deployed)
    suggestion = shown["suggestions"][0]["uuid"]
    answer = tell(deployed.client, accepted(shown["uuid"], suggestion))
    assert (answer.status_code, answer.data) == (200, b"")
    (row,) = rows(deployed)
    assert (row.site, row.service, row.card) == ("demo", "btce-order-sign", shown["uuid"])
    assert (row.outcome, row.known) == ("accepted", True)
    assert row.suggestions == f'["{suggestion}"]'
    assert row.at == datetime.fromisoformat("2026-11-21T12:05:00+00:00")


def test_an_override_is_kept_with_the_reason_that_the_card_offered(deployed: Deployed) -> None:
    shown = held(deployed)
    reason = {name: shown["overrideReasons"][0][name] for name in ("code", "system")}
    answer = tell(deployed.client, overridden(shown["uuid"], overrideReason={"reason": reason}))
    assert answer.status_code == 200
    (row,) = rows(deployed)
    assert (row.outcome, row.known) == ("overridden", True)
    (kept,) = msgspec.json.decode(row.reasons)
    assert (kept["code"], kept["system"]) == (reason["code"], reason["system"])


@pytest.mark.parametrize("several", [True, False], ids=["a list", "one object"])
def test_epic_spells_it_override_reasons_and_adds_its_own(
    deployed: Deployed, several: bool
) -> None:
    shown = held(deployed)
    epic = {
        "reason": {"code": "already-held", "system": "https://example.org/reasons"},
        "extension": {
            EPIC_CATEGORY: 7,
            "com.epic.cdshooks.feedback.overrideReason.reasonDisplay": "Benefit outweighs risk",
        },
    }
    item = overridden(shown["uuid"], overrideReasons=[epic] if several else epic)
    assert tell(deployed.client, item).status_code == 200
    (row,) = rows(deployed)
    codes = [reason["code"] for reason in msgspec.json.decode(row.reasons)]
    assert codes == ["already-held", "7"]


def test_of_a_batch_the_good_items_are_kept_and_the_bad_ones_named(deployed: Deployed) -> None:
    shown = held(deployed)["uuid"]
    bad = {
        "feedback[1].outcomeTimestamp": overridden(shown, at="yesterday"),
        "feedback[2].acceptedSuggestions": accepted(shown),
        "feedback[3].outcome": {**overridden(shown), "outcome": "ignored"},
        "feedback[4].card": {"outcome": "overridden", "outcomeTimestamp": AT},
    }
    answer = tell(deployed.client, overridden(shown), *bad.values(), accepted(shown, "s1"))
    assert answer.status_code == 200
    outcome = answer.get_json(force=True)
    assert outcome["resourceType"] == "OperationOutcome"
    assert [issue["expression"] for issue in outcome["issue"]] == [[name] for name in bad]
    assert {row.outcome for row in rows(deployed)} == {"accepted", "overridden"}
    assert len(rows(deployed)) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"feedback": [{"card": "x"}]}, 400),
        ({"feedback": []}, 400),
        ({"feedback": {}}, 400),
        ({}, 400),
        ([], 400),
        ({"feedback": [{}] * (MAX_ITEMS + 1)}, 413),
    ],
)
def test_a_body_without_any_usable_item_is_refused(
    deployed: Deployed, body: object, status: int
) -> None:
    answer = deployed.client.post(PATH, json=body)
    assert answer.status_code == status
    assert answer.get_json(force=True)["resourceType"] == "OperationOutcome"
    assert rows(deployed) == []


def test_sent_again_it_changes_nothing(deployed: Deployed) -> None:
    item = overridden(held(deployed)["uuid"])
    for _ in range(3):
        assert tell(deployed.client, item, item).status_code == 200
    assert len(rows(deployed)) == 1


def test_a_second_answer_to_the_same_card_is_kept_beside_the_first(deployed: Deployed) -> None:
    shown = held(deployed)["uuid"]
    tell(deployed.client, overridden(shown))
    tell(deployed.client, accepted(shown, "s1", at="2026-11-21T12:06:00Z"))
    assert [row.outcome for row in rows(deployed)] == ["overridden", "accepted"]


def test_a_card_nobody_knows_is_kept_and_marked(deployed: Deployed) -> None:
    assert tell(deployed.client, overridden("no-such-card")).status_code == 200
    (row,) = rows(deployed)
    assert (row.card, row.known) == ("no-such-card", False)


def test_a_card_of_a_silent_site_was_shown_to_nobody_but_is_known(
    settings: Settings, tmp_path: Path, library: Library, codes: CodeSets
) -> None:
    site = msgspec.structs.replace(settings.site, mode="silent")
    silent = msgspec.structs.replace(settings, sites={"demo": site})
    one = deploy(silent, tmp_path, library, codes)
    one.client.call(another_call(*fever()))
    (row,) = one.store.decisions()
    assert tell(one.client, overridden(row.cards[0].uuid)).status_code == 200
    assert rows(one)[0].known is True


def test_feedback_on_a_service_nobody_has_is_404_and_of_another_type_415(
    deployed: Deployed,
) -> None:
    body = {"feedback": [overridden("x")]}
    unknown = deployed.client.post("/cds-services/other/feedback", json=body)
    assert unknown.status_code == 404
    assert deployed.client.post(PATH, data="x", content_type="text/plain").status_code == 415
    assert rows(deployed) == []


def test_feedback_is_counted_by_outcome(deployed: Deployed) -> None:
    tell(deployed.client, overridden("a"), overridden("b"), accepted("c", "s"))
    assert counted(deployed.client, "btce_feedback_total") == {
        'btce_feedback_total{outcome="overridden"}': 2,
        'btce_feedback_total{outcome="accepted"}': 1,
    }


def test_what_the_user_wrote_is_kept_and_nowhere_else(deployed: Deployed) -> None:
    with logged() as lines:
        told = {"userComment": CANARY, "reason": {"code": "Canarycode", "display": CANARY}}
        item = overridden("Canarycard", overrideReason=told)
        good = tell(deployed.client, item)
        bad = tell(deployed.client, {**item, "outcome": CANARY}, {**item, "card": [CANARY]})
        metrics = deployed.client.get("/metrics").text
    assert (good.status_code, bad.status_code) == (200, 400)
    (row,) = rows(deployed)
    assert row.comment == CANARY
    assert lines
    for text in (str(lines), metrics, good.text, bad.text):
        assert "Canary" not in text
        assert "39.17" not in text


# --- which site ----------------------------------------------------------------------------------


def south() -> dict[str, str]:
    return bearer(ORACLE, tenant=OTHER_TENANT)


def test_a_site_cannot_answer_the_card_of_another(two_hospitals: Deployed) -> None:
    call = another_call()
    shown = two_hospitals.client.call(call, **bearer(ORACLE))
    assert REMS in topics(shown)
    rems = next(c for c in shown.get_json()["cards"] if c["source"]["topic"]["code"] == REMS)
    assert tell(two_hospitals.client, overridden(rems["uuid"]), **south()).status_code == 200
    (row,) = rows(two_hospitals)
    assert (row.site, row.known) == ("south-hospital", False)
    for token in (bearer(ORACLE), south()):
        again = two_hospitals.client.call(another_call(), **token)
        assert "Duties" in _rems(again)["detail"]


def test_acknowledged_at_one_site_is_not_acknowledged_at_another(two_hospitals: Deployed) -> None:
    """Two hospitals may have a patient of the same id."""
    client = two_hospitals.client
    shown = _rems(client.call(another_call(), **bearer(ORACLE)))
    assert tell(client, overridden(shown["uuid"]), **bearer(ORACLE)).status_code == 200
    assert "Duties" not in _rems(client.call(another_call(), **bearer(ORACLE)))["detail"]
    assert "Duties" in _rems(client.call(another_call(), **south()))["detail"]
    assert "Duties" in _rems(client.call(another_call(), **bearer(EPIC)))["detail"]


def _rems(answer: Any) -> Json:
    cards: list[Json] = answer.get_json()["cards"]
    return next(card for card in cards if card["source"]["topic"]["code"] == REMS)


# --- what it does --------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["accepted", "overridden"])
def test_an_answered_rems_card_comes_back_without_the_duties_that_were_read(
    deployed: Deployed, outcome: str
) -> None:
    first = card(deployed, REMS)
    assert "Duties" in first["detail"]
    item = overridden(first["uuid"]) if outcome == "overridden" else accepted(first["uuid"], "s")
    assert tell(deployed.client, item).status_code == 200
    again = card(deployed, REMS)
    assert "Duties" not in again["detail"]
    assert "REMS@FDA" in again["summary"]


def test_the_answer_is_the_same_patients_and_no_other_ones(deployed: Deployed) -> None:
    tell(deployed.client, overridden(card(deployed, REMS)["uuid"]))
    assert "Duties" in card(deployed, REMS, patient="p2")["detail"]
    assert "Duties" not in card(deployed, REMS)["detail"]


def test_an_answer_to_another_card_acknowledges_no_programme(deployed: Deployed) -> None:
    shown = deployed.client.call(another_call()).get_json()["cards"]
    others = [one["uuid"] for one in shown if one["source"]["topic"]["code"] != REMS]
    assert others
    tell(deployed.client, *map(overridden, others))
    assert "Duties" in card(deployed, REMS)["detail"]


def test_the_answer_of_one_programme_is_no_answer_of_another(deployed: Deployed) -> None:
    tell(deployed.client, overridden(card(deployed, REMS)["uuid"]))
    other = card(deployed, "REMSELRANATAMAB", drafts=(draft("elranatamab"),))
    assert "Duties" in other["detail"]


@pytest.mark.parametrize(("days", "lapsed"), [(179, False), (181, True)])
def test_the_answer_lapses_after_the_days_that_the_site_rules_say(
    deployed: Deployed, library: Library, moments: Moments, days: int, lapsed: bool
) -> None:
    assert library.rules.rems_stale_days == 180
    tell(deployed.client, overridden(card(deployed, REMS)["uuid"], at="2026-11-21T12:00:00Z"))
    moments[0] = NOW + timedelta(days=days)
    assert ("Duties" in card(deployed, REMS)["detail"]) is lapsed


def test_a_client_whose_clock_runs_ahead_does_not_acknowledge_for_longer(
    deployed: Deployed, moments: Moments
) -> None:
    tell(deployed.client, overridden(card(deployed, REMS)["uuid"], at="2030-01-01T00:00:00Z"))
    moments[0] = NOW + timedelta(days=181)
    assert "Duties" in card(deployed, REMS)["detail"]


def test_feedback_older_than_the_last_check_of_the_programme_does_not_count(
    deployed: Deployed, library: Library
) -> None:
    verified = library.rems["teclistamab"].verified_on
    shown = card(deployed, REMS)["uuid"]
    tell(deployed.client, overridden(shown, at=f"{verified - timedelta(days=1)}T00:00:00Z"))
    assert "Duties" in card(deployed, REMS)["detail"]


# --- while the store is down ---------------------------------------------------------------------


@pytest.fixture
def locked(deployed: Deployed) -> Iterator[Deployed]:
    deployed.client.call(another_call())
    with closing(sqlite3.connect(deployed.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield deployed


def test_a_store_that_is_down_is_503_and_the_client_is_told_when_to_come_back(
    locked: Deployed,
) -> None:
    answer = tell(locked.client, overridden("x"))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"].isdigit()
    assert answer.content_type == "application/fhir+json"
    (issue,) = answer.get_json(force=True)["issue"]
    assert (issue["code"], issue["details"]["coding"][0]["code"]) == ("transient", "store-down")
    assert str(locked.file) not in answer.text


def test_once_the_store_is_back_the_same_feedback_is_taken(deployed: Deployed) -> None:
    shown = held(deployed)["uuid"]
    with closing(sqlite3.connect(deployed.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert tell(deployed.client, overridden(shown)).status_code == 503
        other.execute("ROLLBACK")
    assert tell(deployed.client, overridden(shown)).status_code == 200
    (row,) = rows(deployed)
    assert row.known is True


def test_no_feedback_is_counted_while_it_cannot_be_kept(locked: Deployed) -> None:
    tell(locked.client, overridden("x"))
    assert counted(locked.client, "btce_feedback_total") == {}
