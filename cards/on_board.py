"""REMS of the product on board, for a page that no order asked for: its duties, read or not."""

from cards import rems, terms
from cards.escape import name
from knowledge.assessment import Rems
from knowledge.decision import Decision, RemsDuty
from knowledge.facts import Order
from knowledge.library import Library
from knowledge.rems import rems_for


NONE_HERE = "The active protocol has no REMS."
NO_PRODUCT = "No bispecific was found in the record, so no REMS programme can be named."
NOT_READ = "Bispecific not known: administrations were not read, so no REMS programme can be named."
ACKNOWLEDGED = "Acknowledged: somebody has answered that these duties were read for this patient."
NOT_ACKNOWLEDGED = "No acknowledgement of these duties was found for this patient."


def programme(decision: Decision, library: Library) -> tuple[Rems | None, tuple[RemsDuty, ...]]:
    """What an order of the product on board would be told, nobody having read it."""
    protocol = library.protocols[decision.assessment.protocol.id]
    agent = decision.assessment.agent
    if agent is None:
        return None, ()
    again = Order(ref="", kind="btce", ingredient=agent.ingredient, display="")
    return rems_for(library, protocol, (again,))


def texts(decision: Decision, library: Library, acknowledged: frozenset[str]) -> tuple[str, ...]:
    """Programme, whether its duties were read, and the duties; or why there are none.

    `acknowledged`: ids of programmes.
    """
    found, duties = programme(decision, library)
    agent = decision.assessment.agent
    if found is None or agent is None:
        return (absent(decision, library),)
    drug = terms.agent(decision.assessment)
    read = library.rems[agent.ingredient].id in acknowledged
    return (
        f"Drug: {drug}",
        rems.dated(found),
        ACKNOWLEDGED if read else NOT_ACKNOWLEDGED,
        rems.checklist(duties),
    )


def absent(decision: Decision, library: Library) -> str:
    """Why no programme is named."""
    agent = decision.assessment.agent
    if not library.protocols[decision.assessment.protocol.id].rems_applies:
        return NONE_HERE
    if agent is None:
        unread = any(one.code == "exposure-unknown" for one in decision.assessment.notices)
        return NOT_READ if unread else NO_PRODUCT
    return f"No REMS programme of {name(agent.ingredient)} is in the knowledge base."


def topics(decision: Decision, library: Library) -> tuple[str, ...]:
    """The topic that the card of an order would have, by which a site switches it off."""
    found, _ = programme(decision, library)
    if found is None:
        return ()
    return (rems.topic(terms.agent(decision.assessment), found).code,)
