"""Readiness: what is ready, what degrades it, and what keeps new calls away."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cds.config import Settings, Site
from cds.health import Check, Observed, days_left, ready
from knowledge.library import Library


NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WELL = Observed(store=True)


def deployment(settings: Settings, **site: Any) -> Settings:
    changed = msgspec.structs.replace(settings.site, **site)
    return msgspec.structs.replace(settings, sites={changed.id: changed})


def test_all_well_is_ready(settings: Settings, library: Library) -> None:
    status, checks = ready(settings, library, WELL, now=NOW)
    assert status == "ready"
    assert {check.status for check in checks.values()} == {"ready"}
    assert checks["knowledge"].says == library.sha256


@pytest.mark.parametrize(
    ("observed", "status", "name"),
    [
        (Observed(store=False), "degraded", "store"),
        (Observed(store=True, spooled=3), "degraded", "spool"),
        (Observed(store=True, set_aside=1), "degraded", "spool"),
        (Observed(store=True, spool_usable=False), "degraded", "spool"),
        (Observed(store=False, spool_usable=False), "not-ready", "store"),
        (Observed(store=True, draining=True), "not-ready", "process"),
    ],
)
def test_what_was_observed_decides(
    settings: Settings, library: Library, observed: Observed, status: str, name: str
) -> None:
    """A hook answers while the store is down, as long as a decision can be recorded somewhere."""
    found, checks = ready(settings, library, observed, now=NOW)
    assert found == status
    assert checks[name].status == status


def test_what_the_inbox_says_counts_where_there_is_one(
    settings: Settings, library: Library
) -> None:
    late = msgspec.structs.replace(WELL, inbox=Check("degraded", "3 wait, the oldest for 301 s"))
    status, checks = ready(settings, library, late, now=NOW)
    assert (status, checks["inbox"].says) == ("degraded", "3 wait, the oldest for 301 s")
    well = msgspec.structs.replace(WELL, inbox=Check("ready", "0 wait"))
    assert ready(settings, library, well, now=NOW)[0] == "ready"
    assert "inbox" not in ready(settings, library, WELL, now=NOW)[1]


def test_other_knowledge_than_the_approved_one_is_said(
    settings: Settings, library: Library
) -> None:
    other = deployment(settings, approved_knowledge="0" * 64)
    status, checks = ready(other, library, WELL, now=NOW)
    assert status == "degraded"
    assert "silent: demo" in checks["knowledge"].says
    same = deployment(settings, approved_knowledge=library.sha256)
    assert ready(same, library, WELL, now=NOW)[0] == "ready"


@pytest.mark.parametrize(
    ("now", "status", "says"),
    [
        (datetime(2027, 10, 11, 12, tzinfo=UTC), "ready", "in force"),  # 61 days before
        (datetime(2027, 10, 12, 12, tzinfo=UTC), "degraded", "nhs-waht ends in 60 days"),
        (datetime(2027, 12, 11, 12, tzinfo=UTC), "degraded", "nhs-waht ends in 0 days"),
        (
            datetime(2027, 12, 12, 12, tzinfo=UTC),
            "degraded",
            "nhs-waht is over: no management advice",
        ),
    ],
)
def test_the_end_of_a_protocol_is_announced_60_days_before(
    settings: Settings, library: Library, now: datetime, status: str, says: str
) -> None:
    """The guideline is valid to 11 December 2027, that day included."""
    found, checks = ready(deployment(settings, protocol="nhs-waht"), library, WELL, now=now)
    assert (found, checks["protocols"].says) == (status, says)


def test_days_are_counted_in_the_time_of_the_site(settings: Settings, library: Library) -> None:
    late = datetime(2027, 12, 11, 23, 30, tzinfo=UTC)
    utc = deployment(settings, protocol="nhs-waht")
    berlin = deployment(settings, protocol="nhs-waht", zone=ZoneInfo("Europe/Berlin"))
    assert days_left(utc, library, late) == {"nhs-waht": 0}
    assert days_left(berlin, library, late) == {"nhs-waht": -1}
    for first, second in ((utc.site, berlin.site), (berlin.site, utc.site)):
        both = msgspec.structs.replace(utc, sites={"a": first, "b": second})
        assert days_left(both, library, late) == {"nhs-waht": -1}
    assert days_left(settings, library, late) == {}


def test_keys_that_are_not_at_hand_are_said_and_never_keep_calls_away(
    settings: Settings, site: Site, library: Library
) -> None:
    """They are fetched when the first call needs them: without calls they would never come."""
    signed = msgspec.structs.replace(
        settings, auth="jwt", sites={"a": site, "b": msgspec.structs.replace(site, id="b")}
    )
    some = Observed(store=True, keys={"a": True, "b": False})
    status, checks = ready(signed, library, some, now=NOW)
    assert (status, checks["keys"].says) == ("degraded", "not fetched yet or not reachable: b")
    assert ready(signed, library, WELL, now=NOW)[0] == "degraded"
    every = Observed(store=True, keys={"a": True, "b": True})
    assert ready(signed, library, every, now=NOW)[0] == "ready"
