"""Administrations: doses, masking drugs, vasoactive infusions and fluid boluses."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.builders import (
    NOW,
    RXNORM,
    SNOMED,
    UCUM,
    Json,
    acetaminophen,
    administration,
    concept,
    dexamethasone,
    hours_ago,
    norepinephrine,
    quantity,
    teclistamab,
    tocilizumab,
)
from tests.unit.fhir_mapping.mapped import facts_of, reasons


def _hours(value: float) -> timedelta:
    return timedelta(hours=value)


def test_a_dose() -> None:
    (dose,) = facts_of(teclistamab(at=hours_ago(30))).doses
    assert (dose.ingredient, dose.route, dose.mg) == ("teclistamab", "sc", Decimal(120))
    assert (dose.start, dose.end) == (NOW - _hours(30), None)
    assert (dose.evidence.ref, dose.evidence.value) == ("MedicationAdministration/tec1", "120")


@pytest.mark.parametrize(
    ("status", "period", "running"),
    [
        ("in-progress", {"start": hours_ago(600)}, True),
        ("completed", {"start": hours_ago(600)}, False),
        ("in-progress", {"start": hours_ago(600), "end": hours_ago(1)}, False),
        ("in-progress", None, False),
    ],
)
def test_an_infusion_in_progress_without_an_end_is_running(
    status: str, period: Json | None, running: bool
) -> None:
    made = administration({"text": "blinatumomab"}, status=status, at=hours_ago(600))
    made.pop("effectivePeriod", None)
    if period is not None:
        made.pop("effectiveDateTime", None)
        made["effectivePeriod"] = period
    else:
        made["effectiveDateTime"] = hours_ago(600)
    (dose,) = facts_of(made).doses
    assert dose.running is running


@pytest.mark.parametrize(
    ("status", "given"),
    [
        ("completed", True),
        ("in-progress", True),
        ("stopped", True),
        ("on-hold", True),
        ("unknown", True),
        ("not-done", False),
        ("entered-in-error", False),
    ],
)
def test_status_of_a_dose(status: str, given: bool) -> None:
    assert bool(facts_of({**tocilizumab(), "status": status}).doses) is given


@pytest.mark.parametrize(
    ("dose", "mg"),
    [
        (quantity(560, "mg"), "560"),
        (quantity(0.56, "g"), "560.00"),
        ({"value": 35, "unit": "mcg"}, "0.035"),
        (quantity(28, "mL"), None),
        (quantity(8, "mg/kg"), None),
        ({"value": 560}, None),
        (quantity(0, "mg"), None),
        (None, None),
    ],
)
def test_dose_in_milligrams(dose: Json | None, mg: str | None) -> None:
    (one,) = facts_of(administration({"text": "tocilizumab"}, dose=dose)).doses
    assert one.mg == (None if mg is None else Decimal(mg))


def test_doses_of_any_age_are_kept_oldest_first() -> None:
    facts = facts_of(tocilizumab(at=hours_ago(1)), teclistamab(at=hours_ago(24 * 400)))
    assert [one.ingredient for one in facts.doses] == ["teclistamab", "tocilizumab"]


def test_a_running_and_a_finished_infusion() -> None:
    running = administration({"text": "blinatumomab"}, at=hours_ago(50), status="in-progress")
    assert facts_of(running).doses[0].end is None
    bag = administration({"text": "blinatumomab"}, at=hours_ago(50), until=hours_ago(2))
    assert facts_of(bag).doses[0].end == NOW - _hours(2)
    planned = administration({"text": "blinatumomab"}, at=hours_ago(5), until=hours_ago(-20))
    assert facts_of(planned).doses[0].end is None


@pytest.mark.parametrize("at", ["2026-11-20", "2026-11-20T08:00:00", hours_ago(-1)])
def test_a_dose_that_cannot_be_ordered_in_time_is_named(at: str) -> None:
    facts = facts_of(teclistamab(at=at))
    assert facts.doses == ()
    assert facts.missing[0].fact == "administrations"
    assert "teclistamab given" in facts.missing[0].reason


@pytest.mark.parametrize(
    ("made", "kind", "agent"),
    [
        (acetaminophen(), "antipyretic", "acetaminophen"),
        (administration({"text": "Paracetamol 1 g"}), "antipyretic", "acetaminophen"),
        (administration({"text": "ibuprofen"}), "antipyretic", "ibuprofen"),
        (dexamethasone(), "steroid", "dexamethasone"),
        (administration(concept(RXNORM, "6902")), "steroid", "methylprednisolone"),
        (tocilizumab(), "anticytokine", "tocilizumab"),
        (administration({"text": "anakinra"}), "anticytokine", "anakinra"),
        (administration({"text": "Sylvant"}), "anticytokine", "siltuximab"),
    ],
)
def test_masking(made: Json, kind: str, agent: str) -> None:
    assert [(one.kind, one.agent) for one in facts_of(made).masking] == [(kind, agent)]


@pytest.mark.parametrize(
    "made",
    [
        administration({"text": "dexamethasone"}, route="ophthalmic"),
        administration({"text": "hydrocortisone 1 % cream"}),
        administration({"text": "prednisolone eye drops"}),
        administration({"text": "aspirin 81 mg"}),
        administration({"text": "metformin"}),
    ],
)
def test_what_masks_nothing(made: Json) -> None:
    assert facts_of(made).masking == ()


def test_a_running_vasopressor() -> None:
    (infusion,) = facts_of(norepinephrine(at=hours_ago(2))).infusions
    assert (infusion.agent, infusion.kind) == ("norepinephrine", "vasopressor")
    assert (infusion.start, infusion.end) == (NOW - _hours(2), None)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Levophed", "vasopressor"),
        ("epinephrine", "vasopressor"),
        ("phenylephrine", "vasopressor"),
        ("dopamine", "vasopressor"),
        ("angiotensin II", "vasopressor"),
        ("Giapreza", "vasopressor"),
        ("vasopressin", "vasopressin"),
        ("dobutamine", "inotrope"),
        ("milrinone", "inotrope"),
    ],
)
def test_kinds_of_infusion(name: str, kind: str) -> None:
    made = administration({"text": name}, status="in-progress", route="intravenous")
    assert [one.kind for one in facts_of(made).infusions] == [kind]


@pytest.mark.parametrize(
    ("options", "end"),
    [
        pytest.param({"status": "in-progress"}, None, id="in progress"),
        pytest.param({"until": hours_ago(1)}, 1, id="completed"),
        pytest.param({"status": "stopped"}, 6, id="stopped at an unknown time"),
        pytest.param({"status": "on-hold"}, 6, id="on hold is not running"),
        pytest.param({"status": "in-progress", "rate": quantity(0, "mL/h")}, 6, id="rate zero"),
        pytest.param({"rate": quantity(5, "mL/h")}, None, id="a rate at one moment: end unknown"),
        pytest.param({}, 6, id="a push"),
    ],
)
def test_when_an_infusion_ends(options: dict[str, object], end: float | None) -> None:
    made = administration({"text": "norepinephrine"}, at=hours_ago(6), route="IV", **options)  # type: ignore[arg-type]
    (infusion,) = facts_of(made).infusions
    assert infusion.end == (None if end is None else NOW - _hours(end))


def test_a_later_record_of_the_agent_ends_a_rate_charted_at_one_moment() -> None:
    rate = quantity(5, "mL/h")
    bag = administration({"text": "norepinephrine"}, at=hours_ago(6), rate=rate, resource_id="a")
    stop = administration(
        {"text": "norepinephrine"}, at=hours_ago(2), rate=quantity(0, "mL/h"), resource_id="b"
    )
    other = administration({"text": "dopamine"}, at=hours_ago(4), resource_id="c")
    facts = facts_of(bag, stop, other)
    ends = {one.evidence.ref[-1]: one.end for one in facts.infusions}
    assert ends == {"a": NOW - _hours(2), "b": NOW - _hours(2), "c": NOW - _hours(4)}
    assert "end of the norepinephrine" not in reasons(facts)
    assert "end of the norepinephrine" in reasons(facts_of(bag))


def test_in_progress_at_one_moment_runs_until_the_next_record() -> None:
    made = administration({"text": "vasopressin"}, status="in-progress")
    del made["effectivePeriod"]
    assert facts_of({**made, "effectiveDateTime": hours_ago(3)}).infusions[0].end is None


def test_an_old_infusion_is_left_out_and_a_long_one_kept() -> None:
    old = administration({"text": "dopamine"}, at=hours_ago(24 * 50), until=hours_ago(24 * 49))
    assert facts_of(old).infusions == ()
    still = administration({"text": "dopamine"}, at=hours_ago(24 * 50), rate=quantity(5, "mL/h"))
    facts = facts_of(still)
    assert len(facts.infusions) == 1
    assert facts.notices == ()


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(administration({"text": "phenylephrine"}, route="nasal"), id="nasal"),
        pytest.param(administration({"text": "phenylephrine eye drops"}), id="eye drops"),
        pytest.param(administration({"text": "epinephrine"}, route="intramuscular"), id="a pen"),
        pytest.param({**norepinephrine(), "status": "not-done"}, id="not done"),
        pytest.param(administration({"text": "methylene blue"}, route="IV"), id="methylene blue"),
        pytest.param(administration({"text": "isoproterenol"}, route="IV"), id="isoproterenol"),
    ],
)
def test_what_is_no_infusion(made: Json) -> None:
    assert facts_of(made).infusions == ()


def test_epinephrine_without_a_route_or_a_rate_may_be_no_vasopressor() -> None:
    bare = administration({"text": "epinephrine"})
    facts = facts_of(bare)
    assert [one.doubt for one in facts.infusions] == ["push"]
    assert facts.notices[0].code == "vasopressor-route"
    assert facts_of(administration({"text": "epinephrine"}, at=hours_ago(24 * 60))).notices == ()
    for made in (
        administration({"text": "epinephrine"}, until=hours_ago(1)),
        administration({"text": "epinephrine"}, rate=quantity(1, "ug/min")),
    ):
        assert [one.doubt for one in facts_of(made).infusions] != ["push"]


def test_drugs_that_are_not_counted_are_named() -> None:
    facts = facts_of(
        administration({"text": "midodrine"}),
        administration({"text": "methylene blue"}, resource_id="ma2"),
    )
    assert len(facts.notices) == 2
    assert facts_of(administration({"text": "methylene blue"})).notices[0].code == (
        "not-counted-as-vasopressor"
    )


SALINE: Json = {"text": "sodium chloride 0.9 %"}


@pytest.mark.parametrize(
    ("dose", "minutes", "route", "certain"),
    [
        (quantity(500, "mL"), 30, "IV", [True]),
        (quantity(0.5, "L"), 60, "", [True]),
        (quantity(250, "mL"), 60, "IV", [True]),
        (quantity(249, "mL"), 30, "IV", []),
        (quantity(1000, "mL"), 480, "IV", []),
        (quantity(1000, "mL"), 120, "IV", [False]),
        (quantity(500, "mL"), 30, "oral", []),
        (quantity(500, "mg"), 30, "IV", []),
        ({"value": "500", "unit": "mL"}, 30, "IV", []),
        ({**quantity(500, "mL"), "comparator": "<"}, 30, "IV", []),
        (None, 30, "IV", []),
        (quantity(500, "mL"), 0, "IV", [False]),
    ],
)
def test_bolus(dose: Json | None, minutes: int, route: str, certain: list[bool]) -> None:
    until = hours_ago(5 - minutes / 60) if minutes else None
    made = administration(SALINE, at=hours_ago(5), until=until, dose=dose, route=route)
    assert [one.certain for one in facts_of(made).boluses] == certain


def test_a_drug_in_saline_is_no_bolus() -> None:
    mix = {
        "resourceType": "Medication",
        "id": "mix",
        "ingredient": [
            {"itemCodeableConcept": SALINE},
            {"itemCodeableConcept": {"text": "norepinephrine"}},
        ],
    }
    made = administration({}, at=hours_ago(5), until=hours_ago(4.5), dose=quantity(250, "mL"))
    del made["medicationCodeableConcept"]
    facts = facts_of({**made, "contained": [mix], "medicationReference": {"reference": "#mix"}})
    assert facts.boluses == ()
    assert facts.infusions[0].agent == "norepinephrine"
    assert UCUM in str(made)


def _procedure(code: str, **members: object) -> Json:
    return {
        "resourceType": "Procedure",
        "id": "pr1",
        "status": "completed",
        "code": concept(SNOMED, code),
        "subject": {"reference": "Patient/p1"},
        "performedDateTime": hours_ago(3),
        **members,
    }


def test_fluid_resuscitation_as_a_procedure() -> None:
    (bolus,) = facts_of(_procedure("430701006")).boluses
    assert (bolus.at, bolus.evidence.ref) == (NOW - _hours(3), "Procedure/pr1")
    for status in ("not-done", "entered-in-error", "preparation"):
        assert facts_of(_procedure("430701006", status=status)).boluses == ()
    assert facts_of(_procedure("430701006", performedDateTime=hours_ago(24 * 50))).boluses == ()
    assert "procedures" in reasons(facts_of(_procedure("430701006", performedDateTime="2026")))
    assert facts_of(_procedure("1")).boluses == ()
    assert facts_of({**_procedure("1"), "code": {}}).boluses == ()
    no_code = _procedure("1")
    del no_code["code"]
    assert facts_of(no_code).boluses == ()


def test_ventilation_as_a_procedure_is_a_state_over_time() -> None:
    def times(**members: object) -> list[object]:
        made = _procedure("40617009", **members)
        del made["performedDateTime"]
        return [(NOW - one.at, one.levels) for one in facts_of(made).oxygen]

    level = ("positive-pressure",)
    start, end = {"start": hours_ago(9)}, {"start": hours_ago(9), "end": hours_ago(4)}
    assert times(performedPeriod=start, status="in-progress") == [
        (_hours(9), level),
        (_hours(0), level),
    ]
    every = ("none", "low-flow", "high-flow", "positive-pressure")
    just_before = _hours(4) + timedelta(seconds=1)
    assert times(performedPeriod=end) == [
        (_hours(9), level),
        (just_before, level),
        (_hours(4), every),
    ]
    assert times(performedPeriod=start) == [(_hours(9), level)]
    assert [one.levels for one in facts_of(_procedure("112798008")).oxygen] == [level]
    old = {"start": hours_ago(24 * 60)}
    assert times(performedPeriod=old, status="in-progress") == [(_hours(0), level)]


def test_an_airway_for_another_reason_does_not_say_hypoxia() -> None:
    made = _procedure("112798008", reasonCode=[{"text": "Airway protection"}])
    facts = facts_of(made)
    assert facts.oxygen[0].levels == ("none", "low-flow", "high-flow", "positive-pressure")
    assert "airway protection" in reasons(facts)
