"""Notices of the rows met and of the product file: omissions, weight bands, newer labels."""

from collections.abc import Iterable, Sequence
from datetime import date

from knowledge.facts import Facts, Notice, Order
from knowledge.library import Library
from knowledge.routes import another_route
from knowledge.row_model import Row
from knowledge.rows import Matched
from knowledge.rulings import Verdict
from knowledge.tocilizumab import recent_weight


def row_notices(
    verdicts: Sequence[Verdict],
    managed: Iterable[Matched],
    drafted: Sequence[Order],
    facts: Facts,
    library: Library,
) -> tuple[Notice, ...]:
    """Notices of the rows behind the decision and of the drafted products."""
    today = facts.evaluated_at.date()
    matched = [r.matched for v in verdicts for r in v.rulings] + list(managed)
    by_part = [(part, (*part.reached, *part.possible)) for part in matched]
    reached = [row for part in matched for row in part.reached]
    referred = [
        other
        for part, rows in by_part
        for row in rows
        for other in part.source.rows
        if other.id in row.then.medications_of
    ]
    every = (*referred, *(row for _, rows in by_part for row in rows))
    return (
        *_omissions(reached),
        *_weight_bands(every, facts, library),
        *_other_route(drafted, library),
        *(n for v in verdicts for n in product_notices(v.ingredient, today, library)),
    )


def _omissions(rows: Iterable[Row]) -> Iterable[Notice]:
    for row in rows:
        if row.then.silence == "column-missing":
            text = f"The source leaves out what to do with the product here. {row.note}".strip()
            yield Notice("source-omission", text)
        if row.then.silence == "blank":
            text = "The cell of the source is blank here: that is no permission; ask a specialist."
            yield Notice("blank-cell", text)


def _weight_bands(rows: Iterable[Row], facts: Facts, library: Library) -> Iterable[Notice]:
    if recent_weight(facts, library.tocilizumab) is not None:
        return
    bounds = {w.at_least or w.less_than for r in rows if (w := r.when.weight_kg) is not None}
    for kg in sorted(b for b in bounds if b is not None):
        text = f"The rule differs under and from {kg:f} kg; no recent weight is charted."
        yield Notice("weight-missing", text)


def _other_route(drafted: Iterable[Order], library: Library) -> Iterable[Notice]:
    for order in drafted:
        if another_route(order, library):
            text = (
                f"The rules are of intravenous {order.ingredient}; the order is subcutaneous, a"
                " product of its own: what they say of infusion rates is left out."
            )
            yield Notice("intravenous-label", text)


def product_notices(ingredient: str, today: date, library: Library) -> Iterable[Notice]:
    """What was published after the label that is transcribed here."""
    product = library.products.get(ingredient)
    changes = [c for c in product.changes if c.on <= today] if product is not None else []
    if changes:
        said = "; ".join(f"{c.on.isoformat()}: {c.text.rstrip('.')}" for c in changes)
        yield Notice("label-newer", f"Published after the label used here - {said}.")
