"""The bedside advice: every sentence of the cards, the arithmetic, and what a site withholds."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cards import calculator
from cards.bedside import Shown, bedside
from cards.build import build
from cards.sheet import Section, Sheet
from cards.switched_off import SwitchedOff
from knowledge.assessment import (
    Agent,
    Anakinra,
    AxisState,
    ChartedAt,
    Grade,
    Tocilizumab,
    ToxicityState,
)
from knowledge.decision import Decision, TocilizumabLine
from knowledge.facts import Evidence, Missing, Notice, Reading, Unreadable
from knowledge.library import Library
from knowledge.treatment import Medication, NextDose, Strength
from tests.unit.cards.decisions import (
    FLOW,
    HOOK,
    LABEL,
    LONDON,
    NOW,
    decision,
    disposition,
    event,
    row,
    state,
)


SHOWN = Shown(zone=LONDON)
ALLOWED = Tocilizumab(
    "allowed", "administer", Decimal(800), Decimal(960), doses_this_event=1, doses_in_6_weeks=2
)
HEAVY = Reading(NOW - timedelta(hours=3), Decimal(120), Evidence("Observation/w", "", "120", "kg"))


def held(**more: Any) -> Decision:
    """Grade 2 or 3, no order drafted, under the SOP, which states a tocilizumab dose."""
    about = {"tocilizumab": ALLOWED, **more.pop("about", {})}
    made = decision(
        disposition("withhold", until="crs-resolved"),
        state(2, 3, (FLOW,), event=event(2, 3)),
        about=about,
        orders=(),
        rows=(row(), row(reached=False, grade=3, condition="on a mask: grade 3")),
        event_open=True,
        tocilizumab_weight=HEAVY,
        tocilizumab_mg_per_kg=Decimal(8),
        **more,
    )
    protocol = msgspec.structs.replace(made.assessment.protocol, id="community-sop")
    assessment = msgspec.structs.replace(made.assessment, protocol=protocol)
    return msgspec.structs.replace(made, assessment=assessment)


def sections(sheet: Sheet) -> dict[str, Section]:
    return {one.code: one for one in sheet.sections}


def lines(section: Section) -> dict[str, str]:
    return {line.label: line.value for line in section.lines}


def everything(sheet: Sheet) -> str:
    return "\n".join(text for one in sheet.sections for text in one.texts)


def test_every_line_of_the_card_is_on_the_page(library: Library) -> None:
    value = held(
        about={
            "medications": (Medication("dexamethasone", "consider", Decimal(10), unit="mg"),),
            "next_dose": NextDose(hospitalize=Strength("required", Decimal(48))),
            "notices": (Notice("flow-missing", "Oxygen without a flow."),),
        },
        missing=(Missing("weight", "none measured"),),
        guidance=(TocilizumabLine("Call the team.", LABEL),),
        tocilizumab_lines=(TocilizumabLine("At most 800 mg a dose", LABEL),),
    )
    (card,) = build(value, drafts={}, hook_instance=HOOK, zone=LONDON)
    sheet = bedside(value, library, SHOWN)
    shown = everything(sheet).split("\n")
    assert [line for line in card.detail.split("\n") if line and line not in shown] == []
    assert [lead.summary for lead in sheet.leads] == [card.summary]


def test_the_headline_is_the_grade_acted_on_beside_data_and_chart(library: Library) -> None:
    charted = ChartedAt(3, datetime(2026, 11, 21, 1, tzinfo=UTC), "Observation/g")
    crs = state(1, 2, acting=Grade(3, 3), charted=charted)
    value = decision(disposition("withhold"), crs, orders=())
    first, second = sections(bedside(value, library, SHOWN))["grade"].texts
    assert first == (
        "CRS grade 3\n- By the data: grade 1 to 2\n- Charted grade 3, 21 Nov 2026 01:00 GMT"
    )
    assert second.startswith("ICANS not assessed")


def test_a_scale_nobody_assessed_is_never_a_grade(library: Library) -> None:
    unexposed = ToxicityState("scale", assessed=False, reason="not-exposed")
    value = decision(disposition("no-toxicity"), unexposed, unexposed, orders=())
    for text in sections(bedside(value, library, SHOWN))["grade"].texts:
        assert "grade 0" not in text
        assert "No bispecific given in the look-back period" in text


@pytest.mark.parametrize(
    ("action", "grade", "summary"),
    [
        ("not-stated", 2, "Teclistamab: CRS grade 2: disposition not stated in the source"),
        ("no-toxicity", 0, "Teclistamab: no toxicity found"),
        ("not-applicable", 0, "No bispecific involved"),
    ],
)
def test_without_a_card_the_disposition_comes_first(
    action: Any, grade: int, summary: str, library: Library
) -> None:
    value = decision(disposition(action), state(grade), orders=())
    assert bedside(value, library, SHOWN).leads[0].summary == summary


def test_what_cannot_be_evaluated_is_said_by_the_card_alone(library: Library) -> None:
    """The card of the missing inputs says it; a disposition before it would say it twice."""
    value = decision(disposition("cannot-evaluate"), orders=(), missing=(FLOW,))
    (only,) = bedside(value, library, SHOWN).leads
    assert "oxygen flow missing" in only.summary


def test_missing_inputs_alone_do_not_hide_the_disposition(library: Library) -> None:
    value = decision(disposition("no-toxicity"), state(0), orders=(), missing=(FLOW,))
    first, second = bedside(value, library, SHOWN).leads
    assert first.summary == "Teclistamab: no toxicity found"
    assert "oxygen flow missing" in second.summary


def test_the_calculator_shows_each_step_with_its_source(library: Library) -> None:
    shown = sections(bedside(held(), library, SHOWN))["tocilizumab"]
    told = lines(shown)
    assert told["Weight"] == "120 kg, 20 Nov 2026 23:10 GMT (3 h ago)"
    assert told["Dose per kilogram"] == "8 mg/kg"
    assert told["Product"] == "8 mg/kg × 120 kg = 960 mg"
    assert told["Before the cap, in whole mg (half up)"] == "960 mg"
    assert told["Cap"] == "800 mg a dose"
    assert told["Calculated dose"] == "800 mg"
    assert (told["Doses in this event"], told["Doses in the last 6 weeks"]) == ("1", "2")
    assert told["Not checked"].startswith("allergy")
    sources = {line.label: line.source for line in shown.lines}
    assert "Observation/w" in sources["Weight"]
    assert "Tocilizumab, dose" in sources["Cap"]
    assert "tocilizumab footnote" in sources["Dose per kilogram"]


def test_counts_nobody_could_make_are_not_zero() -> None:
    assert calculator.count(None) == "Not known: earlier doses not available"
    assert calculator.count(0) == "0"


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (Tocilizumab("allowed", "consider"), "No limit of time stands against a dose now"),
        (
            Tocilizumab("blocked", "consider", earliest=NOW, reasons=("interval",)),
            "21 Nov 2026 02:10 GMT",
        ),
        (
            Tocilizumab("blocked", "consider", reasons=("count-this-event",)),
            "No time can be given: most doses for one event already given",
        ),
        (
            Tocilizumab("cannot-evaluate", "consider", reasons=("administrations-not-available",)),
            "Not known: earlier doses not available",
        ),
        (
            Tocilizumab("not-addressed", "not-addressed"),
            "Not addressed by the active protocol; of the limits that always hold, no limit of"
            " time stands against a dose now",
        ),
    ],
)
def test_the_earliest_time_is_a_time_or_says_why_not(result: Tocilizumab, shown: str) -> None:
    assert calculator.earliest(result, LONDON) == shown


def test_without_a_weight_there_is_no_product(library: Library) -> None:
    result = Tocilizumab("cannot-evaluate", "administer", reasons=("no-weight",))
    value = msgspec.structs.replace(held(about={"tocilizumab": result}), tocilizumab_weight=None)
    told = lines(sections(bedside(value, library, SHOWN))["tocilizumab"])
    assert told["Weight"] == "No recent measured weight was read"
    assert told["Calculated dose"] == "No dose computed"
    assert told["Doses in this event"] == "Not known: earlier doses not available"
    assert "Product" not in told


def test_anakinra_has_its_steps_ceilings_route_and_kidneys(library: Library) -> None:
    result = Anakinra(
        "allowed",
        start_mg=Decimal(100),
        step_mg=Decimal(100),
        max_mg_per_day=Decimal(700),
        max_continuous_mg_per_day=Decimal(400),
        route="SC unless unsuitable",
        renal="Creatinine clearance 80 mL/min by Cockcroft-Gault (inputs)",
    )
    told = lines(sections(bedside(held(about={"anakinra": result}), library, SHOWN))["anakinra"])
    assert told["Start"] == told["Step"] == "100 mg"
    assert told["At most a day, by weight"] == "700 mg"
    assert told["At most a day, continuous IV infusion"] == "400 mg"
    assert told["Route"] == "SC unless unsuitable"
    assert "Cockcroft-Gault" in told["Kidneys"]


def test_anakinra_that_the_protocol_does_not_address_has_no_number(library: Library) -> None:
    result = Anakinra("not-addressed", reasons=("protocol-silent",))
    told = lines(sections(bedside(held(about={"anakinra": result}), library, SHOWN))["anakinra"])
    assert told["Check"] == "the active protocol states no dose"
    assert not any(any(sign.isdigit() for sign in value) for value in told.values())


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (Shown(zone=LONDON, off=SwitchedOff(topics=frozenset({"CRSG2TO3"}))), "topic CRSG2TO3"),
        (Shown(zone=LONDON, off=SwitchedOff(rules=frozenset({LABEL.rule}))), f"rule {LABEL.rule}"),
        (Shown(zone=LONDON, silent=True), "This site runs silently"),
    ],
)
def test_what_a_site_withholds_is_named_and_the_grade_stays(
    shown: Shown, said: str, library: Library
) -> None:
    notes = {
        "notices": (
            Notice("x", "Give something."),
            Notice("not-read", "Not read from the FHIR server: vitals: the server has a fault."),
            Notice("history-not-read", "Earlier events: the store could not be read."),
            Notice("crs-charted-differs", "Charted CRS grade 4; the data give 2-3."),
        ),
        "unreadable": (Unreadable("prefetch.labs", "no Bundle"),),
    }
    sheet = bedside(held(about=notes), library, shown)
    found = sections(sheet)
    assert said in "\n".join(found["withheld"].texts)
    assert "CRS grade at least 2" in found["grade"].texts[0]
    assert {"inputs", "missing", "made"} <= set(found)
    assert not {"advice", "rules", "acute", "tocilizumab", "notes"} & set(found)
    assert not any("Hold" in lead.summary for lead in sheet.leads)
    assert "the grade and the data differ, check both" in sheet.leads[0].summary
    assert found["unread"].texts[0].splitlines()[1:] == [
        "- Not read from the FHIR server: vitals: the server has a fault.",
        "- Earlier events: the store could not be read.",
        "- Not used: prefetch.labs: no Bundle",
    ]


def test_a_partial_ice_and_a_code_are_in_words(library: Library) -> None:
    span = Evidence("Observation/i", "ice-total", "4-10", "", NOW)
    gap = Missing("raised-icp", "raised-icp not charted")
    icans = msgspec.structs.replace(state(0, 2, (gap,)), axes={"ice": AxisState("4-10", (span,))})
    value = decision(disposition("withhold"), state(2), icans, orders=())
    seen = everything(bedside(value, library, SHOWN))
    assert "- ICE: 4 to 10; 4 to 10, 21 Nov 2026 02:10 GMT" in seen
    assert "- raised ICP: raised ICP not charted" in seen


def test_a_stated_disposition_is_withheld_by_its_own_topic(library: Library) -> None:
    off = Shown(zone=LONDON, off=SwitchedOff(topics=frozenset({"NOTSTATEDCRSG2"})))
    value = decision(disposition("not-stated"), state(2), orders=())
    assert "advice" in sections(bedside(value, library, SHOWN))
    assert "advice" not in sections(bedside(value, library, off))


def test_an_expired_protocol_has_grades_and_no_treatment(library: Library) -> None:
    value = decision(
        disposition("not-stated"),
        state(2, event=event(2)),
        about={
            "notices": (Notice("protocol-expired", "Past its last day."),),
            "tocilizumab": ALLOWED,
            "anakinra": Anakinra("allowed", Decimal(100)),
        },
        orders=(),
        event_open=True,
    )
    sheet = bedside(value, library, SHOWN)
    assert "protocol expired: no management advice" in sheet.leads[0].summary
    assert not {"tocilizumab", "anakinra", "acute"} & set(sections(sheet))


def test_rems_says_whether_its_duties_were_read(library: Library) -> None:
    program = library.rems["teclistamab"].id
    read = Shown(zone=LONDON, acknowledged=frozenset({program}))
    for shown, said in ((SHOWN, "No acknowledgement"), (read, "Acknowledged: ")):
        texts = sections(bedside(held(), library, shown))["rems"].texts
        assert any(text.startswith(said) for text in texts)
        assert texts[-1].count("Source: ") == len(library.rems["teclistamab"].duties)


@pytest.mark.parametrize(
    ("protocol", "ingredient", "said"),
    [
        ("nhs-waht", "teclistamab", "The active protocol has no REMS."),
        ("us-label", "tarlatamab", "No REMS programme of tarlatamab is in the knowledge base."),
    ],
)
def test_without_a_programme_the_page_says_why_and_no_topic_hides_it(
    protocol: str, ingredient: str, said: str, library: Library
) -> None:
    value = held(about={"agent": Agent(ingredient, NOW)})
    assessment = value.assessment
    chosen = msgspec.structs.replace(
        assessment, protocol=msgspec.structs.replace(assessment.protocol, id=protocol)
    )
    without = msgspec.structs.replace(value, assessment=chosen)
    everything_off = Shown(
        zone=LONDON, off=SwitchedOff(topics=frozenset({"REMSTECLISTAMAB", "REMSTARLATAMAB"}))
    )
    for shown in (SHOWN, everything_off):
        assert sections(bedside(without, library, shown))["rems"].texts == (said,)


def test_an_event_that_is_over_is_no_grade(library: Library) -> None:
    over = state(0, event=event(2, resolved_at=NOW))
    value = decision(disposition("no-toxicity"), over, orders=())
    first = sections(bedside(value, library, SHOWN))["grade"].texts[0]
    assert first.startswith("CRS event over")


def test_each_document_is_named_once_among_the_sources(library: Library) -> None:
    other = msgspec.structs.replace(LABEL, at="table 1, grade 3")
    value = msgspec.structs.replace(held(), rows=(row(), row(citation=other)))
    (text,) = sections(bedside(value, library, SHOWN))["sources"].texts
    assert text.count("Label tables") == 1
