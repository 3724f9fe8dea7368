"""Vasopressors and fluids from the administration record: one row, one sentence.

Counting: ASTCT 2019 (Lee et al., Table 2), clinical review 4.8 and 4.9, DESIGN 6a and 9.
"""

from typing import Any

import pytest

from tests.builders import (
    RXNORM,
    SNOMED,
    Json,
    administration,
    assessment,
    bundle,
    concept,
    draft_order,
    hours_ago,
    quantity,
)
from tests.spec.bedside import bedside, grade, level, missing, notices, pressure, procedure
from tests.unit.fhir_mapping.mapped import facts_of, map_request


RATE = quantity(5, "mL/h")
NO_RATE = quantity(0, "mL/h")


def runs(agent: str, since: float, until: float | None = None, **options: Any) -> Json:
    """An infusion over a period; without `until` it is running."""
    return administration(
        {"text": agent},
        at=hours_ago(since),
        until=None if until is None else hours_ago(until),
        status="in-progress" if until is None else "completed",
        route="IV",
        resource_id=options.pop("name", f"{agent}-{since}"),
        **options,
    )


def charted(agent: str, hours: float, rate: Json | None = RATE, **options: Any) -> Json:
    """One line of the administration record: a rate at one moment."""
    name = options.pop("name", f"{agent}-{hours}")
    route = options.pop("route", "IV")
    return administration(
        {"text": agent}, at=hours_ago(hours), rate=rate, route=route, resource_id=name, **options
    )


NE = runs("norepinephrine", 5)
PE = runs("phenylephrine", 3)
VP = runs("vasopressin", 3)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param((NE,), (3, 3), id="one vasopressor is grade 3"),
        pytest.param((NE, PE), (4, 4), id="two vasopressors are grade 4"),
        pytest.param((NE, VP), (3, 3), id="vasopressin beside one stays grade 3"),
        pytest.param((VP,), (3, 3), id="vasopressin alone is grade 3"),
        pytest.param((NE, PE, VP), (4, 4), id="two and vasopressin are grade 4"),
        pytest.param((runs("angiotensin II", 3),), (3, 3), id="angiotensin II counts"),
        pytest.param(
            (runs("dopamine", 3, rate=quantity(0.5, "ug/kg/min")),), (3, 3), id="a low dose counts"
        ),
        pytest.param((runs("norepinephrine", 5, 2),), (1, 1), id="a stopped one does not count"),
        pytest.param(
            (runs("norepinephrine", 5, 0.5), runs("phenylephrine", 0.2)),
            (3, 3),
            id="one after the other within an hour is one",
        ),
        pytest.param(
            (NE, runs("phenylephrine", 0.4)), (3, 4), id="an overlap under half an hour: 3 or 4"
        ),
        pytest.param((NE, runs("phenylephrine", 0.5)), (3, 4), id="exactly half an hour: 3 or 4"),
        pytest.param((NE, runs("phenylephrine", 0.6)), (4, 4), id="a longer overlap is two"),
        pytest.param((NE, runs("dobutamine", 3)), (3, 4), id="an inotrope beside one: 3 or 4"),
        pytest.param((runs("milrinone", 3),), (1, 3), id="an inotrope alone is not nothing: 1-3"),
        pytest.param((VP, runs("dobutamine", 3)), (3, 3), id="an inotrope beside vasopressin: 3"),
        pytest.param(
            (runs("norepinephrine", 5, name="a"), runs("norepinephrine", 4, name="b")),
            (3, 3),
            id="two bags of one agent are one agent",
        ),
    ],
)
def test_agents_running_at_the_time(given: tuple[Json, ...], expected: tuple[int, int]) -> None:
    assert grade(bedside(*given)) == expected


@pytest.mark.parametrize(
    ("given", "code"),
    [
        pytest.param((VP,), "vasopressin-alone", id="vasopressin alone is said"),
        pytest.param((NE, runs("phenylephrine", 0.4)), "pressor-overlap", id="overlap is said"),
        pytest.param(
            (runs("norepinephrine", 5, 0.5), runs("phenylephrine", 0.2)),
            "pressor-switch",
            id="a switch is said",
        ),
        pytest.param((runs("milrinone", 3),), "inotrope", id="an inotrope is said"),
        pytest.param(
            (charted("midodrine", 3, None, route="oral"),), "uncounted-pressor", id="midodrine"
        ),
        pytest.param(
            (charted("phenylephrine", 1, None, dose=quantity(100, "ug")),),
            "pressor-push",
            id="a push is said",
        ),
        pytest.param((charted("norepinephrine", 9),), "pressor-may-have-stopped", id="an old rate"),
    ],
)
def test_what_is_said_beside_the_count(given: tuple[Json, ...], code: str) -> None:
    assert code in notices(bedside(*given))


