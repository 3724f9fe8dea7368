"""Prefetch values in every state, and hostile input: named by its place, never an exception."""

from typing import Any

import pytest

from tests.builders import Json, administration, as_bytes, bundle, concept, hours_ago, patient, temp
from tests.unit.fhir_mapping.mapped import map_request, reasons


def _outcome(severity: str, code: str = "processing") -> Json:
    issue = [{"severity": severity, "code": code}]
    return {"resourceType": "OperationOutcome", "issue": issue}


EMPTY: Json = {"resourceType": "Bundle", "type": "searchset"}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="null"),
        pytest.param(b" null ", id="null with spaces"),
        pytest.param(EMPTY, id="an empty Bundle"),
        pytest.param(bundle(), id="a Bundle with no entries"),
        pytest.param(bundle(_outcome("warning")), id="a Bundle with only a warning"),
        pytest.param(bundle(_outcome("information"), temp(38.4)), id="matches and information"),
    ],
)
def test_answered(value: object) -> None:
    facts = map_request({"vitals": value}).facts
    assert facts.answered == {"vitals"}
    assert facts.unreadable == ()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(_outcome("error"), id="an OperationOutcome"),
        pytest.param(_outcome("warning"), id="an OperationOutcome that only warns"),
        pytest.param(bundle(_outcome("error")), id="a Bundle with an error"),
        pytest.param(
            bundle(_outcome("warning", "suppressed")), id="a Bundle whose results were withheld"
        ),
        pytest.param({}, id="an object that says no type"),
        pytest.param({"detail": "Unauthorized"}, id="an error of another kind than FHIR's"),
        pytest.param(bundle(_outcome("fatal")), id="a Bundle with a fatal error"),
        pytest.param("not data", id="a string"),
        pytest.param("<html>sign in</html>", id="an HTML page"),
        pytest.param(7, id="a number"),
        pytest.param([], id="a list"),
        pytest.param({}, id="an object without a type"),
        pytest.param(patient(), id="another type of resource"),
        pytest.param(temp(38.4), id="one resource instead of a Bundle"),
        pytest.param({"resourceType": "Bundle", "entry": 7}, id="a Bundle without a list"),
        pytest.param(b'{"resourceType":', id="broken JSON"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
    ],
)
def test_not_answered(value: object) -> None:
    facts = map_request({"vitals": value}).facts
    assert facts.answered == frozenset()
    assert facts.temperatures == ()
    assert facts.unreadable[0].at.startswith("prefetch.vitals")


def test_a_key_that_was_not_sent_is_not_answered() -> None:
    assert map_request({}).facts.answered == frozenset()
    assert map_request({"mine": bundle(temp(38.4))}).facts.answered == frozenset()


def test_an_error_beside_data_is_said_and_the_data_are_used() -> None:
    facts = map_request({"vitals": bundle(temp(38.4), _outcome("error"))}).facts
    assert len(facts.temperatures) == 1
    assert facts.answered == frozenset()
    assert facts.unreadable[0].at == "prefetch.vitals.entry[1]"


def test_resources_are_read_from_every_key_whatever_its_name() -> None:
    assert map_request({"mine": bundle(temp(38.4))}).facts.temperatures
    assert map_request({"mine": temp(38.4)}).facts.temperatures
    assert map_request({"labs": bundle(temp(38.4))}).facts.temperatures


def test_reads_may_come_bare_or_in_a_bundle() -> None:
    for value in (patient(), bundle(patient())):
        facts = map_request({"patient": value}).facts
        assert (facts.age_years, facts.sex, facts.answered) == (66, "male", frozenset({"patient"}))
    broken = map_request({"patient": {**patient(), "birthDate": 7}}).facts
    assert (broken.age_years, broken.answered) == (None, frozenset())
    assert broken.unreadable[0].at == "prefetch.patient"


GOOD = temp(38.4, resource_id="good")


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({**temp(39), "status": 7}, id="a wrong type"),
        pytest.param({**temp(39), "code": "fever"}, id="a string for a concept"),
        pytest.param({**temp(39), "component": {}}, id="an object for a list"),
        pytest.param({"id": "x"}, id="no resource type"),
        pytest.param({"resourceType": 7}, id="a number as type"),
        pytest.param("text", id="a string"),
        pytest.param(None, id="null"),
        pytest.param(EMPTY, id="a Bundle in a Bundle"),
    ],
)
def test_one_bad_entry_is_named_and_the_others_are_read(bad: object) -> None:
    value = {"resourceType": "Bundle", "entry": [{"resource": bad}, {"resource": GOOD}]}
    facts = map_request({"vitals": value}).facts
    assert len(facts.temperatures) == 1
    assert [one.at for one in facts.unreadable] == ["prefetch.vitals.entry[0]"]


@pytest.mark.parametrize("entry", [{}, {"fullUrl": "x"}, 7, {"fullUrl": 7}])
def test_an_entry_without_a_resource_is_named(entry: object) -> None:
    value = {"resourceType": "Bundle", "entry": [entry, {"resource": GOOD}]}
    facts = map_request({"vitals": value}).facts
    assert len(facts.temperatures) == 1
    assert [one.at for one in facts.unreadable] == ["prefetch.vitals.entry[0]"]


def test_places_stay_right_behind_entries_that_are_not_read() -> None:
    hot = temp(101.3, resource_id="hot")
    entries: list[Any] = [7, {"resourceType": "Flag"}, {**temp(39), "status": 7}, hot]
    value = {"resourceType": "Bundle", "entry": [{"resource": one} for one in entries]}
    places = [one.at[-8:] for one in map_request({"vitals": value}).facts.unreadable]
    assert places == ["entry[0]", "entry[2]", "entry[3]"]


