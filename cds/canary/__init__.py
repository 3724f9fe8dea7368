"""Synthetic patients through a deployed service: a card that must come and does not is a failure.

It calls over HTTP as an EHR does and knows nothing of the service but its answers. What must come
is written in `expected`, from the knowledge's rules.
"""

from cds.canary.calling import Caller, Signing
from cds.canary.run import Canary, Outcome, Unreachable, sing
from cds.canary.target import CannotStart, Target, target


__all__ = [
    "Caller",
    "Canary",
    "CannotStart",
    "Outcome",
    "Signing",
    "Target",
    "Unreachable",
    "sing",
    "target",
]
