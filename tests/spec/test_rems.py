"""REMS: three programmes under the US protocols, shown as information and never as a block."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from knowledge.assemble import Context
from knowledge.assessment import Rems
from knowledge.decide import decide
from knowledge.decision import Decision
from knowledge.facts import BISPECIFICS
from knowledge.library import load
from knowledge.rems import rems_for, stale_notice
from tests.spec.chart import NOW, chart, charted, dose, normal_vitals, readings, teclistamab_order


LIBRARY = load()
PROGRAMS = {
    "elranatamab": "ELREXFIO REMS",
    "linvoseltamab": "LYNOZYFIC REMS",
    "talquetamab": "TECVAYLI and TALVEY REMS",
    "teclistamab": "TECVAYLI and TALVEY REMS",
}
IDS = sorted({program.id for program in LIBRARY.rems.values()})
VERIFIED = date(2025, 8, 18)
STALE_DAYS = 180
WELL = {
    **normal_vitals(1),
    "ice": readings("ice", (1, 10)),
    "arousal": charted("arousal", (1, "alert")),
}


def decided(protocol: str, ingredient: str, **changes: object) -> Decision:
    context = Context("spec", "live", protocol, "0", LIBRARY.rules, ZoneInfo("UTC"))
    facts = chart(
        orders=(teclistamab_order(ingredient=ingredient, display=ingredient),),
        doses=(dose(ingredient, 30),),
        **{**WELL, **changes},
    )
    return decide(facts, LIBRARY, context)


@pytest.mark.parametrize("protocol", ["us-label", "community-sop"])
@pytest.mark.parametrize("ingredient", PROGRAMS)
def test_the_four_myeloma_products_name_their_programme(protocol: str, ingredient: str) -> None:
    found = decided(protocol, ingredient)

    assert found.assessment.rems == Rems(PROGRAMS[ingredient], "2025-08-18")
    roles = {duty.role for duty in found.rems_duties}
    assert roles == {"prescriber", "pharmacy-and-setting", "patient"}


def test_there_are_three_programmes_for_four_products() -> None:
    assert {name: program.program for name, program in LIBRARY.rems.items()} == PROGRAMS
    assert IDS == ["elrexfio-rems", "lynozyfic-rems", "tecvayli-talvey-rems"]


@pytest.mark.parametrize("ingredient", sorted(BISPECIFICS - PROGRAMS.keys()))
def test_no_other_product_has_a_programme(ingredient: str) -> None:
    found = decided("us-label", ingredient)

    assert (found.assessment.rems, found.rems_duties) == (None, ())


@pytest.mark.parametrize("ingredient", sorted(BISPECIFICS))
def test_never_under_the_nhs_guideline(ingredient: str) -> None:
    found = decided("nhs-waht", ingredient)

    assert (found.assessment.rems, found.rems_duties) == (None, ())


@pytest.mark.parametrize("ingredient", PROGRAMS)
def test_a_programme_never_blocks_the_order(ingredient: str) -> None:
    found = decided("us-label", ingredient)

    assert found.assessment.disposition.action == "no-toxicity"
    assert [order.disposition.action for order in found.orders] == ["no-toxicity"]


def test_a_programme_does_not_soften_a_hold_either() -> None:
    found = decided("us-label", "elranatamab", temperatures=readings("t", (1, 38.6)))

    assert found.assessment.rems is not None
    assert found.assessment.disposition.action == "withhold"


@pytest.mark.parametrize("ingredient", PROGRAMS)
def test_who_read_the_duties_sees_the_programme_without_them(ingredient: str) -> None:
    us = LIBRARY.protocols["us-label"]
    drafted = (teclistamab_order(ingredient=ingredient),)
    program = LIBRARY.rems[ingredient]
    others = frozenset(IDS) - {program.id}

    rems, duties = rems_for(LIBRARY, us, drafted, frozenset({program.id}))
    assert (rems, duties) == (Rems(PROGRAMS[ingredient], "2025-08-18"), ())
    assert rems_for(LIBRARY, us, drafted, others) == rems_for(LIBRARY, us, drafted)
    assert len(rems_for(LIBRARY, us, drafted)[1]) == len(program.duties)


def test_an_acknowledgement_makes_no_programme_under_the_nhs_guideline() -> None:
    nhs = LIBRARY.protocols["nhs-waht"]
    drafted = (teclistamab_order(),)

    assert rems_for(LIBRARY, nhs, drafted, frozenset(IDS)) == (None, ())


@pytest.mark.parametrize("days", [0, STALE_DAYS - 1, STALE_DAYS])
def test_up_to_180_days_after_it_was_verified_the_status_stands(days: int) -> None:
    rems = Rems("ELREXFIO REMS", VERIFIED.isoformat())

    assert stale_notice(rems, VERIFIED + timedelta(days=days), LIBRARY.rules) is None


@pytest.mark.parametrize("days", [STALE_DAYS + 1, (NOW.date() - VERIFIED).days])
def test_after_180_days_the_status_is_to_be_confirmed(days: int) -> None:
    rems = Rems("ELREXFIO REMS", VERIFIED.isoformat())
    notice = stale_notice(rems, VERIFIED + timedelta(days=days), LIBRARY.rules)

    assert notice is not None
    assert notice.code == "rems-stale"
    assert notice.text == (
        "ELREXFIO REMS: REMS required per source dated 2025-08-18; confirm current status at"
        " REMS@FDA."
    )


def test_a_site_may_ask_sooner() -> None:
    sooner = msgspec.structs.replace(LIBRARY.rules, rems_stale_days=30)
    rems = Rems("ELREXFIO REMS", VERIFIED.isoformat())

    assert stale_notice(rems, VERIFIED + timedelta(days=31), sooner) is not None


def test_nothing_is_stale_without_a_programme() -> None:
    assert stale_notice(None, NOW.date(), LIBRARY.rules) is None


def test_the_review_intervals_are_the_projects_own() -> None:
    defaults = LIBRARY.files["site-defaults.yaml"]

    assert (LIBRARY.rules.rems_stale_days, LIBRARY.rules.knowledge_stale_days) == (180, 365)
    assert defaults.source.ref == "project"


# role, words of one duty: from the REMS section and, for the last two, the FDA's TECVAYLI page
DUTIES = [
    ("prescriber", ("knowledge assessment", "prescriber enrolment form")),
    ("prescriber", ("Before the first dose", "counsel", "Patient Wallet Card")),
    ("pharmacy-and-setting", ("authorised representative", "must not be the certified prescriber")),
    ("pharmacy-and-setting", ("representative sends the enrolment form",)),
    ("pharmacy-and-setting", ("Train all staff",)),
    ("pharmacy-and-setting", ("Report serious CRS and neurologic toxicity",)),
    ("pharmacy-and-setting", ("records of staff training", "processes")),
    ("pharmacy-and-setting", ("Record each dispense", "wholesalers on request")),
    ("pharmacy-and-setting", ("Accept audits",)),
    ("pharmacy-and-setting", ("only to certified pharmacies and settings",)),
    ("pharmacy-and-setting", ("every dispense", "NPI", "(RDA)", "do not dispense")),
    ("prescriber", ("eport serious CRS and neurologic toxicity",)),
    ("patient", ("arry the Patient Wallet Card",)),
]


@pytest.mark.parametrize("program", IDS)
@pytest.mark.parametrize(("role", "words"), DUTIES, ids=str)
def test_each_duty_is_there_once(program: str, role: str, words: tuple[str, ...]) -> None:
    (found,) = (p for p in set(LIBRARY.rems.values()) if p.id == program)
    said = [d.text for d in found.duties if d.role == role and all(w in d.text for w in words)]

    assert len(said) == 1
    assert len(found.duties) == len(DUTIES)


@pytest.mark.parametrize("ingredient", PROGRAMS)
def test_the_representative_is_not_the_prescriber(ingredient: str) -> None:
    found = decided("us-label", ingredient).rems_duties
    (naming,) = [d for d in found if d.text.startswith("Name an authorised representative")]

    assert naming.role == "pharmacy-and-setting"
    assert "must not be the certified prescriber" in naming.text
    assert not any("representative" in d.text for d in found if d.role == "prescriber")


@pytest.mark.parametrize("ingredient", PROGRAMS)
def test_the_prescribers_report_is_cited_from_the_page_it_was_read_on(ingredient: str) -> None:
    found = decided("us-label", ingredient).rems_duties
    (report,) = [d for d in found if d.role == "prescriber" and "eport serious" in d.text]

    assert report.citation.publisher == "US Food and Drug Administration"
    assert "TECVAYLI" in report.citation.title
    of_another = PROGRAMS[ingredient] != "TECVAYLI and TALVEY REMS"
    assert ("check this programme" in report.text) == of_another
