"""Which file speaks for what under the active protocol: disposition, management, next dose."""

from msgspec import Struct

from knowledge.facts import ToxicityName
from knowledge.library import Library
from knowledge.product_model import Product, Protocol
from knowledge.rows import Source, source_of


class Speaking(Struct, frozen=True):
    """The sources for one product under one protocol; None where nothing here speaks."""

    disposition: Source | None
    management: Source | None
    label: Source | None


def sources(
    library: Library, protocol: Protocol, ingredient: str, toxicity: ToxicityName
) -> Speaking:
    """A protocol with its own dispositions speaks itself; otherwise the label does, named as such.

    Management comes from the protocol's own rows unless it leaves this toxicity to the label.
    """
    product: Product | None = library.products.get(ingredient)
    label = None if product is None else source_of(product)
    own = source_of(protocol) if any(r.when.toxicity == toxicity for r in protocol.rows) else None
    left = "disposition" in protocol.fallback_scope or own is None
    return Speaking(
        disposition=label if left else own,
        management=label if own is None or toxicity in protocol.fallback_scope else own,
        label=label,
    )
