"""What a clinician states is on the FHIR server once, or kept and shown until it is."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask, Response, request

from cds.demo.fhir import create_fhir
from cds.errors import AnotherPatient, NotAllowed
from cds.smart.parts import Bedside
from cds.smart.stating.statement import AlreadyStated
from cds.smart.stating.writing import as_stated, counted, send_again, state, unwritten, withdraw
from cds.store import StoreDown
from cds.store.statements_kept import StatementRow
from fhir_mapping import write
from fhir_mapping.answers import Resource
from fhir_mapping.codes import CodeSets
from fhir_mapping.write import Charting
from knowledge.library import Library
from tests.beside import DOCTOR, Room, other, room, served
from tests.builders import Json, bp, patient, spo2, teclistamab, temp
from tests.functional.deployed import deploy, logged
from tests.unit.cds.worker.hospital import of


FORM = "0123456789abcdef"
SYSTEM = "https://btce-cds.org/fhir/NamingSystem/statement"
ITEMS = {"ice-orientation": 4, "ice-naming": 2, "ice-command": 1, "ice-writing": 0}
NARROW = {
    "nothing to write": frozenset({"patient/*.rs", "openid"}),
    "read only, first form": frozenset({"patient/*.read"}),
    "another type": frozenset({"patient/Flag.c", "patient/*.rs"}),
    "the system's, not the user's": frozenset({"system/*.cruds"}),
}
WIDE = {
    "exact": frozenset({"patient/Observation.c", "patient/QuestionnaireResponse.c"}),
    "all letters": frozenset({"patient/Observation.cruds", "user/QuestionnaireResponse.cruds"}),
    "first form": frozenset({"patient/Observation.write", "patient/QuestionnaireResponse.write"}),
    "first form, everything": frozenset({"patient/*.*"}),
    "user": frozenset({"user/*.c"}),
    "narrowed by a query": frozenset({"patient/*.c?category=survey"}),
}
Does = Callable[[], Response | None]


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path, (), febrile()) as one:
        yield one


def febrile() -> list[Json]:
    """A day after a dose of teclistamab; the hypotension is open: CRS is grade 1 or more."""
    signs = (temp(39.0), bp(118, 70), spo2(97))
    return [patient(), of(teclistamab()), *(of(one) for one in signs)]


def answers(ward: Room, *, grade: int = 3, about: str = "p1") -> list[tuple[str, Resource]]:
    """What a form gives: three Observations, and the form itself."""
    by = Charting(about, DOCTOR, ward.clock.now)
    made = [
        ("ice-total", write.ice(by, ITEMS, 7)),
        ("arousal", write.arousal(by, "alert")),
        ("crs-grade", write.grade(by, "crs", grade)),
    ]
    form = write.questionnaire_response(by, (one for _, one in made))
    return [("questionnaire-response", form), *made]


def confirm(
    ward: Room, here: Bedside | None = None, *, form: str = FORM, **how: Any
) -> tuple[StatementRow, ...]:
    return state(ward.parts, here or ward.here, form, answers(ward, **how), ward.clock.now)


def on_server(ward: Room) -> list[str]:
    """The code of each statement of ours that is in the chart, with repetitions."""
    found = []
    with ward.sandbox.reading() as records:
        for kind in ("Observation", "QuestionnaireResponse"):
            for one in records.all_of(kind):
                resource: Any = one.resource
                named = resource.get("identifier") or [{}]
                named = named if isinstance(named, list) else [named]
                if named[0].get("system") == SYSTEM:
                    code = resource.get("code", {}).get("coding", [{}])[0].get("code")
                    found.append(code or kind)
    return sorted(found)


ALL = ["QuestionnaireResponse", "arousal", "crs-grade", "ice-total"]


def states(rows: Sequence[StatementRow]) -> list[tuple[str, str]]:
    return [(row.state, row.problem) for row in rows]


@contextmanager
def behind(
    ward: Room, *, before: Does = lambda: None, after: Does = lambda: None
) -> Iterator[Bedside]:
    """The same chart behind a server with ways of its own: `before` and `after` a POST is done
    they may answer in its place."""

    def make(origin: str) -> Flask:
        app = Flask("tests.odd", static_folder=None)
        base = f"{origin}/fhir"
        app.register_blueprint(create_fhir(ward.sandbox, base=base, clock=ward.clock))

        @app.before_request
        def first() -> Response | None:
            return before() if request.method == "POST" else None

        @app.after_request
        def then(response: Response) -> Response:
            mine = after() if request.method == "POST" and response.status_code == 201 else None
            return mine or response

        return app

    with served(make) as origin:
        site = msgspec.structs.replace(ward.here.site, fhir_base=f"{origin}/fhir")
        yield Bedside(context=ward.here.context, site=site)


def ignoring() -> None:
    """A server that knows no conditional create."""
    request.environ.pop("HTTP_IF_NONE_EXIST", None)


def answered(status: int, body: str = "", kind: str = "application/fhir+json") -> Response:
    return Response(body, status=status, content_type=kind)


def test_a_confirmed_form_is_in_the_chart_with_the_user_s_name_on_it(ward: Room) -> None:
    rows = confirm(ward)

    assert on_server(ward) == ALL
    assert [row.kind for row in rows] == [
        "ice-total",
        "arousal",
        "crs-grade",
        "questionnaire-response",
    ]
    assert all(row.state == "written" and not row.problem for row in rows)
    with ward.sandbox.reading() as records:
        kind, _, id_ = rows[2].ref.partition("/")
        there: Any = records.current(kind, id_)
        assert bytes(there.resource["valueInteger"]) == b"3"
        assert there.resource["performer"] == [{"reference": DOCTOR}]
        assert there.resource["subject"] == {"reference": "Patient/p1"}


def test_what_is_sent_carries_the_user_s_token_and_nothing_of_it_stays(ward: Room) -> None:
    heard: list[str] = []

    def listen() -> None:
        heard.append(request.headers.get("Authorization", ""))

    with behind(ward, before=listen) as here, logged() as lines:
        rows = confirm(ward, here)

    assert heard == ["Bearer a-token-of-the-user"] * 4
    told = [line for line in lines if line["event"] == "statements"]
    assert [line["outcomes"] for line in told] == [["written"] * 4]
    assert "a-token-of-the-user" not in f"{rows}{lines}"
    assert not any(word in str(lines) for word in ("p1", DOCTOR, "crs-grade", rows[0].ref))


def test_a_form_confirmed_twice_is_written_once(ward: Room) -> None:
    first = confirm(ward)
    ward.clock.later(seconds=2)

    assert confirm(ward) == first
    assert on_server(ward) == ALL


def test_the_same_answers_of_the_same_form_much_later_are_refused_and_not_silently_nothing(
    ward: Room,
) -> None:
    at = ward.clock.now
    first = confirm(ward)
    ward.clock.later(minutes=5)
    assert confirm(ward) == first
    ward.clock.later(seconds=1)
    with pytest.raises(AlreadyStated) as refused:
        confirm(ward)

    assert refused.value.at == at
    assert on_server(ward) == ALL
    assert {row.state for row in confirm(ward, form="fedcba9876543210")} == {"written"}
    assert len(on_server(ward)) == 8


def test_other_answers_of_the_same_form_are_stated_however_late(ward: Room) -> None:
    confirm(ward, grade=2)
    ward.clock.later(hours=1)
    confirm(ward, grade=3)

    assert on_server(ward).count("crs-grade") == 2


def test_what_was_withdrawn_is_not_stated_again_by_the_same_form(ward: Room) -> None:
    with behind(ward, before=lambda: answered(403)) as here:
        rows = confirm(ward, here)
    withdraw(ward.parts, ward.here, rows[0].submission, ward.clock.now)
    with pytest.raises(AlreadyStated):
        confirm(ward)

    assert on_server(ward) == []


def test_what_is_withdrawn_counts_no_longer_and_is_never_sent(ward: Room) -> None:
    with behind(ward, before=lambda: answered(403)) as here:
        rows = confirm(ward, here)
    after = withdraw(ward.parts, ward.here, rows[0].submission, ward.clock.now)

    assert [row.state for row in after] == ["withdrawn"] * 4
    assert unwritten(ward.parts, ward.here) == counted(ward.parts, ward.here) == ()
    again = send_again(ward.parts, ward.here, rows[0].submission, ward.clock.now)
    assert [row.state for row in again] == ["withdrawn"] * 4
    assert on_server(ward) == []


def test_what_is_in_the_chart_is_not_withdrawn(ward: Room) -> None:
    refusals = iter((False, False, True, True))

    def some() -> Response | None:
        return answered(403) if next(refusals) else None

    with behind(ward, before=some) as here:
        rows = confirm(ward, here)
    after = withdraw(ward.parts, ward.here, rows[0].submission, ward.clock.now)

    assert [row.state for row in after] == ["written"] * 2 + ["withdrawn"] * 2
    assert [row.state for row in counted(ward.parts, ward.here)] == ["written"] * 2


def test_what_somebody_is_sending_is_not_withdrawn_under_their_hands(ward: Room) -> None:
    with behind(ward, before=lambda: answered(403)) as here:
        rows = confirm(ward, here)
    until = ward.clock.now + timedelta(minutes=1)
    assert ward.parts.kept.claim(rows[0], now=ward.clock.now, until=until)
    after = withdraw(ward.parts, ward.here, rows[0].submission, ward.clock.now)
    assert [row.state for row in after] == ["sending"] + ["withdrawn"] * 3
    ward.clock.later(minutes=1)
    after = withdraw(ward.parts, ward.here, rows[0].submission, ward.clock.now)

    # Whoever was sending it never said what came of it.
    assert states(after)[0] == ("withdrawn", "unclear")


def test_what_turns_out_to_be_written_after_all_is_shown_as_written(ward: Room) -> None:
    with behind(ward, after=lambda: answered(500)) as here:
        (row, *_) = confirm(ward, here)
    withdraw(ward.parts, ward.here, row.submission, ward.clock.now)
    ward.parts.kept.written(row, "Observation/9")

    after = ward.parts.kept.of_submission("ward", "p1", row.submission)
    assert states(after) == [("written", ""), *[("withdrawn", "unclear")] * 3]


@pytest.mark.parametrize("change", [{"patient": "p2"}, {"site": "elsewhere"}])
def test_a_statement_of_another_patient_or_site_is_not_withdrawn(
    ward: Room, change: dict[str, str]
) -> None:
    with behind(ward, before=lambda: answered(403)) as here:
        rows = confirm(ward, here)
    site = msgspec.structs.replace(ward.here.site, id=change.get("site", "ward"))
    stranger = Bedside(context=other(ward.here, **change).context, site=site)

    assert withdraw(ward.parts, stranger, rows[0].submission, ward.clock.now) == ()
    assert len(unwritten(ward.parts, ward.here)) == 4


@pytest.mark.parametrize("user", ["Patient/p1", ""])
def test_who_is_no_clinician_withdraws_nothing(ward: Room, user: str) -> None:
    with behind(ward, before=lambda: answered(403)) as here:
        rows = confirm(ward, here)
    with pytest.raises(NotAllowed):
        withdraw(ward.parts, other(ward.here, user=user), rows[0].submission, ward.clock.now)

    assert len(unwritten(ward.parts, ward.here)) == 4


def test_a_withdrawal_is_logged_by_its_outcome_alone(ward: Room) -> None:
    with behind(ward, before=lambda: answered(403)) as here:
        rows = confirm(ward, here)
    with logged() as lines:
        withdraw(ward.parts, ward.here, rows[0].submission, ward.clock.now)

    (told,) = [line for line in lines if line["event"] == "statements-withdrawn"]
    assert told["outcomes"] == ["withdrawn"] * 4
    assert not any(word in str(lines) for word in ("p1", DOCTOR, "crs-grade"))


def test_a_form_gone_back_to_and_changed_states_the_change_as_well(ward: Room) -> None:
    confirm(ward, grade=2)
    ward.clock.later(seconds=30)
    confirm(ward, grade=3)

    assert on_server(ward).count("crs-grade") == 2


@pytest.mark.parametrize("quirk", [lambda: None, ignoring], ids=["conditional", "unconditional"])
def test_eight_who_confirm_the_same_form_at_once_write_it_once(ward: Room, quirk: Does) -> None:
    together = threading.Barrier(8)
    form = answers(ward)

    def one(here: Bedside) -> tuple[StatementRow, ...]:
        together.wait()
        return state(ward.parts, here, FORM, form, ward.clock.now)

    with behind(ward, before=quirk) as here, ThreadPoolExecutor(8) as threads:
        list(threads.map(one, [here] * 8))

    assert on_server(ward) == ALL
    assert unwritten(ward.parts, ward.here) == ()


def test_without_the_store_nothing_is_kept_nor_sent(tmp_path: Path) -> None:
    with room(tmp_path, (), febrile()) as ward:
        for file in tmp_path.glob("store.db*"):
            file.unlink()
        with pytest.raises(StoreDown):
            confirm(ward)
        assert on_server(ward) == []


@pytest.mark.parametrize("quirk", [lambda: None, ignoring], ids=["conditional", "unconditional"])
def test_what_was_written_before_a_fault_is_found_and_not_written_again(
    ward: Room, quirk: Does
) -> None:
    with behind(ward, before=quirk, after=lambda: answered(500)) as here:
        rows = confirm(ward, here)
        assert states(rows) == [("waiting", "unclear")] * 4
        assert len(unwritten(ward.parts, here)) == 4
    with behind(ward, before=quirk) as here:
        again = send_again(ward.parts, here, rows[0].submission, ward.clock.now)

    assert {row.state for row in again} == {"written"}
    assert all(row.ref for row in again)
    assert on_server(ward) == ALL


def test_a_server_that_writes_and_keeps_silent_is_asked_later(
    ward: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cds.smart.stating.writing.SEND_SECONDS", 0.6)
    with behind(ward, before=ignoring, after=lambda: time.sleep(1.0)) as here:
        rows = confirm(ward, here)
    assert states(rows)[0] == ("waiting", "unclear")
    assert all(row.state == "waiting" for row in rows)
    monkeypatch.undo()
    with behind(ward, before=ignoring) as here:
        again = send_again(ward.parts, here, rows[0].submission, ward.clock.now)

    assert {row.state for row in again} == {"written"}
    assert on_server(ward) == ALL


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda: answered(400), ("refused", "rejected")),
        (lambda: answered(401), ("refused", "session")),
        (lambda: answered(403), ("refused", "not-allowed")),
        (lambda: answered(404), ("refused", "rejected")),
        (lambda: answered(412), ("refused", "rejected")),
        (lambda: answered(422, "<html>no</html>", "text/html"), ("refused", "rejected")),
        (lambda: Response(status=307, headers={"Location": "/elsewhere"}), ("refused", "rejected")),
        (lambda: answered(429), ("waiting", "busy")),
        (lambda: answered(503), ("waiting", "unclear")),
        (lambda: answered(200, "<html>sign in</html>", "text/html"), ("waiting", "unclear")),
        (lambda: answered(200, '{"resourceType":"OperationOutcome"}'), ("waiting", "unclear")),
        (lambda: answered(206, "{}"), ("waiting", "unclear")),
    ],
)
def test_what_the_server_did_not_take_is_kept_and_written_when_it_does(
    ward: Room, answer: Does, expected: tuple[str, str]
) -> None:
    with behind(ward, before=answer) as here:
        rows = confirm(ward, here)
        assert states(rows)[0] == expected
        assert on_server(ward) == []
        assert [row.kind for row in unwritten(ward.parts, here)] == [row.kind for row in rows]
    again = send_again(ward.parts, ward.here, rows[0].submission, ward.clock.now)

    assert {row.state for row in again} == {"written"}
    assert on_server(ward) == ALL


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("Observation", ["QuestionnaireResponse"]),
        ("QuestionnaireResponse", ["arousal", "crs-grade", "ice-total"]),
    ],
)
def test_a_refused_kind_of_resource_does_not_keep_the_others_out(
    ward: Room, kind: str, left: list[str]
) -> None:
    def refuse() -> Response | None:
        return answered(403) if request.path.endswith(f"/{kind}") else None

    with behind(ward, before=refuse) as here:
        rows = confirm(ward, here)

    assert on_server(ward) == left
    assert {row.problem for row in rows if row.state == "refused"} == {"not-allowed"}
    assert len(unwritten(ward.parts, ward.here)) == 4 - len(left)


def test_an_answer_that_names_no_resource_is_settled_by_looking(ward: Room) -> None:
    with behind(ward, after=lambda: answered(201)) as here:
        rows = confirm(ward, here)

    assert {row.state for row in rows} == {"written"}
    with ward.sandbox.reading() as records:
        assert all(records.current(*row.ref.split("/")) for row in rows)


def test_an_answer_about_another_patient_is_not_believed(ward: Room) -> None:
    body = (
        '{"resourceType":"Observation","id":"77","status":"final","code":{"text":"x"},'
        '"subject":{"reference":"Patient/p2"}}'
    )

    def odd() -> Response | None:
        return answered(201, body) if request.path.endswith("/Observation") else None

    with behind(ward, before=odd) as here, logged() as lines:
        rows = confirm(ward, here)

    assert states(rows)[:3] == [("refused", "another-patient")] * 3
    assert [line["code"] for line in lines if line["event"] == "statements"] == ["another-patient"]
    assert "p2" not in str(lines)


def test_a_server_that_is_not_there_leaves_everything_waiting(ward: Room) -> None:
    site = msgspec.structs.replace(ward.here.site, fhir_base="http://127.0.0.1:9/fhir")
    rows = confirm(ward, Bedside(context=ward.here.context, site=site))

    assert states(rows) == [("waiting", "unreachable"), *[("waiting", "")] * 3]
    send_again(ward.parts, ward.here, rows[0].submission, ward.clock.now)
    assert on_server(ward) == ALL


@pytest.mark.parametrize("scopes", NARROW.values(), ids=NARROW.keys())
def test_without_the_right_to_write_nothing_is_asked_and_everything_is_kept(
    ward: Room, scopes: frozenset[str]
) -> None:
    heard: list[str] = []

    def listen() -> None:
        heard.append(request.path)

    with behind(ward, before=listen) as here:
        rows = confirm(ward, other(here, scopes=scopes))

    assert heard == []
    assert states(rows) == [("refused", "not-granted")] * 4


@pytest.mark.parametrize("scopes", WIDE.values(), ids=WIDE.keys())
def test_every_form_of_the_right_to_write_is_understood(ward: Room, scopes: frozenset[str]) -> None:
    confirm(ward, other(ward.here, scopes=scopes))

    assert on_server(ward) == ALL


def test_what_was_kept_before_a_crash_is_sent_by_the_next_try(ward: Room) -> None:
    with behind(ward, before=lambda: answered(503)) as here:
        lost = confirm(ward, here)
    before_sending = [
        msgspec.structs.replace(row, submission="crashed", problem="") for row in lost
    ]
    ward.parts.kept.keep(before_sending)
    rows = send_again(ward.parts, ward.here, "crashed", ward.clock.now)

    assert {row.state for row in rows} == {"written"}


def test_a_crash_after_sending_writes_nothing_twice(ward: Room) -> None:
    """Also where the server knows no conditional create: who takes over looks first."""
    with behind(ward, before=ignoring, after=lambda: answered(500)) as here:
        rows = confirm(ward, here)
    for row in ward.parts.kept.of_submission("ward", "p1", rows[0].submission):
        assert ward.parts.kept.claim(row, now=ward.clock.now, until=ward.clock.now)
    ward.clock.later(seconds=1)
    with behind(ward, before=ignoring) as here:
        again = send_again(ward.parts, here, rows[0].submission, ward.clock.now)

    assert {row.state for row in again} == {"written"}
    assert on_server(ward) == ALL


@pytest.mark.parametrize("change", [{"patient": "p2"}, {"site": "elsewhere"}])
def test_a_statement_of_another_patient_or_site_cannot_be_reached(
    ward: Room, change: dict[str, str]
) -> None:
    with behind(ward, before=lambda: answered(403)) as here:
        rows = confirm(ward, here)
    site = msgspec.structs.replace(ward.here.site, id=change.get("site", "ward"))
    stranger = Bedside(context=other(ward.here, **change).context, site=site)

    assert send_again(ward.parts, stranger, rows[0].submission, ward.clock.now) == ()
    assert unwritten(ward.parts, stranger) == ()
    assert on_server(ward) == []


def test_a_statement_about_another_patient_is_not_even_kept(ward: Room) -> None:
    with pytest.raises(AnotherPatient):
        confirm(ward, about="p2")

    assert unwritten(ward.parts, ward.here) == ()
    assert on_server(ward) == []


@pytest.mark.parametrize("user", ["Patient/p1", "RelatedPerson/r1", ""])
def test_who_is_no_clinician_states_nothing(ward: Room, user: str) -> None:
    with pytest.raises(NotAllowed):
        confirm(ward, other(ward.here, user=user))

    assert on_server(ward) == []


def test_what_is_not_in_the_chart_counts_as_stated_with_its_values(ward: Room) -> None:
    with behind(ward, before=lambda: answered(403)) as here:
        confirm(ward, here)
    stated = as_stated(unwritten(ward.parts, ward.here), ward.clock.now)

    assert [one["code"]["coding"][0]["code"] for one in stated] == [
        "ice-total",
        "arousal",
        "crs-grade",
    ]
    assert stated[2]["valueInteger"] == 3
    assert len({one["id"] for one in stated}) == 3


def test_after_thirty_days_it_is_no_longer_shown(ward: Room) -> None:
    with behind(ward, before=lambda: answered(403)) as here:
        confirm(ward, here)
    ward.clock.later(days=30)
    assert len(unwritten(ward.parts, ward.here)) == 4
    ward.clock.later(seconds=1)

    assert unwritten(ward.parts, ward.here) == ()


def test_the_next_hook_uses_the_clinician_s_grade(
    ward: Room, tmp_path: Path, library: Library, codes: CodeSets
) -> None:
    confirm(ward, grade=3)
    folder = tmp_path / "service"
    folder.mkdir()
    settings = ward.parts.deployment.settings
    service = deploy(settings, folder, library, codes, now=ward.clock)
    answer = service.client.post("/cds-services/btce-patient-view", json=patient_view(ward.base))

    crs = answer.get_json()["extension"]["org.btce-cds.assessment"]["crs"]
    assert crs["charted"]["grade"] == 3
    assert crs["acting"] == {"atLeast": 3, "atMost": 3}


def patient_view(base: str) -> Json:
    """A call that brings nothing but the right to read."""
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": DOCTOR, "patientId": "p1"},
        "fhirServer": base,
        "fhirAuthorization": {
            "access_token": "another-token",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/*.rs",
            "subject": "ehr",
        },
    }
