"""What must outlive a reply: decisions, feedback, JWT ids, acknowledgements; SQLite or PostgreSQL.

Clinical values are here and in the spool, nowhere else. Owns no HTTP, no clock and no rule.
"""

from cds.store.errors import SpoolDown, SpoolFull, StoreDown, StoreRefused
from cds.store.rows import CardRow, DecisionRow, FeedbackRow, InputRef, Reason
from cds.store.spool import Drained, Spool, SpoolState
from cds.store.store import Store, open_store


__all__ = [
    "CardRow",
    "DecisionRow",
    "Drained",
    "FeedbackRow",
    "InputRef",
    "Reason",
    "Spool",
    "SpoolDown",
    "SpoolFull",
    "SpoolState",
    "Store",
    "StoreDown",
    "StoreRefused",
    "open_store",
]
