"""What a site shows of what was decided: everything, nothing, or all but what it switched off."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cds.config import ConfigError, Settings
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.functional.bodies import fever, order_sign
from tests.functional.deployed import Deployed, another_call, assessment, counted, deploy, topics


HELD = "CRSG1TO4"  # the topic of the hold card for `fever()`
RULE = "teclistamab-label#crs-1"  # the row it shows
Deploy = Callable[..., Deployed]


@pytest.fixture
def deployed(settings: Settings, tmp_path: Path, library: Library, codes: CodeSets) -> Deploy:
    """The deployment of the tests with other members of its site."""

    def make(**changes: Any) -> Deployed:
        site = msgspec.structs.replace(settings.site, **changes)
        other = msgspec.structs.replace(settings, sites={"demo": site})
        return deploy(other, tmp_path, library, codes)

    return make


def about(one: Deployed) -> Any:
    (site,) = one.client.get("/about").get_json()["sites"]
    return site


def test_a_live_site_shows_its_cards(deployed: Deploy) -> None:
    one = deployed()
    answer = one.client.call(order_sign(*fever()))
    assert topics(answer) == [HELD]
    assert assessment(answer)["mode"] == "live"
    (row,) = one.store.decisions()
    assert (row.mode, [card.topic for card in row.cards]) == ("live", [HELD])


def test_a_silent_site_shows_nothing_and_keeps_the_cards_it_would_have_shown(
    deployed: Deploy,
) -> None:
    one = deployed(mode="silent")
    answer = one.client.call(order_sign(*fever()))
    assert topics(answer) == []
    assert assessment(answer)["mode"] == "silent"
    (row,) = one.store.decisions()
    assert (row.mode, [card.topic for card in row.cards]) == ("silent", [HELD])
    assert row.rules
    assert about(one)["mode"] == "silent"
    assert counted(one.client, "btce_cards_total") == {}


def test_a_silent_site_finds_the_same_as_a_live_one(deployed: Deploy) -> None:
    found = []
    for mode in ("live", "silent"):
        answer = deployed(mode=mode).client.call(order_sign(*fever()))
        found.append({**assessment(answer), "mode": ""})
    assert found[0] == found[1]


def test_a_knowledge_that_was_not_approved_runs_silent_and_is_warned_of(
    deployed: Deploy, library: Library
) -> None:
    one = deployed(mode="live", approved_knowledge="0" * 64)
    answer = one.client.call(order_sign(*fever()))
    assert topics(answer) == []
    assert assessment(answer)["mode"] == "silent"
    (row,) = one.store.decisions()
    assert (row.mode, row.knowledge_sha256) == ("silent", library.sha256)
    assert (about(one)["mode"], about(one)["approved"]) == ("silent", False)
    ready = one.client.get("/readyz")
    assert ready.status_code == 200
    assert ready.get_json()["status"] == "degraded"
    assert "demo" in ready.get_json()["checks"]["knowledge"]["says"]


def test_the_approved_knowledge_runs_live(deployed: Deploy, library: Library) -> None:
    one = deployed(approved_knowledge=library.sha256)
    assert topics(one.client.call(order_sign(*fever()))) == [HELD]
    assert (about(one)["mode"], about(one)["approved"]) == ("live", True)


def test_approval_does_not_make_a_silent_site_speak(deployed: Deploy, library: Library) -> None:
    one = deployed(mode="silent", approved_knowledge=library.sha256)
    assert topics(one.client.call(order_sign(*fever()))) == []


@pytest.mark.parametrize(
    ("off", "named"),
    [
        ({"off_topics": frozenset({HELD})}, f"topic {HELD}"),
        ({"off_rules": frozenset({RULE})}, "rule teclistamab-label@"),
    ],
    ids=["a topic", "a rule"],
)
def test_a_card_a_site_switched_off_is_replaced_by_one_that_says_so(
    deployed: Deploy, off: dict[str, frozenset[str]], named: str
) -> None:
    one = deployed(**off)
    answer = one.client.call(order_sign(*fever()))
    (card,) = answer.get_json()["cards"]
    assert card["source"]["topic"]["code"] == "SWITCHEDOFF"
    assert "switched off at this site" in card["summary"]
    assert named in card["detail"]
    assert "suggestions" not in card
    assert assessment(answer) == assessment(deployed().client.call(order_sign(*fever())))


@pytest.mark.parametrize("name", ["off_topics", "off_rules"])
def test_the_decision_of_a_switched_off_card_is_kept_and_says_what_was_shown(
    deployed: Deploy, name: str
) -> None:
    one = deployed(**{name: frozenset({HELD if name == "off_topics" else RULE})})
    one.client.call(order_sign(*fever()))
    (row,) = one.store.decisions()
    assert [card.topic for card in row.cards] == ["SWITCHEDOFF"]
    assert any(rule.startswith("teclistamab-label@") for rule in row.rules)
    assert '"crs"' in row.assessment


def test_about_names_what_each_site_switched_off(deployed: Deploy) -> None:
    one = deployed(off_topics=frozenset({HELD, "AAA"}), off_rules=frozenset({RULE}))
    assert about(one)["switchedOff"] == {"topics": ["AAA", HELD], "rules": [RULE]}


def test_switching_off_at_one_site_changes_nothing_for_another_card(deployed: Deploy) -> None:
    plain = deployed().client.call(another_call())
    one = deployed(off_topics=frozenset({HELD}), off_rules=frozenset({RULE}))
    assert topics(one.client.call(another_call())) == topics(plain) != []


def test_a_rule_nobody_has_cannot_be_switched_off(deployed: Deploy) -> None:
    with pytest.raises(ConfigError, match="no rule is called teclistamab-label#no-such"):
        deployed(off_rules=frozenset({"teclistamab-label#no-such"}))
