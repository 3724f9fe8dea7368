"""A decision made again from its record alone is the same, byte for byte, whatever the chart."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Raw

from cds.config import Site
from cds.given_back import stand_ins
from cds.hook_request import HookRequest
from cds.pipeline import EXTENSION, Evaluation, conclude, encoded_cards, evaluate, record_of
from cds.recompute import recompute
from cds.record import unpack
from cds.store.inputs import input_refs
from cds.store.recording import Call, decision_row, sent_assessment
from cds.store.rows import DecisionRow
from tests.builders import BASE, NOW, as_bytes, bundle
from tests.properties.charts import Chart, charts
from tests.properties.figures import Figures
from tests.properties.service import CODES, LIBRARY, VALIDATION, how_many


LONG = settings(
    max_examples=how_many(300, 10_000),
    deadline=None,
    derandomize=not VALIDATION,
    database=None,
    suppress_health_check=list(HealthCheck),
)
RULES: tuple[Mapping[str, int | str | Decimal], ...] = (
    {},
    {"systolic_below": Decimal("100.50"), "vitals_hours_elsewhere": 3},
    {"oxygen_absent_means": "room-air", "dose_tolerance_percent": Decimal(0)},
)
SITES = st.builds(
    Site,
    id=st.sampled_from(("north", "söder")),
    fhir_base=st.just(BASE),
    protocol=st.sampled_from(("us-label", "community-sop", "nhs-waht")),
    zone=st.sampled_from(("UTC", "America/New_York", "Asia/Kathmandu")).map(ZoneInfo),
    mode=st.sampled_from(("live", "silent")),
    smart_url=st.sampled_from((None, "https://btce.example.org/launch")),
    contacts=st.sampled_from(({}, {"outreach nurses": "ring 1234", "consultant": "ring “5”"})),
    rules=st.sampled_from(RULES),
    off_topics=st.sampled_from((frozenset(), frozenset({"CRSG0TO4", "REMSTECLISTAMAB"}))),
    off_rules=st.sampled_from((frozenset(), frozenset({"teclistamab-label#crs-4"}))),
)
ACKNOWLEDGED = st.sampled_from((frozenset(), frozenset({"tecvayli-talvey-rems"})))
UNREAD = st.sampled_from(((), ("labs: the server did not answer in time",)))
NOWS = st.sampled_from((timedelta(0), timedelta(microseconds=1), timedelta(seconds=59.123456)))
PROGRAMS = {one.program: one.id for one in LIBRARY.rems.values()}


def asked(chart: Chart, hook: str) -> HookRequest:
    return HookRequest(
        hook=hook,
        hook_instance="d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        patient_id="p1",
        fhir_server=BASE,
        draft_orders=None if hook == "patient-view" else Raw(as_bytes(bundle(*chart.drafts))),
        selections=None,
        prefetch={key: Raw(as_bytes(value)) for key, value in chart.prefetch().items()},
    )


def kept(evaluation: Evaluation, request: HookRequest, site: Site) -> DecisionRow:
    """The row as a call keeps it."""
    call = Call(
        id="5b0c2f6e-3d55-4c34-8ea4-4b66ac1e9a53",
        site=site.id,
        patient=request.patient_id,
        hook=request.hook,
        hook_instance=request.hook_instance,
        service="btce",
    )
    return decision_row(
        call,
        evaluation.decision,
        cards=evaluation.cards,
        assessment=sent_assessment(evaluation.response, EXTENSION),
        inputs=input_refs(tuple(request.prefetch.values())),
        programs=PROGRAMS,
        commit="",
        record=record_of(evaluation),
    )


def drafts_of(chart: Chart, hook: str) -> dict[str, bytes]:
    drafts = () if hook == "patient-view" else chart.drafts
    return {f"{one['resourceType']}/{one['id']}": as_bytes(one) for one in drafts}


@LONG
@given(charts(), SITES, st.sampled_from(("order-sign", "patient-view")), ACKNOWLEDGED, UNREAD, NOWS)
def test_a_decision_made_again_from_its_record_is_the_same_byte_for_byte(
    figures: Figures,
    chart: Chart,
    site: Site,
    hook: str,
    acknowledged: frozenset[str],
    unread: tuple[str, ...],
    later: timedelta,
) -> None:
    request, now = asked(chart, hook), NOW + later
    how: dict[str, Any] = {"acknowledged": acknowledged, "unread": unread}
    first = evaluate(request, site=site, library=LIBRARY, codes=CODES, now=now, **how)
    row = kept(first, request, site)
    record = unpack(row.record)

    assert record.made_from == first.made_from
    _assert_same_types(record.made_from, first.made_from)
    drafts = stand_ins(record.drafts, record.by_hand, record.made_from.facts.patient)
    again = conclude(record.made_from, drafts, LIBRARY)
    assert sent_assessment(again.response, EXTENSION) == row.assessment
    assert bytes(record.cards) == encoded_cards(first.cards) == encoded_cards(again.cards)
    assert [card.uuid for card in again.cards] == [card.uuid for card in first.cards]
    assert recompute(row, LIBRARY).verdict == "same"

    # With the drafts as the EHR sent them the answer itself is the same bytes.
    whole = conclude(record.made_from, drafts_of(chart, hook), LIBRARY)
    assert whole.response == first.response
    figures.add("a decision made again from its record is the same, byte for byte")


def _assert_same_types(one: Any, other: Any) -> None:
    """A Decimal is no text and no int, its digits are the same, and a time is of UTC."""
    if isinstance(one, msgspec.Struct):
        assert type(one) is type(other)
        for name in one.__struct_fields__:
            _assert_same_types(getattr(one, name), getattr(other, name))
    elif isinstance(one, tuple):
        assert type(other) is tuple
        for left, right in zip(one, other, strict=True):
            _assert_same_types(left, right)
    elif not isinstance(one, Mapping | frozenset):
        assert type(one) is type(other)
        assert str(one) == str(other)
        if isinstance(one, datetime):
            assert one.utcoffset() == other.utcoffset() == timedelta(0)
