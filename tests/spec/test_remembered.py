"""What earlier decisions saw stays in the history until the same queries can be read again.

Expectation: history and recurrence use this service's stored decisions (DESIGN 6a), unknown is
never normal, and what was retracted is gone once the data for that time can be read.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from knowledge.assemble import Context
from knowledge.assessment import Grade
from knowledge.decide import decide
from knowledge.decision import Decision
from knowledge.earlier import EarlierEvent
from knowledge.facts import Facts
from knowledge.library import load
from knowledge.toxicity import Standing, crs_standing, icans_standing
from tests.spec.chart import ago, chart, charted, diagnosis, dose, graded, readings


LIBRARY = load()
ALL = ("administrations", "assessments", "conditions", "oxygen", "vitals")
FEVER, NORMAL = 38.6, 36.8


def earlier(
    onset: float, last: float, over: float | None, low: int = 2, high: int = 2, **changes: Any
) -> EarlierEvent:
    """A CRS event of these hours ago, as a decision that had read everything kept it."""
    event = EarlierEvent(
        "crs",
        onset=ago(onset),
        last_abnormal=ago(last),
        at_least=low,
        at_most=high,
        resolved=None if over is None else ago(over),
        agents=("teclistamab",),
        basis=ALL,
    )
    return msgspec.structs.replace(event, **changes)


def vitals(*points: tuple[float, float]) -> dict[str, Any]:
    """(hours ago, temperature), everything else of the set normal."""
    hours = [h for h, _ in points]
    return {
        "temperatures": readings("t", *points),
        "systolic": readings("b", *((h, 122) for h in hours)),
        "saturations": readings("s", *((h, 97) for h in hours)),
        "oxygen": charted("o", *((h, "none") for h in hours)),
    }


def crs(*events: EarlierEvent, **changes: Any) -> Standing:
    facts = chart(earlier=events, **changes)
    return crs_standing(facts, LIBRARY.crs, LIBRARY.rules)


def decided(facts: Facts) -> Decision:
    context = Context("demo", "live", "us-label", "0", LIBRARY.rules, ZoneInfo("UTC"))
    return decide(facts, LIBRARY, context)


NOTHING: dict[str, Any] = {"answered": frozenset(), "doses": ()}
SHORT = {"answered": frozenset(ALL) - {"vitals"}, "read_back_to": {"vitals": ago(72)}}


@pytest.mark.parametrize(
    ("known", "changes", "events", "is_open"),
    [
        pytest.param(
            earlier(480, 470, 440), SHORT, 1, False, id="before the page of vitals begins: it stays"
        ),
        pytest.param(
            earlier(480, 470, 440), {}, 0, False, id="all can be read again and shows none: gone"
        ),
        pytest.param(
            earlier(60, 50, 20), SHORT, 0, False, id="within the page, which shows none: gone"
        ),
        pytest.param(
            earlier(24 * 60, 24 * 59, 24 * 58), {}, 1, False, id="before the look-back: it stays"
        ),
        pytest.param(
            earlier(20, 5, None), NOTHING, 1, True, id="open, and nothing can be read: still open"
        ),
        pytest.param(
            earlier(20, 5, None),
            {"answered": frozenset(ALL) - {"conditions"}},
            1,
            True,
            id="seen where diagnoses were read, and these cannot be read now: still open",
        ),
        pytest.param(
            earlier(20, 5, None, basis=("assessments", "vitals")),
            {"answered": frozenset({"assessments", "vitals"})},
            0,
            False,
            id="a query that is never answered keeps nothing that was not seen in it",
        ),
        pytest.param(
            earlier(-1, -2, None), NOTHING, 0, False, id="a decision later than now tells nothing"
        ),
    ],
)
def test_an_earlier_event_stays_until_its_queries_are_answered_for_its_time(
    known: EarlierEvent, changes: dict[str, Any], events: int, is_open: bool
) -> None:
    found = crs(known, **changes)
    assert len(found.events) == events
    assert found.open == is_open


def test_an_open_event_that_cannot_be_read_is_graded_from_0_to_4_and_holds() -> None:
    found = decided(chart(earlier=(earlier(20, 5, None),), **NOTHING))
    state = found.assessment.crs
    assert state.grade == Grade(0, 4)
    assert state.event is not None
    assert (state.event.source, state.event.max_grade) == ("store", Grade(2, 2))
    assert found.assessment.disposition.action == "withhold"


def test_what_is_seen_in_the_request_alone_says_so() -> None:
    event = crs(**vitals((1, FEVER))).state.event
    assert event is not None
    assert event.source == "request"


@pytest.mark.parametrize(
    ("points", "over"),
    [
        pytest.param(((70, NORMAL), (40, NORMAL)), 70, id="normal 30 h after the last sign: over"),
        pytest.param(((70, FEVER), (40, NORMAL)), 40, id="30 h after a fever at hand: over"),
        pytest.param(((70, NORMAL), (40, FEVER)), None, id="fever a day after that: open again"),
    ],
)
def test_the_data_at_hand_end_an_earlier_event_that_was_open(
    points: tuple[tuple[float, float], ...], over: float | None
) -> None:
    doses = (dose("teclistamab", 120),)
    found = crs(earlier(110, 100, None), **(SHORT | vitals(*points)), doses=doses)
    (event,) = found.events
    assert event.onset == ago(110)
    assert event.resolved == (None if over is None else ago(over))


def test_normal_within_a_day_of_the_last_sign_leaves_it_open() -> None:
    found = crs(earlier(110, 80, None), **(SHORT | vitals((70, NORMAL), (60, NORMAL))))
    assert found.open


def test_what_goes_on_is_one_event_with_the_highest_grade_of_both() -> None:
    on_oxygen = vitals((2, FEVER)) | {"oxygen": charted("o", (2, "low-flow"))}
    doses = (dose("teclistamab", 90),)
    found = crs(earlier(80, 73, None, 1, 1), **(SHORT | on_oxygen), doses=doses)
    (event,) = found.events
    assert (event.onset, event.maximum) == (ago(80), Grade(2, 2))
    assert found.state.event is not None
    assert not found.state.event.recurrent


@pytest.mark.parametrize(
    ("dosed", "events"),
    [
        pytest.param(90, 1, id="a day later without a dose between: the same event"),
        pytest.param(30, 2, id="after the next dose: a new one, which is recurrent"),
    ],
)
def test_fever_after_an_earlier_event(dosed: float, events: int) -> None:
    known = earlier(100, 95, 73)
    changes = SHORT | vitals((20, FEVER)) | {"doses": (dose("teclistamab", dosed),)}
    found = crs(known, **changes)
    assert len(found.events) == events
    assert found.state.event is not None
    assert found.state.event.recurrent == (events == 2)


def test_the_hours_at_grade_3_of_before_are_not_forgotten() -> None:
    hours = tuple((Decimal(least), Decimal(60)) for least in (52, 51, 50))
    found = crs(earlier(100, 20, None, 3, 3, hours=hours), **NOTHING)
    (event,) = found.events
    assert event.hours_at_grade3.at_least == 50
    assert event.hours_at_grade3.at_most >= 60


@pytest.mark.parametrize("confirmed", [True, False], ids=["charted", "observed"])
def test_how_an_earlier_event_ended_is_kept(confirmed: bool) -> None:
    (event,) = crs(earlier(480, 470, 440, confirmed_end=confirmed), **SHORT).events
    assert (event.resolved, event.confirmed_end) == (ago(440), confirmed)


def test_its_product_is_known_where_the_doses_cannot_be_read() -> None:
    (event,) = crs(earlier(480, 470, 440), **NOTHING).events
    assert event.agents == ("teclistamab",)


def test_an_earlier_event_of_the_other_scale_is_not_mixed_up() -> None:
    known = earlier(20, 5, None, toxicity="icans", basis=("assessments",))
    assert crs(known, **NOTHING).events == ()
    facts = chart(earlier=(known,), **NOTHING)
    found = icans_standing(facts, LIBRARY.icans, LIBRARY.rules)
    assert found.open
    assert found.maximum == Grade(2, 2)


COURSES = {
    "fever": vitals((20, FEVER), (10, FEVER), (3, FEVER)),
    "over": vitals((29, FEVER), (1, NORMAL)),
    "charted": vitals((20, FEVER), (2, NORMAL)) | {"grades": (graded("crs", 3, 19),)},
    "diagnosed": {"diagnoses": (diagnosis("crs", 2, 3, 10),)},
    "diagnosed long ago": {"diagnoses": (diagnosis("crs", 2, 2, 24 * 20),)},
    "icans": {"ice": readings("ice", (12, 10), (6, 7), (2, 2))},
}


@pytest.mark.parametrize("name", COURSES)
def test_what_is_remembered_gives_the_same_history_when_nothing_can_be_read(name: str) -> None:
    whole = decided(chart(**COURSES[name]))
    kept = tuple(event for events in whole.remember.values() for event in events)
    assert kept
    blind = decided(chart(earlier=kept, **NOTHING))
    for toxicity in ("crs", "icans"):
        seen = getattr(whole.assessment, toxicity).event
        found = getattr(blind.assessment, toxicity).event
        if seen is None:
            assert found is None
            continue
        same = ("onset", "max_grade", "resolved_at", "resolved_confirmed", "agent")
        for member in same:
            assert getattr(found, member) == getattr(seen, member), member
        assert found.source == "store"


@pytest.mark.parametrize("name", COURSES)
def test_reading_everything_again_remembers_the_same(name: str) -> None:
    facts = chart(**COURSES[name])
    once = decided(facts).remember
    kept = tuple(event for events in once.values() for event in events)
    again = msgspec.structs.replace(facts, earlier=kept)
    assert decided(again).remember == once


def test_a_request_that_tells_nothing_has_nothing_new_to_remember() -> None:
    assert decided(chart(earlier=(earlier(20, 5, None),), **NOTHING)).remember == {}


def test_what_a_part_of_the_record_shows_keeps_what_another_part_showed_before() -> None:
    """Twice a part: the basis of what is kept grows by what was read, and never shrinks."""
    known = earlier(480, 470, 440, basis=("conditions",))
    found = decided(chart(earlier=(known,), answered=frozenset({"vitals"})))
    (kept,) = found.remember["crs"]
    assert set(kept.basis) == {"conditions", "vitals"}
    assert kept.onset == known.onset


def test_an_event_outlives_the_days_that_its_data_are_read() -> None:
    given = (dose("teclistamab", 24 * 44 + 9),)
    facts = chart(**vitals((24 * 44, FEVER), (24 * 42, NORMAL)), doses=given)
    (kept,) = decided(facts).remember["crs"]
    later = chart(evaluated_at=facts.evaluated_at + timedelta(days=2), earlier=(kept,))
    (event,) = crs_standing(later, LIBRARY.crs, LIBRARY.rules).events
    assert event.maximum == Grade(1, 1)
