"""What a server leaves out of an event's beginning: the hours at grade 3 only get longer."""

import msgspec

from cds.demo.fhir import quirks_of
from cds.demo.fhir.quirks import Quirks
from fhir_mapping.codes import CodeSets
from knowledge.assessment import Hours
from knowledge.library import Library
from tests.demo.test_quirks_grades import read_all


def hours(quirks: Quirks, story: str, library: Library, codes: CodeSets) -> Hours:
    event = read_all(quirks, library, codes)[story].decision.assessment.crs.event
    assert event is not None
    assert event.hours_at_grade3 is not None
    return event.hours_at_grade3


def test_an_event_cut_off_by_pages_nobody_read_may_have_lasted_as_long_as_it_did(
    library: Library, codes: CodeSets
) -> None:
    small = msgspec.structs.replace(Quirks(), largest_page=7)
    story = "resolved-long-grade-three"
    whole, part = (hours(one, story, library, codes) for one in (Quirks(), small))
    assert part.at_most >= whole.at_least
    cards = read_all(small, library, codes)[story].cards
    assert "cannot exclude permanent discontinuation" in "".join(one.detail for one in cards)


def test_a_temperature_without_its_unit_is_no_look_before_a_fever(
    library: Library, codes: CodeSets
) -> None:
    story = "cannula-without-flow"
    plain, quirky = (
        hours(one, story, library, codes) for one in (Quirks(), quirks_of("missing-units"))
    )
    assert quirky.at_most >= plain.at_most
