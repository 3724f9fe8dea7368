"""The hand-over and the REMS worksheet: what was given, what is blank, what nobody could read."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cards import given
from cards.bedside import Shown
from cards.handover import handover
from cards.sheet import Section
from cards.switched_off import SwitchedOff
from cards.worksheet import worksheet
from knowledge.assessment import Event
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
)
from knowledge.library import Library
from tests.unit.cards.decisions import LONDON, NOW, decision, disposition, event, row, state


SHOWN = Shown(zone=LONDON)
NOTE = Evidence("MedicationAdministration/1")
ALL = frozenset({"administrations", "oxygen"})


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
        "Oxygen": "low flow, 2 L/min, 21 Nov 2026 00:10 GMT",
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
    sheet = handover(changed, facts(), library, SHOWN)
    (line,) = next(one for one in sheet.sections if one.code == "values").lines
    assert (line.label, line.value, line.source) == ("CRS: Fever", "present", "No value charted")