def test_a_switch_after_more_than_an_hour_is_not_remarked() -> None:
    found = bedside(runs("norepinephrine", 5, 2), runs("phenylephrine", 0.2))
    assert "pressor-switch" not in notices(found)
    assert grade(found) == (3, 3)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([(3, RATE), (1, RATE)], (3, 3), id="a rate change is the same infusion"),
        pytest.param([(3, RATE), (1, NO_RATE)], (1, 1), id="rate 0 is a pause"),
        pytest.param([(3, RATE), (2, NO_RATE), (1, RATE)], (3, 3), id="restarted after a pause"),
        pytest.param([(3, RATE), (1, None)], (3, 3), id="a line without a rate: it still runs"),
        pytest.param([(1, RATE)], (3, 3), id="a fresh rate without an end still runs"),
        pytest.param([(9, RATE)], (1, 3), id="a rate nine hours old may have ended"),
        pytest.param([(9, RATE), (8, NO_RATE)], (1, 1), id="ended long ago"),
    ],
)
def test_lines_of_the_administration_record(
    lines: list[tuple[float, Json | None]], expected: tuple[int, int]
) -> None:
    made = [charted("norepinephrine", hours, rate) for hours, rate in lines]
    assert grade(bedside(*made)) == expected
    assert grade(bedside(*reversed(made))) == expected


def _moment(agent: str, hours: float, status: str) -> Json:
    made = runs(agent, hours, name=f"{agent}-{hours}-{status}")
    del made["effectivePeriod"]
    return {**made, "status": status, "effectiveDateTime": hours_ago(hours)}


def _open(agent: str, since: float, status: str) -> Json:
    return {**runs(agent, since), "status": status}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param((_moment("norepinephrine", 1, "in-progress"),), (3, 3), id="in progress"),
        pytest.param(
            (NE, _moment("norepinephrine", 1, "stopped")),
            (1, 3),
            id="in progress by one record, stopped by a later one: it may run",
        ),
        pytest.param(
            (charted("norepinephrine", 3), _moment("norepinephrine", 1, "stopped")),
            (1, 1),
            id="a line that says stopped ends it",
        ),
        pytest.param((_open("norepinephrine", 3, "stopped"),), (1, 1), id="stopped, no end given"),
        pytest.param((_open("norepinephrine", 3, "on-hold"),), (1, 1), id="on hold is not running"),
        pytest.param((_open("norepinephrine", 1, "completed"),), (3, 3), id="no end is charted"),
        pytest.param((_open("norepinephrine", 9, "completed"),), (1, 3), id="nor for nine hours"),
        pytest.param(({**NE, "status": "not-done"},), (1, 1), id="not done is not given"),
        pytest.param(({**NE, "status": "entered-in-error"},), (1, 1), id="entered in error"),
        pytest.param(
            ({**charted("norepinephrine", 1), "effectiveDateTime": "2026-11-21"},),
            (1, 3),
            id="given on this date at no time: it may run",
        ),
        pytest.param(
            ({**charted("norepinephrine", 1), "effectiveDateTime": "2024-11-21"},),
            (1, 1),
            id="given on a date long ago",
        ),
        pytest.param(
            ({**charted("norepinephrine", 1), "effectiveDateTime": hours_ago(-2)},),
            (1, 1),
            id="given in the future changes nothing",
        ),
        pytest.param(
            (administration({"text": "norepinephrine"}, at=hours_ago(1), route="IV"),),
            (1, 3),
            id="one moment without a rate: possible",
        ),
    ],
)
def test_status_and_time(given: tuple[Json, ...], expected: tuple[int, int]) -> None:
    assert grade(bedside(*given)) == expected


def test_an_infusion_stopped_at_an_unknown_time_was_possible_until_now() -> None:
    found = bedside(_open("norepinephrine", 0.9, "stopped"))
    event = found.assessment.crs.event
    assert event is not None
    assert (event.max_grade.at_least, event.max_grade.at_most) == (1, 3)


