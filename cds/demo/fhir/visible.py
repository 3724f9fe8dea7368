"""What of the store an answer may show: the seam through which an authorization narrows answers.

Decides nothing itself: the predicate comes from whoever authorizes.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from cds.demo.fhir.storage import Version


Visible: TypeAlias = Callable[[Version], bool]


def everything(_: Version) -> bool:
    """Nothing is hidden."""
    return True


def seen(versions: Iterable[Version], visible: Visible) -> tuple[Version, ...]:
    """Those of a history that may be shown; a deletion where the state before it may."""
    kept, shown = [], False
    for one in versions:
        if one.resource is not None:
            shown = visible(one)
        if shown:
            kept.append(one)
    return tuple(kept)
