"""What must be said beside the grades: notices of the facts, the scales and the protocol."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from knowledge.decision import AppliedRow
from knowledge.facts import Facts, Notice, bispecific_doses
from knowledge.holds import HOLDS
from knowledge.product_model import Protocol
from knowledge.toxicity import Standing


EXPIRED = "protocol-expired"


def is_expired(protocol: Protocol, facts: Facts, zone: ZoneInfo) -> bool:
    """Whether the protocol's last day is over in the site's time zone."""
    today = facts.evaluated_at.astimezone(zone).date()
    return protocol.expires is not None and today > protocol.expires


def notices_for(
    facts: Facts,
    standings: Sequence[Standing],
    protocol: Protocol,
    products: Sequence[str],
    rows: Sequence[AppliedRow],
    *,
    expired: bool,
) -> tuple[Notice, ...]:
    """All notices, each once."""
    found = [*facts.notices, *(n for s in standings for n in s.notices)]
    found += _history(facts, standings)
    found += _remarks(facts, standings, protocol, products)
    if expired:
        text = f"{protocol.title} was not to be used after {protocol.expires}."
        found.append(Notice(EXPIRED, text))
    if protocol.names_products:
        found += [
            Notice("not-named-in-guideline", f"The guideline does not name {name}.")
            for name in products
            if name not in protocol.names_products
        ]
    if _label_stricter(rows):
        text = "The product label's row for the same facts is stricter; it is shown beside."
        found.append(Notice("label-stricter", text))
    if protocol.falls_back_to is not None and any(s.active for s in standings):
        text = "This protocol states no disposition of the bispecific: the label's is shown."
        found.append(Notice("disposition-from-label", text))
    return tuple(dict.fromkeys(found))


def _remarks(
    facts: Facts, standings: Sequence[Standing], protocol: Protocol, products: Sequence[str]
) -> list[Notice]:
    """What other documents say of the product, and where the scale fills the protocol's silence."""
    found = [
        Notice(f"product-information-{one.about}", one.text)
        for one in protocol.on_products
        if one.about in products
    ]
    running = {i.kind for i in facts.infusions if i.end is None or i.end > facts.evaluated_at}
    fever = standings[0].state.axes.get("fever")
    applied = {
        "masked-fever": fever is not None and "masked" in fever.level,
        "vasopressin": {"vasopressor", "vasopressin"} <= running,
    }
    return [
        *found,
        *(
            Notice(f"scale-{one.about}", one.text)
            for one in protocol.on_scale
            if applied.get(one.about, False)
        ),
    ]


def _label_stricter(rows: Sequence[AppliedRow]) -> bool:
    """Stricter is ending therapy where the protocol does not, or a hold where it has none."""
    label = [_rank(r.action) for r in rows if r.other_source and r.reached]
    own = [_rank(r.action) for r in rows if not r.other_source and r.reached]
    return bool(label) and min(label) < min(own, default=2)


def _rank(action: str) -> int:
    if action == "discontinue-permanently":
        return 0
    return 1 if action in HOLDS else 2


def _history(facts: Facts, standings: Sequence[Standing]) -> list[Notice]:
    found = []
    for standing in standings:
        earlier = standing.events[:-1]
        if earlier:
            grades = ", ".join(str(e.maximum.at_least) for e in earlier)
            name = standing.toxicity.upper()
            text = f"Earlier {name} events of grade at least {grades} in the request's data."
            found.append(Notice(f"{standing.toxicity}-earlier-events", text))
    if "administrations" not in facts.answered and not bispecific_doses(facts):
        text = "Administrations were not available: exposure to a bispecific is possible."
        found.append(Notice("exposure-unknown", text))
    contradictory = [d for d in facts.diagnoses if d.contradictory]
    if contradictory:
        text = "A coded diagnosis of grade 5 contradicts a living patient; it is not used."
        found.append(Notice("diagnosis-contradictory", text))
    return found
