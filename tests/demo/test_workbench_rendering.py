"""What of a card Epic and Oracle Health would show, by their public pages, and what is in full."""

import msgspec
import pytest

from cds.demo.answer import Card, Reply
from cds.demo.drafting import NotApplied, applied, draft
from cds.demo.drugs import ORDERS
from cds.demo.explanation import explained, grade
from cds.demo.rendering import shown
from cds.demo.story import load
from cds.demo.visit import Draft, Visit, Visits
from tests.demo.workbench_room import NOW, Json


ORDER = {"resourceType": "MedicationRequest", "id": "draft-1", "status": "on-hold"}


def card(**changes: object) -> Card:
    """A card with everything an EHR could show."""
    whole = {
        "summary": "Hold it",
        "indicator": "warning",
        "source": {"label": "The label", "url": "https://label.example/1"},
        "uuid": "u1",
        "detail": "Advice: hold \\*now\\*.\n\nInputs\n- 38.4 °C",
        "suggestions": [
            {
                "label": "The label of it",
                "uuid": "s1",
                "actions": [{"type": "update", "description": "What it does", "resource": ORDER}],
            }
        ],
        "overrideReasons": [{"code": "held", "system": "urn:r", "display": "Already held"}],
        "links": [
            {"label": "Grade", "url": "http://app.example", "type": "smart", "appContext": "{}"},
            {"label": "Read", "url": "https://read.example", "type": "absolute"},
        ],
    }
    body = msgspec.json.encode({"cards": [whole | changes]})
    return msgspec.json.decode(body, type=Reply).cards[0]


def test_in_full_everything_is_shown_and_nothing_left_out() -> None:
    (found,) = shown((card(),), "full")
    assert [(one.text, one.told) for one in found.buttons] == [
        ("The label of it", ("update: What it does",))
    ]
    assert [one.kind for one in found.prose] == ["paragraph", "heading", "list"]
    assert found.prose[0].lines == ("Advice: hold *now*.",)
    assert [(one.text, one.app) for one in found.links] == [
        ("Grade", "http://app.example"),
        ("Read (absolute)", ""),
    ]
    assert found.url == "https://label.example/1"
    assert found.left_out == ()


def test_epic_shows_the_description_of_the_action_and_plain_text() -> None:
    (found,) = shown((card(),), "epic")
    assert [one.text for one in found.buttons] == ["What it does"]
    assert found.prose == ()
    assert found.plain.startswith("Advice: hold *now*.")
    assert [one.text for one in found.links] == ["Open the registered app"]
    assert any("label of a suggestion" in one for one in found.left_out)
    assert any("label of a link" in one for one in found.left_out)


def test_epic_drops_a_suggestion_with_several_actions() -> None:
    one = {"type": "delete", "description": "Remove", "resourceId": "MedicationRequest/1"}
    both = {"label": "Both", "uuid": "s2", "actions": [one, one]}
    (found,) = shown((card(suggestions=[both]),), "epic")
    assert found.buttons == ()
    assert "suggestions with more than one action" in found.left_out


def test_epic_says_that_the_details_of_a_new_order_are_its_own() -> None:
    one = {"type": "create", "description": "Order it", "resource": ORDER}
    made = {"label": "Order", "uuid": "s3", "actions": [one]}
    (found,) = shown((card(suggestions=[made]),), "epic")
    assert any("those of the Epic record apply" in one for one in found.left_out)


@pytest.mark.parametrize(("indicator", "popup"), [("critical", True), ("warning", False)])
def test_oracle_opens_a_window_for_critical_alone(indicator: str, popup: bool) -> None:
    (found,) = shown((card(indicator=indicator),), "oracle")
    assert found.popup is popup


def test_oracle_shows_no_suggestion_and_passes_no_context() -> None:
    (found,) = shown((card(),), "oracle")
    assert (found.buttons, found.reasons) == ((), ())
    assert found.links[0].app == "http://app.example"
    assert found.links[0].context == ""
    assert len(found.left_out) == 3


