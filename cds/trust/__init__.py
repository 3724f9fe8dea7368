"""Who is calling: the client's JWT, checked against the keys its site's configuration registers.

CDS Hooks 2.0.1, "Trusting CDS Clients". Nothing in a token decides what is trusted, where keys are
read from or which algorithm is used: all of that is configuration.
"""

from cds.trust.audience import endpoint_urls, feedback_urls
from cds.trust.keys import Keys, Limits
from cds.trust.refusal import Kind
from cds.trust.replay import FirstUse
from cds.trust.verify import Caller, verify


__all__ = [
    "Caller",
    "FirstUse",
    "Keys",
    "Kind",
    "Limits",
    "endpoint_urls",
    "feedback_urls",
    "verify",
]
