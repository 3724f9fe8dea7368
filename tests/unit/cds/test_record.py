"""The bytes of a record: read back as they were, or refused with a reason; never in part."""

import json
import zlib
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from cds.made_from import MadeFrom
from cds.record import MAX_BYTES, Record, RecordError, pack, unpack
from knowledge.facts import Evidence, Facts, Notice, Reading
from tests.builders import NOW


FACTS = Facts(
    patient="Patient/p1",
    evaluated_at=NOW,
    answered=frozenset({"vitals", "labs", "oxygen"}),
    notices=(Notice("x", "Zoë “38.60” \\ \n"),),
)
MADE_FROM = MadeFrom(
    facts=FACTS,
    hook_instance="h",
    site="north",
    mode="live",
    protocol="us-label",
    engine_version="0.1.0",
    zone="UTC",
    rules={"ice_hours": 3, "systolic_below": "90.50"},
)
RECORD = Record(MADE_FROM, Raw(b'[{"dose":8.00}]'), ("MedicationRequest/d1",))
KEPT = pack(RECORD)


def document() -> Any:
    return json.loads(zlib.decompress(KEPT[33:]))


def packed(made: Any, number: int = 1) -> bytes:
    text = json.dumps(made).encode()
    return bytes([number]) + sha256(text).digest() + zlib.compress(text)


def test_a_record_is_read_back_as_it_was() -> None:
    found = unpack(KEPT)
    assert found.made_from == MADE_FROM
    assert (found.drafts, found.by_hand) == (RECORD.drafts, ())
    assert bytes(found.cards) == b'[{"dose":8.00}]'


@pytest.mark.parametrize("value", ["38.60", "0E-8", "1E+2", "-0", "12345678901234567890.10", "NaN"])
def test_a_number_keeps_its_digits(value: str) -> None:
    reading = Reading(NOW, Decimal(value), Evidence("Observation/1", value=value))
    facts = msgspec.structs.replace(FACTS, temperatures=(reading,))
    found = unpack(pack(with_facts(facts))).made_from.facts.temperatures[0].value
    assert (type(found), str(found)) == (Decimal, value)


def with_facts(facts: Facts) -> Record:
    return Record(msgspec.structs.replace(MADE_FROM, facts=facts), Raw(b"[]"))


def test_the_same_record_is_the_same_bytes_whatever_order_a_set_has() -> None:
    for names in (("vitals", "labs", "oxygen"), ("oxygen", "labs", "vitals")):
        facts = msgspec.structs.replace(FACTS, answered=frozenset(names))
        again = msgspec.structs.replace(MADE_FROM, facts=facts)
        assert pack(Record(again, RECORD.cards, RECORD.drafts)) == KEPT
    text = zlib.decompress(KEPT[33:]).decode()
    assert '["labs","oxygen","vitals"]' in text


def test_every_changed_byte_is_noticed() -> None:
    for place in range(len(KEPT)):
        changed = KEPT[:place] + bytes([KEPT[place] ^ 1]) + KEPT[place + 1 :]
        with pytest.raises(RecordError):
            unpack(changed)


def test_a_record_that_was_cut_or_made_longer_is_noticed() -> None:
    for length in range(len(KEPT)):
        with pytest.raises(RecordError):
            unpack(KEPT[:length])
    with pytest.raises(RecordError, match="longer than it says"):
        unpack(KEPT + b"x")


@pytest.mark.parametrize("number", [0, 2, 123, 255])
def test_another_format_is_named_and_not_tried(number: int) -> None:
    with pytest.raises(RecordError, match=rf"^format {number} is not known here$"):
        unpack(bytes([number]) + KEPT[1:])


@pytest.mark.parametrize("place", [(), ("madeFrom",), ("madeFrom", "facts")], ids=str)
def test_a_member_that_would_be_left_out_is_told(place: tuple[str, ...]) -> None:
    """Written by software that knows more: the decision may rest on it."""
    made = document()
    at = made
    for name in place:
        at = at[name]
    at["canary"] = 39
    with pytest.raises(RecordError, match="members") as raised:
        unpack(packed(made))
    assert "canary" not in str(raised.value)


def test_a_member_that_came_later_has_its_default() -> None:
    """Written by software that knew less: what it did not know was not there."""
    made = document()
    del made["madeFrom"]["rules"]
    made["madeFrom"]["facts"].pop("answered")
    found = unpack(packed(made)).made_from
    assert (found.rules, found.facts.answered) == ({}, frozenset())


@pytest.mark.parametrize(
    "made",
    [None, [], {}, "x", {"madeFrom": {}, "cards": []}, {"cards": []}],
    ids=str,
)
def test_what_is_no_record_is_told(made: Any) -> None:
    with pytest.raises(RecordError, match="members this software reads"):
        unpack(packed(made))


@pytest.mark.parametrize(
    ("name", "value"), [("mode", "loud"), ("rules", {"ice_hours": 1.5}), ("zone", None)]
)
def test_a_value_of_another_kind_is_told(name: str, value: Any) -> None:
    made = document()
    made["madeFrom"][name] = value
    with pytest.raises(RecordError, match="members this software reads"):
        unpack(packed(made))


def test_a_few_bytes_that_claim_to_be_many_are_not_unfolded() -> None:
    many = zlib.compressobj(9)
    bomb = b"".join(many.compress(bytes(1024 * 1024)) for _ in range(80)) + many.flush()
    assert len(bomb) < 100_000
    with pytest.raises(RecordError, match="larger than any record"):
        unpack(bytes([1]) + bytes(32) + bomb)


def test_deep_nesting_is_told() -> None:
    text = b"[" * 100_000 + b"]" * 100_000
    for plain in (text, b'{"madeFrom":' + text + b"}"):
        with pytest.raises(RecordError):
            unpack(bytes([1]) + sha256(plain).digest() + zlib.compress(plain))


def test_what_nobody_could_read_back_is_not_kept() -> None:
    large = (Notice("x", "y" * MAX_BYTES),)
    assert pack(with_facts(msgspec.structs.replace(FACTS, notices=large))) == b""
