"""Checks one CDS Hooks response against the card table of CDS Hooks 2.0 and what clients reject.

Raises AssertionError naming the place. Independent of the code that builds cards.
"""

from typing import Any
from urllib.parse import urlsplit

from cds.schemas import ASSESSMENT, validator


INDICATORS = {"info", "warning", "critical"}
EXTENSION = "org.btce-cds.assessment"


def check_response(response: Any) -> None:
    """A 200 body of a service call."""
    assert isinstance(response, dict)
    assert isinstance(response["cards"], list), "cards is REQUIRED and an array"
    assert set(response) <= {"cards", "systemActions", "extension"}
    no_empty_members(response, "response", allowed={"response.cards"})
    for number, card in enumerate(response["cards"]):
        check_card(card, f"cards[{number}]")
    assessment = response["extension"][EXTENSION]
    problems = [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
        for error in validator(ASSESSMENT).iter_errors(assessment)
    ]
    assert not problems, problems


def no_empty_members(value: Any, at: str, allowed: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """2.0, "Use of JSON": no null, empty string, empty array or empty object anywhere."""
    assert value not in (None, "", [], {}) or at in allowed, f"{at} is empty"
    if isinstance(value, dict):
        for name, member in value.items():
            no_empty_members(member, f"{at}.{name}", allowed)
    if isinstance(value, list):
        for number, item in enumerate(value):
            no_empty_members(item, f"{at}[{number}]", allowed)


def check_card(card: dict[str, Any], at: str) -> None:
    """2.0, "Card Attributes", and the profile that is safe on every known client."""
    text(card, "uuid", at)
    assert len(text(card, "summary", at)) < 140, f"{at}.summary: 140 characters or more"
    assert card["indicator"] in INDICATORS, f"{at}.indicator"
    text(card["source"], "label", f"{at}.source")
    if "url" in card["source"]:
        absolute(card["source"]["url"], f"{at}.source.url")
    topic = card["source"]["topic"]
    coding(topic, f"{at}.source.topic")
    assert topic["code"].isalnum(), f"{at}.source.topic.code: letters and digits only (Epic)"
    assert len(topic["code"]) <= 100, f"{at}.source.topic.code"
    if "suggestions" in card:
        assert card["selectionBehavior"] == "any", f"{at}: the only behaviour Epic knows"
    for number, suggestion in enumerate(card.get("suggestions", [])):
        check_suggestion(suggestion, f"{at}.suggestions[{number}]")
    for number, reason in enumerate(card.get("overrideReasons", [])):
        coding(reason, f"{at}.overrideReasons[{number}]")
        text(reason, "display", f"{at}.overrideReasons[{number}]")
    for number, link in enumerate(card.get("links", [])):
        where = f"{at}.links[{number}]"
        text(link, "label", where)
        absolute(link["url"], where)
        assert link["type"] in {"absolute", "smart"}, where
        assert link["type"] == "smart" or "appContext" not in link, where


def check_suggestion(suggestion: dict[str, Any], at: str) -> None:
    """2.0, "Suggestion" and "Action"; one action each, as Epic needs."""
    text(suggestion, "label", at)
    text(suggestion, "uuid", at)
    assert len(suggestion["actions"]) == 1, f"{at}: one action per suggestion"
    for action in suggestion["actions"]:
        text(action, "description", at)
        assert action["type"] in {"create", "update", "delete"}, f"{at}.type"
        if action["type"] == "delete":
            kind, _, identifier = text(action, "resourceId", at).partition("/")
            assert kind, f"{at}.resourceId"
            assert identifier, f"{at}.resourceId"
        else:
            assert isinstance(action["resource"], dict), f"{at}.resource: an object, not a string"
            text(action["resource"], "resourceType", f"{at}.resource")


def text(value: dict[str, Any], name: str, at: str) -> str:
    """A member that is a string with something in it."""
    found = value[name]
    assert isinstance(found, str), f"{at}.{name}"
    assert found.strip(), f"{at}.{name}"
    return found


def coding(value: dict[str, Any], at: str) -> None:
    """A Coding with code and system."""
    text(value, "code", at)
    text(value, "system", at)


def absolute(url: str, at: str) -> None:
    """An absolute http or https URL."""
    parts = urlsplit(url)
    assert parts.scheme in {"http", "https"}, at
    assert parts.hostname, at
