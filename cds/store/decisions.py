"""A decision and its cards as rows of one transaction; opens none, reads no clock.

Whoever keeps a decision does it through here: a call, the spool and the worker's inbox. It is
linked to the chain in the same transaction.
"""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from cds.store import chain, statements
from cds.store.rows import DecisionRow
from cds.store.tables import acknowledgements, cards, decisions


def insert_decision(connection: Connection, dialect: str, decision: DecisionRow) -> bool:
    """Insert it with its cards, in the transaction of `connection`; whether it is new.

    A decision with an id that is there already stays as it is.
    """
    once = statements.insert_once(decisions, dialect)
    values, shown = _decision_values(decision), _card_values(decision)
    if not connection.execute(once, values).rowcount:
        return False
    if shown:
        connection.execute(statements.insert_once(cards, dialect), shown)
    # Feedback takes the head before it looks for its cards: one of the two sees the other.
    head = chain.take(connection, dialect, decision.site)
    if shown:
        _welcome(connection, dialect, decision)
    chain.extend(connection, head, [chain.decision_entry(values, shown)])
    return True


def acknowledgement(
    site: str, patient: str, program: str, at: datetime, card: str
) -> dict[str, object]:
    """The row: somebody answered the card of this programme for this patient."""
    return {"site": site, "patient": patient, "program": program, "at": at, "card": card}


def _welcome(connection: Connection, dialect: str, decision: DecisionRow) -> None:
    """Feedback that was faster than its decision counts as if it had come after it."""
    uuids = [card.uuid for card in decision.cards]
    asked = {"site": decision.site, "uuids": uuids}
    early = connection.execute(statements.EARLY_FEEDBACK, asked).all()
    if not early:
        return
    connection.execute(statements.now_known(decision.site, uuids))
    programs = {card.uuid: card.program for card in decision.cards if card.program}
    told = [
        acknowledgement(decision.site, decision.patient, programs[card], min(at, seen), card)
        for card, at, seen in early
        if card in programs
    ]
    if told:
        connection.execute(statements.insert_once(acknowledgements, dialect), told)


def _decision_values(decision: DecisionRow) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.structs.asdict(decision)
    values.pop("cards")
    return values | {"rules": _json(decision.rules), "inputs": _json(decision.inputs)}


def _card_values(decision: DecisionRow) -> list[dict[str, Any]]:
    owned = {"decision": decision.id, "site": decision.site}
    once = {card.uuid: card for card in reversed(decision.cards)}  # of the same uuid, the first
    return [
        msgspec.structs.asdict(card) | owned | {"suggestions": _json(card.suggestions)}
        for card in once.values()
    ]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