def test_a_rate_as_a_ratio_counts_and_zero_of_it_is_a_pause() -> None:
    def ratio(value: float) -> Json:
        made = charted("norepinephrine", 1, None)
        parts = {"numerator": quantity(value, "mL"), "denominator": quantity(1, "h")}
        return {**made, "dosage": {**made["dosage"], "rateRatio": parts}}

    assert grade(bedside(ratio(5))) == (3, 3)
    assert grade(bedside(ratio(0))) == (1, 1)
    bare = charted("norepinephrine", 1, None)
    bare["dosage"]["rateRatio"] = {}
    assert grade(bedside(bare)) == (1, 3)


def test_a_push_of_the_agent_that_runs_does_not_end_it() -> None:
    push = charted("norepinephrine", 1, None, dose=quantity(8, "ug"))
    assert grade(bedside(charted("norepinephrine", 1.9), push)) == (3, 3)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            charted("phenylephrine", 1, None, dose=quantity(100, "ug")), (1, 3), id="a push: 1-3"
        ),
        pytest.param(
            charted("phenylephrine", 5, None, dose=quantity(100, "ug")), (1, 1), id="an old push"
        ),
        pytest.param(charted("epinephrine", 1, None, route=""), (1, 3), id="epinephrine, no route"),
        pytest.param(charted("epinephrine", 1, None, route="IM"), (1, 1), id="a pen"),
        pytest.param(charted("phenylephrine", 1, None, route="nasal"), (1, 1), id="nasal drops"),
        pytest.param(charted("phenylephrine", 1, None, route="eye"), (1, 1), id="eye drops"),
        pytest.param(
            charted("phenylephrine 0.5 % nasal spray", 1, None, route=""), (1, 1), id="a spray"
        ),
        pytest.param(charted("midodrine", 3, None, route="oral"), (1, 3), id="midodrine: to 3"),
        pytest.param(charted("midodrine", 13, None, route="oral"), (1, 1), id="midodrine long ago"),
        pytest.param(charted("droxidopa", 3, None, route="oral"), (1, 3), id="droxidopa: to 3"),
        pytest.param(charted("ephedrine", 3, None), (1, 3), id="ephedrine: to 3"),
        pytest.param(charted("methylene blue", 3, None), (1, 1), id="methylene blue is not one"),
        pytest.param(charted("isoproterenol", 3), (1, 1), id="isoproterenol is not one"),
    ],
)
def test_single_doses_and_other_routes(given: Json, expected: tuple[int, int]) -> None:
    assert grade(bedside(given)) == expected


def test_low_pressure_and_midodrine_after_a_bolus_is_2_or_3() -> None:
    given = (charted("midodrine", 3, None, route="oral"), fluid(500, 30))
    assert grade(bedside(*given, p=pressure(84))) == (2, 3)


def test_a_push_beside_another_agent_that_runs_may_make_two() -> None:
    push = charted("phenylephrine", 1, None, dose=quantity(100, "ug"))
    assert grade(bedside(NE, push)) == (3, 4)


def test_an_order_is_not_an_administration() -> None:
    order = {
        **draft_order("norepinephrine", resource_id="order"),
        "status": "active",
    }
    found = bedside(order)
    assert grade(found) == (1, 1)
    assert "vasopressor-only-ordered" in notices(found)
    assert "vasopressor-only-ordered" not in notices(bedside(order, NE))
    assert "vasopressor-only-ordered" not in notices(bedside({**order, "status": "stopped"}))


def test_one_running_vasopressor_with_administrations_unanswered_may_be_several() -> None:
    assert grade(bedside(NE, unanswered="administrations")) == (3, 4)


