"""From an answer of the service to the row that is kept: nothing rounded, nothing left out."""

from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec import Raw

from cards.build import build
from cards.model import Card
from cds.store import DecisionRow, InputRef
from cds.store.inputs import input_refs
from cds.store.recording import Call, decision_row, sent_assessment
from knowledge.assessment import Disposition
from knowledge.decision import Decision
from knowledge.library import load
from tests.spec.chart import readings
from tests.spec.test_rems import decided


LIBRARY = load()
PROGRAMS = {program.program: program.id for program in LIBRARY.rems.values()}
ENCODER = msgspec.json.Encoder(decimal_format="number")
CALL = Call(
    id=str(uuid4()),
    site="north",
    patient="p1",
    hook="order-sign",
    hook_instance=str(uuid4()),
    service="btce-order-sign",
)


def built(decision: Decision) -> tuple[Card, ...]:
    return build(decision, drafts={}, hook_instance=CALL.hook_instance, zone=ZoneInfo("UTC"))


def recorded(decision: Decision) -> tuple[DecisionRow, bytes]:
    assessment = ENCODER.encode(decision.assessment)
    cards = built(decision)
    extension = {"org.y": {}, "org.x": Raw(assessment)}
    response = ENCODER.encode({"cards": cards, "extension": extension})
    row = decision_row(
        CALL,
        decision,
        cards=cards,
        assessment=sent_assessment(response, "org.x"),
        inputs=(),
        programs=PROGRAMS,
        commit="abc",
        record=b"made from",
    )
    return row, assessment


def test_a_hold_is_kept_with_its_rules_versions_and_cards() -> None:
    decision = decided("us-label", "teclistamab", temperatures=readings("t", (1, 38.6)))
    row, assessment = recorded(decision)

    assert row.assessment == assessment.decode()
    assert row.evaluated_at == decision.assessment.evaluated_at
    assert (row.site, row.patient, row.mode) == ("north", "p1", "live")
    assert row.knowledge_sha256 == LIBRARY.sha256
    assert (row.source_commit, row.record) == ("abc", b"made from")
    assert row.protocol.partition("@")[0] == "us-label"
    assert set(decision.assessment.disposition.rules) <= set(row.rules)
    assert "" not in row.rules
    cards = built(decision)
    assert [card.uuid for card in row.cards] == [card.uuid for card in cards]
    assert [card.suggestions for card in row.cards] == [
        tuple(one.uuid for one in card.suggestions) for card in cards
    ]
    assert all(card.program is None for card in row.cards)


@pytest.mark.parametrize("ingredient", sorted(LIBRARY.rems))
def test_a_rems_card_carries_the_id_of_its_programme_and_no_other_does(ingredient: str) -> None:
    row, _ = recorded(decided("us-label", ingredient))
    programs = {card.topic[:4]: card.program for card in row.cards}

    assert programs.pop("REMS") == LIBRARY.rems[ingredient].id
    assert set(programs.values()) <= {None}
    assert any(rule.startswith(LIBRARY.rems[ingredient].id) for rule in row.rules)


@pytest.mark.parametrize(("action", "kept"), [("cannot-evaluate", True), ("no-toxicity", False)])
def test_whether_it_could_not_be_evaluated_is_kept(action: str, kept: bool) -> None:
    decision = decided("us-label", "teclistamab")
    disposition = Disposition(action=action, confirmed=False)  # type: ignore[arg-type]
    assessment = msgspec.structs.replace(decision.assessment, disposition=disposition)
    row, _ = recorded(msgspec.structs.replace(decision, assessment=assessment))

    assert row.cannot_evaluate is kept


def raw(text: str) -> Raw:
    return Raw(text.encode())


def test_inputs_are_named_by_reference_and_version_each_once() -> None:
    observation = """{"resourceType": "Observation", "id": "t1", "valueString": "canary",
        "meta": {"versionId": "3", "lastUpdated": "2026-11-21T11:00:00Z"}}"""
    bundle = f"""{{"resourceType": "Bundle", "entry": [{{"resource": {observation}}},
        {{"fullUrl": "urn:x", "resource": {{"resourceType": "Condition", "id": "c1"}}}}]}}"""

    found = input_refs([raw(bundle), raw(observation), None, raw("null")])
    assert found == (
        InputRef(ref="Condition/c1"),
        InputRef(ref="Observation/t1", version="3", last_updated="2026-11-21T11:00:00Z"),
    )


def test_two_versions_of_one_resource_are_two_inputs() -> None:
    versions = [
        raw(f'{{"resourceType": "Patient", "id": "p1", "meta": {{"versionId": "{version}"}}}}')
        for version in "12"
    ]
    assert [one.version for one in input_refs(versions)] == ["1", "2"]


@pytest.mark.parametrize(
    "bad",
    ['"<html>"', "17", "[]", '{"resourceType": 5}', '{"id": "x"}', '{"resourceType": "Patient"}'],
)
def test_what_is_no_resource_with_an_id_is_no_input_and_costs_nothing_else(bad: str) -> None:
    good = '{"resource": {"resourceType": "Patient", "id": "p1"}}'
    bundle = f'{{"resourceType": "Bundle", "entry": [{{"resource": {bad}}}, 5, {good}]}}'

    assert input_refs([raw(bad), raw(bundle)]) == (InputRef(ref="Patient/p1"),)
