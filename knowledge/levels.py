"""One axis as a set of possible levels, with its evidence and what would settle it."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from knowledge.assessment import AxisState
from knowledge.facts import Evidence, Missing, Notice


class Axis(Struct, frozen=True):
    """Possible levels of one axis. `observed`: freshly charted; `abnormal`: not normal."""

    levels: frozenset[str]
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[Missing, ...] = ()
    notices: tuple[Notice, ...] = ()
    abnormal: bool = False
    observed: bool = False

    def with_evidence(self, evidence: Evidence) -> "Axis":
        """The same axis with one more piece of evidence."""
        return msgspec.structs.replace(self, evidence=(*self.evidence, evidence))


def axis_state(axis: Axis, order: Iterable[str]) -> AxisState:
    """The axis as shown: one level, levels joined by "-or-", or "unknown" when all are possible."""
    words = [word for word in order if word in axis.levels]
    every = list(order)
    level = "unknown" if len(words) > 1 and words == every else "-or-".join(words)
    return AxisState(level, axis.evidence)