@pytest.mark.parametrize(
    ("word", "status", "given", "expected"),
    [
        pytest.param("none", "final", (), (1, 1), id="stated: none"),
        pytest.param("fluids", "final", (), (2, 2), id="stated: fluids"),
        pytest.param("one-vasopressor", "final", (), (3, 3), id="stated: one vasopressor"),
        pytest.param("multiple-vasopressors", "final", (), (4, 4), id="stated: several"),
        pytest.param("fluids", "final", (NE,), (2, 2), id="stated after the infusion began"),
        pytest.param(
            "fluids", "final", (runs("norepinephrine", 0.5),), (3, 3), id="raised by a later one"
        ),
        pytest.param(
            "one-vasopressor",
            "final",
            (runs("norepinephrine", 0.8), runs("phenylephrine", 0.2)),
            (3, 4),
            id="one stated, two later with a short overlap",
        ),
        pytest.param(
            "fluids",
            "final",
            (charted("phenylephrine", 0.5, None, dose=quantity(100, "ug")),),
            (2, 3),
            id="a later push may raise it",
        ),
        pytest.param("fluids", "preliminary", (), (1, 2), id="a preliminary statement may be so"),
        pytest.param("none", "preliminary", (NE,), (1, 3), id="and does not take away"),
    ],
)
def test_a_clinicians_statement(
    word: str, status: str, given: tuple[Json, ...], expected: tuple[int, int]
) -> None:
    made = {**assessment("hypotension-support", word, at=hours_ago(1)), "status": status}
    assert grade(bedside(made, *given)) == expected


def fluid(
    millilitres: float | None,
    minutes: float | None,
    name: str = "sodium chloride 0.9 %",
    **options: Any,
) -> Json:
    """Fluid that began three hours ago."""
    return administration(
        {"text": name},
        at=hours_ago(3),
        until=None if minutes is None else hours_ago(3 - minutes / 60),
        dose=None if millilitres is None else quantity(millilitres, "mL"),
        route=options.pop("route", "IV"),
        resource_id="fluid",
        **options,
    )


def _carrier(*names: str) -> Json:
    made = fluid(250, 60)
    del made["medicationCodeableConcept"]
    mix = {
        "resourceType": "Medication",
        "id": "mix",
        "ingredient": [{"itemCodeableConcept": {"text": name}} for name in names],
    }
    return {**made, "contained": [mix], "medicationReference": {"reference": "#mix"}}


def _by_ratio(volume: float, per: Json) -> Json:
    made = fluid(None, None)
    made["dosage"]["rateRatio"] = {"numerator": quantity(volume, "mL"), "denominator": per}
    return made


@pytest.mark.parametrize(
    ("given", "certain"),
    [
        pytest.param(fluid(500, 30), True, id="500 mL in half an hour is a bolus"),
        pytest.param(fluid(250, 60), True, id="250 mL in an hour is a bolus"),
        pytest.param(
            {**fluid(500, 30), "medicationCodeableConcept": concept(RXNORM, "9863")},
            True,
            id="fluid known by its code",
        ),
        pytest.param(fluid(500, 30, "Lactated Ringers"), True, id="lactated Ringer's"),
        pytest.param(fluid(500, 30, "albumin human 5 %"), True, id="albumin"),
        pytest.param(
            fluid(500, None, rate=quantity(999, "mL/h")), True, id="500 mL at 999 mL/h is a bolus"
        ),
        pytest.param(
            fluid(None, 30, rate=quantity(999, "mL/h")), True, id="half an hour at 999 mL/h"
        ),
        pytest.param(_carrier("sodium chloride 0.9 %"), True, id="one ingredient, and it is fluid"),
        pytest.param(
            fluid(500, None, rate=quantity(-5, "mL/h")), False, id="a rate below zero is none"
        ),
        pytest.param(
            fluid(500, None, rate={**RATE, "value": 1e300}), False, id="nor is an endless one"
        ),
        pytest.param(fluid(249, 30), None, id="249 mL is no bolus"),
        pytest.param(fluid(10, 1), None, id="a flush is no bolus"),
        pytest.param(fluid(1000, 480), None, id="125 mL/h is maintenance"),
        pytest.param(
            fluid(1000, None, rate=quantity(75, "mL/h")), None, id="75 mL/h is maintenance"
        ),
        pytest.param(fluid(None, None, rate=quantity(75, "mL/h")), None, id="a rate alone, slow"),
        pytest.param(fluid(500, 30, route="oral"), None, id="drunk"),
        pytest.param(
            _carrier("sodium chloride 0.9 %", "vancomycin"), None, id="carries vancomycin"
        ),
        pytest.param(fluid(None, 30), None, id="a volume nobody charted"),
        pytest.param(fluid(1000, 120), False, id="500 mL/h for two hours may be"),
        pytest.param(fluid(500, None), False, id="500 mL over an unknown time may be"),
        pytest.param(
            fluid(None, None, rate=quantity(999, "mL/h")), False, id="999 mL/h for an unknown time"
        ),
        pytest.param(
            fluid(250, 60, "vancomycin in sodium chloride 0.9 %"), False, id="other words beside it"
        ),
        pytest.param(_by_ratio(500, quantity(30, "min")), False, id="500 mL per 30 min"),
        pytest.param(_by_ratio(50, quantity(1, "h")), None, id="50 mL per hour"),
        pytest.param(_by_ratio(50, quantity(0, "h")), None, id="per nothing"),
        pytest.param(_by_ratio(50, quantity(1, "wk")), None, id="per a unit nobody listed"),
        pytest.param(
            fluid(None, None, rate=quantity(5, "ug/min")), None, id="a rate of another kind"
        ),
    ],
)
def test_bolus_maintenance_flush(given: Json, certain: bool | None) -> None:
    assert [one.certain for one in facts_of(given).boluses] == (
        [] if certain is None else [certain]
    )
    expected = {True: (2, 2), False: (1, 2), None: (1, 2)}[certain]
    assert grade(bedside(given, p=pressure(84))) == expected
    assert grade(bedside(given)) == ((1, 1) if certain is None else (1, 2))


