"""Our FHIR Subscriptions at a site's server: made for the cohort, looked after, removed.

R4 Subscription (rest-hook) and Subscriptions R5 Backport 1.1 on R4. What arrives through them is
`cds.notifications`; nothing here reads a notification that a server sends by itself.
"""

from cds.subscriptions.desk import Desk, desk
from cds.subscriptions.keep import keep
from cds.subscriptions.outcome import Outcome, Problem
from cds.subscriptions.plan import Shape


__all__ = ["Desk", "Outcome", "Problem", "Shape", "desk", "keep"]
