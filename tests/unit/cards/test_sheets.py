"""The hand-over and the REMS worksheet: what was given, what is blank, what nobody could read."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest

from cards import given
from cards.bedside import Shown
from cards.handover import handover
from cards.sheet import Section
from cards.switched_off import SwitchedOff
from cards.unread import missing
from cards.worksheet import worksheet
from knowledge.assessment import Event, Tocilizumab
from knowledge.decision import Decision
from knowledge.facts import (
    Attribution,
    Bolus,
    Charted,
    Dose,
    Evidence,
    Facts,
    Infusion,
    Masking,
    Missing,
    Notice,
    QueryName,
)
from knowledge.library import Library
from tests.unit.cards.decisions import LONDON, NOW, decision, disposition, event, row, state


SHOWN = Shown(zone=LONDON)
NOTE = Evidence("MedicationAdministration/1")
ALL = frozenset({"administrations", "oxygen"})


EVERYTHING = frozenset(get_args(QueryName))


def about(value: Decision, *notices: Notice) -> Decision:
    """The decision with these notices."""
    assessment = msgspec.structs.replace(value.assessment, notices=notices)
    return msgspec.structs.replace(value, assessment=assessment)


def facts(**more: Any) -> Facts:
    answered = more.pop("answered", ALL)
    return Facts("Patient/p1", NOW, answered=answered, **more)


def dose(ingredient: str, hours: float, **more: Any) -> Dose:
    return Dose(ingredient, NOW - timedelta(hours=hours), None, NOTE, **more)


def told(seen: Facts, *, since: float | None = None) -> dict[str, str]:
    start = None if since is None else NOW - timedelta(hours=since)
    return {line.label: line.value for line in given.interventions(seen, start, LONDON)}


def held(crs: Event | None) -> Decision:
    return decision(
        disposition("withhold"), state(2, event=crs), orders=(), rows=(row(),), event_open=True
    )


def values(sections: tuple[Section, ...], code: str) -> dict[str, str]:
    (found,) = [one for one in sections if one.code == code]
    return {line.label: line.value for line in found.lines}


def test_what_was_not_read_is_not_none() -> None:
    unread = told(facts(answered=frozenset()))
    assert unread["Tocilizumab"] == "Not known: administrations not read"
    assert unread["Oxygen"] == "Not known: oxygen not read"
    assert set(told(facts()).values()) == {"None charted"}


def test_a_page_that_stops_short_says_so_beside_what_it_holds() -> None:
    seen = facts(answered=frozenset(), doses=(dose("tocilizumab", 2),))
    assert told(seen)["Tocilizumab"].endswith("not all could be read")


def test_everything_given_has_its_time() -> None:
    hour = timedelta(hours=1)
    seen = facts(
        doses=(dose("tocilizumab", 5, mg=Decimal(560), route="iv"),),
        masking=(
            Masking(NOW - hour, "steroid", "dexamethasone", Evidence("x", "", "10", "mg")),
            Masking(NOW - hour, "antipyretic", "acetaminophen", NOTE),
            Masking(NOW - hour, "anticytokine", "tocilizumab", NOTE),
        ),
        infusions=(
            Infusion("norepinephrine", "vasopressor", NOW - hour, None, NOTE),
            Infusion("phenylephrine", "vasopressor", NOW - 2 * hour, NOW - hour, NOTE, "uncertain"),
        ),
        boluses=(Bolus(NOW - hour, NOTE, certain=False),),
        oxygen=(
            Charted(NOW - 2 * hour, ("low-flow",), NOTE, flow=Decimal(2)),
            Charted(NOW - hour, ("low-flow",), NOTE, flow=Decimal(2)),
        ),
    )
    assert told(seen) == {
        "Tocilizumab": "560 mg, IV, 20 Nov 2026 21:10 GMT",
        "Corticosteroids": "dexamethasone, 10 mg, 21 Nov 2026 01:10 GMT",
        "Antipyretics": "acetaminophen, dose not charted, 21 Nov 2026 01:10 GMT",
        "Other drugs against cytokines": "None charted",
        "Vasopressors": (
            "norepinephrine, from 21 Nov 2026 01:10 GMT, running; phenylephrine, from"
            " 21 Nov 2026 00:10 GMT, to 21 Nov 2026 01:10 GMT (not certain that it ran)"
        ),
        "Fluid boluses": "dose not charted, 21 Nov 2026 01:10 GMT, not certain",
        "Oxygen": "low flow, 2 L/min, since 21 Nov 2026 00:10 GMT, last 21 Nov 2026 01:10 GMT",
    }


def test_the_newest_come_first_and_the_rest_are_counted() -> None:
    seen = facts(doses=tuple(dose("teclistamab", hours) for hours in range(20, 0, -2)))
    found = given.doses(seen, LONDON)
    assert found[0].endswith("21 Nov 2026 00:10 GMT")
    assert found[-1] == "and 4 earlier"
    assert len(found) == given.MOST + 1


def test_what_came_before_the_course_is_left_out() -> None:
    seen = facts(doses=(dose("tocilizumab", 50), dose("tocilizumab", 2)))
    assert told(seen, since=10)["Tocilizumab"].count("GMT") == 1


def test_the_course_begins_with_the_dose_before_the_onset() -> None:
    value = held(event(2)).assessment  # since the evening before, at 22:00
    assert given.since(value, facts(doses=(dose("teclistamab", 30),))) == NOW - timedelta(hours=30)
    assert given.since(value, facts(doses=(dose("teclistamab", 1),))) == event(2).onset
    assert given.since(held(None).assessment, facts()) is None


def test_the_worksheet_fills_in_facts_and_leaves_blanks(library: Library) -> None:
    seen = facts(doses=(dose("teclistamab", 30, mg=Decimal("1.5"), route="sc"),))
    sections = worksheet(held(event(2, 3)), seen, library, SHOWN)
    crs = values(sections, "crs")
    assert crs["Onset, by the record"] == "20 Nov 2026 22:00 GMT"
    assert crs["Last dose before the onset"] == (
        "teclistamab, 19 Nov 2026 20:10 GMT (25 h before the onset)"
    )
    assert crs["Highest grade"] == "2 to 3: not settled by the record"
    assert crs["Grade charted by a clinician"] == crs["Cause stated by a clinician"] == ""
    assert crs["Outcome"] == "Not resolved in the record at 21 Nov 2026 02:10 GMT"
    assert values(sections, "product")["Dose number (the record may not hold every dose)"] == ""
    assert set(values(sections, "report").values()) == {""}
    assert "Check the programme's own current form" in sections[0].texts[1]


def test_an_end_nobody_charted_only_appears(library: Library) -> None:
    over = event(2, resolved_at=NOW)
    sure = msgspec.structs.replace(over, resolved_confirmed=True)
    outcomes = [
        values(worksheet(held(one), facts(), library, SHOWN), "crs")["Outcome"]
        for one in (over, sure)
    ]
    assert outcomes == [
        "Appears resolved since 21 Nov 2026 02:10 GMT: confirm",
        "Resolved since 21 Nov 2026 02:10 GMT",
    ]


def test_a_cause_is_only_what_a_clinician_stated(library: Library) -> None:
    seen = facts(attributions=(Attribution("crs", "other-cause", NOW, NOTE),))
    crs = values(worksheet(held(event(2)), seen, library, SHOWN), "crs")
    assert crs["Cause stated by a clinician"] == "other cause, 21 Nov 2026 02:10 GMT"


@pytest.mark.parametrize(
    ("protocol", "ingredient", "said"),
    [
        ("nhs-waht", "teclistamab", "The active protocol has no REMS."),
        ("us-label", "tarlatamab", "No REMS programme of tarlatamab is in the knowledge base."),
        ("us-label", "", "No bispecific was found in the record"),
    ],
)
def test_without_a_programme_the_worksheet_says_why(
    protocol: str, ingredient: str, said: str, library: Library
) -> None:
    value = held(event(2))
    agent = value.assessment.agent
    assert agent is not None
    assessment = msgspec.structs.replace(
        value.assessment,
        protocol=msgspec.structs.replace(value.assessment.protocol, id=protocol),
        agent=msgspec.structs.replace(agent, ingredient=ingredient) if ingredient else None,
    )
    (section,) = worksheet(
        msgspec.structs.replace(value, assessment=assessment), facts(), library, SHOWN
    )
    assert section.texts[0].startswith(said)


def test_without_an_event_the_worksheet_says_so(library: Library) -> None:
    sections = worksheet(held(None), facts(), library, SHOWN)
    assert "no-event" in {one.code for one in sections}
    assert not {"crs", "icans"} & {one.code for one in sections}


def test_a_rems_that_is_switched_off_gives_no_worksheet(library: Library) -> None:
    off = Shown(zone=LONDON, off=SwitchedOff(topics=frozenset({"REMSTECLISTAMAB"})))
    (section,) = worksheet(held(event(2)), facts(), library, off)
    assert "topic REMSTECLISTAMAB" in section.texts[0]


def test_the_hand_over_names_its_source_and_no_advice_where_that_is_withheld(
    library: Library,
) -> None:
    value = held(event(2))
    whole = handover(value, facts(), library, SHOWN)
    advice = next(one for one in whole.sections if one.code == "advice")
    assert advice.texts[0].startswith("Advice: hold")
    assert advice.texts[-1].startswith("Source: Label tables")
    silent = handover(value, facts(), library, Shown(zone=LONDON, silent=True))
    assert {"advice", "tocilizumab"}.isdisjoint(one.code for one in silent.sections)
    assert "withheld" in {one.code for one in silent.sections}


def test_an_axis_without_a_value_says_that_none_was_charted(library: Library) -> None:
    value = held(event(2))
    axes = {"fever": msgspec.structs.replace(value.assessment.crs.axes["fever"], evidence=())}
    crs = msgspec.structs.replace(value.assessment.crs, axes=axes)
    changed = msgspec.structs.replace(
        value, assessment=msgspec.structs.replace(value.assessment, crs=crs)
    )
    for answered, said in (
        (EVERYTHING, "No value charted"),
        (ALL, "Not known: vital signs not read"),
    ):
        sheet = handover(changed, facts(answered=answered), library, SHOWN)
        (line,) = next(one for one in sheet.sections if one.code == "values").lines
        assert (line.label, line.value, line.source) == ("CRS: Fever", "present", said)


def test_oxygen_that_began_before_the_course_and_goes_on_is_no_none() -> None:
    """One device, charted from before the start of the course until a moment ago."""
    hours = (12, 6, 1)
    seen = facts(
        oxygen=tuple(Charted(NOW - timedelta(hours=h), ("low-flow",), NOTE) for h in hours)
    )
    assert told(seen, since=8)["Oxygen"] == (
        "low flow, since 20 Nov 2026 14:10 GMT, last 21 Nov 2026 01:10 GMT"
    )


def test_oxygen_last_charted_before_the_course_is_shown_with_its_time() -> None:
    seen = facts(
        oxygen=(
            Charted(NOW - timedelta(hours=30), ("high-flow",), NOTE),
            Charted(NOW - timedelta(hours=12), ("low-flow",), NOTE),
        )
    )
    assert told(seen, since=8)["Oxygen"] == (
        "None charted since; before: low flow, 20 Nov 2026 14:10 GMT"
    )


def test_what_runs_into_the_course_belongs_to_it_and_a_push_before_it_does_not() -> None:
    hour = timedelta(hours=1)
    seen = facts(
        doses=(Dose("tocilizumab", NOW - 9 * hour, NOW - 7 * hour, NOTE),),
        infusions=(
            Infusion("norepinephrine", "vasopressor", NOW - 9 * hour, NOW - 7 * hour, NOTE),
            Infusion("phenylephrine", "vasopressor", NOW - 9 * hour, None, NOTE, "push"),
        ),
    )
    shown = told(seen, since=8)
    assert "20 Nov 2026 17:10 GMT to 20 Nov 2026 19:10 GMT" in shown["Tocilizumab"]
    assert shown["Vasopressors"].startswith("norepinephrine")
    assert "phenylephrine" not in shown["Vasopressors"]


def course_of(value: Decision, seen: Facts, library: Library) -> tuple[str, ...]:
    sheet = handover(value, seen, library, SHOWN)
    return next(one for one in sheet.sections if one.code == "course").texts


def event_of(value: Decision, seen: Facts, library: Library) -> tuple[str, ...]:
    sections = worksheet(value, seen, library, SHOWN)
    return next((one.texts for one in sections if one.code == "no-event"), ())


@pytest.mark.parametrize("texts", [course_of, event_of])
def test_that_there_was_no_event_is_said_only_where_all_of_it_was_read(
    texts: Any, library: Library
) -> None:
    none = "No CRS or ICANS event was found in the record."
    assert texts(held(None), facts(answered=EVERYTHING), library) == (none,)
    unread = facts(answered=EVERYTHING - {"vitals", "assessments"})
    assert texts(held(None), unread, library) == (
        "CRS event: not known: vital signs, assessments not read.",
        "ICANS event: not known: assessments not read.",
    )
    part = facts(answered=EVERYTHING - {"vitals"}, read_back_to={"vitals": NOW})
    assert texts(held(None), part, library) == ("CRS event: not known: vital signs not all read.",)
    assert "ICANS event: not known: assessments not read." in texts(held(event(2)), unread, library)


def test_an_event_that_the_store_may_remember_is_not_known(library: Library) -> None:
    forgotten = about(held(None), Notice("history-not-read", "Earlier events: not read."))
    (crs, icans) = course_of(forgotten, facts(answered=EVERYTHING), library)
    assert crs == "CRS event: not known: earlier events not read."
    assert icans == "ICANS event: not known: earlier events not read."


UNREAD = Notice("not-read", "Not read from the FHIR server: vitals: the server reports a fault.")


def test_the_sheets_say_what_was_not_read_and_what_is_missing(library: Library) -> None:
    gaps = (Missing("temperature", "not recorded"), Missing("raised-icp", "raised-icp not charted"))
    value = msgspec.structs.replace(
        about(held(None), UNREAD, Notice("x", "raised-icp was not charted.")), missing=gaps
    )
    seen = facts(answered=EVERYTHING - {"vitals"})
    for sections in (
        worksheet(value, seen, library, SHOWN),
        handover(value, seen, library, SHOWN).sections,
    ):
        found = {one.code: one.texts for one in sections}
        assert found["unread"] == (f"Not read or not used\n- {UNREAD.text}",)
        assert found["missing"] == (
            "Missing\n- temperature: not known: vital signs not read\n"
            "- raised ICP: raised ICP not charted",
        )
        assert found["notes"] == ("Notes\n- raised ICP was not charted.",)


def test_without_a_worksheet_what_was_not_read_is_still_said(library: Library) -> None:
    silent = Shown(zone=LONDON, silent=True)
    sections = worksheet(about(held(None), UNREAD), facts(), library, silent)
    assert [one.code for one in sections] == ["withheld", "unread"]


def test_a_product_is_not_missed_where_nobody_read_the_administrations(library: Library) -> None:
    value = about(held(None), Notice("exposure-unknown", "Administrations were not available."))
    assessment = msgspec.structs.replace(value.assessment, agent=None)
    unknown = msgspec.structs.replace(value, assessment=assessment)
    first, *_ = worksheet(unknown, facts(answered=frozenset()), library, SHOWN)
    assert first.texts == (
        "Bispecific not known: administrations were not read, so no REMS programme can be named.",
    )


def test_the_hand_over_warns_that_grade_and_data_differ(library: Library) -> None:
    differs = Notice("crs-charted-differs", "Charted CRS grade 3; the data give 1-2.")
    for shown in (SHOWN, Shown(zone=LONDON, silent=True)):
        first = handover(about(held(event(2)), differs), facts(), library, shown).leads[0]
        assert first.indicator == "warning"
        assert first.summary == (
            "Charted CRS grade 3; the data give 1-2: the grade and the data differ, check both."
        )


def test_the_hand_over_has_the_next_tocilizumab_in_short(library: Library) -> None:
    """Earliest time, dose and counts; nobody's count is no zero."""
    counted = Tocilizumab("allowed", "consider", Decimal(560), doses_this_event=1)
    assessment = msgspec.structs.replace(held(event(2)).assessment, tocilizumab=counted)
    value = msgspec.structs.replace(held(event(2)), assessment=assessment)
    told = values(handover(value, facts(), library, SHOWN).sections, "tocilizumab")
    assert told["Earliest next dose by the limits"] == (
        "No limit of time stands against a dose now"
    )
    assert told["Calculated dose"] == "560 mg"
    assert told["Doses in this event"] == "1"
    assert told["Doses in the last 6 weeks"] == "Not known: earlier doses not available"


def test_an_old_value_beside_an_unread_query_says_both(library: Library) -> None:
    """That the last value is old is no proof that there is no newer one."""
    old = Missing("temperature", "last recorded 21 Nov 2026 08:00 GMT")
    (said,) = missing((old,), facts(answered=frozenset()))
    assert said.reason == "last recorded 21 Nov 2026 08:00 GMT; vital signs not read"
    (read,) = missing((old,), facts(answered=EVERYTHING))
    assert read.reason == "last recorded 21 Nov 2026 08:00 GMT"
