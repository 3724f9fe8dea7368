"""Each story read from a server with a vendor's quirks: the same finding, or a wider one that says
what is missing. Never a narrower one, and never another.

Read as a hook call would: the prefetch queries over a real socket, through the guarded client.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cds.config import Site
from cds.demo.drugs import ORDERS
from cds.demo.fhir import quirks_of
from cds.demo.fhir.quirks import Quirks
from cds.demo.fhir.vendors import NAMED, SETS
from cds.demo.patients import chart, encounter, patient
from cds.demo.sign import order_sign
from cds.demo.story import load
from cds.fhir_fetch import read_missing
from cds.hook_request import parse
from cds.pipeline import Evaluation, evaluate
from cds.prefetch import covers
from cds.services import PREFETCH
from fhir_mapping.codes import CodeSets
from knowledge.assessment import Grade, ToxicityState
from knowledge.library import Library
from tests.demo.fhir_sandbox import NOW, Client, served


STORIES = load()
HOOK_INSTANCE = "00000000-0000-4000-8000-000000000001"
Found = Mapping[str, Evaluation]
LOSING = ["oracle", "flowsheet-alone", "smartdata-assessments", "missing-units", "withheld-results"]
SMALL = 20  # entries of a page, so that the longer stories have several
# The rest takes no fact away: nothing may differ, whichever come together.
LOSSLESS = {
    "epic": SETS["epic"],
    "oracle-with-units": tuple(one for one in SETS["oracle"] if one not in LOSING),
    "each-of-them": tuple(one for one in NAMED if one not in LOSING),
}


def evaluated(fhir: Client, story: str, library: Library, codes: CodeSets) -> Evaluation:
    """What a hook call without prefetch finds out about the story from this server."""
    one = STORIES[story]
    body: dict[str, Any] = order_sign(one, ORDERS[one.order], now=NOW, hook_instance=HOOK_INSTANCE)
    del body["prefetch"]
    site = Site(id="s", fhir_base=fhir.base, protocol=one.protocol, zone=ZoneInfo("UTC"))
    lookback = timedelta(days=site.site_rules(library.rules).icans_lookback_days)
    request, failed = read_missing(
        parse(json.dumps(body).encode(), "order-sign"),
        PREFETCH,
        base=fhir.base,
        token=None,
        seconds=120,
        enough=covers(NOW, lookback),
    )
    unread = tuple(map(str, failed))
    return evaluate(request, site=site, library=library, codes=codes, now=NOW, unread=unread)


def read_all(quirks: Quirks, library: Library, codes: CodeSets) -> Found:
    """Every story from one server."""
    with served(quirks=quirks) as fhir:
        for one in STORIES.values():
            known = (patient(one, NOW), encounter(one, NOW), *chart(one, NOW))
            fhir.store.load(known, now=NOW)
        return {story: evaluated(fhir, story, library, codes) for story in STORIES}


@pytest.fixture(scope="module")
def plain(library: Library, codes: CodeSets) -> Found:
    return read_all(Quirks(), library, codes)


@pytest.fixture(scope="module", params=LOSING)
def lossy(request: pytest.FixtureRequest, library: Library, codes: CodeSets) -> Found:
    return read_all(quirks_of(request.param), library, codes)


def holds(outer: Grade | None, inner: Grade | None) -> bool:
    """Whether the first range holds all of the second."""
    if outer is None or inner is None:
        return outer is inner
    return outer.at_least <= inner.at_least and outer.at_most >= inner.at_most


def same_or_wider(found: ToxicityState, known: ToxicityState) -> bool:
    """Not assessed is wider than any grade; not exposed is a finding of its own."""
    if not found.assessed:
        return found.reason in {known.reason, "not-assessed"}
    if not known.assessed or not holds(found.grade, known.grade):
        return False
    if known.event is None:
        return found.event is None
    if found.event is None:  # an event that nothing surely shows any more
        return found.grade == Grade(0, 4)
    return holds(found.event.max_grade, known.event.max_grade)


def conclusion(one: Evaluation) -> tuple[object, ...]:
    """What must not differ where nothing was lost."""
    found = one.decision.assessment
    return (
        *((t.assessed, t.grade, t.acting, t.event) for t in (found.crs, found.icans)),
        found.disposition,
        found.orders,
        found.tocilizumab,
        tuple(card.summary for card in one.cards),
    )


def unknown(one: Evaluation) -> set[str]:
    """All that is named as missing, as not used or as not read."""
    facts, found = one.facts, one.decision.assessment
    missing = (*facts.missing, *found.crs.missing, *found.icans.missing, *facts.unreadable)
    named = {f"{each}" for each in missing}
    return named | {
        note.text for note in facts.notices if note.code in {"not-read", "partial-page"}
    }


@pytest.mark.parametrize("names", LOSSLESS.values(), ids=LOSSLESS)
def test_quirks_that_lose_nothing_change_nothing(
    names: tuple[str, ...], plain: Found, library: Library, codes: CodeSets
) -> None:
    quirks = msgspec.structs.replace(quirks_of(*names), largest_page=SMALL)
    for story, one in read_all(quirks, library, codes).items():
        assert conclusion(one) == conclusion(plain[story]), story


def test_a_quirk_that_loses_something_widens_and_names_it(plain: Found, lossy: Found) -> None:
    changed = 0
    for story, one in lossy.items():
        found, known = one.decision.assessment, plain[story].decision.assessment
        assert same_or_wider(found.crs, known.crs), story
        assert same_or_wider(found.icans, known.icans), story
        if conclusion(one) != conclusion(plain[story]):
            changed += 1
            assert unknown(one) - unknown(plain[story]), story
    assert changed


def test_a_hold_goes_only_where_its_grade_is_open_or_the_card_still_speaks_of_it(
    plain: Found, lossy: Found
) -> None:
    stopping = {"withhold", "discontinue-permanently"}
    for story, one in lossy.items():
        was, now = plain[story].decision.assessment, one.decision.assessment
        if was.disposition.action not in stopping or now.disposition.action in stopping:
            continue
        of = now.crs if was.disposition.toxicity == "crs" else now.icans
        details = "".join(card.detail for card in one.cards)
        speaks = "cannot exclude permanent discontinuation" in details
        assert not of.assessed or now.disposition.action == "cannot-evaluate" or speaks, story
