"""The feedback report: what was shown, what users did, and rates that say what they are of."""

import json
from datetime import datetime, timedelta

import pytest

from cds.feedback_report import Rate, Report, TopicRow, as_json, as_text, feedback_report
from cds.store import Reason, Store
from tests.store.rows import NOW, answer, card, decision


HOUR = timedelta(hours=1)
OTHER_CAUSE = Reason(code="other-cause", system="urn:reasons", display="Another cause")


def call(store: Store, name: str, *topics: str, **changes: object) -> None:
    """One answered call with one card a topic; the cards are called "<call> <topic>"."""
    cards = tuple(card(f"{name} {topic}", topic) for topic in topics)
    store.record(decision(name, cards=cards, **changes))


def rows(store: Store, since: datetime = NOW, site: str | None = None) -> dict[str, TopicRow]:
    return {row.topic: row for row in feedback_report(store, since, site).topics}


@pytest.fixture
def week(store: Store) -> Store:
    """Eight calls: HOLD fires in four of them, of which one was silent; MISSING in two."""
    call(store, "1", "HOLD", "MISSING")
    call(store, "2", "HOLD")
    call(store, "3", "HOLD", "MISSING")
    call(store, "4", "HOLD", mode="silent")
    for name in "5678":
        call(store, name)
    store.add_feedback(
        [
            answer("1 HOLD", "accepted", suggestions=("s",)),
            answer("2 HOLD", reasons=(OTHER_CAUSE,)),
            answer("3 MISSING"),
            answer("4 HOLD"),  # nobody was shown this one
            answer("never shown"),
        ],
        NOW,
    )
    return store


def test_shown_cards_are_accepted_overridden_or_ignored(week: Store) -> None:
    hold = rows(week)["HOLD"]

    assert (hold.fired, hold.shown) == (4, 3)
    assert (hold.accepted, hold.overridden, hold.ignored) == (1, 1, 1)


def test_every_rate_is_exact_and_names_what_it_is_of(week: Store) -> None:
    hold = rows(week)["HOLD"]

    assert (hold.firing, hold.acceptance, hold.override) == (Rate(4, 8), Rate(1, 3), Rate(1, 3))
    assert [str(rate) for rate in (hold.firing, hold.acceptance)] == [
        "4/8 (50.0 %)",
        "1/3 (33.3 %)",
    ]


@pytest.mark.parametrize(
    ("count", "n", "percent"), [(1, 8, "12.5"), (1, 800, "0.1"), (1, 16, "6.3"), (0, 5, "0.0")]
)
def test_percent_is_rounded_half_up_to_one_decimal(count: int, n: int, percent: str) -> None:
    assert str(Rate(count, n).percent) == percent


def test_reasons_are_counted_by_code_and_an_override_without_one_is_counted_too(
    week: Store,
) -> None:
    found = rows(week)

    assert [(r.code, r.system, r.count) for r in found["HOLD"].reasons] == [
        ("other-cause", "urn:reasons", 1)
    ]
    assert [(r.code, r.count) for r in found["MISSING"].reasons] == [("", 1)]


def test_feedback_on_unknown_cards_is_counted_apart(week: Store) -> None:
    report = feedback_report(week, NOW)

    assert (report.evaluations, report.unknown) == (8, 1)


def test_a_topic_that_was_never_shown_has_no_rate_of_nothing(store: Store) -> None:
    call(store, "1", "HOLD", mode="silent")
    hold = rows(store)["HOLD"]

    assert (hold.shown, hold.acceptance, hold.override) == (0, None, None)
    assert hold.firing == Rate(1, 1)


def test_the_last_answer_to_a_card_counts_however_they_arrive(store: Store) -> None:
    call(store, "1", "HOLD")
    later = answer("1 HOLD", "accepted", suggestions=("s",), at=NOW + HOUR)
    earlier = answer("1 HOLD", at=NOW)
    store.add_feedback([later], NOW + HOUR)
    store.add_feedback([earlier, earlier], NOW + 2 * HOUR)
    hold = rows(store)["HOLD"]

    assert (hold.accepted, hold.overridden, hold.ignored) == (1, 0, 0)
    assert hold.reasons == ()


def test_a_call_that_was_sent_twice_counts_once(store: Store) -> None:
    for name in ("first", "again"):
        store.record(decision(name, hook_instance="same", cards=(card(),)))
    report = feedback_report(store, NOW)

    assert (report.evaluations, report.topics[0].fired, report.topics[0].shown) == (1, 1, 1)


def test_several_orders_in_one_call_fire_once_and_show_each_card(store: Store) -> None:
    store.record(decision(cards=(card("a"), card("b"))))
    (row,) = feedback_report(store, NOW).topics

    assert (row.fired, row.firing, row.shown) == (1, Rate(1, 1), 2)


def test_sites_with_the_same_ids_do_not_mix(store: Store) -> None:
    for site in ("north", "south"):
        store.record(decision(site, site=site, hook_instance="same", cards=(card(),)))
    store.add_feedback([answer(site="south")], NOW)

    assert rows(store)["HOLDCRS2"].shown == 2
    assert rows(store, site="north")["HOLDCRS2"].overridden == 0
    assert rows(store, site="south")["HOLDCRS2"].override == Rate(1, 1)
    assert feedback_report(store, NOW, "south").evaluations == 1


def test_only_decisions_from_the_given_moment_on_are_counted(store: Store) -> None:
    call(store, "before", "HOLD", evaluated_at=NOW - timedelta(microseconds=1))
    call(store, "at", "HOLD")

    assert rows(store)["HOLD"].shown == 1


def test_an_empty_store_gives_an_empty_report(store: Store) -> None:
    report = feedback_report(store, NOW)

    assert report == Report(since=NOW, evaluations=0, unknown=0, topics=())
    assert "0 evaluations" in as_text(report)
    assert json.loads(as_json(report))["topics"] == []


def test_the_json_has_counts_and_n_beside_every_percent(week: Store) -> None:
    hold, missing = json.loads(as_json(feedback_report(week, NOW)))["topics"]

    assert hold["topic"] == "HOLD"
    assert hold["override"] == {"count": 1, "n": 3, "percent": "33.3"}
    assert hold["overrideReasons"] == [{"code": "other-cause", "system": "urn:reasons", "count": 1}]
    assert missing["overrideReasons"] == [{"count": 1}]


def test_the_json_has_no_rate_where_nothing_was_shown(store: Store) -> None:
    call(store, "1", "HOLD", mode="silent")
    (hold,) = json.loads(as_json(feedback_report(store, NOW)))["topics"]

    assert "acceptance" not in hold
    assert "override" not in hold


def test_the_table_has_a_line_a_topic_in_columns(week: Store) -> None:
    lines = as_text(feedback_report(week, NOW)).splitlines()

    assert lines[0].startswith("since 2026-11-21 12:00 UTC: 8 evaluations")
    header, hold, missing = lines[1:4]
    assert header.split()[:3] == ["topic", "fired", "shown"]
    assert hold.split()[:6] == ["HOLD", "4", "3", "1", "1", "1"]
    assert missing.index("2/8") == header.index("firing")
    assert "HOLD: overridden 1 x other-cause (urn:reasons)" in lines
    assert "MISSING: overridden 1 x no reason given" in lines