def test_deep_nesting_costs_one_entry() -> None:
    deep = b'{"resourceType":"Observation","extension":' + b"[" * 5000 + b"]" * 5000 + b"}"
    value = b'{"resourceType":"Bundle","entry":[{"resource":%s},{"resource":%s}]}' % (
        deep,
        as_bytes(GOOD),
    )
    facts = map_request({"vitals": value}).facts
    assert facts.unreadable[0].at.startswith("prefetch.vitals")


@pytest.mark.parametrize(
    "number",
    [
        b"1e999999999999999999999",
        b"1e999999",
        b"-1e999999",
        b"1e-999999",
        b"9" * 100,
        b"NaN",
        b"Infinity",
        b'"38"',
    ],
)
def test_strange_numbers_are_refused(number: bytes) -> None:
    text = as_bytes(temp(38.4)).replace(b"38.4", number)
    value = b'{"resourceType":"Bundle","entry":[{"resource":%s}]}' % text
    facts = map_request({"vitals": value}).facts
    assert facts.temperatures == ()
    assert facts.unreadable


def _page(*hours: float, more: bool = True) -> Json:
    temps = [temp(38, at=hours_ago(h), resource_id=f"t{h}") for h in hours]
    return bundle(*temps, more=more)


def _said(url: object, *notes: Json) -> Json:
    """Newest first past 45 days, and more behind; `url`: what the server says that it answered."""
    made = bundle(temp(38), temp(38, at=hours_ago(24 * 46), resource_id="t2"), *notes)
    links = [{"relation": "self", "url": url}, {"relation": "next", "url": "https://x.example/2"}]
    return {**made, "link": links}


@pytest.mark.parametrize(
    ("value", "complete"),
    [
        pytest.param(_said("https://x.example/Observation?_sort=-date"), True, id="sorted"),
        pytest.param(_said("https://x.example/Observation?_count=9"), False, id="not sorted"),
        pytest.param(_said(7), True, id="a link that says nothing"),
        pytest.param(_said("", _outcome("warning")), True, id="an empty link, a plain warning"),
        pytest.param(
            _said(
                "",
                {
                    "resourceType": "OperationOutcome",
                    "issue": [{"severity": "warning", "code": "not-supported"}],
                },
            ),
            False,
            id="a note that a part of the query was ignored",
        ),
        pytest.param(_page(1, 2, more=False), True, id="no next page"),
        pytest.param(_page(1, 2), False, id="a next page within the window"),
        pytest.param(_page(1, 24 * 46), True, id="newest first, past 45 days"),
        pytest.param(_page(24 * 46, 1), False, id="oldest first"),
        pytest.param(_page(24 * 46, 1, 24 * 47), False, id="not in order"),
        pytest.param(_page(), False, id="nothing on the page"),
        pytest.param(
            bundle({**temp(38), "effectiveDateTime": "2020"}, more=True), False, id="no times"
        ),
        pytest.param(
            bundle(temp(38, at=hours_ago(24 * 46)), _outcome("warning"), more=True),
            True,
            id="a warning has no time",
        ),
    ],
)
def test_a_next_page(value: Json, complete: bool) -> None:
    facts = map_request({"vitals": value}).facts
    assert ("vitals" in facts.answered) is complete
    assert ("partial-page" in reasons(facts)) is not complete


def test_a_page_of_administrations_must_reach_sixty_days_back() -> None:
    medicine = concept("urn:local", "x", "acetaminophen")
    for days, complete in ((59, False), (61, True)):
        given = administration(medicine, at=hours_ago(24 * days), until=hours_ago(24 * days - 1))
        facts = map_request({"administrations": bundle(given, more=True)}).facts
        assert ("administrations" in facts.answered) is complete


def test_a_page_of_other_resources_has_no_order() -> None:
    request = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p1"}}
    assert map_request({"conditions": bundle(request, more=True)}).facts.answered == frozenset()
    done = {
        "resourceType": "Procedure",
        "id": "pr",
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "performedDateTime": hours_ago(24 * 46),
    }
    assert map_request({"procedures": bundle(done, more=True)}).facts.answered == {"procedures"}


def test_text_that_is_not_utf8_costs_one_entry() -> None:
    bad = as_bytes(temp(39)).replace(b"final", b"fin\xff")
    value = b'{"resourceType":"Bundle","entry":[{"resource":%s},{"resource":%s}]}' % (
        bad,
        as_bytes(GOOD),
    )
    facts = map_request({"vitals": value}).facts
    assert len(facts.temperatures) == 1
    assert [one.at for one in facts.unreadable] == ["prefetch.vitals.entry[0]"]


@pytest.mark.parametrize(
    "members",
    [
        {"code": None},
        {"code": None, "component": [{}, {"code": concept("urn:local", "1")}]},
        {"code": concept("urn:local", "1")},
    ],
)
def test_an_observation_of_something_else_is_passed_over(members: Json) -> None:
    facts = map_request({"vitals": bundle({**temp(38.4), **members})}).facts
    assert (facts.temperatures, facts.unreadable) == ((), ())


def test_a_medication_without_id_or_address_is_never_meant() -> None:
    value = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Medication"}}]}
    assert map_request({"mine": value}).facts.unreadable == ()


def test_a_resource_in_two_answers_counts_once() -> None:
    facts = map_request({"vitals": bundle(temp(38.4)), "labs": bundle(temp(38.4))}).facts
    assert len(facts.temperatures) == 1


def test_withheld_results_leave_the_query_open_and_keep_what_came() -> None:
    value = bundle(temp(38.4), _outcome("warning", "suppressed"))
    facts = map_request({"vitals": value}).facts
    assert "vitals" not in facts.answered
    assert len(facts.temperatures) == 1
    assert "prefetch.vitals.entry[1]" in {one.at for one in facts.unreadable}
