"""The card values of CDS Hooks 2.0, by the specification's names; owns no sentence and no rule.

Absent members are omitted when encoded; member names become camelCase.
"""

from typing import Any, Literal

from msgspec import Struct


Indicator = Literal["info", "warning", "critical"]


class Wire(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Base of every value on the wire: camelCase, empty members omitted."""


class Coding(Wire, frozen=True):
    """A coded topic or override reason."""

    code: str
    system: str
    display: str = ""


class Source(Wire, frozen=True):
    """Where the guidance comes from; `url` only when the document has an absolute one."""

    label: str
    url: str = ""
    topic: Coding | None = None


class Action(Wire, frozen=True):
    """One change to one resource. `resource` is whole; a delete names `resource_id` instead."""

    type: Literal["create", "update", "delete"]
    description: str
    resource: dict[str, Any] = {}
    resource_id: str = ""


class Suggestion(Wire, frozen=True):
    """One offer with one action, never pre-selected."""

    label: str
    uuid: str = ""
    actions: tuple[Action, ...] = ()


class Link(Wire, frozen=True):
    """A link to the SMART app of this service. `app_context`: JSON, for smart links alone; it
    reaches the app through the EHR's token response, never through a URL."""

    label: str
    url: str
    type: Literal["absolute", "smart"]
    app_context: str = ""


class Card(Wire, frozen=True):
    """One card. `summary` is under 140 characters; `selection_behavior` goes with suggestions."""

    summary: str
    indicator: Indicator
    source: Source
    uuid: str = ""
    detail: str = ""
    suggestions: tuple[Suggestion, ...] = ()
    selection_behavior: Literal["", "any"] = ""
    override_reasons: tuple[Coding, ...] = ()
    links: tuple[Link, ...] = ()
