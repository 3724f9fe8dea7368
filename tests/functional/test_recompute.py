"""A decision is made again from its record: the same, or where it differs, and never a guess."""

import dataclasses
import json
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cds import __version__
from cds.config import Settings
from cds.recompute import Outcome, recompute
from cds.record import unpack
from cds.store import DecisionRow
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.canaries import strings
from tests.canaries.test_places import call_body
from tests.conftest import CALL
from tests.functional.bodies import NOW, Json, draft, fever, order_sign
from tests.functional.deployed import Deployed, another_call, deploy


Deploy = Callable[..., Deployed]
Path_ = tuple[str | int, ...]
REMS = "REMSTECLISTAMAB"


@pytest.fixture
def deployed(settings: Settings, tmp_path: Path, library: Library, codes: CodeSets) -> Deploy:
    """The service with some members of its site changed."""

    def make(**changes: Any) -> Deployed:
        site = msgspec.structs.replace(settings.site, **changes)
        own = msgspec.structs.replace(settings, sites={"demo": site})
        return deploy(own, tmp_path, library, codes)

    return make


@pytest.fixture
def row(deployed: Deploy) -> DecisionRow:
    """A febrile patient's next dose is held."""
    return kept(deployed(), order_sign(*fever()))


def kept(one: Deployed, *bodies: Json) -> DecisionRow:
    """The row of the last of these calls."""
    for body in bodies:
        assert one.client.call(body).status_code == 200
    return list(one.store.decisions())[-1]


def plain(record: bytes) -> Any:
    """The JSON inside, as text that can be changed."""
    return json.loads(zlib.decompress(record[33:]))


