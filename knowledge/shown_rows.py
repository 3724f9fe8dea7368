"""The rows a card shows: of the rulings, of acute management, and the label's beside them."""

from collections.abc import Sequence

from knowledge.advice import applied
from knowledge.decision import AppliedRow
from knowledge.library import Library
from knowledge.rows import Matched
from knowledge.rulings import Verdict
from knowledge.toxicity import Standing


def shown_rows(
    verdicts: Sequence[Verdict],
    managed: Sequence[tuple[Standing, Matched]],
    library: Library,
) -> tuple[AppliedRow, ...]:
    """Every row once, rulings first. Rows of a label that does not decide are marked as such."""
    found: list[AppliedRow] = []
    for ruling in (r for v in verdicts for r in v.rulings):
        found += applied(ruling.matched, library)
    for _, matched in managed:
        found += applied(matched, library)
    for ruling in (r for v in verdicts for r in v.rulings):
        if ruling.label is not None:
            beside = applied(ruling.label, library, other_source=True)
            found += [row for row in beside if row.reached]
    unique: dict[str, AppliedRow] = {}
    for row in found:
        kept = unique.get(row.rule)
        if kept is None or (row.reached and not kept.reached):
            unique[row.rule] = row
    return tuple(unique.values())
