"""What is asked: the questions of the Questionnaire, ICE or CAPD by age, nothing else."""

import pytest

from cds.smart.form.fields import Asked, Field, asked, sections
from fhir_mapping.definitions import questions


EVERYTHING = Asked(ice=True, capd=True, statements=True)
ICE = {"ice-orientation": 4, "ice-naming": 3, "ice-command": 1, "ice-writing": 1}


def fields(of: Asked = EVERYTHING) -> dict[str, Field]:
    return {field.name: field for section in sections(of) for field in section.fields}


@pytest.mark.parametrize(
    ("age", "ice", "capd"),
    [(0, False, True), (11, False, True), (12, True, False), (60, True, False), (None, True, True)],
)
def test_capd_is_asked_under_12_ice_from_12_and_both_where_the_age_is_not_known(
    age: int | None, ice: bool, capd: bool
) -> None:
    of = asked(age, 12, may_chart=True)
    assert (of.ice, of.capd) == (ice, capd)
    assert ("ice-orientation" in fields(of), "capd-total" in fields(of)) == (ice, capd)


def test_the_ice_items_have_the_points_of_the_seeds_table() -> None:
    for item, most in {**ICE, "ice-attention": 1}.items():
        assert [one.code for one in fields()[item].choices] == [str(n) for n in range(most + 1)]


def test_a_total_is_not_asked_beside_its_items() -> None:
    assert "ice-total" not in fields()


def test_who_cannot_chart_is_not_asked_for_a_clinicians_statement() -> None:
    lost = fields().keys() - fields(asked(60, 12, may_chart=False)).keys() - {"capd-total"}
    assert lost == {"attribution-crs", "attribution-icans", "crs-grade", "icans-grade"}


@pytest.mark.parametrize(
    "link", ["arousal", "seizure", "motor", "raised-icp", "hypotension-support", "oxygen-device"]
)
def test_a_choice_offers_every_answer_of_the_questionnaire_in_its_words(link: str) -> None:
    item, field = questions()[link], fields()[link]
    assert field.label == item.text
    expected = [(one.value_coding.code, one.value_coding.display) for one in item.answer_option]
    assert [(one.code, one.text) for one in field.choices] == expected


def test_the_attribution_of_each_toxicity_is_a_question_of_its_own() -> None:
    crs, icans = fields()["attribution-crs"], fields()["attribution-icans"]
    assert [one.code for one in crs.choices] == ["btce", "other-cause", "undetermined"]
    assert (crs.label, icans.label) == (
        "Cause of the findings: CRS",
        "Cause of the findings: ICANS",
    )


def test_no_answer_of_a_choice_is_blank_as_that_is_how_not_answered_is_sent() -> None:
    assert all(one.code and one.text for field in fields().values() for one in field.choices)


def test_every_number_says_its_unit_or_its_limits() -> None:
    for field in fields().values():
        if field.kind in ("decimal", "whole"):
            assert field.title.endswith(")"), field.name
