"""REMS: which programme a drafted product belongs to, its duties, and as of when. Never a block."""

from collections.abc import Sequence

from knowledge.assessment import Rems
from knowledge.decision import RemsDuty
from knowledge.facts import Order
from knowledge.library import Library
from knowledge.model import Protocol


def rems_for(
    library: Library, protocol: Protocol, drafted: Sequence[Order]
) -> tuple[Rems | None, tuple[RemsDuty, ...]]:
    """The programme of the first drafted product that has one, where the protocol is a US one."""
    if not protocol.rems_applies:
        return None, ()
    program = next((p for o in drafted if (p := library.rems.get(o.ingredient))), None)
    if program is None:
        return None, ()
    duties = tuple(
        RemsDuty(duty.role, duty.text, library.citation(program, duty.at))
        for duty in program.duties
    )
    return Rems(program.program, program.verified_on.isoformat()), duties