def test_what_leaves_a_bolus_open_is_said() -> None:
    assert "bolus-possible" in notices(bedside(fluid(500, None)))
    assert "fluid-volume-not-charted" in notices(bedside(fluid(None, 30)))
    empty = fluid(None, None)
    empty["dosage"]["rateRatio"] = {}
    assert facts_of(empty).boluses == ()


def _small(*amounts: tuple[float, float, float]) -> list[Json]:
    """(mL, minutes, hours ago) of each."""
    return [
        administration(
            {"text": "sodium chloride 0.9 %"},
            at=hours_ago(hours),
            until=hours_ago(hours - minutes / 60),
            dose=quantity(volume, "mL"),
            route="IV",
            resource_id=f"small{index}",
        )
        for index, (volume, minutes, hours) in enumerate(amounts)
    ]


@pytest.mark.parametrize(
    ("amounts", "possible"),
    [
        pytest.param([(125, 15, 3), (125, 15, 2.5)], True, id="125 mL twice in an hour may be"),
        pytest.param([(200, 20, 9), (200, 20, 3)], True, id="200 mL twice, hours apart, may be"),
        pytest.param([(200, 20, 20), (200, 20, 3)], False, id="longer apart than a bolus counts"),
        pytest.param([(120, 10, 3), (120, 10, 2)], False, id="240 mL in all is no bolus"),
        pytest.param([(10, 1, h) for h in range(1, 9)], False, id="eight flushes"),
        pytest.param([(200, 240, 9), (200, 240, 4)], False, id="50 mL/h twice is maintenance"),
        pytest.param(
            [(200, 20, 20), (200, 20, 6), (100, 10, 3)], True, id="the last two of three may be"
        ),
    ],
)
def test_small_amounts_together_may_be_a_bolus(
    amounts: list[tuple[float, float, float]], possible: bool
) -> None:
    """No source says whether boluses below the size of one are added up: possible, not certain."""
    given = _small(*amounts)
    for order in (given, given[::-1]):
        found = bedside(*order, p=pressure(122))
        assert grade(found) == ((1, 2) if possible else (1, 1))
        assert ("small-amounts-of-fluid" in notices(found)) is possible
    assert grade(bedside(*given, p=pressure(84))) == (1, 2)


def test_small_amounts_take_nothing_from_a_bolus() -> None:
    given = [*_small((125, 15, 3), (125, 15, 2)), fluid(500, 30)]
    assert grade(bedside(*given, p=pressure(84))) == (2, 2)


@pytest.mark.parametrize(
    ("names", "possible"),
    [
        pytest.param(("sodium chloride 0.9 %", "potassium chloride"), True, id="a salt"),
        pytest.param(("lactated ringers", "calcium chloride"), True, id="a salt of Ringer's"),
        pytest.param(("sodium chloride 0.9 %", "ceftriaxone"), False, id="an antibiotic"),
        pytest.param(("sodium chloride 0.9 %", ""), True, id="a part with an empty name"),
    ],
)
def test_what_else_a_bag_of_fluid_holds(names: tuple[str, ...], possible: bool) -> None:
    assert [one.certain for one in facts_of(_carrier(*names)).boluses] == [False] * possible


