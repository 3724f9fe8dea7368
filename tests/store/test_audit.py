"""Which decisions an error in the knowledge touched: all of them, and no clinical value."""

import json
from datetime import timedelta

import pytest

from cds.audit import affected, as_json, as_text
from cds.store import Store
from tests.store.rows import KNOWLEDGE, NOW, card, decision, uuid


HOUR = timedelta(hours=1)
OTHER = "cd" * 32
A1, A2 = "elranatamab-label@1#crs-2", "elranatamab-label@2#crs-2"
B1 = "elranatamab-label-old@1#crs-2"


@pytest.fixture
def history(store: Store) -> Store:
    """Four decisions under one knowledge, one under another."""
    store.record(decision("a1", rules=(A1, "rems@1"), evaluated_at=NOW + HOUR))
    store.record(decision("a2", rules=(A2,)))
    store.record(decision("b1", rules=(B1,), mode="silent"))
    store.record(decision("none", rules=(), cards=(), evaluated_at=NOW - HOUR))
    store.record(decision("other", knowledge_sha256=OTHER, rules=(A1,)))
    return store


def ids(store: Store, digest: str = KNOWLEDGE, **by: object) -> set[str]:
    return {row.id for row in affected(store, digest, **by)}  # type: ignore[arg-type]


def uuids(*names: str) -> set[str]:
    return {uuid(name) for name in names}


def test_every_decision_under_a_digest_is_listed_in_its_order(history: Store) -> None:
    assert ids(history) == uuids("a1", "a2", "b1", "none")
    found = list(affected(history, KNOWLEDGE))
    assert (found[0].id, found[-1].id) == (uuid("none"), uuid("a1"))
    assert ids(history, OTHER) == uuids("other")


def test_a_digest_may_be_shortened_and_written_in_capitals(history: Store) -> None:
    assert ids(history, OTHER[:8].upper()) == uuids("other")


@pytest.mark.parametrize("digest", ["", "abc", "ab" * 33, "%" * 8, "abcdefgh", "١٢٣٤٥٦٧٨"])
def test_what_is_no_digest_is_refused_before_anything_is_read(history: Store, digest: str) -> None:
    with pytest.raises(ValueError, match=r"^--knowledge: "):
        affected(history, digest)


def test_decisions_from_a_moment_on(history: Store) -> None:
    assert ids(history, since=NOW) == uuids("a1", "a2", "b1")
    assert ids(history, since=NOW + HOUR) == uuids("a1")


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ({A1}, {"a1"}),
        ({"elranatamab-label@1"}, {"a1"}),
        ({"elranatamab-label"}, {"a1", "a2"}),
        ({"elranatamab-label-old", "rems@1"}, {"a1", "b1"}),
        ({"elranatamab"}, set()),
        ({"elranatamab-label@1#crs"}, set()),
    ],
)
def test_only_decisions_with_a_changed_row_version_or_file(
    history: Store, rules: set[str], names: set[str]
) -> None:
    assert ids(history, rules=rules) == uuids(*names)


def test_of_an_affected_decision_the_asked_rules_are_shown(history: Store) -> None:
    (row,) = affected(history, KNOWLEDGE, rules={"rems"})

    assert (row.id, row.rules) == (uuid("a1"), ("rems@1",))


def test_a_line_tells_when_which_where_and_what_was_shown(history: Store) -> None:
    lines = list(as_text(affected(history, KNOWLEDGE, rules={A1})))

    expected = f"2026-11-21T13:00:00Z  {uuid('a1')}  north  order-sign  live  HOLDCRS2  {A1}"
    assert lines == [expected]


def test_a_json_line_has_the_same(history: Store) -> None:
    (line,) = as_json(affected(history, KNOWLEDGE, rules={B1}))

    assert json.loads(line) == {
        "id": uuid("b1"),
        "evaluatedAt": "2026-11-21T12:00:00Z",
        "site": "north",
        "hook": "order-sign",
        "mode": "silent",
        "knowledgeSha256": KNOWLEDGE,
        "topics": ["HOLDCRS2"],
        "rules": [B1],
    }


def test_neither_patient_nor_clinical_value_is_listed(store: Store) -> None:
    store.record(decision(patient="canary", assessment='{"v":"canary"}'))

    every = [*as_text(affected(store, KNOWLEDGE)), *as_json(affected(store, KNOWLEDGE))]
    assert "canary" not in "".join(every)


def test_a_topic_of_several_cards_is_listed_once(store: Store) -> None:
    store.record(decision(cards=(card("a"), card("b"), card("c", "OTHER"))))
    (row,) = affected(store, KNOWLEDGE)

    assert sorted(row.topics) == ["HOLDCRS2", "OTHER"]
