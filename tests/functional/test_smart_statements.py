"""The page of statements: what was stated, in words, and what to do where the EHR lacks it."""

import re
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest

from cds.smart.evaluating import assessed, record_of
from cds.smart.pages import statements
from cds.smart.stating.writing import as_stated, counted, state
from fhir_mapping import write
from fhir_mapping.write import Charting
from tests.beside import DOCTOR, PAGE, Room, other, room
from tests.functional.test_smart_writing import (
    FORM,
    answered,
    behind,
    confirm,
    febrile,
    on_server,
)


URL = f"{PAGE}/statements"
AGAIN = f"{URL}/again"
WITHDRAW = f"{URL}/withdraw"


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path, (statements.add_routes,), febrile()) as one:
        yield one


def shown(ward: Room) -> str:
    """The page as it is sent."""
    answer = ward.client.get(URL)
    assert answer.status_code == 200
    return answer.text


def words(html: str) -> str:
    """What a reader sees, without marks and in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def refused(ward: Room, problem: str = "not-allowed", *, grade: int = 3) -> str:
    """A confirmed form whose statements all have this problem; its id."""
    with behind(ward, before=lambda: answered(403)) as here:
        rows = confirm(ward, here, form=problem, grade=grade)
    for row in rows:
        assert ward.parts.kept.claim(row, now=ward.clock.now, until=ward.clock.now)
        ward.parts.kept.refused(row, problem, again=False)
    return rows[0].submission


def test_without_a_statement_the_page_says_so(ward: Room) -> None:
    assert "Nothing was stated about this patient in this app" in words(shown(ward))


def test_what_was_just_confirmed_is_shown_with_the_grade_its_rule_and_its_source(
    ward: Room,
) -> None:
    confirm(ward, grade=3)
    text = words(shown(ward))

    assert "Confirmed 21 Nov 2026 12:00 GMT In the chart: 4 of 4." in text
    assert "CRS grade 3" in text
    assert re.search(r"Rule: CRS grade 3.* Source: .*; rule [\w.-]+@\d+#", text)
    assert "not clinically reviewed" in text


def test_the_chart_is_read_anew_once_something_was_confirmed(ward: Room) -> None:
    assert "CRS grade 3" not in words(shown(ward))
    confirm(ward, grade=3)

    assert "CRS grade 3" in words(shown(ward))


def test_what_is_in_the_chart_counts_before_a_search_shows_it_and_no_longer(ward: Room) -> None:
    shown(ward)
    behindhand = ward.parts.at_hand.get(ward.here.context.launch)
    assert behindhand is not None
    confirm(ward, grade=3)
    ward.parts.at_hand.put(ward.here.context.launch, behindhand)
    assert "CRS grade 3" in words(shown(ward))
    ward.clock.later(minutes=2, seconds=1)

    assert "CRS grade 3" not in words(shown(ward))


def test_what_is_read_and_counted_as_well_is_one_statement(ward: Room) -> None:
    rows = confirm(ward, grade=3)
    found = as_stated(counted(ward.parts, ward.here), ward.clock.now)
    record = record_of(ward.here, ward.parts.deployment, ward.parts.at_hand)
    evaluation = assessed(
        record, ward.here, ward.parts.deployment, now=ward.clock.now, stated=found
    )

    assert [one["id"] for one in found] == [row.ref.partition("/")[2] for row in rows[:3]]
    crs = evaluation.decision.assessment.crs
    assert crs.charted is not None
    assert crs.charted.ref == rows[2].ref
    assert "versions-undecided" not in {one.code for one in evaluation.decision.assessment.notices}


def test_each_statement_has_its_words_its_value_and_its_reference(ward: Room) -> None:
    rows = confirm(ward, grade=2)
    text = words(shown(ward))

    assert "ICE score, total 7; ICE: orientation to year, month, city and hospital: 4;" in text
    assert f"Level of arousal awake In the chart {rows[1].ref}" in text
    assert f"CRS grade by a clinician 2 In the chart {rows[2].ref}" in text
    assert f"All answers, as a form 7 answers In the chart {rows[3].ref}" in text
    assert f"Charted by {DOCTOR}" in text


def test_a_quantity_and_what_was_not_assessed_are_said_in_words(ward: Room) -> None:
    by = Charting("p1", DOCTOR, ward.clock.now)
    made = [
        ("oxygen-device", write.oxygen_device(by, "mask <b>", flow=Decimal("2.50"))),
        ("motor", write.not_performed(by, "motor", "asleep & well")),
    ]
    state(ward.parts, ward.here, FORM, made, ward.clock.now)
    html = shown(ward)

    assert "Oxygen device mask <b>; Oxygen flow: 2.50 L/min" in words(html)
    assert "Motor finding Not assessed: asleep & well" in words(html).replace("  ", " ")
    assert "mask &lt;b&gt;" in html
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("problem", "said", "do"),
    [
        ("not-granted", "Not in the chart", "Chart it in the EHR"),
        ("session", "session with the EHR is over", "Open the app from the EHR again"),
        ("not-allowed", "the EHR refused it (not allowed)", "Try again, or chart it in the EHR"),
        ("rejected", "the EHR did not accept it", "Try again, or chart it in the EHR"),
        ("another-patient", "record of another patient", "Check the chart"),
        ("busy", "the EHR is busy", "Wait a minute"),
        ("unreachable", "could not be reached", "Send it again"),
        ("unclear", "It may be in the chart", "look in the chart"),
    ],
)
def test_what_the_ehr_lacks_is_shown_with_its_value_and_what_to_do(
    ward: Room, problem: str, said: str, do: str
) -> None:
    refused(ward, problem, grade=3)
    text = words(shown(ward))
    (line,) = re.findall(r"CRS grade by a clinician 3 (.*?) None", text)

    assert said in line
    assert do in line
    assert "Not in the chart: 4" in text


def test_what_is_not_in_the_chart_counts_for_the_grade_on_the_page(ward: Room) -> None:
    refused(ward, grade=4)

    assert "CRS grade 4" in words(shown(ward))


def test_the_button_sends_it_again_and_shows_the_page_anew(ward: Room) -> None:
    submission = refused(ward)
    assert f'name="submission" value="{submission}"' in shown(ward)
    answer = ward.client.post(AGAIN, data={"submission": submission, "csrf": "the-csrf-token"})

    assert (answer.status_code, answer.headers["Location"]) == (303, URL)
    assert len(on_server(ward)) == 4
    assert "Send again" not in shown(ward)


def test_a_button_withdraws_what_is_not_in_the_chart_and_the_page_says_so(ward: Room) -> None:
    submission = refused(ward, grade=4)
    assert "CRS grade 4" in words(shown(ward))
    (form,) = re.findall(rf'<form[^>]*action="{WITHDRAW}".*?</form>', shown(ward), re.DOTALL)
    assert f'name="submission" value="{submission}"' in form
    assert 'name="csrf" value="the-csrf-token"' in form
    assert "Withdraw what was charted 21 Nov 2026 12:00 GMT" in words(form)
    answer = ward.client.post(WITHDRAW, data={"submission": submission, "csrf": "the-csrf-token"})

    assert (answer.status_code, answer.headers["Location"]) == (303, URL)
    text = words(shown(ward))
    assert "CRS grade by a clinician 4 Withdrawn: it does not count here and is not sent" in text
    assert "CRS grade 4" not in text
    assert "Not in the chart: 4" not in text
    assert "In the chart: 0 of 4. Withdrawn: 4 of 4." in text
    assert "Send again" not in text
    assert "<form" not in shown(ward).partition("<main")[2]
    assert on_server(ward) == []


@pytest.mark.parametrize("problem", ["unclear", "another-patient"])
def test_what_may_be_in_the_chart_says_so_when_it_is_withdrawn(ward: Room, problem: str) -> None:
    submission = refused(ward, problem, grade=3)
    ward.client.post(WITHDRAW, data={"submission": submission})
    text = words(shown(ward))
    (line,) = re.findall(r"CRS grade by a clinician 3 (.*?) None", text)

    assert "Withdrawn" in line
    assert "may be in" in line
    assert "in the EHR" in line
    assert "4 of them may be in the chart" in text


def test_what_is_in_the_chart_stays_there_when_the_rest_is_withdrawn(ward: Room) -> None:
    refusals = iter((False, False, True, True))
    with behind(ward, before=lambda: answered(403) if next(refusals) else None) as here:
        rows = confirm(ward, here)
    ward.client.post(WITHDRAW, data={"submission": rows[0].submission})
    text = words(shown(ward))

    assert "In the chart: 2 of 4. Withdrawn: 2 of 4." in text
    assert f"Level of arousal awake In the chart {rows[1].ref}" in text
    assert "CRS grade by a clinician 3 Withdrawn" in text


def test_who_cannot_chart_has_no_button_and_withdraws_nothing(tmp_path: Path) -> None:
    with room(tmp_path, (statements.add_routes,), febrile(), user="Patient/p1") as ward:
        doctor = other(ward.here, user=DOCTOR, scopes=frozenset())
        rows = confirm(ward, doctor)
        assert WITHDRAW not in shown(ward)
        answer = ward.client.post(WITHDRAW, data={"submission": rows[0].submission})

        assert answer.status_code != 303  # the guard shows it as a page
        assert {row.state for row in counted(ward.parts, ward.here)} == {"refused"}


def test_a_button_of_nothing_known_changes_nothing(ward: Room) -> None:
    for button in (AGAIN, WITHDRAW):
        answer = ward.client.post(button, data={"submission": "f" * 64})

        assert answer.status_code == 303
    assert on_server(ward) == []


def test_what_is_being_sent_has_no_button(ward: Room) -> None:
    with behind(ward, before=lambda: answered(403)) as here:
        rows = confirm(ward, here)
    until = ward.clock.now.replace(minute=1)
    for row in rows:
        assert ward.parts.kept.claim(row, now=ward.clock.now, until=until)

    assert "Being sent now" in words(shown(ward))
    assert "<form" not in shown(ward).partition("<main")[2]
    ward.clock.now = until
    assert "It may be in the chart" in words(shown(ward))
    assert "Send again" in words(shown(ward))
    assert "Withdraw what" in words(shown(ward))


def test_forms_come_newest_first_and_only_a_new_one_is_called_confirmed(ward: Room) -> None:
    confirm(ward, form="first", grade=1)
    ward.clock.later(minutes=30)
    confirm(ward, form="second", grade=2)
    text = words(shown(ward))
    assert text.index("CRS grade by a clinician 2") < text.index("CRS grade by a clinician 1")
    assert "Confirmed 21 Nov 2026 12:30 GMT" in text
    ward.clock.later(minutes=11)
    ward.parts.at_hand.drop(ward.here.context.launch)

    assert "Confirmed 21 Nov" not in words(shown(ward))


def test_the_values_are_there_when_the_record_cannot_be_read(tmp_path: Path) -> None:
    with room(tmp_path, (statements.add_routes,), febrile()) as ward:
        refused(ward, grade=3)
        with ward.sandbox.change() as records:
            records.put("Patient", "p1", None, method="DELETE", now=ward.clock.now)
        ward.parts.at_hand.drop(ward.here.context.launch)
        text = words(shown(ward))

    assert "The record cannot be read now" in text
    assert "CRS grade by a clinician 3 Not in the chart" in text
    assert "Rule:" not in text


def test_another_patient_s_statements_are_not_on_the_page(ward: Room) -> None:
    refused(ward)
    stranger = other(ward.here, patient="p2")
    by = Charting("p2", DOCTOR, ward.clock.now)
    made = [("icans-grade", write.grade(by, "icans", 4))]
    state(ward.parts, stranger, FORM, made, ward.clock.now)

    assert "ICANS grade by a clinician" not in shown(ward)


def test_nothing_of_the_patient_is_in_an_address_and_nothing_runs_inline(ward: Room) -> None:
    refused(ward)
    html = shown(ward)

    assert set(re.findall(r'(?:href|action)="(/smart/l/[^"]*)"', html)) == {URL, AGAIN, WITHDRAW}
    assert "style=" not in html
    assert "<script>" not in html
    assert re.search(r"<[^>]* on[a-z]+=", html) is None
