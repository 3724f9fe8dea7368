"""REMS: which programme a drafted product belongs to, its duties, and as of when. Never a block."""

from collections.abc import Sequence
from datetime import date

from knowledge.assessment import Rems
from knowledge.decision import RemsDuty
from knowledge.facts import Notice, Order
from knowledge.library import Library
from knowledge.model import SiteRules
from knowledge.product_model import Protocol


STALE = "rems-stale"


def rems_for(
    library: Library,
    protocol: Protocol,
    drafted: Sequence[Order],
    acknowledged: frozenset[str] = frozenset(),
) -> tuple[Rems | None, tuple[RemsDuty, ...]]:
    """The programme of the first drafted product that has one, where the protocol is a US one.

    `acknowledged`: ids of programmes whose duties somebody has read; these come without duties.
    """
    if not protocol.rems_applies:
        return None, ()
    program = next((p for o in drafted if (p := library.rems.get(o.ingredient))), None)
    if program is None:
        return None, ()
    rems = Rems(program.program, program.verified_on.isoformat())
    if program.id in acknowledged:
        return rems, ()
    return rems, tuple(
        RemsDuty(duty.role, duty.text, library.citation(program, duty.at, ref=duty.ref or ""))
        for duty in program.duties
    )


def stale_notice(rems: Rems | None, today: date, rules: SiteRules) -> Notice | None:
    """What to say once its status was verified more than `rems_stale_days` ago, else None.

    `today` is the date in the site's time zone.
    """
    if rems is None:
        return None
    verified = date.fromisoformat(rems.verified_on)
    if (today - verified).days <= rules.rems_stale_days:
        return None
    text = f"REMS required per source dated {verified}; confirm current status at REMS@FDA."
    return Notice(STALE, f"{rems.program}: {text}")
