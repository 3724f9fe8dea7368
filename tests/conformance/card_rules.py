"""The card table of CDS Hooks 2.0 and what clients reject; independent of the code that builds."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from tests.conformance.rules import absolute, coding, require, text


INDICATORS = {"info", "warning", "critical"}
CARD = {
    *("uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior"),
    *("overrideReasons", "links", "extension"),
}
SUGGESTION = {"label", "uuid", "isRecommended", "actions", "extension"}
ACTION = {"type", "description", "resource", "resourceId", "extension"}
LINK = {"label", "url", "type", "appContext", "autolaunchable", "extension"}
_TAG = re.compile(r"(?<!\\)<[A-Za-z/!]")  # escaped, it is text
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[^/\s]+\Z")


def check_card(card: Any, at: str) -> None:
    """2.0, "Card Attributes", and the profile that is safe on every known client."""
    require(isinstance(card, dict), "cards", at)
    require(set(card) <= CARD, "members", at)
    _uuid(card, at)
    summary = text(card, "summary", "summary", at)
    require(len(summary) < 140 and "\n" not in summary, "summary", at)
    if "detail" in card:
        require(not _TAG.search(text(card, "detail", "detail", at)), "detail", at)
    require(card.get("indicator") in INDICATORS, "indicator", at)
    check_source(card.get("source"), f"{at}.source")
    suggestions = card.get("suggestions", [])
    require(isinstance(suggestions, list), "suggestions", at)
    expected = "any" if suggestions else None
    require(card.get("selectionBehavior") == expected, "selection-behavior", at)
    for number, suggestion in enumerate(suggestions):
        check_suggestion(suggestion, f"{at}.suggestions[{number}]")
    require(isinstance(card.get("overrideReasons", []), list), "override-reasons", at)
    for number, reason in enumerate(card.get("overrideReasons", [])):
        coding(reason, "override-reasons", f"{at}.overrideReasons[{number}]")
    require(isinstance(card.get("links", []), list), "link", at)
    for number, link in enumerate(card.get("links", [])):
        check_link(link, f"{at}.links[{number}]")


def check_source(source: Any, at: str) -> None:
    """2.0, "Source"; a topic always, since Inferno and Epic need one."""
    text(source, "label", "source", at)
    require(set(source) <= {"label", "url", "icon", "topic", "extension"}, "members", at)
    for name in ("url", "icon"):
        if name in source:
            absolute(source[name], f"{at}.{name}")
    coding(source.get("topic"), "topic", f"{at}.topic")
    code = source["topic"]["code"]
    alphanumeric = code.isascii() and code.isalnum()
    require(alphanumeric and len(code) <= 100, "topic-code", f"{at}.topic")


def check_suggestion(suggestion: Any, at: str) -> None:
    """2.0, "Suggestion"."""
    text(suggestion, "label", "suggestions", at)
    require(set(suggestion) <= SUGGESTION, "members", at)
    _uuid(suggestion, at)
    require("isRecommended" not in suggestion, "preselected", at)
    actions = suggestion.get("actions")
    require(isinstance(actions, list) and len(actions) == 1, "one-action", at)
    check_action(suggestion["actions"][0], f"{at}.actions[0]")


def check_action(action: Any, at: str) -> None:
    """2.0, "Action"."""
    text(action, "description", "action", at)
    require(set(action) <= ACTION, "members", at)
    kind = action.get("type")
    require(kind in {"create", "update", "delete"}, "action", at)
    if kind == "delete":
        found = text(action, "resourceId", "resource-id", at)
        require(_REFERENCE.match(found) and "resource" not in action, "resource-id", at)
        return
    text(action.get("resource"), "resourceType", "resource", f"{at}.resource")
    require("resourceId" not in action, "resource", at)
    if kind == "update":
        text(action["resource"], "id", "resource", f"{at}.resource")


def check_link(link: Any, at: str) -> None:
    """2.0, "Link"; `autolaunchable` since 2.0.1."""
    text(link, "label", "link", at)
    require(set(link) <= LINK, "members", at)
    absolute(link.get("url"), at)
    require(link.get("type") in {"absolute", "smart"}, "link", at)
    if "appContext" in link:
        require(link["type"] == "smart", "link", at)
        text(link, "appContext", "link", at)
    require(isinstance(link.get("autolaunchable", False), bool), "link", at)


def check_targets(cards: list[Any], sent: Any) -> None:
    """2.0, "Action": an update is the resource in its entirety; what is deleted is there."""
    known = {f"{one.get('resourceType')}/{one.get('id')}": one for one in _resources(sent)}
    for number, card in enumerate(cards):
        for suggestion in card.get("suggestions", []):
            action = suggestion["actions"][0]
            at = f"cards[{number}] {suggestion['label']}"
            if action["type"] == "delete":
                require(action["resourceId"] in known, "target", at)
            if action["type"] == "update":
                made = action["resource"]
                drafted = known.get(f"{made['resourceType']}/{made['id']}")
                require(drafted is not None and set(drafted) <= set(made), "target", at)


def check_unique(cards: list[Any]) -> None:
    """2.0, "Feedback": a card and a suggestion are told apart by their uuid alone."""
    given = [card["uuid"] for card in cards]
    given += [one["uuid"] for card in cards for one in card.get("suggestions", [])]
    require(len(set(given)) == len(given), "uuid", "cards")


def _resources(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _resources(item)
    if isinstance(value, dict):
        if "resourceType" in value:
            yield value
        for member in value.values():
            yield from _resources(member)


def _uuid(value: dict[str, Any], at: str) -> None:
    found = text(value, "uuid", "uuid", at)
    try:
        same = str(UUID(found)) == found.lower()
    except ValueError:
        same = False
    require(same, "uuid", at)
