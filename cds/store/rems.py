"""Which REMS programmes somebody has answered the card of, as long as that answer still counts."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cds.store.store import Store
from knowledge.model import SiteRules
from knowledge.product_model import RemsProgram


def acknowledged_programs(
    store: Store,
    *,
    site: str,
    patient: str,
    programs: Mapping[str, RemsProgram],
    rules: SiteRules,
    now: datetime,
) -> frozenset[str]:
    """Ids of REMS programmes whose duties somebody has read for this patient. Raises `StoreDown`.

    `programs`: by product. As long as the status of a programme stands (`rems_stale_days`), and
    not before the day it was last verified: what was read then may have changed.
    """
    oldest = now - timedelta(days=rules.rems_stale_days)
    wanted: dict[datetime, set[str]] = {}
    for program in programs.values():
        verified = datetime.combine(program.verified_on, datetime.min.time(), tzinfo=UTC)
        wanted.setdefault(max(oldest, verified), set()).add(program.id)
    found = (store.acknowledged(site, patient, ids, since) for since, ids in wanted.items())
    return frozenset().union(*found)
