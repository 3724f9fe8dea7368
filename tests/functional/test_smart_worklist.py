"""The worklist over a real FHIR server that allows a user some patients and not others."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from html import unescape
from pathlib import Path

import msgspec
import pytest
from flask import Blueprint, Flask, Response, g, request
from flask.testing import FlaskClient
from msgspec import Struct
from werkzeug.test import TestResponse

from cds.demo.fhir import Sandbox, create_fhir
from cds.smart.advised import KEPT_NOT_READ, KEPT_USED
from cds.smart.context import Context
from cds.smart.guarding.problem import Kind, Problem
from cds.smart.guarding.problem_pages import add_problem_pages
from cds.smart.pages import worklist
from cds.smart.parts import Bedside
from cds.store import Store, StoreDown, open_store
from cds.store.cohort import Cohort
from cds.store.decisions import insert_decision
from cds.store.recent import Recent
from cds.store.rows import Watched
from tests.beside import PAGE, Room, other, room, served
from tests.builders import (
    NOW,
    Json,
    as_bytes,
    bp,
    bundle,
    hours_ago,
    patient,
    spo2,
    teclistamab,
    temp,
    tocilizumab,
)
from tests.databases import migrated
from tests.functional.stated_here import state_grade_3
from tests.store.rows import decision
from tests.unit.cds.worker.hospital import of


EVERYBODY = frozenset({"user/*.rs", "openid", "fhirUser"})
Refuse = Callable[[str], int]  # the status for a patient's id; 0: it is answered


class Ward(Struct, frozen=True):
    """A room whose worklist is open; what was asked of the FHIR server, and of `derive`."""

    room: Room
    store: Store
    asked: list[str]
    derived: list[tuple[str, str]]

    @property
    def client(self) -> FlaskClient:
        return self.room.client

    def open(self, query: str = "", **headers: str) -> TestResponse:
        """The page."""
        return self.client.get(f"{PAGE}/worklist{query}", headers=headers)


def nobody(_: str) -> int:
    return 0


@contextmanager
def ward(
    folder: Path,
    resources: Sequence[Json],
    patients: Sequence[str],
    *,
    scopes: frozenset[str] = EVERYBODY,
    refuse: Refuse = nobody,
    instead: Mapping[tuple[str, str], Json] | None = None,
) -> Iterator[Ward]:
    """Open with these patients watched; the FHIR server behind it refuses what `refuse` says.

    `instead`: what it answers to a search, by patient and type.
    """
    url = migrated(folder / "store.db")
    store = open_store(url)
    Cohort(store).watch([watched(one) for one in patients])
    sandbox = Sandbox()
    asked: list[str] = []
    derived: list[tuple[str, str]] = []
    sandbox.load(resources, now=NOW)

    def derive(context: Context, patient: str) -> str:
        derived.append((context.launch, patient))
        return f"/smart/l/{'f' * 32}/"

    with served(lambda origin: _fhir(sandbox, origin, refuse, instead or {}, asked)) as origin:
        routes = worklist.worklist_routes(derive, Cohort(store), Recent(store))

        def sit_here(smart: Blueprint, _: object) -> None:
            add_problem_pages(smart)

            @smart.before_request
            def sit() -> None:
                site = msgspec.structs.replace(g.bedside.site, fhir_base=f"{origin}/fhir")
                g.bedside = Bedside(context=g.bedside.context, site=site)

        pages = (sit_here, routes)
        with room(folder, pages, [], patient="p1", scopes=scopes, url=url) as opened:
            yield Ward(opened, store, asked, derived)
    store.close()


def _fhir(
    sandbox: Sandbox,
    origin: str,
    refuse: Refuse,
    instead: Mapping[tuple[str, str], Json],
    asked: list[str],
) -> Flask:
    app = Flask("tests.worklist", static_folder=None)

    @app.before_request
    def guard() -> Response | None:
        who = request.args.get("patient", "").removeprefix("Patient/")
        who = who or request.path.rpartition("/")[2]
        asked.append(who)
        other = instead.get((who, request.path.rpartition("/")[2]))
        if other is not None:
            return Response(as_bytes(other), content_type="application/fhir+json")
        status = refuse(who)
        return Response(status=status) if status else None

    app.register_blueprint(create_fhir(sandbox, base=f"{origin}/fhir", clock=lambda: NOW))
    return app


def watched(patient_id: str) -> Watched:
    return Watched(
        site="ward",
        patient=patient_id,
        agent="teclistamab",
        last_dose=NOW - timedelta(hours=24),
        until=NOW + timedelta(days=44),
        seen_at=NOW,
    )


def chart(
    patient_id: str, celsius: float, *, unit: str = "Ward 3", systolic: int = 120
) -> list[Json]:
    """A patient who had teclistamab a day ago and whose vital signs are an hour old."""
    return [
        {
            **patient(patient_id),
            "name": [{"text": f"Name of {patient_id}"}],
            "identifier": [{"value": f"MRN-{patient_id}"}],
        },
        of(teclistamab(at=hours_ago(24), resource_id=f"tec-{patient_id}"), patient_id),
        of(temp(celsius, resource_id=f"t-{patient_id}"), patient_id),
        of(bp(systolic, 70, resource_id=f"b-{patient_id}"), patient_id),
        of(spo2(97, resource_id=f"s-{patient_id}"), patient_id),
        of(
            {
                "resourceType": "Encounter",
                "id": f"e-{patient_id}",
                "status": "in-progress",
                "class": {"code": "IMP"},
                "location": [{"location": {"reference": f"Location/{unit}", "display": unit}}],
            },
            patient_id,
        ),
    ]


def graded(
    patient_id: str, crs: tuple[int, int] | None, *, hours_before: float, name: str
) -> object:
    """A decision that is kept."""
    state: Json = {"scale": "astct-crs-2019", "assessed": crs is not None}
    if crs is not None:
        state["grade"] = {"atLeast": crs[0], "atMost": crs[1]}
    not_assessed = {"scale": "astct-icans-2019", "assessed": False}
    return decision(
        name,
        site="ward",
        patient=patient_id,
        evaluated_at=NOW - timedelta(hours=hours_before),
        assessment=json.dumps({"crs": state, "icans": not_assessed, "more": 1}),
        cards=(),
    )


def keep(store: Store, *decisions: object) -> None:
    for one in decisions:
        with store.writing() as connection:
            insert_decision(connection, "sqlite", one)  # type: ignore[arg-type]


def text(answer: TestResponse | str) -> str:
    html = answer if isinstance(answer, str) else answer.get_data(as_text=True)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def rows(answer: TestResponse) -> list[str]:
    """The HTML of each row of the table."""
    body = re.findall(r"<tbody>(.*?)</tbody>", answer.get_data(as_text=True), re.DOTALL)
    return re.findall(r"<tr>(.*?)</tr>", body[0], re.DOTALL) if body else []


def names(answer: TestResponse) -> list[str]:
    return [re.findall(r"Name of (\w+)", row)[0] for row in rows(answer)]


def code(answer: TestResponse) -> str:
    """Why there is no such page, as it says to informatics; empty where it is one."""
    found = re.search(r"For informatics: <code>([a-z-]+)</code>", answer.get_data(as_text=True))
    return found[1] if found else ""


def test_a_row_says_who_on_what_since_when_and_how_bad(tmp_path: Path) -> None:
    with ward(tmp_path, chart("p1", 38.5), ["p1"]) as opened:
        answer = opened.open()
    assert answer.status_code == 200
    (row,) = rows(answer)
    said = text(row)
    assert said.startswith("Name of p1, MRN-p1 Ward 3 Open")
    assert "teclistamab, 24 h since the dose" in said
    assert "CRS grade" in said
    assert "ICANS not assessed" in said
    assert "no earlier decision" in said
    assert "ICANS: ICE score" in said
    assert "21 Nov 2026 11:00 GMT" in said


def test_the_worst_is_first_and_a_patient_without_data_is_not_last(tmp_path: Path) -> None:
    resources = [
        *chart("well", 36.8),
        *chart("low", 39, systolic=80),
        *chart("hot", 38.6),
        {**patient("blank"), "name": [{"text": "Name of blank"}]},
        of(teclistamab(at=hours_ago(24), resource_id="tec-blank"), "blank"),
    ]
    with ward(tmp_path, resources, ["well", "low", "hot", "blank"]) as opened:
        found = names(opened.open())
    assert set(found[:2]) == {"low", "hot"}
    assert found[2:] == ["blank", "well"]  # of both ICANS may be anything: by name


def test_whoever_the_user_may_not_read_is_counted_and_nothing_else(tmp_path: Path) -> None:
    resources = [*chart("p1", 38.5), *chart("p2", 40), *chart("p3", 40)]
    refusals = {"p2": 403, "p3": 404}
    with ward(
        tmp_path, resources, ["p1", "p2", "p3"], refuse=lambda who: refusals.get(who, 0)
    ) as opened:
        answer = opened.open()
    html = answer.get_data(as_text=True)
    assert names(answer) == ["p1"]
    assert "2 not shown: no right to read." in text(answer)
    assert "p2" not in html
    assert "p3" not in html


def test_one_that_cannot_be_read_is_said_and_the_others_are_shown(tmp_path: Path) -> None:
    resources = [*chart("p1", 38.5), *chart("p2", 40)]
    with ward(
        tmp_path, resources, ["p1", "p2"], refuse=lambda who: 500 if who == "p2" else 0
    ) as opened:
        answer = opened.open()
    assert names(answer) == ["p1"]
    assert "One patient could not be read: the server reports a fault." in text(answer)
    assert "p2" not in answer.get_data(as_text=True)


def test_a_record_that_names_another_patient_gives_no_row_and_an_alarm(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    astray = bundle(of(temp(40, resource_id="astray"), "p9"))
    resources = [*chart("p1", 38.5), *chart("p2", 37)]
    instead = {("p1", "Observation"): astray}
    with ward(tmp_path, resources, ["p1", "p2"], instead=instead) as opened:
        answer = opened.open()
    assert names(answer) == ["p2"]
    assert "One patient could not be read: its record names another patient." in text(answer)
    assert not {"p1", "p9"} & set(re.findall(r"\bp\d\b", text(answer)))
    (alarm,) = [one for one in caplog.records if one.levelname == "WARNING"]
    assert vars(alarm)["event_fields"] == {"code": "another-patient", "site": "ward"}


def test_the_data_of_two_patients_are_never_mixed(tmp_path: Path) -> None:
    ids = [f"q{place}" for place in range(12)]
    resources = [
        one
        for place, id_ in enumerate(ids)
        for one in chart(id_, 37 + place * 0.2, unit=f"Unit of {id_}")
    ]
    with ward(tmp_path, resources, ids) as opened:
        found = rows(opened.open())
    assert len(found) == 12
    for row in found:
        assert len(set(re.findall(r"\bq\d+\b", row))) == 1


def test_the_direction_is_against_the_last_decision_that_is_an_hour_old(tmp_path: Path) -> None:
    resources = [one for id_ in ("up", "down", "same") for one in chart(id_, 36.8)]
    with ward(tmp_path, resources, ["up", "down", "same"]) as opened:
        (row,) = (one for one in rows(opened.open()) if "Name of same" in one)
        low, high = (0, 0) if "CRS grade 0 " in text(row) + " " else (0, 4)
        keep(
            opened.store,
            graded("same", (low, high), hours_before=2, name="same"),
            graded("down", (3, 4), hours_before=3, name="old"),
            graded("down", (low, high), hours_before=0.5, name="too new"),
            graded("up", (2, 2), hours_before=30, name="older"),
            graded("up", None, hours_before=2, name="not assessed"),
        )
        found = {re.findall(r"Name of (\w+)", one)[0]: text(one) for one in rows(opened.open())}
    assert "same (was CRS grade" in found["same"]
    assert "down (was CRS grade at least 3 (3-4 possible), 21 Nov 2026 09:00 GMT)" in found["down"]
    assert "cannot be compared (was CRS not assessed, 21 Nov 2026 10:00 GMT)" in found["up"]


def test_next_tocilizumab_is_the_time_the_evaluation_gives(tmp_path: Path) -> None:
    resources = [
        *chart("p1", 39, systolic=80),
        of(tocilizumab(at=hours_ago(2), resource_id="toci-p1"), "p1"),
    ]
    with ward(tmp_path, resources, ["p1"]) as opened:
        (row,) = rows(opened.open())
    assert "21 Nov 2026 18:00 GMT" in text(row)  # eight hours after the one at ten


def test_somebody_evaluated_lately_is_listed_and_one_without_a_bispecific_is_counted(
    tmp_path: Path,
) -> None:
    resources = [*chart("p1", 38.5), patient("p2")]
    with ward(tmp_path, resources, []) as opened:
        assert "No patient to show." in text(opened.open())
        keep(
            opened.store,
            graded("p1", (1, 1), hours_before=24 * 13, name="lately"),
            graded("p2", None, hours_before=2, name="no bispecific"),
        )
        answer = opened.open()
        assert names(answer) == ["p1"]
        assert "1 not shown: no bispecific in the record." in text(answer)


def test_a_decision_of_more_than_two_weeks_ago_lists_nobody(tmp_path: Path) -> None:
    with ward(tmp_path, chart("p1", 38.5), []) as opened:
        keep(opened.store, graded("p1", (1, 1), hours_before=24 * 15, name="long ago"))
        assert not rows(opened.open())


def test_a_unit_shows_its_patients_and_those_of_whom_it_is_not_known(tmp_path: Path) -> None:
    lost = [one for one in chart("p3", 38) if one["resourceType"] != "Encounter"]
    resources = [*chart("p1", 38.5), *chart("p2", 38.6, unit="Bay <b>7</b>"), *lost]
    with ward(tmp_path, resources, ["p1", "p2", "p3"]) as opened:
        html = opened.open().get_data(as_text=True)
        links = {
            unescape(name): key
            for key, name in re.findall(r'worklist\?unit=([0-9a-f]{16})"[^>]*>([^<]+)<', html)
        }
        assert set(links) == {"Ward 3", "Bay <b>7</b>"}
        answer = opened.open(f"?unit={links['Ward 3']}")
        assert set(names(answer)) == {"p1", "p3"}
        assert f'hx-get="{PAGE}/worklist?unit={links["Ward 3"]}"' in answer.get_data(as_text=True)
        unknown = opened.open("?unit=%3Cscript%3E")
    assert len(names(unknown)) == 3
    assert "All units are shown." in text(unknown)
    assert "script>" not in "".join(
        re.findall(r"<main.*</main>", unknown.get_data(as_text=True), re.S)
    )


@pytest.mark.parametrize(
    ("scopes", "lacking"),
    [
        ({"patient/*.rs"}, ["user/*.rs"]),
        ({"user/*.write"}, ["user/*.rs"]),
        ({"user/*.r"}, ["user/*.rs"]),
        (
            {"user/Patient.rs", "user/Observation.read"},
            ["user/MedicationAdministration.rs", "user/Encounter.rs"],
        ),
    ],
)
def test_without_the_right_the_page_names_it_and_nobody_is_read(
    tmp_path: Path, scopes: set[str], lacking: list[str]
) -> None:
    with ward(tmp_path, chart("p1", 38.5), ["p1"], scopes=frozenset(scopes)) as opened:
        answer = opened.open()
        assert answer.status_code == 403
        assert re.findall(r"<li><code>(.*?)</code>", answer.get_data(as_text=True)) == lacking
        assert "Ask the team that registered this app with the EHR" in text(answer)
        assert not opened.asked
        answer = opened.client.post(f"{PAGE}/worklist/open", data={"patient": "p1"})
        assert code(answer) == "not-allowed"


@pytest.mark.parametrize("scope", ["user/*.read", "user/*.*", "user/*.rs", "user/*.cruds"])
def test_a_user_scope_of_either_version_is_enough(tmp_path: Path, scope: str) -> None:
    with ward(tmp_path, chart("p1", 38.5), ["p1"], scopes=frozenset({scope})) as opened:
        assert names(opened.open()) == ["p1"]


def test_a_renewal_brings_the_list_alone_and_clears_what_was_said_of_an_older_one(
    tmp_path: Path,
) -> None:
    with ward(tmp_path, chart("p1", 38.5), ["p1"]) as opened:
        html = opened.open(**{"HX-Request": "true"}).get_data(as_text=True)
    assert html.lstrip().startswith('<div id="worklist"')
    assert 'hx-trigger="every 60s"' in html
    assert '<div id="renewal" role="status" hx-swap-oob="true"></div>' in html
    assert "<html" not in html


def left_as_it_is(answer: TestResponse) -> bool:
    """Whether htmx leaves the list where it is, and says above it that it is old."""
    headers = answer.headers
    beside = (headers.get("HX-Retarget"), headers.get("HX-Reswap")) == ("#renewal", "innerHTML")
    words = "The list below is old: it could not be renewed." in text(answer)
    return beside and words and 'id="worklist"' not in answer.get_data(as_text=True)


def test_a_renewal_that_fails_leaves_the_list_and_says_that_it_is_old(tmp_path: Path) -> None:
    with ward(tmp_path, chart("p1", 38.5), ["p1"]) as opened:
        (tmp_path / "store.db").rename(tmp_path / "gone.db")
        answer = opened.open(**{"HX-Request": "true"})
        page = opened.open()
        (tmp_path / "gone.db").rename(tmp_path / "store.db")
    assert (answer.status_code, code(answer)) == (503, "store-down")
    assert left_as_it_is(answer)
    assert (page.status_code, code(page)) == (503, "store-down")
    assert "HX-Retarget" not in page.headers


@pytest.mark.parametrize("kind", ["idle", "over", "no-session", "token-over", "busy"])
def test_a_renewal_that_is_refused_before_the_page_leaves_the_list(
    tmp_path: Path, kind: Kind
) -> None:
    def refused() -> None:
        raise Problem(kind)

    with ward(tmp_path, chart("p1", 38.5), ["p1"]) as opened:
        opened.room.app.before_request_funcs["smart"].append(refused)
        answer = opened.open(**{"HX-Request": "true"})
    assert code(answer) == kind
    assert left_as_it_is(answer)


def test_a_renewal_without_the_right_any_more_leaves_the_list(tmp_path: Path) -> None:
    scopes = frozenset({"patient/*.rs"})
    with ward(tmp_path, chart("p1", 38.5), ["p1"], scopes=scopes) as opened:
        answer = opened.open(**{"HX-Request": "true"})
    assert (answer.status_code, code(answer)) == (403, "not-allowed")
    assert left_as_it_is(answer)


def test_a_token_the_ehr_knows_no_more_is_no_lack_of_a_right(tmp_path: Path) -> None:
    resources = [*chart("p1", 38.5), *chart("p2", 38)]
    with ward(
        tmp_path, resources, ["p1", "p2"], refuse=lambda who: 401 if who == "p2" else 0
    ) as opened:
        page = opened.open()
        renewal = opened.open(**{"HX-Request": "true"})
    assert (page.status_code, code(page)) == (403, "token-over")
    assert "no right to read" not in text(page)
    assert left_as_it_is(renewal)


@pytest.mark.parametrize(
    ("status", "shown", "kind"),
    [
        pytest.param(401, 403, "token-over", id="the token is over"),
        pytest.param(403, 403, "not-allowed", id="not this patient"),
        pytest.param(404, 403, "not-allowed", id="no such patient for this user"),
        pytest.param(429, 412, "data-unavailable", id="asked too often"),
        pytest.param(500, 412, "data-unavailable", id="a fault of the server"),
    ],
)
def test_a_patient_who_cannot_be_opened_is_told_apart_by_why(
    tmp_path: Path, status: int, shown: int, kind: str
) -> None:
    with ward(tmp_path, chart("p1", 38.5), ["p1"], refuse=lambda _: status) as opened:
        answer = opened.client.post(f"{PAGE}/worklist/open", data={"patient": "p1"})
    assert (answer.status_code, code(answer)) == (shown, kind)
    assert not opened.derived


def test_what_the_ehr_did_not_take_counts_in_the_row_of_that_patient_alone(tmp_path: Path) -> None:
    with ward(tmp_path, [*chart("p1", 37), *chart("p2", 37)], ["p1", "p2"]) as opened:
        parts = opened.room.parts
        state_grade_3(parts, other(opened.room.here, patient="p2"))
        found = {re.findall(r"Name of (\w+)", one)[0]: text(one) for one in rows(opened.open())}
    assert "CRS grade 3" in found["p2"]
    assert KEPT_USED in found["p2"]
    assert "CRS grade 3" not in found["p1"]
    assert KEPT_USED not in found["p1"]


def test_a_row_without_the_statements_kept_here_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise StoreDown("locked")

    with ward(tmp_path, chart("p1", 37), ["p1"]) as opened:
        monkeypatch.setattr(opened.room.parts.kept, "of_patient", down)
        (row,) = rows(opened.open())
    assert KEPT_NOT_READ in text(row)


def test_opening_a_patient_derives_a_launch_after_the_server_allowed_the_patient(
    tmp_path: Path,
) -> None:
    with ward(
        tmp_path,
        [*chart("p1", 38.5), *chart("p2", 38), *chart("p3", 38)],
        ["p1", "p2"],
        refuse=lambda who: 403 if who == "p2" else 0,
    ) as opened:
        (row,) = rows(opened.open())
        assert 'name="csrf" value="the-csrf-token"' in row
        assert 'name="patient" value="p1"' in row
        answer = opened.client.post(f"{PAGE}/worklist/open", data={"patient": "p1"})
        assert answer.status_code == 303
        assert answer.headers["Location"] == f"/smart/l/{'f' * 32}/"
        for patient_id, kind in (("p2", "not-allowed"), ("p3", "bad-request"), ("", "bad-request")):
            answer = opened.client.post(f"{PAGE}/worklist/open", data={"patient": patient_id})
            assert code(answer) == kind
        assert [one for _, one in opened.derived] == ["p1"]


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    hostile = '</th><script>alert(1)</script>" onclick="x\u202e\u0000'
    resources = chart("p1", 38.5, unit=hostile)
    resources[0]["name"] = [{"text": hostile}]
    resources[0]["identifier"] = [{"value": hostile}]
    with ward(tmp_path, resources, ["p1"]) as opened:
        html = opened.open().get_data(as_text=True)
    assert html.count("<script") == html.count('<script src="/smart/static/')
    assert "\u202e" not in html
    assert not re.findall(r"<[^>]*\sonclick=", html)
