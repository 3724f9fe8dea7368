"""A feedback body as CDS Hooks 2.0, "Feedback", and Epic's documentation have it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cds.body_limits import MAX_BYTES, MAX_DEPTH
from cds.errors import BadHookRequest, TooLarge
from cds.feedback import (
    EPIC_CATEGORY,
    MAX_COMMENT,
    MAX_ITEMS,
    Batch,
    Feedback,
    outcome,
    parse_feedback,
    rows,
    status,
)
from cds.store import FeedbackRow, Reason


CARD = "f6b95768-b1c8-40dc-8385-bf3504b82ffb"
AT = "2020-12-11T00:00:00Z"
MOMENT = datetime(2020, 12, 11, tzinfo=UTC)
CANARY = "Canaryvalue"
# The shapes of the specification's own examples.
ACCEPTED = {
    "card": CARD,
    "outcome": "accepted",
    "acceptedSuggestions": [{"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}],
    "outcomeTimestamp": AT,
}
OVERRIDDEN = {
    "card": CARD,
    "outcome": "overridden",
    "overrideReason": {
        "reason": {
            "code": "contraindicated",
            "system": "http://example.org/override-reasons",
            "display": "Contraindicated",
        },
        "userComment": "clinician entered comment",
    },
    "outcomeTimestamp": AT,
}
_EPIC = "com.epic.cdshooks.feedback.overrideReason"


def body(*items: Any) -> bytes:
    return json.dumps({"feedback": items}).encode()


def one(item: Any) -> Feedback:
    batch = parse_feedback(body(item))
    assert batch.refused == ()
    (found,) = batch.items
    return found


def fields(batch: Batch) -> list[str]:
    return [problem.field for problem in batch.refused]


def without(item: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != name}


def test_an_accepted_suggestion_is_read() -> None:
    assert one(ACCEPTED) == Feedback(
        card=CARD,
        outcome="accepted",
        at=MOMENT,
        suggestions=("e56e1945-20b3-4393-8503-a1a20fd73152",),
    )


def test_an_override_is_read_with_reason_and_comment() -> None:
    reason = Reason(
        code="contraindicated",
        system="http://example.org/override-reasons",
        display="Contraindicated",
    )
    assert one(OVERRIDDEN) == Feedback(
        card=CARD,
        outcome="overridden",
        at=MOMENT,
        reasons=(reason,),
        comment="clinician entered comment",
    )


@pytest.mark.parametrize(
    "override",
    [None, {}, {"userComment": "only words"}, {"reason": {"code": "x", "system": "urn:s"}}],
    ids=["null", "empty", "comment only", "reason without display"],
)
def test_an_override_needs_no_reason_no_comment_and_no_display(override: Any) -> None:
    found = one({**OVERRIDDEN, "overrideReason": override})

    assert found.outcome == "overridden"
    assert one(without(OVERRIDDEN, "overrideReason")).reasons == ()


def test_epics_plural_spelling_is_read_as_the_reason() -> None:
    item = without(OVERRIDDEN, "overrideReason")
    found = one({**item, "overrideReasons": OVERRIDDEN["overrideReason"]})

    assert found == one(OVERRIDDEN)


def test_epics_reasons_may_be_several() -> None:
    several = [{"reason": {"code": code}, "userComment": code.upper()} for code in ("a", "b")]
    found = one({**without(OVERRIDDEN, "overrideReason"), "overrideReasons": several})

    assert found.reasons == (Reason(code="a"), Reason(code="b"))
    assert found.comment == "A\nB"


def test_a_reason_that_epic_built_itself_is_read_from_its_extension() -> None:
    built = {
        "extension": {
            f"{_EPIC}.reasonCategory": "45",
            f"{_EPIC}.reasonDisplay": "Does not meet criteria",
            f"{_EPIC}.reasonTitle": "Does not meet criteria",
        },
        "userComment": "User Entered Free Text",
    }
    for spelling in ("overrideReason", "overrideReasons"):
        found = one({**without(OVERRIDDEN, "overrideReason"), spelling: built})
        assert found.reasons == (
            Reason(code="45", system=EPIC_CATEGORY, display="Does not meet criteria"),
        )
        assert found.comment == "User Entered Free Text"


def test_an_extension_of_somebody_else_is_no_reason() -> None:
    override = {"extension": {"org.example.x": {"deep": [1]}}, "userComment": "c"}

    assert one({**OVERRIDDEN, "overrideReason": override}).reasons == ()


def test_members_that_are_not_known_are_tolerated_everywhere() -> None:
    item = {**ACCEPTED, "extension": {"a": 1}, "more": None, "overrideReason": None}
    content = json.dumps({"feedback": [item], "extension": {}, "more": [1]}).encode()

    assert parse_feedback(content).items == (one(ACCEPTED),)


def test_one_body_may_be_about_several_cards_and_one_card_several_times() -> None:
    batch = parse_feedback(body(ACCEPTED, OVERRIDDEN, {**ACCEPTED, "card": "another"}, ACCEPTED))

    assert [item.card for item in batch.items] == [CARD, CARD, "another", CARD]


def test_items_are_independent_the_bad_ones_are_named_by_their_place() -> None:
    batch = parse_feedback(
        body(
            ACCEPTED,
            without(ACCEPTED, "card"),
            {**ACCEPTED, "acceptedSuggestions": [{"id": "ok"}, {"id": 5}]},
            OVERRIDDEN,
            {**OVERRIDDEN, "outcome": "ignored"},
            "text",
        )
    )

    assert batch.items == (one(ACCEPTED), one(OVERRIDDEN))
    assert fields(batch) == [
        "feedback[1].card",
        "feedback[2].acceptedSuggestions[1].id",
        "feedback[4].outcome",
        "feedback[5]",
    ]


@pytest.mark.parametrize("name", ["card", "outcome", "outcomeTimestamp"])
@pytest.mark.parametrize("item", [ACCEPTED, OVERRIDDEN], ids=["accepted", "overridden"])
def test_what_is_required_is_required(item: dict[str, Any], name: str) -> None:
    for bad in (without(item, name), {**item, name: None}, {**item, name: ""}, {**item, name: 5}):
        assert fields(parse_feedback(body(bad))) == [f"feedback[0].{name}"]


@pytest.mark.parametrize("suggestions", [None, [], [{}], [{"id": ""}], ["id"], {"id": "x"}])
def test_an_acceptance_names_its_suggestions(suggestions: Any) -> None:
    (problem,) = parse_feedback(body({**ACCEPTED, "acceptedSuggestions": suggestions})).refused

    assert problem.field.startswith("feedback[0].acceptedSuggestions")


def test_an_override_needs_no_suggestions() -> None:
    assert one({**OVERRIDDEN, "acceptedSuggestions": []}).suggestions == ()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1985-04-12T23:20:50.52Z", datetime(1985, 4, 12, 23, 20, 50, 520000, UTC)),
        ("1996-12-19T16:39:57-08:00", datetime(1996, 12, 20, 0, 39, 57, tzinfo=UTC)),
        ("2026-11-21t12:00:00z", datetime(2026, 11, 21, 12, tzinfo=UTC)),
        ("2026-11-21 12:00:00+00:00", datetime(2026, 11, 21, 12, tzinfo=UTC)),
        ("2026-11-21T12:00:00.1234567Z", datetime(2026, 11, 21, 12, 0, 0, 123456, UTC)),
    ],
)
def test_times_of_rfc_3339_are_read(text: str, moment: datetime) -> None:
    assert one({**ACCEPTED, "outcomeTimestamp": text}).at == moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T12:00:00",
        "2026-11-21",
        "20261121T120000Z",
        "2026-W47-6T12:00:00Z",
        "2026-13-21T12:00:00Z",
        "2026-11-21T12:00Z",
        "2026-11-21T12:00:00+0000",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "\u0661985-04-12T23:20:50Z",
        "1585699200",
        AT + "\n",
        AT * 1000,
    ],
)
def test_any_other_time_is_refused(text: str) -> None:
    found = parse_feedback(body({**ACCEPTED, "outcomeTimestamp": text}))

    assert fields(found) == ["feedback[0].outcomeTimestamp"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"card": "x" * 256}, ".card"),
        ({"card": "a\x00b"}, ".card"),
        ({"card": "a\x1b[31m"}, ".card"),
        ({"card": "a\u202eb"}, ".card"),
        ({"overrideReason": {"reason": {"code": "a\nb"}}}, ".overrideReason.reason.code"),
        ({"overrideReason": {"reason": {"code": ""}}}, ".overrideReason.reason.code"),
        ({"overrideReason": {"reason": {"system": "s"}}}, ".overrideReason.reason.code"),
        (
            {"overrideReason": {"reason": {"code": "c", "system": "\r"}}},
            ".overrideReason.reason.system",
        ),
        ({"overrideReason": {"reason": "text"}}, ".overrideReason.reason"),
        ({"overrideReason": "text"}, ".overrideReason"),
        ({"overrideReasons": [{"reason": {"code": "x" * 999}}]}, ".overrideReasons[0].reason.code"),
        (
            {"overrideReason": {"userComment": "x" * (MAX_COMMENT + 1)}},
            ".overrideReason.userComment",
        ),
    ],
)
def test_ids_and_codes_are_short_and_printable(change: dict[str, Any], field: str) -> None:
    (problem,) = parse_feedback(body({**OVERRIDDEN, **change})).refused

    assert problem.field == f"feedback[0]{field}"


def test_a_comment_may_have_lines_and_a_character_no_database_takes() -> None:
    found = one({**OVERRIDDEN, "overrideReason": {"userComment": "one\ntwo\x00" + "x" * 9000}})

    assert found.comment == "one\ntwo\N{REPLACEMENT CHARACTER}" + "x" * 9000


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", ""),
        (b"   ", ""),
        (b"\xff\xfe", ""),
        (b"{", ""),
        (b'{"feedback": [{"card": 1]}', ""),
        (b"[]", "feedback"),
        (b"null", "feedback"),
        (b"{}", "feedback"),
        (b'{"feedback": null}', "feedback"),
        (b'{"feedback": {}}', "feedback"),
        (b'{"feedback": []}', "feedback"),
        (json.dumps(ACCEPTED).encode(), "feedback"),
    ],
)
def test_a_body_that_is_no_batch_is_refused_as_a_whole(content: bytes, field: str) -> None:
    with pytest.raises(BadHookRequest) as refused:
        parse_feedback(content)
    assert refused.value.field == field


def test_the_limits_of_a_body_hold_here_too() -> None:
    with pytest.raises(TooLarge):
        parse_feedback(b" " * (MAX_BYTES + 1))
    deep = b'{"feedback": [' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"]}"
    with pytest.raises(BadHookRequest, match="nested"):
        parse_feedback(deep)


def test_a_batch_has_a_limit() -> None:
    assert len(parse_feedback(body(*[ACCEPTED] * MAX_ITEMS)).items) == MAX_ITEMS
    with pytest.raises(TooLarge):
        parse_feedback(body(*[ACCEPTED] * (MAX_ITEMS + 1)))


def test_the_status_is_200_as_soon_as_one_item_was_usable() -> None:
    good = parse_feedback(body(ACCEPTED))
    mixed = parse_feedback(body(ACCEPTED, {}))
    bad = parse_feedback(body({}, {}))

    assert [status(batch) for batch in (good, mixed, bad)] == [200, 200, 400]
    assert outcome(good) is None


def test_each_refused_item_is_an_issue_that_names_its_field() -> None:
    told = outcome(parse_feedback(body({**ACCEPTED, "outcome": "maybe"}, ACCEPTED, {})))

    assert told is not None
    assert told["resourceType"] == "OperationOutcome"
    assert [issue["expression"] for issue in told["issue"]] == [
        ["feedback[0].outcome"],
        ["feedback[2].card"],
    ]
    assert {issue["severity"] for issue in told["issue"]} == {"error"}


@pytest.mark.parametrize(
    "item",
    [
        CANARY,
        {**ACCEPTED, "outcome": CANARY},
        {**ACCEPTED, "outcomeTimestamp": CANARY},
        {**ACCEPTED, "card": CANARY + "\n"},
        {**ACCEPTED, "acceptedSuggestions": CANARY},
        {**OVERRIDDEN, "overrideReason": {"userComment": [CANARY]}},
        {**OVERRIDDEN, "overrideReason": {"userComment": CANARY * MAX_COMMENT}},
        {**OVERRIDDEN, "overrideReason": {"extension": {EPIC_CATEGORY: f"{CANARY}\n"}}},
        {**OVERRIDDEN, "overrideReason": {"extension": CANARY}},
    ],
)
def test_no_refusal_repeats_a_value(item: Any) -> None:
    batch = parse_feedback(body(item))

    assert batch.items == ()
    assert CANARY not in json.dumps(outcome(batch))


def test_the_rows_belong_to_the_site_that_sent_them() -> None:
    (row,) = rows(parse_feedback(body(ACCEPTED)), site="north", service="btce-order-sign")

    assert row == FeedbackRow(
        site="north",
        service="btce-order-sign",
        card=CARD,
        outcome="accepted",
        at=MOMENT,
        suggestions=("e56e1945-20b3-4393-8503-a1a20fd73152",),
    )
