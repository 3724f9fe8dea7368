"""Tells the service what became of a card, as CDS Hooks 2.0, "Feedback", has it; over HTTP.

Epic's samples spell the reasons differently, and so does a workbench that plays Epic.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import requests
from msgspec import Struct

from cds.demo.answer import TIMEOUT_SECONDS, Card, Suggestion
from cds.demo.fhir.resource_json import encode
from cds.demo.meaning import NO_ANSWER, of_status
from cds.demo.patients import instant
from cds.demo.visit import Ehr, Told


class Outcome(Struct, frozen=True, kw_only=True):
    """What the user did. `accepted`: ids of suggestions. `reason`: the code of a listed one."""

    card: Card
    accepted: tuple[Suggestion, ...] = ()
    reason: str = ""
    comment: str = ""

    @property
    def word(self) -> str:
        """As the specification says it."""
        return "accepted" if self.accepted else "overridden"


def item(outcome: Outcome, now: datetime, ehr: Ehr) -> dict[str, Any]:
    """One item of a feedback body."""
    found: dict[str, Any] = {
        "card": outcome.card.uuid,
        "outcome": outcome.word,
        "outcomeTimestamp": instant(now),
    }
    if outcome.accepted:
        return found | {"acceptedSuggestions": [{"id": one.uuid} for one in outcome.accepted]}
    given = dict(_override(outcome))
    if given:
        found["overrideReasons" if ehr == "epic" else "overrideReason"] = given
    return found


def tell(
    session: requests.Session, service: str, outcome: Outcome, now: datetime, ehr: Ehr
) -> Told:
    """POST it to `service`/feedback; what is refused or lost says so."""
    body = encode({"feedback": [item(outcome, now, ehr)]})
    headers = {"Content-Type": "application/json"}
    card, word = outcome.card.summary, outcome.word
    try:
        reply = session.post(
            f"{service}/feedback",
            data=body,
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException:
        return Told(card=card, outcome=word, status=0, problem=NO_ANSWER.what)
    if reply.status_code == requests.codes.ok:
        return Told(card=card, outcome=word, status=reply.status_code, said=_reason(outcome))
    meaning = of_status(reply.status_code, reply.content)
    problem = " ".join((meaning.what, *meaning.details))
    return Told(card=card, outcome=word, status=reply.status_code, problem=problem)


def _override(outcome: Outcome) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for one in outcome.card.override_reasons:
        if one.code == outcome.reason:
            found["reason"] = {"code": one.code, "system": one.system}
    if outcome.comment:
        found["userComment"] = outcome.comment
    return found


def _reason(outcome: Outcome) -> str:
    listed = (one.display for one in outcome.card.override_reasons if one.code == outcome.reason)
    texts = [one.label for one in outcome.accepted] or [*listed, outcome.comment]
    return "; ".join(text for text in texts if text)