def test_a_part_of_a_bag_that_nobody_can_name_leaves_the_bolus_open() -> None:
    for part in ({}, {"itemReference": {"reference": "Medication/nowhere"}}):
        made = _carrier("sodium chloride 0.9 %")
        made["contained"][0]["ingredient"].append(part)
        assert [one.certain for one in facts_of(made).boluses] == [False]
    made = _carrier("sodium chloride 0.9 %")
    made["contained"][0]["ingredient"].append({"itemReference": {"reference": "#salt"}})
    salt = {"resourceType": "Medication", "id": "salt", "code": {"text": "sodium chloride"}}
    made["contained"].append(salt)
    assert [one.certain for one in facts_of(made).boluses] == [True]


def test_words_beside_the_code_of_a_fluid_leave_the_bolus_open() -> None:
    text = "vancomycin 1 g in sodium chloride 0.9 % 250 mL"
    made = {**fluid(250, 60), "medicationCodeableConcept": concept(RXNORM, "9863", text)}
    assert [one.certain for one in facts_of(made).boluses] == [False]


def test_a_planned_end_before_the_start_is_no_duration() -> None:
    made = {**fluid(500, 30), "effectiveDateTime": hours_ago(2)}
    made["effectivePeriod"] = {"start": hours_ago(9), "end": hours_ago(8)}
    assert [one.certain for one in facts_of(made).boluses] == [False]


@pytest.mark.parametrize(
    ("medicine", "expected"),
    [
        pytest.param(
            concept(RXNORM, "9863", "norepinephrine 4 mg in sodium chloride 0.9 %"),
            (1, 3),
            id="coded as the fluid that carries it: it may run",
        ),
        pytest.param(
            concept(RXNORM, "7512", "norepinephrine, phenylephrine second line"),
            (3, 4),
            id="one by code, another only mentioned: 3 or 4",
        ),
        pytest.param(
            concept(RXNORM, "7512", "phenylephrine"), (3, 4), id="code and words contradict"
        ),
        pytest.param(
            {"coding": [*concept(RXNORM, "7512")["coding"], *concept(RXNORM, "8163")["coding"]]},
            (4, 4),
            id="both by code",
        ),
    ],
)
def test_an_agent_that_only_words_mention_is_possible(
    medicine: Json, expected: tuple[int, int]
) -> None:
    assert grade(bedside({**NE, "medicationCodeableConcept": medicine})) == expected


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"dosage": 7}, id="a dosage that is none"),
        pytest.param({"contained": {}}, id="a list that is none"),
        pytest.param({"medicationCodeableConcept": []}, id="a medicine that is none"),
    ],
)
def test_an_administration_that_cannot_be_read_may_be_a_vasopressor(broken: Json) -> None:
    found = bedside({**NE, **broken})
    assert grade(found) == (1, 4)
    assert "administrations: an administration cannot be read" in missing(found)
    assert [one.at for one in found.assessment.unreadable] == ["prefetch.vitals.entry[5]"]


def test_what_is_no_resource_among_the_administrations_may_be_one() -> None:
    for name, answered in (("administrations", False), ("mine", True)):
        sent = {"administrations": bundle(), name: bundle({**NE, "subject": 7})}
        facts = map_request(sent).facts
        assert ("administrations" in facts.answered) is answered
    other = {"resourceType": "Basic", "subject": {"reference": "Patient/p1"}}
    assert "administrations" in map_request({"administrations": bundle(other)}).facts.answered


def test_a_push_that_only_words_mention_stays_a_push() -> None:
    medicine = concept(RXNORM, "9863", "phenylephrine in sodium chloride")
    push = charted("phenylephrine", 1, None, dose=quantity(100, "ug"))
    assert grade(bedside({**push, "medicationCodeableConcept": medicine})) == (1, 3)


def test_a_bolus_for_a_child_is_not_judged_by_an_adults_pressure() -> None:
    assert grade(bedside(fluid(500, 30), p=pressure(84), birth="2014-01-01")) == (1, 2)


def test_fluid_resuscitation_as_a_procedure_is_a_bolus() -> None:
    made = procedure(concept(SNOMED, "430701006"))
    assert grade(bedside(made, p=pressure(84))) == (2, 2)


def test_two_vasopressors_never_come_from_a_changed_rate() -> None:
    """A rate change of one of two agents is no change-over."""
    lines = [charted("norepinephrine", 3), charted("norepinephrine", 0.2)]
    found = bedside(*lines, PE)
    assert grade(found) == (4, 4)
    assert level(found, "hypotension") == "multiple-vasopressors"