def test_an_unknown_indicator_is_painted_as_a_warning() -> None:
    (found,) = shown((card(indicator="hard-stop"),), "full")
    assert (found.indicator, found.tone) == ("hard-stop", "warning")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"assessed": False, "reason": "not-exposed"}, "not assessed: not-exposed"),
        ({}, "not assessed"),
        ({"assessed": True, "acting": {"atLeast": 2, "atMost": 2}}, "2"),
        ({"assessed": True, "grade": {"atLeast": 0, "atMost": 4}}, "0 to 4"),
        ({"assessed": True, "grade": {}}, "not known"),
    ],
)
def test_a_grade_is_said_as_it_is_and_no_grade_is_not_zero(state: Json, words: str) -> None:
    assert grade(state) == words


def test_the_explanation_names_levels_evidence_and_what_is_missing() -> None:
    axis = {
        "level": "present",
        "evidence": [{"ref": "Observation/1", "value": "38.4", "unit": "Cel", "at": "T1"}],
    }
    crs = {
        "assessed": True,
        "grade": {"atLeast": 2, "atMost": 3},
        "axes": {"fever": axis},
        "missing": [{"fact": "oxygen-flow", "reason": "no flow"}],
    }
    assessment = {
        "crs": crs,
        "icans": {"assessed": False},
        "disposition": {"action": "withhold", "rules": ["r@1#2"]},
        "unreadable": [{"at": "prefetch.vitals.entry[7]", "reason": "no unit"}],
    }
    lines = {
        (section.title, line.name): line.text
        for section in explained(assessment)
        for line in section.lines
    }
    assert lines["CRS grade", "grade"] == "2 to 3"
    assert lines["CRS grade", "fever"] == "present; 38.4 Cel at T1 (Observation/1)"
    assert lines["CRS grade", "missing"] == "oxygen-flow: no flow"
    assert lines["ICANS grade", "grade"] == "not assessed"
    assert lines["Disposition", "all orders together"] == "withhold, rule r@1#2"
    assert lines["Arrived and not used", "prefetch.vitals.entry[7]"] == "no unit"
    assert explained({}) == ()


def drafts() -> tuple[Draft, ...]:
    story = load()["fever-only"]
    return (Draft(resource=draft(story, ORDERS["teclistamab"], NOW, "draft-1")),)


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ({"type": "update", "description": "x"}, "has no resource"),
        ({"type": "merge", "description": "x"}, "does not know an action merge"),
        ({"type": "delete", "description": "x", "resourceId": "MedicationRequest/9"}, "any more"),
        (
            {"type": "update", "description": "x", "resource": {**ORDER, "id": "draft-9"}},
            "any more",
        ),
    ],
)
def test_what_cannot_be_applied_changes_no_order(action: Json, why: str) -> None:
    made = {"label": "x", "uuid": "s", "actions": [action]}
    (suggestion,) = card(suggestions=[made]).suggestions
    with pytest.raises(NotApplied, match=why):
        applied(drafts(), suggestion, next_id="draft-2", ehr="plain")


def test_every_action_of_a_suggestion_is_carried_out() -> None:
    remove = {"type": "delete", "description": "x", "resourceId": "MedicationRequest/draft-1"}
    new = {"type": "create", "description": "y", "resource": {**ORDER, "status": "draft"}}
    made = {"label": "x", "uuid": "s", "actions": [remove, new]}
    (suggestion,) = card(suggestions=[made]).suggestions
    old, added = applied(drafts(), suggestion, next_id="draft-2", ehr="plain")
    assert old.removed
    assert added.id != old.id
    assert added.from_card


def test_the_oldest_visit_is_forgotten_first() -> None:
    visits = Visits(most=2)
    first, second = (
        visits.begin(Visit(id="", story="s", protocol="us-label", chosen="teclistamab"))
        for _ in range(2)
    )
    visits.keep(first.but(said="used again"))
    third = visits.begin(Visit(id="", story="s", protocol="us-label", chosen="teclistamab"))
    assert visits.get(second.id) is None
    assert [one and one.id for one in (visits.get(first.id), visits.get(third.id))] == [
        first.id,
        third.id,
    ]
