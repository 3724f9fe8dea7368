"""`try`: any R4 server's patient through the whole pipeline, and what the answer rests on."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds.cli import main
from cds.demo import patients
from cds.demo.fhir import Quirks
from cds.demo.story import load
from cds.services import PREFETCH
from fhir_mapping.codes import load_codes
from tests.demo.fhir_sandbox import NOW, Client, Json, observation, served
from tests.functional.fhir_upstream import reply, running


STORIES = load()
BTCES = sorted({one.ingredient for one in load_codes().drugs.values() if one.kind == "btce"})
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
LOCAL = "urn:oid:1.2.840.114350.1.13.999"
TOKEN = "Canary-token-77"


@pytest.fixture
def server() -> Iterator[Client]:
    with served() as one:
        yield one


def put(server: Client, name: str, *more: Json) -> None:
    """A story of the demo at the server, and more of the same patient."""
    story = STORIES[name]
    known = (patients.patient(story, NOW), patients.encounter(story, NOW))
    server.store.load((*known, *patients.chart(story, NOW), *more), now=NOW)


def tried(
    capsys: pytest.CaptureFixture[str], base: str, patient: str, *options: str, status: int = 0
) -> tuple[Json, str]:
    """The document and what stderr says."""
    words = ["--fhir", base, "--patient", patient, "--order", "teclistamab"]
    found = main(["try", *words, "--now", NOW.isoformat(), "--format", "json", *options])
    said = capsys.readouterr()
    assert found == status, said.err
    document: Json = json.loads(said.out)
    return document, said.err


@pytest.mark.parametrize("name", STORIES)
def test_grades_are_those_of_the_same_record_sent_as_prefetch(
    server: Client, name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    put(server, name)
    document, err = tried(capsys, server.base, name)
    assert err == ""
    draft = {
        "resourceType": "MedicationRequest",
        "id": "tried",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "teclistamab"},
        "subject": {"reference": f"Patient/{name}"},
    }
    sent = {
        "hook": "order-sign",
        "hookInstance": "00000000-0000-4000-8000-000000000001",
        "context": {
            "userId": "Practitioner/d1",
            "patientId": name,
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft}]},
        },
        "prefetch": patients.prefetch(STORIES[name], NOW),
    }
    file = tmp_path / "request.json"
    file.write_text(json.dumps(sent), encoding="utf-8")
    assert main(["explain", str(file), "--now", NOW.isoformat()]) == 0
    expected = json.loads(capsys.readouterr().out)
    for scale in ("crs", "icans"):
        for grade in ("assessed", "grade", "acting"):
            assert document["assessment"][scale].get(grade) == (
                expected["assessment"][scale].get(grade)
            )
    assert document["assessment"]["disposition"] == expected["assessment"]["disposition"]
    titles = [card["summary"] for card in document["response"]["cards"]]
    assert titles == [card["summary"] for card in expected["response"]["cards"]]


def test_text_shows_the_card_the_evidence_and_that_nobody_reviewed_it(
    server: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    put(server, "fever-only")
    words = ["--fhir", server.base, "--patient", "fever-only", "--order", "TECVAYLI"]
    assert main(["try", *words, "--now", NOW.isoformat()]) == 0
    out = capsys.readouterr().out
    assert "not clinically reviewed" in out.splitlines()[0]
    assert "FHIR 4.0.1" in out.splitlines()[0]
    assert "CRS         grade 1" in out
    assert "[warning] Hold teclistamab: CRS grade 1" in out
    for key in PREFETCH:
        assert f"\n  {key:15} answered: " in out


def test_each_query_is_counted(server: Client, capsys: pytest.CaptureFixture[str]) -> None:
    put(server, "fever-only")
    document, _ = tried(capsys, server.base, "fever-only")
    sent = patients.prefetch(STORIES["fever-only"], NOW)
    assert [one["key"] for one in document["queries"]] == list(PREFETCH)
    for one in document["queries"]:
        value = sent[one["key"]]
        expected = len(value.get("entry", [])) if value["resourceType"] == "Bundle" else 1
        assert (one["answered"], one["resources"], one["pages"]) == (True, expected, 1)
        assert one["status"] == 200


def test_pages_are_counted_and_read_to_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with served(quirks=Quirks(largest_page=10)) as small:
        put(small, "fever-only")
        document, _ = tried(capsys, small.base, "fever-only")
    vitals = next(one for one in document["queries"] if one["key"] == "vitals")
    number = len(patients.prefetch(STORIES["fever-only"], NOW)["vitals"]["entry"])
    assert vitals["resources"] == number
    assert vitals["pages"] == -(-number // 10) > 1


def seen(id_: str, code: str = "8310-5") -> Json:
    return observation(id_, "Patient/nothing-wrong", code)


def test_codes_that_were_met_and_not_used_are_counted(
    server: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    flowsheet = {"coding": [{"system": LOCAL, "code": "6", "display": "Temp of Victor"}]}
    lab = [{"coding": [{"system": CATEGORY, "code": "laboratory"}]}]
    both = [*seen("x")["category"], *lab]
    put(
        server,
        "nothing-wrong",
        *({**seen(f"x{n}"), "code": flowsheet} for n in range(2)),
        {**seen("x2"), "code": flowsheet, "category": both},  # comes twice, counts once
        {**seen("y"), "code": {"text": "secret words"}},
        seen("z", "39106-0"),  # skin: known, and not to be used
    )
    document, _ = tried(capsys, server.base, "nothing-wrong")
    unused = document["codesNotUsed"]
    assert unused["unknown"]["Observation"][f"{LOCAL}|6"] == 3
    assert unused["unknown"]["Observation"]["(no code, words alone)"] == 1
    assert unused["leftOut"] == {"Observation": {"http://loinc.org|39106-0": 1}}
    assert "Victor" not in json.dumps(unused)
    assert "secret words" not in json.dumps(unused)


def test_an_unreadable_resource_is_named_by_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    bad = {"resourceType": "Observation", "id": "o1", "status": ["final"]}
    answers: dict[str, object] = {key: None for key in PREFETCH if key != "patient"}
    answers["vitals"] = {"resourceType": "Bundle", "entry": [{"resource": bad}]}
    with running(answers) as upstream:
        upstream.does["metadata"] = reply(METADATA)
        upstream.does["patient"] = reply({"resourceType": "Patient", "id": "p1"})
        document, _ = tried(capsys, upstream.base, "p1")
    (found,) = document["unreadable"]
    assert found["at"] == "prefetch.vitals.entry[0]"
    assert "Observation" in found["reason"]


METADATA = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (403, "the token does not allow reading Observation (403)"),
        (401, "the server does not accept the token (401)"),
        (500, "the server reports a fault of its own"),
    ],
)
def test_what_was_not_answered_is_unknown_shown_and_ends_with_1(
    status: int,
    cause: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SANDBOX_TOKEN", TOKEN)
    asked = dict.fromkeys(PREFETCH)
    with running(asked) as upstream:
        upstream.does["metadata"] = reply(METADATA)
        upstream.does["patient"] = reply({"resourceType": "Patient", "id": "p1"})
        for key in ("vitals", "oxygen"):
            upstream.does[key] = reply(b"", status=status)
        document, err = tried(capsys, upstream.base, "p1", "--token-env", "SANDBOX_TOKEN", status=1)
        sent = {fields.get("authorization") for _, fields in upstream.asked}
    assert sent == {f"Bearer {TOKEN}"}
    lost = {one["key"]: one for one in document["queries"] if not one["answered"]}
    assert list(lost) == ["vitals", "oxygen"]
    assert lost["vitals"]["problem"] == cause
    assert document["assessment"]["crs"]["assessed"] is False
    assert {"vitals", "oxygen"}.isdisjoint(document["facts"]["answered"])
    assert err.startswith(f"not answered in full: vitals, oxygen; {cause}: ")
    assert err.count("\n") == 1
    assert TOKEN not in err + json.dumps(document)


def test_a_resource_of_another_patient_ends_it_without_advice(
    server: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = dict.fromkeys(PREFETCH)
    answers["labs"] = {
        "resourceType": "Bundle",
        "entry": [{"resource": observation("o9", "Patient/somebody-else")}],
    }
    with running(answers) as upstream:
        upstream.does["metadata"] = reply(METADATA)
        upstream.does["patient"] = reply({"resourceType": "Patient", "id": "p1"})
        words = ["--fhir", upstream.base, "--patient", "p1", "--order", "teclistamab"]
        assert main(["try", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "another patient" in said.err
    assert "somebody-else" not in said.err


def test_the_same_attempt_is_the_same_document_but_for_how_long_it_took(
    server: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    put(server, "two-vasopressors")
    found = [tried(capsys, server.base, "two-vasopressors")[0] for _ in range(2)]
    for document in found:
        for one in document["queries"]:
            del one["milliseconds"]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "name",
    [*BTCES, "linvoseltamab", "tocilizumab", "anakinra", "dexamethasone"],
)
def test_every_product_can_be_ordered_and_is_recognised(
    server: Client, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(server, "nothing-wrong")
    document, _ = tried(capsys, server.base, "nothing-wrong", "--order", name)
    (order,) = document["facts"]["orders"]
    assert order["ingredient"] == name
    assert "dose_mg" not in order
    assert not order.get("subcutaneous_product")


def test_a_protocol_can_be_chosen(server: Client, capsys: pytest.CaptureFixture[str]) -> None:
    put(server, "fever-only")
    document, _ = tried(capsys, server.base, "fever-only", "--protocol", "nhs-waht")
    assert document["assessment"]["protocol"]["id"] == "nhs-waht"
