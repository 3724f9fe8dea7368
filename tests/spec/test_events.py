"""The course of an event over time: one row, one sentence. Times in hours before the evaluation."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args
from zoneinfo import ZoneInfo

import msgspec
import pytest

from knowledge.assemble import Context
from knowledge.assessment import Grade, Hours
from knowledge.course import Course
from knowledge.decide import decide
from knowledge.decision import Decision
from knowledge.facts import Diagnosis, Evidence, Infusion, QueryName, Reading
from knowledge.holds import too_early
from knowledge.library import load
from knowledge.rows import Matched, source_of
from knowledge.toxicity import Standing, crs_standing, icans_standing
from tests.spec.chart import (
    ago,
    attribution,
    chart,
    charted,
    diagnosis,
    dose,
    graded,
    infusion,
    masking,
    normal_vitals,
    readings,
    teclistamab_order,
    tocilizumab_order,
)


LIBRARY = load()
FEVER, NORMAL = 38.6, 36.8


def crs(**changes: Any) -> Standing:
    return crs_standing(chart(**changes), LIBRARY.crs, LIBRARY.rules)


def icans(**changes: Any) -> Standing:
    return icans_standing(chart(**changes), LIBRARY.icans, LIBRARY.rules)


def decided(protocol: str = "us-label", **changes: Any) -> Decision:
    zone = ZoneInfo("Europe/London")
    return decide(
        chart(**changes), LIBRARY, Context("demo", "live", protocol, "0", LIBRARY.rules, zone)
    )


def codes(found: Decision) -> set[str]:
    return {notice.code for notice in found.assessment.notices}


def course(
    *points: tuple[float, float], oxygen: str = "none", alone: Iterable[float] = ()
) -> dict[str, Any]:
    """(hours ago, temperature) with normal pressure, saturation and `oxygen` where there is fever;
    `alone`: hours ago of a saturation with nothing beside it."""
    hours = [h for h, _ in points]
    return {
        "temperatures": readings("t", *points),
        "systolic": readings("b", *((h, 120) for h in hours)),
        "saturations": readings("s", *((h, 97) for h in (*hours, *alone))),
        "oxygen": charted("o", *((h, oxygen if t >= 38 else "none") for h, t in points)),
    }


def doubtful(start: float) -> Infusion:
    """A vasopressor that may not have been running at all."""
    return msgspec.structs.replace(infusion("phenylephrine", start, None), doubt="uncertain")


@pytest.mark.parametrize(
    ("changes", "events", "is_open"),
    [
        pytest.param(course((1, FEVER)), 1, True, id="fever after a dose begins an event"),
        pytest.param(course((1, NORMAL)), 0, False, id="a normal set begins none"),
        pytest.param(
            {**course((1, NORMAL)), "grades": (graded("crs", 1, 3),)},
            1,
            True,
            id="a clinician's grade 1 begins an event without fever",
        ),
        pytest.param(
            course((24.9, FEVER), (1, NORMAL)), 1, True, id="normal 23.9 h after the fever: open"
        ),
        pytest.param(
            course((25, FEVER), (1, NORMAL)), 1, False, id="normal 24 h after the fever: over"
        ),
        pytest.param(
            {
                **course((26, FEVER), (1, NORMAL)),
                "saturations": readings("s", (26, 97)),
            },
            1,
            True,
            id="a set without a saturation is not complete: open",
        ),
        pytest.param(
            {**course((26, FEVER), (1, NORMAL)), "masking": (masking("antipyretic", 3),)},
            1,
            True,
            id="normal under an antipyretic given 2 h before is not observed free",
        ),
        pytest.param(
            {**course((30, FEVER), (1, NORMAL)), "masking": (masking("antipyretic", 26),)},
            1,
            False,
            id="off antipyretics for 25 h and normal: over",
        ),
        pytest.param(
            {
                **course((60, FEVER), (1, NORMAL)),
                "infusions": (infusion("norepinephrine", 58, 3),),
                "doses": (dose("teclistamab", 70),),
            },
            1,
            True,
            id="a vasopressor that stopped 2 h before: open",
        ),
        pytest.param(
            {**course((10, FEVER), (1, NORMAL)), "grades": (graded("crs", 0, 1),)},
            1,
            False,
            id="a clinician's grade 0 settles the end at its time",
        ),
        pytest.param(
            {
                **course((10, FEVER)),
                "temperatures": (
                    *readings("t", (26, FEVER)),
                    *(
                        msgspec.structs.replace(r, preliminary=True)
                        for r in readings("p", (1, NORMAL))
                    ),
                ),
                "systolic": readings("b", (1, 120)),
                "saturations": readings("s", (1, 97)),
                "oxygen": charted("o", (1, "none")),
            },
            1,
            True,
            id="a preliminary normal temperature resolves nothing",
        ),
        pytest.param(
            course((28, FEVER), (2, NORMAL), (1, FEVER)),
            1,
            True,
            id="fever an hour after the end, no dose in between: the same event",
        ),
        pytest.param(
            course((98, FEVER), (73, NORMAL), (1, FEVER)) | {"doses": (dose("teclistamab", 110),)},
            1,
            True,
            id="fever 72 h after the end, no dose in between: the same event",
        ),
        pytest.param(
            course((99, FEVER), (74, NORMAL), (1, FEVER)) | {"doses": (dose("teclistamab", 110),)},
            2,
            True,
            id="fever 73 h after the end: an event of its own",
        ),
        pytest.param(
            course((60, FEVER), (30, NORMAL), (1, FEVER))
            | {"doses": (dose("teclistamab", 70), dose("teclistamab", 20))},
            2,
            True,
            id="fever 29 h after the end and after a later dose: a recurrence",
        ),
        pytest.param(
            course((170, FEVER), (1, FEVER))
            | {"doses": (dose("teclistamab", 180), dose("teclistamab", 12))},
            2,
            True,
            id="nobody charted the end, and a dose came a week after the signs: two events",
        ),
        pytest.param(
            course((20, FEVER), (1, FEVER))
            | {"doses": (dose("teclistamab", 30), dose("teclistamab", 2))},
            1,
            True,
            id="a dose 18 h after the last fever does not end an event",
        ),
        pytest.param(
            course((170, FEVER), (1, FEVER))
            | {"doses": (dose("teclistamab", 180), dose("teclistamab", 12))}
            | {"masking": (masking("antipyretic", 13), masking("steroid", 13, "dexamethasone"))},
            2,
            True,
            id="premedication before that dose joins no event that was over long before",
        ),
        pytest.param(
            course((100, FEVER), (14, NORMAL), (1, FEVER))
            | {"doses": (dose("teclistamab", 110), dose("teclistamab", 12))}
            | {"masking": (masking("antipyretic", 15),)},
            2,
            True,
            id="normal under premedication, three days after the last sign: over",
        ),
        pytest.param(
            {**course((30, FEVER), (1, NORMAL))}
            | {"masking": (masking("steroid", 5, "dexamethasone"),)},
            1,
            True,
            id="normal under a steroid given 4 h before is not observed free",
        ),
        pytest.param(
            {**course((30, FEVER), (1, NORMAL))}
            | {"masking": (masking("anticytokine", 20, "tocilizumab"),)},
            1,
            True,
            id="normal 19 h after tocilizumab is not observed free",
        ),
        pytest.param(
            {**course((32, FEVER), (1, NORMAL)), "doses": (dose("teclistamab", 40),)}
            | {"masking": (masking("anticytokine", 27, "tocilizumab"),)},
            1,
            False,
            id="normal 26 h after tocilizumab, by a whole set: over",
        ),
    ],
)
def test_where_an_event_begins_and_ends(
    changes: dict[str, Any], events: int, is_open: bool
) -> None:
    standing = crs(**changes)
    assert len(standing.events) == events
    assert standing.open is is_open


def test_a_new_event_is_recurrent_only_after_a_later_dose_of_the_same_product() -> None:
    vitals = course((99, FEVER), (74, NORMAL), (1, FEVER))
    no_dose = crs(**vitals, doses=(dose("teclistamab", 110),)).state.event
    later = crs(**vitals, doses=(dose("teclistamab", 110), dose("teclistamab", 20))).state.event
    other = crs(**vitals, doses=(dose("talquetamab", 110), dose("teclistamab", 20))).state.event
    assert no_dose is not None
    assert later is not None
    assert other is not None
    assert not no_dose.recurrent
    assert later.recurrent
    assert other.recurrent, "talquetamab reaches the later onset too: attributed to both"


def test_an_event_of_another_product_makes_none_of_this_one_recurrent() -> None:
    """Grade 3 under talquetamab two months ago, then a first grade 3 under teclistamab."""
    changes = {
        **course((1, FEVER), oxygen="high-flow"),
        "doses": (dose("talquetamab", 1400), dose("teclistamab", 40), dose("teclistamab", 20)),
        "grades": (graded("crs", 3, 1390), graded("crs", 0, 1340)),
    }
    found = decided(**changes).assessment
    assert len(crs(**changes).events) == 2
    assert found.disposition.action == "withhold"
    same = {**changes, "doses": (dose("teclistamab", 1400), *changes["doses"][1:])}
    assert decided(**same).assessment.disposition.action == "discontinue-permanently"


def test_the_maximum_stays_when_the_grade_falls_and_rules_the_next_dose() -> None:
    worse = course((9, FEVER), oxygen="low-flow")
    changes: dict[str, Any] = {
        name: tuple(sorted((*worse[name], *series), key=lambda one: one.at))
        for name, series in course((1, FEVER)).items()
    }
    found = decided(**changes).assessment
    assert found.crs.grade == Grade(1, 1)
    assert found.crs.event is not None
    assert found.crs.event.max_grade == Grade(2, 2)
    assert found.next_dose is not None
    assert found.next_dose.hospitalize is not None
    assert found.next_dose.hospitalize.hours == 48


# --- hours at grade 3 or above --------------------------------------------------------------------


def high_flow(*hours: float) -> dict[str, Any]:
    return {
        **course(*((h, FEVER) for h in hours), oxygen="high-flow"),
        "doses": (dose("teclistamab", 400),),
    }


def hourly(first: int, last: int) -> dict[str, Any]:
    return {**high_flow(*range(last, first + 1)), "doses": (dose("teclistamab", first + 4),)}


@pytest.mark.parametrize(
    ("changes", "least", "most"),
    [
        pytest.param(
            hourly(48, 0), "48", "52", id="48 charted hours without a gap, 4 since the dose unseen"
        ),
        pytest.param(hourly(47, 0), "47", "51", id="47 charted hours, 4 since the dose unseen"),
        pytest.param(
            {**high_flow(12, 6, 0), "doses": (dose("teclistamab", 20),)},
            "0",
            "20",
            id="a set every 6 h: nothing is certain, all 20 h since the dose are possible",
        ),
        pytest.param(
            {
                **course((6, NORMAL), *((h, FEVER) for h in range(5)), oxygen="high-flow"),
                "doses": (dose("teclistamab", 8),),
            },
            "4",
            "6",
            id="the last temperature was 2 h before: it may have begun right then",
        ),
        pytest.param(
            {**hourly(4, 0), "systolic": readings("b", (6, 120), (4, 120), (0, 120))},
            "4",
            "8",
            id="a pressure is no look for a fever: it may have begun at the dose, 4 h before",
        ),
        pytest.param(
            {
                **hourly(20, 0),
                "oxygen": charted(
                    "o", *((h, "none" if h == 10 else "high-flow") for h in range(21))
                ),
            },
            "9",
            "14",
            id="an hour on room air interrupts: the longer of two stretches",
        ),
        pytest.param(
            {
                **course((50, FEVER), (0, FEVER)),
                "infusions": (infusion("norepinephrine", 50, None),),
                "doses": (dose("teclistamab", 60),),
            },
            "50",
            "60",
            id="a charted vasopressor infusion has no gap; 10 h since the dose unseen",
        ),
        pytest.param(
            {
                **course((50, FEVER), (0, FEVER), oxygen="high-flow"),
                "infusions": (doubtful(50),),
                "doses": (dose("teclistamab", 60),),
            },
            "0",
            "60",
            id="an infusion that may not have run covers no gap",
        ),
    ],
)
def test_hours_at_grade_3(changes: dict[str, Any], least: str, most: str) -> None:
    event = crs(**changes).state.event
    assert event is not None
    hours = event.hours_at_grade3
    assert hours is not None
    assert (hours.at_least, hours.at_most) == (Decimal(least), Decimal(most))


@pytest.mark.parametrize(
    ("changes", "action", "reason"),
    [
        pytest.param(hourly(48, 0), "discontinue-permanently", "", id="exactly 48.0 h: permanent"),
        pytest.param(
            {**hourly(47, 0), "doses": (dose("teclistamab", 47.5),)},
            "withhold",
            "",
            id="47 h, no gap, half an hour since the dose unseen: withhold",
        ),
        pytest.param(
            {**high_flow(52, 26, 0), "doses": (dose("teclistamab", 60),)},
            "withhold",
            "cannot exclude",
            id="gaps leave 48 h possible: withhold, cannot exclude",
        ),
    ],
)
def test_the_48_hours_of_teclistamab(changes: dict[str, Any], action: str, reason: str) -> None:
    found = decided(**changes).assessment.disposition
    assert found.action == action
    assert found.reason.startswith(reason)
    assert not found.confirmed


def cut(reach: float, **changes: Any) -> dict[str, Any]:
    """Vital signs of which only the newest part was read, back to `reach` hours ago."""
    answered = frozenset(get_args(QueryName)) - {"vitals"}
    return {**changes, "answered": answered, "read_back_to": {"vitals": ago(reach)}}


def test_an_event_cut_off_by_an_unread_page_may_have_been_longer_and_worse() -> None:
    """Grade 3 for the 8 h that were read; the dose was 60 h ago: 48 h or grade 4 are possible."""
    seen = {**high_flow(*range(9)), "doses": (dose("teclistamab", 60),)}
    whole, part = crs(**seen).state.event, crs(**cut(8, **seen)).state.event
    assert whole is not None
    assert part is not None
    assert (whole.max_grade, part.max_grade) == (Grade(3, 3), Grade(3, 4))
    assert part.hours_at_grade3 is not None
    assert part.hours_at_grade3 == Hours(Decimal(8), Decimal(60))
    found = decided(**cut(8, **seen)).assessment.disposition
    assert found.action == "withhold"
    assert found.reason.startswith("cannot exclude")


def test_a_page_that_reaches_back_to_a_normal_temperature_hides_no_part_of_the_event() -> None:
    seen = {
        **course((10, NORMAL), *((h, FEVER) for h in range(9)), oxygen="high-flow"),
        "doses": (dose("teclistamab", 60),),
    }
    event = crs(**cut(11, **seen)).state.event
    assert event is not None
    assert event.max_grade == Grade(3, 3)
    assert event.hours_at_grade3 is not None
    assert event.hours_at_grade3.at_most == 10


def test_the_free_time_before_a_second_fever_is_no_time_at_grade_3() -> None:
    """Normal sets between the end and the second fever bound what may have been grade 3.

    25 h from the first fever to the first normal set, and the 2 since the dose.
    """
    hours = (28, 3, 2, 1)
    temps = dict(zip(hours, (FEVER, NORMAL, NORMAL, FEVER), strict=True))
    changes = course(*temps.items()) | {
        "oxygen": charted("o", (28, "high-flow"), (3, "none"), (2, "none"), (1, "high-flow"))
    }
    event = crs(**changes).state.event
    assert event is not None
    assert event.hours_at_grade3 is not None
    assert event.hours_at_grade3.at_most == 27


def test_an_icans_grade_3_runs_on_until_now_as_possible_time() -> None:
    changes: dict[str, Any] = {
        "ice": readings("i", (20, 2), (10, 2)),
        "arousal": charted("a", (20, "alert"), (10, "alert")),
    }
    (event,) = icans(**changes).events
    assert event.hours_at_grade3.at_least == 20, "the window of an ICE is 12 hours"
    stale = {name: tuple(series[:1]) for name, series in changes.items()}
    (event,) = icans(**stale).events
    assert event.hours_at_grade3 == Hours(Decimal(0), Decimal(20))


def test_a_vasopressor_is_no_observation_of_icans() -> None:
    changes: dict[str, Any] = {
        "ice": readings("i", (20, 2), (1, 2)),
        "arousal": charted("a", (20, "alert"), (1, "alert")),
        "infusions": (infusion("norepinephrine", 25, None),),
    }
    (event,) = icans(**changes).events
    assert event.hours_at_grade3.at_least < 19


# --- clocks after the event -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "free"),
    [
        pytest.param(course((60, FEVER), (50, NORMAL), (30, NORMAL)), 50, id="first normal set"),
        pytest.param(
            course((60, FEVER), (50, NORMAL), (30, NORMAL), alone=(40,)),
            50,
            id="a lone normal value in between does not restart the clock",
        ),
        pytest.param(
            course((60, FEVER), (50, NORMAL), (45, FEVER), (40, NORMAL), (20, NORMAL)),
            40,
            id="a second fever restarts it",
        ),
        pytest.param(
            course((60, FEVER), (50, NORMAL), (20, NORMAL))
            | {"masking": (masking("antipyretic", 49),)},
            20,
            id="a set before the last antipyretic does not count",
        ),
        pytest.param(
            course((60, FEVER)) | {"grades": (graded("crs", 0, 30),)},
            30,
            id="a clinician's grade 0 starts it at its time",
        ),
    ],
)
def test_free_since(changes: dict[str, Any], free: float) -> None:
    (event,) = crs(**changes, doses=(dose("teclistamab", 70),)).events
    assert event.resolved is not None
    assert event.free_since == ago(free)


@pytest.mark.parametrize(
    ("scores", "mild"),
    [
        pytest.param(((60, 2), (50, 8), (40, 8)), 50, id="first score of grade 1"),
        pytest.param(((60, 2), (50, 8), (45, 5), (40, 8)), 40, id="grade 2 in between restarts it"),
        pytest.param(((60, 2), (50, 2)), None, id="still grade 3: not running"),
    ],
)
def test_mild_since(scores: tuple[tuple[float, int], ...], mild: float | None) -> None:
    """The clock of "no more than grade 1 for 3 days" and of "at least 7 days"."""
    at = min(h for h, _ in scores)
    changes: dict[str, Any] = {
        "ice": readings("i", *scores),
        "arousal": charted("a", *((h, "alert") for h, _ in scores)),
        "doses": (dose("blinatumomab", 70),),
        "evaluated_at": ago(at),
    }
    (event,) = icans(**changes).events
    assert event.mild_since == (None if mild is None else ago(mild))


GLOFITAMAB = {"orders": (teclistamab_order(ingredient="glofitamab", display="glofitamab"),)}


@pytest.mark.parametrize(
    ("protocol", "free", "action"),
    [
        pytest.param("us-label", 71, "withhold", id="label: 71 h is too early"),
        pytest.param("us-label", 72, "resume-with-conditions", id="label: 72 h are enough"),
        pytest.param("nhs-waht", 72, "withhold", id="NHS: more than 72 h, so 72 h are not enough"),
        pytest.param("nhs-waht", 72.1, "resume-with-conditions", id="NHS: 72.1 h are enough"),
    ],
)
def test_72_hours_before_the_next_dose(protocol: str, free: float, action: str) -> None:
    changes = course((free + 6, FEVER), (free, NORMAL), (free - 30, NORMAL), (1, NORMAL))
    given = (dose("glofitamab", free + 10),)
    found = decided(protocol, **changes, **GLOFITAMAB, doses=given).assessment.disposition
    assert found.action == action


def test_72_hours_are_counted_in_utc_across_a_change_of_the_clocks() -> None:
    """British clocks went back on 25 October 2026: three days by the wall are 73 hours."""
    zone = ZoneInfo("Europe/London")
    since = datetime(2026, 10, 24, 12, 0, tzinfo=zone).astimezone(UTC)
    by_the_wall = datetime(2026, 10, 27, 11, 0, tzinfo=zone).astimezone(UTC)
    product = LIBRARY.products["glofitamab"]
    row = next(r for r in product.rows if r.id == "crs-2-first")
    matched = Matched(source_of(product), (row,))
    assert by_the_wall - since == timedelta(hours=72)
    assert too_early(matched, since, by_the_wall) is None
    assert too_early(matched, since, by_the_wall - timedelta(minutes=1)) is not None


def test_where_it_is_not_known_since_when_it_is_over_the_dose_waits() -> None:
    """A diagnosis of three weeks ago without an end: nobody charted since when it is over."""
    changes = {**normal_vitals(1), **GLOFITAMAB, "diagnoses": (diagnosis("crs", 2, 2, 500),)}
    found = decided(**changes, doses=(dose("glofitamab", 510),)).assessment.disposition
    assert found.action == "withhold"
    assert found.until == "crs-resolved-72-h"


@pytest.mark.parametrize(
    ("hours", "action"),
    [
        pytest.param(160, "withhold", id="grade 1 for under 7 days"),
        pytest.param(170, "resume-with-conditions", id="grade 1 for over 7 days"),
    ],
)
def test_7_days_at_grade_1_before_glofitamab_goes_on(hours: float, action: str) -> None:
    course_ = ((hours + 10, 2), (hours, 8), *((h, 8) for h in range(1, int(hours), 10)))
    changes: dict[str, Any] = {
        **normal_vitals(1),
        **GLOFITAMAB,
        "ice": readings("i", *course_),
        "arousal": charted("a", *((h, "alert") for h, _ in course_)),
        "doses": (dose("glofitamab", hours + 30),),
    }
    assert decided(**changes).assessment.disposition.action == action


# --- tocilizumab, look-back, products -------------------------------------------------------------


def tocilizumab(*hours: float) -> tuple[Any, ...]:
    return tuple(dose("tocilizumab", h, "iv") for h in hours)


@pytest.mark.parametrize(
    ("changes", "event", "window"),
    [
        pytest.param(
            course((40, FEVER), (10, NORMAL), (1, FEVER))
            | {"doses": (dose("teclistamab", 50), *tocilizumab(38, 29))},
            2,
            2,
            id="fever within 72 h without a dose: both doses count for this event",
        ),
        pytest.param(
            course((60, FEVER), (30, NORMAL), (1, FEVER))
            | {"doses": (dose("teclistamab", 70), *tocilizumab(58, 49), dose("teclistamab", 20))},
            0,
            2,
            id="a later dose of the bispecific: none for this event, both in six weeks",
        ),
        pytest.param(
            course((10, FEVER), (1, FEVER))
            | {"doses": (dose("teclistamab", 30), *tocilizumab(20))},
            0,
            1,
            id="tocilizumab before the onset is not of this event",
        ),
        pytest.param(
            course((10, FEVER), (1, FEVER))
            | {
                "doses": (dose("teclistamab", 40), *tocilizumab(20)),
                "diagnoses": (diagnosis("crs", 2, 2, 22),),
            },
            1,
            1,
            id="a diagnosis shows that the event began before it",
        ),
    ],
)
def test_tocilizumab_is_counted_by_event(changes: dict[str, Any], event: int, window: int) -> None:
    changes = changes | {"doses": tuple(sorted(changes["doses"], key=lambda d: d.start))}
    orders = (teclistamab_order(), tocilizumab_order())
    found = decided("community-sop", **changes, orders=orders, weights=readings("w", (20, 70)))
    counted = found.assessment.tocilizumab
    assert counted is not None
    assert (counted.doses_this_event, counted.doses_in_6_weeks) == (event, window)


@pytest.mark.parametrize(
    ("given", "assessed"),
    [
        pytest.param(dose("teclistamab", 14 * 24), True, id="14 days after a dose"),
        pytest.param(dose("teclistamab", 14 * 24 + 2), False, id="over 14 days after a dose"),
        pytest.param(
            msgspec.structs.replace(dose("blinatumomab", 20 * 24), end=ago(9 * 24)),
            True,
            id="9 days after the end of an infusion that began 20 days ago",
        ),
        pytest.param(
            msgspec.structs.replace(
                dose("blinatumomab", 20 * 24), rate=Decimal(28), rate_unit="mcg/day"
            ),
            True,
            id="an infusion that began 20 days ago and still runs",
        ),
        pytest.param(dose("amivantamab", 20), False, id="amivantamab is no T-cell engager"),
    ],
)
def test_the_look_back_of_crs(given: Any, assessed: bool) -> None:
    assert crs(**course((0, FEVER)), doses=(given,)).state.assessed is assessed


def bags(second: float) -> dict[str, Any]:
    """A seven-day bag that ended 20 h ago and one that was begun then or later."""
    first = msgspec.structs.replace(dose("blinatumomab", 188), end=ago(20))
    return {"doses": (first, dose("blinatumomab", second))}


@pytest.mark.parametrize(
    ("second", "events"),
    [
        pytest.param(19.5, 1, id="the next bag of an infusion is no later dose"),
        pytest.param(10, 2, id="a restart after ten hours is"),
    ],
)
def test_changing_the_bag_begins_no_new_event(second: float, events: int) -> None:
    changes = course((60, FEVER), (30, NORMAL), (1, FEVER)) | bags(second)
    assert len(crs(**changes).events) == events


TWO_PRODUCTS = (dose("talquetamab", 100), dose("teclistamab", 20))
GRADE_4: dict[str, Any] = {
    "infusions": (infusion("norepinephrine", 4, None), infusion("phenylephrine", 3, None))
}


@pytest.mark.parametrize(
    ("doses", "drafted", "action"),
    [
        pytest.param(
            TWO_PRODUCTS,
            "teclistamab",
            "discontinue-permanently",
            id="talquetamab then teclistamab: teclistamab, given last, is bound",
        ),
        pytest.param(
            TWO_PRODUCTS,
            "talquetamab",
            "discontinue-permanently",
            id="talquetamab then teclistamab: talquetamab reaches the onset and is bound",
        ),
        pytest.param(
            (dose("talquetamab", 900), dose("teclistamab", 20)),
            "talquetamab",
            "withhold",
            id="talquetamab five weeks before: held while the event is open, not bound",
        ),
        pytest.param(
            TWO_PRODUCTS,
            "elranatamab",
            "withhold",
            id="a product never given: held while the event is open",
        ),
    ],
)
def test_an_event_is_attributed_to_every_bispecific_within_reach(
    doses: tuple[Any, ...], drafted: str, action: str
) -> None:
    orders = (teclistamab_order(ingredient=drafted, display=drafted),)
    found = decided(**course((1, FEVER)), **GRADE_4, doses=doses, orders=orders)
    assert found.assessment.disposition.action == action
    assert found.assessment.crs.event is not None
    assert found.assessment.crs.event.agent == "teclistamab"
    assert ("crs-several-bispecifics" in codes(found)) is (doses is TWO_PRODUCTS)


# --- charted against computed ---------------------------------------------------------------------


def coded(low: int, high: int, first: float, last: float) -> Diagnosis:
    """A diagnosis of which only the day is charted."""
    span = (ago(first), ago(last))
    return Diagnosis("crs", low, high, None, None, Evidence("Condition/c"), day=span)


@pytest.mark.parametrize(
    ("one", "maximum", "said", "events"),
    [
        pytest.param(diagnosis("crs", 3, 3, 1), (3, 3), True, 1, id="coded 3, data 1: both"),
        pytest.param(diagnosis("crs", 1, 1, 1), (1, 1), False, 1, id="coded 1, data 1: agree"),
        pytest.param(diagnosis("crs", 1, 4, 1), (1, 4), False, 1, id="grade not coded: 1 to 4"),
        pytest.param(coded(3, 3, 20, 0), (3, 3), True, 1, id="dated the same day: same event"),
        pytest.param(coded(3, 3, 900, 850), (1, 1), False, 2, id="dated weeks before: history"),
    ],
)
def test_a_coded_diagnosis_beside_the_data(
    one: Diagnosis, maximum: tuple[int, int], said: bool, events: int
) -> None:
    changes = {**course((1, FEVER)), "diagnoses": (one,)}
    standing = crs(**changes)
    assert len(standing.events) == events
    assert standing.maximum == Grade(*maximum)
    assert standing.state.acting == Grade(1, 1), "a code never acts"
    assert ("crs-diagnosis-differs" in codes(decided(**changes))) is said


def test_a_coded_grade_under_the_charted_maximum_is_shown_and_lowers_nothing() -> None:
    changes = {
        **course((1, FEVER)),
        "grades": (graded("crs", 3, 2),),
        "diagnoses": (diagnosis("crs", 1, 1, 1),),
    }
    assert crs(**changes).maximum == Grade(3, 3)
    assert "crs-diagnosis-differs" in codes(decided(**changes))


def test_a_dose_between_a_diagnosis_and_the_fever_keeps_the_onset_of_the_fever() -> None:
    changes = {**course((1, FEVER)), "doses": (dose("teclistamab", 10),)}
    (event,) = crs(**changes, diagnoses=(diagnosis("crs", 1, 1, 12),)).events
    assert event.onset == ago(1)


def test_of_two_charted_grades_at_one_time_the_higher_counts() -> None:
    for grades in ((1, 3), (3, 1)):
        both = tuple(graded("crs", grade, 1) for grade in grades)
        standing = crs(**course((2, FEVER)), grades=both)
        assert standing.state.charted is not None
        assert standing.state.charted.grade == 3
        assert standing.maximum.at_least == 3


def test_a_grade_that_may_not_be_relied_on_is_named() -> None:
    recent = (graded("crs", 3, 1, usable=False),)
    assert "crs-charted-not-used" in codes(decided(**course((1, FEVER)), grades=recent))
    old = (graded("crs", 3, 30, usable=False),)
    assert "crs-charted-not-used" not in codes(decided(**course((1, FEVER)), grades=old))


@pytest.mark.parametrize(
    ("hours", "cause", "action"),
    [
        pytest.param(3, "other-cause", "not-stated", id="another cause: no row of this toxicity"),
        pytest.param(5, "other-cause", "withhold", id="after its window it lapses"),
        pytest.param(3, "undetermined", "withhold", id="an undetermined cause clears nothing"),
        pytest.param(3, "btce", "withhold", id="the bispecific as cause changes nothing"),
    ],
)
def test_attribution_by_a_clinician(hours: float, cause: str, action: str) -> None:
    found = decided(**course((1, FEVER)), attributions=(attribution("crs", cause, hours),))
    assert found.assessment.disposition.action == action
    assert found.event_open, "the card stays"


@pytest.mark.parametrize(
    ("grades", "action"),
    [
        pytest.param((), "not-stated", id="grade 4 by the data, said to be of another cause"),
        pytest.param(
            (graded("crs", 4, 2),), "discontinue-permanently", id="a clinician's grade 4 stands"
        ),
    ],
)
def test_attribution_beside_grade_4(grades: tuple[Any, ...], action: str) -> None:
    other = (attribution("crs", "other-cause", 1),)
    found = decided(**course((1, FEVER)), **GRADE_4, grades=grades, attributions=other)
    assert found.assessment.disposition.action == action


# --- grade 4, both toxicities, grading again ------------------------------------------------------


@pytest.mark.parametrize(
    ("grades", "confirmed"),
    [
        pytest.param((), False, id="meets grade 4: to be confirmed"),
        pytest.param((graded("crs", 4, 0.5),), True, id="a clinician's grade 4 confirms it"),
        pytest.param((graded("crs", 4, 0.5, usable=False),), False, id="a device's grade does not"),
        pytest.param((graded("icans", 4, 0.5),), False, id="nor does one of the other toxicity"),
    ],
)
def test_what_confirms_permanent_discontinuation(grades: tuple[Any, ...], confirmed: bool) -> None:
    found = decided(**course((1, FEVER)), **GRADE_4, grades=grades).assessment.disposition
    assert (found.action, found.confirmed) == ("discontinue-permanently", confirmed)


def test_a_bound_alone_never_ends_therapy() -> None:
    changes = {**course((1, FEVER)), "oxygen": ()}
    found = decided(**changes).assessment
    assert found.crs.grade == Grade(1, 4)
    assert found.disposition.action == "withhold"
    assert "cannot exclude" in found.disposition.reason


def test_of_both_toxicities_the_strictest_rules_and_both_are_shown() -> None:
    changes = {
        **course((1, FEVER)),
        "ice": readings("i", (1, 0)),
        "arousal": charted("a", (1, "unarousable")),
    }
    found = decided(**changes)
    assert found.assessment.disposition.action == "discontinue-permanently"
    assert found.assessment.disposition.toxicity == "icans"
    assert {row.toxicity for row in found.rows} == {"crs", "icans"}


def test_grading_again_on_a_new_value_never_improves_the_next_dose() -> None:
    worst = decided(**course((4, FEVER), (1, FEVER), oxygen="low-flow")).assessment.next_dose
    better = course((4, FEVER), (1, NORMAL), oxygen="low-flow")
    assert decided(**better).assessment.next_dose == worst
    over = course((60, FEVER), (30, NORMAL), (1, NORMAL), oxygen="low-flow")
    given = (dose("teclistamab", 70),)
    assert decided(**over, doses=given).assessment.next_dose == worst


def test_the_order_of_values_at_one_time_changes_nothing() -> None:
    course_ = course((1, FEVER))
    twice: tuple[Reading, ...] = course_["temperatures"] * 2
    assert crs(**{**course_, "temperatures": twice}).events == crs(**course_).events


def test_every_event_names_its_products() -> None:
    events: tuple[Course, ...] = crs(**course((1, FEVER)), doses=TWO_PRODUCTS).events
    assert [event.agents for event in events] == [("teclistamab", "talquetamab")]