def compact(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def packed(document: Any, number: int = 1) -> bytes:
    """That JSON as a whole record."""
    text = compact(document).encode()
    return bytes([number]) + sha256(text).digest() + zlib.compress(text)


def leaves(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The place of every text, number and boolean."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for name, one in members:
        if isinstance(one, dict | list):
            yield from leaves(one, (*path, name))
        else:
            yield (*path, name)


def flipped(document: Any, path: Path_) -> Any:
    """A copy with another value of the same kind at one place."""
    value = document
    for name in path:
        value = value[name]
    return set_at(document, path, other(value))


def set_at(document: Any, path: Path_, value: Any) -> Any:
    """A copy with this value at one place."""
    changed = json.loads(json.dumps(document))
    *parents, last = path
    at = changed
    for name in parents:
        at = at[name]
    at[last] = value
    return changed


def other(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    digits = [place for place, one in enumerate(value) if one.isdigit()]
    if not digits:
        return f"{value}x"
    return value[: digits[0]] + str((int(value[digits[0]]) + 1) % 10) + value[digits[0] + 1 :]


def replaced(row: DecisionRow, **changes: Any) -> DecisionRow:
    return msgspec.structs.replace(row, **changes)


def paths(outcome: Outcome) -> list[str]:
    return [change.path for change in outcome.changes]


# --- the same ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"mode": "silent"},
        {"approved_knowledge": "0" * 64},
        {"protocol": "nhs-waht", "contacts": {"outreach nurses": "ring 1234"}},
        {"protocol": "community-sop", "zone": ZoneInfo("America/New_York")},
        {"rules": {"systolic_below": 120, "vitals_hours_elsewhere": 1}},
        {"smart_url": "https://btce.example.org/launch"},
        {"off_topics": frozenset({"CRSG1TO4", REMS})},
        {"off_rules": frozenset({"teclistamab-label#crs-1"})},
    ],
    ids=str,
)
def test_a_decision_at_any_site_is_the_same_again(
    deployed: Deploy, library: Library, members: Json
) -> None:
    row = kept(deployed(**members), order_sign(*fever()))
    outcome = recompute(row, library)
    assert (outcome.verdict, outcome.changes, outcome.reason) == ("same", (), "")
    assert (outcome.id, outcome.site, outcome.evaluated_at) == (row.id, "demo", NOW)


@pytest.mark.parametrize(
    "body",
    [
        order_sign(),
        order_sign(*fever(), drafts=(draft(), draft("tocilizumab", id="d2"))),
        order_sign(*fever(), drafts=(draft("paracetamol"),)),
        order_sign(*fever(), drafts=()),
        {**order_sign(*fever()), "prefetch": {"patient": None}},
    ],
    ids=["nothing", "two drafts", "another drug", "no draft", "nothing read"],
)
def test_a_decision_on_any_request_is_the_same_again(
    deployed: Deploy, library: Library, body: Json
) -> None:
    assert recompute(kept(deployed(), body), library).verdict == "same"


def test_a_decision_with_an_acknowledged_programme_is_the_same_again(
    deployed: Deploy, library: Library
) -> None:
    one = deployed()
    shown = one.client.call(another_call()).get_json()["cards"]
    (card,) = [card for card in shown if card["source"]["topic"]["code"] == REMS]
    told = {
        "card": card["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-21T11:59:00Z",
    }
    assert one.client.post(f"{CALL}/feedback", json={"feedback": [told]}).status_code == 200
    last = another_call()
    assert one.client.call(last).status_code == 200
    (row,) = [r for r in one.store.decisions() if r.hook_instance == last["hookInstance"]]
    assert unpack(row.record).made_from.acknowledged
    assert recompute(row, library).verdict == "same"


def test_a_decision_that_waited_in_the_spool_is_the_same_again(
    deployed: Deploy, library: Library
) -> None:
    one = deployed()
    away = one.file.rename(one.file.with_name("away.db"))
    assert one.client.call(order_sign(*fever())).status_code == 200
    assert one.waiting()
    away.rename(one.file)
    row = kept(one, another_call())
    assert len({row.id, *one.decisions()}) == 2
    assert {recompute(row, library).verdict for row in one.store.decisions()} == {"same"}


def test_a_draft_that_can_be_held_by_hand_only_stays_so(deployed: Deploy, library: Library) -> None:
    broken = {**draft(), "authoredOn": "yesterday"}
    row = kept(deployed(), order_sign(*fever(), drafts=(broken,)))
    assert unpack(row.record).by_hand == ("MedicationRequest/d1",)
    assert recompute(row, library).verdict == "same"


# --- no names ------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", [False, True], ids=["held", "by hand"])
def test_a_record_holds_no_name_and_no_token(deployed: Deploy, broken: bool) -> None:
    """The draft comes back in the card, with all the EHR wrote into it, and is not kept."""
    body = call_body()
    if broken:
        body["context"]["draftOrders"]["entry"][0]["resource"]["authoredOn"] = strings.FAMILY
    one = deployed()
    answer = one.client.call(body)
    assert (strings.FAMILY in answer.text) is not broken
    (row,) = one.store.decisions()
    text = json.dumps(plain(row.record), ensure_ascii=False)
    assert strings.SENT_TEMPERATURE in text
    assert [one for one in (*strings.NOWHERE, *strings.OTHER_TOKENS) if one in text] == []


# --- it differs ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "path"),
    [
        ("site", "south", "decision.site"),
        ("patient", "p2", "decision.patient"),
        ("hook_instance", "x", "decision.hookInstance"),
        ("evaluated_at", NOW + timedelta(microseconds=1), "decision.evaluatedAt"),
        ("mode", "silent", "decision.mode"),
        ("protocol", "us-label@99", "decision.protocol"),
        ("knowledge_version", "1999.01.01", "decision.knowledgeVersion"),
        ("cannot_evaluate", True, "decision.cannotEvaluate"),
        ("rules", (), "decision.rules[0]"),
        ("cards", (), "decision.cards[0]"),
    ],
)
def test_a_changed_column_is_named(
    row: DecisionRow, library: Library, column: str, value: Any, path: str
) -> None:
    outcome = recompute(replaced(row, **{column: value}), library)
    assert (outcome.verdict, outcome.bad) == ("differs", True)
    assert path in paths(outcome)


def test_every_changed_value_of_the_assessment_is_named(row: DecisionRow, library: Library) -> None:
    document = json.loads(row.assessment)
    for place in leaves(document):
        text = compact(flipped(document, place))
        outcome = recompute(replaced(row, assessment=text), library)
        (path,) = paths(outcome)
        assert (outcome.verdict, path.startswith("assessment.")) == ("differs", True)
        assert path.rpartition(".")[2].partition("[")[0] in {str(part) for part in place}


@pytest.mark.parametrize("text", ["", "{", "null", '"x"'])
def test_an_assessment_that_is_none_differs_as_a_whole(
    row: DecisionRow, library: Library, text: str
) -> None:
    outcome = recompute(replaced(row, assessment=text), library)
    assert (outcome.verdict, paths(outcome)) == ("differs", ["assessment"])


def test_an_assessment_with_its_members_in_another_order_is_not_what_was_sent(
    row: DecisionRow, library: Library
) -> None:
    text = compact(dict(reversed(json.loads(row.assessment).items())))
    outcome = recompute(replaced(row, assessment=text), library)
    assert (outcome.verdict, paths(outcome)) == ("differs", ["assessment"])


def test_the_records_of_two_decisions_cannot_be_exchanged(
    deployed: Deploy, library: Library
) -> None:
    one = deployed()
    kept(one, another_call(*fever(), patient="p2"), another_call(*fever()))
    first, second = one.store.decisions()
    for row, record in ((first, second.record), (second, first.record)):
        assert recompute(replaced(row, record=record), library).verdict == "differs"


# --- a record that is not what was written -------------------------------------------------------


def test_every_value_flipped_in_a_record_is_noticed(row: DecisionRow, library: Library) -> None:
    document = plain(row.record)
    places = list(leaves(document))
    assert len(places) > 80
    for place in places:
        changed = compact(flipped(document, place)).encode()
        record = row.record[:33] + zlib.compress(changed)
        outcome = recompute(replaced(row, record=record), library)
        assert (outcome.verdict, outcome.bad) == ("unreadable-record", True), place


def test_a_flipped_value_that_counts_is_noticed_without_the_digest_too(
    row: DecisionRow, library: Library
) -> None:
    """Whoever makes the digest anew is found by the outcome, for whatever the answer rests on or
    shows; for the rest by the chain of the store, which covers the record."""
    document = plain(row.record)
    assert recompute(replaced(row, record=packed(document)), library).verdict == "same"
    found = {}
    for place in leaves(document):
        record = packed(flipped(document, place))
        found[place] = recompute(replaced(row, record=record), library).verdict
    assert set(found.values()) <= {"same", "differs", "unreadable-record"}
    unnoticed = {place[1:] for place, verdict in found.items() if verdict == "same"}
    # A fever stays one at 48.6, and how an old dose was charted is not shown.
    assert {names[0] for names in unnoticed} == {"facts"}
    of_facts = {names[1] for names in unnoticed}
    assert of_facts.isdisjoint({"patient", "evaluated_at", "orders"})
    shown = {"temperatures", "systolic", "saturations"}
    assert not [names for names in unnoticed if names[1] in shown and "evidence" in names]
    assert len(unnoticed) < len(found) / 4


def test_what_no_record_can_be_made_of_is_told_and_no_guess_is_made(
    row: DecisionRow, library: Library
) -> None:
    document = plain(row.record)
    changes: list[tuple[Path_, Any]] = [
        (("madeFrom", "zone"), "Nowhere/Atall"),
        (("madeFrom", "zone"), "../../etc/passwd"),
        (("madeFrom", "protocol"), "no-such"),
        (("madeFrom", "rules"), {"systolic_below": "canary"}),
        (("madeFrom", "rules"), {"canary": 1}),
        (("madeFrom", "facts", "evaluated_at"), "0001-01-01T00:00:00Z"),
    ]
    for place, value in changes:
        changed = set_at(document, place, value)
        outcome = recompute(replaced(row, record=packed(changed)), library)
        assert (outcome.verdict, outcome.bad) == ("unreadable-record", True), place
        assert "canary" not in outcome.reason


def test_without_a_record_there_is_nothing_to_compare(row: DecisionRow, library: Library) -> None:
    outcome = recompute(replaced(row, record=b""), library)
    assert (outcome.verdict, outcome.changes, outcome.bad) == ("no-record", (), False)


# --- another knowledge, other software -----------------------------------------------------------


def other_knowledge(library: Library, **changes: Any) -> Library:
    return dataclasses.replace(library, sha256="cd" * 32, version="2027.01.01", **changes)


def test_another_knowledge_that_says_the_same_changes_nothing(
    row: DecisionRow, library: Library
) -> None:
    outcome = recompute(row, other_knowledge(library))
    assert (outcome.verdict, outcome.changes, outcome.bad) == ("other-knowledge", (), False)
    assert outcome.reason == f"knowledge {library.version} {library.sha256[:12]}"


def test_what_another_knowledge_would_say_is_named_by_path(
    row: DecisionRow, library: Library
) -> None:
    """A label that no longer holds the dose at grade 1 to 4."""
    file = library.products["teclistamab"]
    rows = tuple(
        msgspec.structs.replace(one, then=msgspec.structs.replace(one.then, action="continue"))
        for one in file.rows
    )
    changed = msgspec.structs.replace(file, rows=rows)
    products = {**library.products, "teclistamab": changed}
    editions = {**library.editions, "teclistamab": (changed,)}
    outcome = recompute(row, other_knowledge(library, products=products, editions=editions))
    assert outcome.verdict == "other-knowledge"
    found = {change.path: (change.kept, change.now) for change in outcome.changes}
    assert found["assessment.disposition.action"] == ('"withhold"', '"continue"')
    assert any(path.startswith("cards[0].") for path in found)
    assert not [path for path in found if path.startswith("assessment.knowledge")]


def test_a_number_the_site_set_is_its_own_and_any_other_that_of_the_knowledge(
    deployed: Deploy, library: Library
) -> None:
    """118 mmHg is hypotension below 150: for a site that did not say 90."""
    rules = msgspec.structs.replace(library.rules, systolic_below=Decimal(150))
    stricter = other_knowledge(library, rules=rules)
    silent = recompute(kept(deployed(), order_sign(*fever())), stricter)
    assert "assessment.crs.axes.hypotension.level" in paths(silent)
    own = deployed(rules={"systolic_below": Decimal(90)})
    assert own.client.call(another_call(*fever())).status_code == 200
    stated = [row for row in own.store.decisions() if unpack(row.record).made_from.rules]
    assert [recompute(row, stricter).changes for row in stated] == [()]


def test_other_software_is_named_and_is_no_fault(row: DecisionRow, library: Library) -> None:
    commit = "ab" * 20
    built = replaced(row, source_commit=commit)
    assert recompute(built, library, commit=commit).verdict == "same"
    assert recompute(built, library).verdict == "same"
    assert recompute(built, library, commit="unknown").verdict == "same"
    outcome = recompute(built, library, commit="cd" * 20)
    assert (outcome.verdict, outcome.changes, outcome.bad) == ("other-engine", (), False)
    assert outcome.reason == f"software {__version__} {commit[:12]}"


def test_a_decision_of_another_version_is_of_other_software(
    row: DecisionRow, library: Library
) -> None:
    outcome = recompute(replaced(row, engine_version="0.0.1"), library)
    assert outcome.verdict == "other-engine"
    assert paths(outcome) == ["decision.engineVersion"]
