"""`doctor`: what the servers of a site really do, each check with its next step, and no patient.

Expectations are from FHIR R4 search, SMART App Launch 2 and CDS Hooks 2.0.1, not from the program.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cds.cli import main
from cds.clock import system_clock
from cds.config import Backend, Issuer, Settings, Site, Smart
from cds.demo import patients
from cds.demo.fhir import Quirks
from cds.demo.fhir.vendors import quirks_of
from cds.demo.story import load
from cds.doctor import Examination, Finding, examine
from cds.services import PREFETCH
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.conformance.tokens import ec, rsa
from tests.demo.fhir_sandbox import Client, Json, served
from tests.functional.bodies import bundle
from tests.functional.fhir_upstream import Upstream, reply, running
from tests.functional.secured import secured
from tests.functional.test_try_bad_input import configured
from tests.unit.cds.backend.hospital import Asked, Reply, hospital, site_of


STORIES = load()
VITAL = "http://terminology.hl7.org/CodeSystem/observation-category"
LOCAL = "urn:oid:1.2.840.114350.1.13.999"
UCUM = "http://unitsofmeasure.org"
PERSON = {"resourceType": "Patient", "id": "p1"}
Examined = Callable[..., dict[str, list[Finding]]]


@pytest.fixture
def look(settings: Settings, library: Library, codes: CodeSets) -> Examined:
    """Examine one site; its findings by check."""

    def run(site: Site, *, settings: Settings = settings, **how: Any) -> dict[str, list[Finding]]:
        found: dict[str, list[Finding]] = {}
        by = Examination(
            settings=msgspec.structs.replace(settings, sites={site.id: site}),
            library=library,
            codes={site.id: codes},
            **{
                "clock": system_clock,
                "monotonic": lambda: 0.0,
                "patient": "p1",
                "seconds": 3.0,
                **how,
            },
        )
        for one in examine(site, by):
            found.setdefault(one.check, []).append(one)
        return found

    return run


def at(base: str, **members: Any) -> Site:
    return Site(
        **{
            "id": "ward",
            "fhir_base": base,
            "protocol": "us-label",
            "zone": ZoneInfo("UTC"),
            **members,
        }
    )


def metadata(**members: Any) -> Json:
    return {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [], **members}


def standing(server: Upstream, answers: Mapping[str, object] | None = None) -> Upstream:
    """A server with a Patient, and empty answers for what is not given."""
    server.does["metadata"] = reply(metadata())
    server.does["patient"] = reply(PERSON)
    for key in PREFETCH:
        if key != "patient":
            server.does[key] = reply((answers or {}).get(key) or bundle())
    server.otherwise = reply(bundle())
    return server


def only(found: dict[str, list[Finding]], check: str) -> Finding:
    (one,) = found[check]
    return one


def observed(number: int, **members: Any) -> Json:
    """A temperature, the newest first by its number."""
    when = datetime(2026, 11, 20, 12, tzinfo=UTC) - timedelta(hours=number)
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "category": [{"coding": [{"system": VITAL, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": when.isoformat(),
        "valueQuantity": {"value": 37.77, "unit": "Cel", "system": UCUM, "code": "Cel"},
        **members,
    }


def linked(made: Json, path: str) -> Json:
    return {**made, "link": [{"relation": "self", "url": f"http://127.0.0.1/fhir/{path}"}]}


# --- the demo's server ----------------------------------------------------------------------------


def put(server: Client, *names: str) -> None:
    now = system_clock()
    for name in names:
        story = STORIES[name]
        known = (patients.patient(story, now), patients.encounter(story, now))
        server.store.load((*known, *patients.chart(story, now)), now=now)


def test_a_server_that_does_what_r4_says_fails_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with served() as server:
        put(server, "fever-only")
        words = ["--config", str(configured(tmp_path, server.base))]
        assert main(["doctor", *words]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert all(line.startswith("ward: ") for line in lines)
    assert not [line for line in lines if " FAIL " in line or " warn " in line]
    assert any("not clinically reviewed" in line for line in lines)
    for key in PREFETCH:
        assert key == "patient" or any(f" query {key} " in line for line in lines), key


@pytest.mark.parametrize("name", STORIES)
def test_nothing_of_a_patient_is_printed(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story = STORIES[name]
    with served() as server:
        put(server, name)
        config = configured(tmp_path, server.base)
        for form in ("text", "json"):
            main(["doctor", "--config", str(config), "--patient", name, "--format", form])
    said = capsys.readouterr()
    everything = said.out + said.err
    assert "ward" in everything
    chart = patients.chart(story, system_clock())
    values = {
        str(part["valueQuantity"]["value"])
        for one in chart
        for part in (one, *one.get("component", ()))
        if "valueQuantity" in part and "." in str(part["valueQuantity"]["value"])
    }
    for secret in (name, story.family, story.given, *values, *(one["id"] for one in chart)):
        assert secret not in everything, secret


def test_a_patient_on_a_bispecific_is_found_where_none_is_named(look: Examined) -> None:
    with served() as server:
        put(server, "fever-only", "two-vasopressors")
        found = look(at(server.base), patient=None)
    assert only(found, "patient").status == "ok"
    assert only(found, "query vitals").status == "ok"


def test_without_such_a_patient_the_queries_are_not_checked(look: Examined) -> None:
    with served() as server:
        found = look(at(server.base), patient=None)
    one = only(found, "queries")
    assert (one.status, "--patient" in one.next_step) == ("not checked", True)
    assert not [check for check in found if check.startswith(("query", "codes"))]


def test_a_server_that_ignores_sort_is_named(look: Examined) -> None:
    with served(quirks=Quirks(ignored=frozenset({"_sort"}))) as server:
        put(server, "fever-only")
        found = look(at(server.base), patient="fever-only")
    assert only(found, "query vitals").status == "warn"
    assert "_sort" in only(found, "query vitals").finding


@pytest.mark.parametrize("vendor", ["epic", "oracle"])
def test_a_vendors_server_fails_nothing_and_what_it_ignores_is_named(
    look: Examined, vendor: str
) -> None:
    with served(quirks=quirks_of(vendor)) as server:
        put(server, "fever-only")
        found = look(at(server.base), patient="fever-only")
    assert not [one for every in found.values() for one in every if one.status == "FAIL"]
    for check in ("codes vitals", "codes oxygen", "pressure", "times"):
        assert only(found, check).status == "ok", check
    assert only(found, "parameter _sort").status == "warn"
    assert "no Subscription" in only(found, "subscription").finding
    assert only(found, "units").status == ("warn" if vendor == "oracle" else "ok")
    if vendor == "oracle":
        assert "temperature without a unit" in only(found, "units").finding
    if vendor == "epic":
        assert "ignored" in only(found, "parameter _lastUpdated").finding


def test_flowsheet_codes_without_a_standard_one_are_listed_for_the_overlay(
    look: Examined,
) -> None:
    with served(quirks=quirks_of("epic", "flowsheet-alone")) as server:
        put(server, "fever-only")
        found = look(at(server.base), patient="fever-only")
    one = only(found, "codes vitals")
    number = sum(
        any(part["code"] == "8310-5" for part in seen["code"]["coding"])
        for seen in patients.chart(STORIES["fever-only"], system_clock())
        if seen["resourceType"] == "Observation"
    )
    assert (one.status, "overlay" in one.next_step) == ("warn", True)
    assert [code for code, count in one.counts.items() if "urn:oid:" in code and count == number]
    assert "temperature" not in one.finding


def test_a_server_that_is_not_searched_across_patients_asks_for_one(look: Examined) -> None:
    with served(quirks=quirks_of("oracle")) as server:
        put(server, "fever-only")
        found = look(at(server.base), patient=None)
    assert only(found, "queries").status == "not checked"


@pytest.mark.parametrize(
    ("backend", "status"), [(None, "not checked"), (Backend(auth="none"), "FAIL")]
)
def test_a_token_that_only_calls_bring_is_not_missed_and_one_that_is_needed_is(
    look: Examined, backend: Backend | None, status: str
) -> None:
    with running() as server:
        standing(server).does["patient"] = reply(b"", status=401)
        server.otherwise = reply(b"", status=401)
        named = look(at(server.base, backend=backend))
        found = look(at(server.base, backend=backend), patient=None)
    assert only(named, "patient").status == status
    assert "(401)" in only(named, "patient").finding
    assert only(found, "queries").status == "not checked"
    assert "(401)" in only(found, "queries").finding


# --- what a server heeds --------------------------------------------------------------------------


OTHER_CATEGORY = [{"coding": [{"system": VITAL, "code": "exam"}]}]
UNHEEDED = [
    ("category", "vitals", [observed(1), observed(2, category=OTHER_CATEGORY)]),
    ("code", "oxygen", [observed(1)]),
    ("_sort", "vitals", [observed(2), observed(1)]),
    ("_count", "encounter", [{**PERSON, "resourceType": "Encounter"}] * 2),
    (
        "status",
        "orders",
        [{"resourceType": "MedicationRequest", "id": "m", "status": "stopped"}],
    ),
]


@pytest.mark.parametrize(("name", "key", "results"), UNHEEDED, ids=[one[0] for one in UNHEEDED])
def test_results_that_were_not_asked_for_show_the_parameter_that_is_ignored(
    look: Examined, name: str, key: str, results: list[Json]
) -> None:
    with running() as server:
        standing(server, {key: bundle(*results)})
        one = only(look(at(server.base)), f"query {key}")
    assert one.status == "warn"
    assert f"not heeded: {name}" in one.finding
    assert one.next_step


def test_results_of_another_patient_fail(look: Examined) -> None:
    foreign = observed(1, subject={"reference": "Patient/somebody-else"})
    with running() as server:
        standing(server, {"vitals": bundle(observed(0), foreign)})
        one = only(look(at(server.base)), "query vitals")
    assert one.status == "FAIL"
    assert "1 of 2 results of another patient" in one.finding
    assert "somebody-else" not in msgspec.json.encode(one).decode()


@pytest.mark.parametrize(
    "members",
    [
        {"subject": {"reference": "http://127.0.0.1:9/other/fhir/Patient/p1"}},
        {"subject": {"reference": "https://ehr.example.org/fhir/Patient/p1/_history/2"}},
    ],
)
def test_results_of_another_base_fail_as_the_service_refuses_them(
    look: Examined, members: Json
) -> None:
    with running() as server:
        standing(server, {"vitals": bundle(observed(0), observed(1, **members))})
        one = only(look(at(server.base)), "query vitals")
    assert one.status == "FAIL"
    assert "1 of 2 results of another patient or another base" in one.finding


def test_a_full_url_of_another_base_fails_as_the_service_refuses_it(look: Examined) -> None:
    made = bundle(observed(1))
    made["entry"][0]["fullUrl"] = "https://ehr.example.org/fhir/Observation/o1"
    with running() as server:
        standing(server, {"vitals": made})
        assert only(look(at(server.base)), "query vitals").status == "FAIL"


@pytest.mark.parametrize("subject", [None, {"reference": "Group/g1"}, {"reference": "urn:uuid:1"}])
def test_results_that_name_no_patient_are_counted(look: Examined, subject: Json | None) -> None:
    with running() as server:
        standing(server, {"vitals": bundle(observed(1), observed(2, subject=subject))})
        one = only(look(at(server.base)), "query vitals")
    assert one.status == "warn"
    assert "1 name no patient" in one.finding
    assert one.next_step


def outcome(severity: str) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "x"}]}


def test_an_error_in_place_of_results_is_no_answer(look: Examined) -> None:
    """What the service does with it: nothing is known, not "none charted"."""
    with running() as server:
        standing(server, {"vitals": linked(bundle(outcome("error")), "Observation?patient=p1")})
        one = only(look(at(server.base)), "query vitals")
    assert one.status == "FAIL"
    assert "not answered: the server reports an error" in one.finding


def test_an_error_beside_results_is_no_whole_answer(look: Examined) -> None:
    with running() as server:
        standing(server, {"vitals": bundle(observed(1), outcome("fatal"))})
        one = only(look(at(server.base)), "query vitals")
    assert one.status == "warn"
    assert "an error beside them" in one.finding


@pytest.mark.parametrize(
    "url", ["https://ehr.example.org/fhir?page=2", "/fhir?page=2", "http://127.0.0.1@a.example/x"]
)
def test_a_next_page_elsewhere_is_named(look: Examined, url: str) -> None:
    """HAPI behind a proxy names its inner address; the service follows no such link."""
    made = {**bundle(observed(1)), "link": [{"relation": "next", "url": url}]}
    with running() as server:
        standing(server, {"vitals": made})
        one = only(look(at(server.base)), "query vitals")
    assert one.status == "warn"
    assert "not below fhir_base" in one.finding
    assert url not in one.finding


def test_a_next_page_below_the_base_is_none_of_that(look: Examined) -> None:
    with running() as server:
        own = [{"relation": "next", "url": f"{server.base}?_getpages=1"}]
        standing(server, {"vitals": {**bundle(observed(1)), "link": own}})
        assert "not below" not in only(look(at(server.base)), "query vitals").finding


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf%s", b'{"x":NaN,%s', b"%s\x00"])
def test_what_the_service_cannot_read_is_no_answer(look: Examined, body: bytes) -> None:
    good = json.dumps(bundle(observed(1))).encode()
    sent = body % (good[1:] if b"NaN" in body else good)
    with running() as server:
        standing(server).does["vitals"] = reply(sent)
        one = only(look(at(server.base)), "query vitals")
    assert one.status == "FAIL"
    assert "not FHIR JSON" in one.finding


ODD: list[Any] = [5, True, {}, "x", None, [5, None], {"coding": 5}, {"coding": {"a": 1}}]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_codes_of_any_shape_never_end_it(look: Examined, odd: Any) -> None:
    with running() as server:
        odd_one = observed(1, category=odd, code=odd, status=odd)
        standing(server, {"vitals": bundle(odd_one), "oxygen": bundle(odd_one)})
        found = look(at(server.base))
    assert only(found, "query vitals").status in {"warn", "FAIL"}


def test_a_refused_token_fails_where_no_patient_is_named_either(look: Examined) -> None:
    with running() as server:
        standing(server).otherwise = reply(b"", status=401)
        found = look(at(server.base), patient=None, token="Canary-token-92")
    one = only(found, "queries")
    assert one.status == "FAIL"
    assert "token (401)" in one.finding
    assert "Canary-token-92" not in msgspec.json.encode(one).decode()


def test_a_self_link_that_leaves_a_parameter_out_is_a_warning(look: Examined) -> None:
    page = linked(bundle(observed(1)), "Observation?patient=p1&category=vital-signs&_count=200")
    with running() as server:
        standing(server, {"vitals": page})
        one = only(look(at(server.base)), "query vitals")
    assert one.status == "warn"
    assert "self link leaves out _sort" in one.finding


def test_a_self_link_may_say_subject_and_use_modifiers(look: Examined) -> None:
    path = "Observation?subject:Patient=p1&category=vital-signs&_sort=-date&_count=200"
    with running() as server:
        standing(server, {"vitals": linked(bundle(observed(1)), path)})
        assert only(look(at(server.base)), "query vitals").status == "ok"


def test_an_empty_answer_without_a_self_link_proves_nothing(look: Examined) -> None:
    with running() as server:
        standing(server)
        assert only(look(at(server.base)), "query labs").status == "not checked"


@pytest.mark.parametrize("name", ["code", "category"])
def test_a_parameter_that_finds_what_nothing_has_is_ignored(look: Examined, name: str) -> None:
    with running() as server:
        standing(server)
        server.otherwise = reply(bundle(observed(1)))
        found = look(at(server.base))
    assert only(found, f"parameter {name}").status == "warn"
    assert only(found, "parameter _lastUpdated").status == "ok"
    assert "ignored" in only(found, "parameter _lastUpdated").finding


@pytest.mark.parametrize(
    ("does", "words"),
    [
        (reply(b"", status=400), "rejects the query"),
        (reply(b"", status=403), "Observation (403)"),
        (reply(b"<html>", kind="text/html"), "not FHIR JSON"),
        (reply({"resourceType": "OperationOutcome", "issue": []}), "else than a Bundle"),
    ],
)
def test_a_query_that_is_not_answered_fails(look: Examined, does: Any, words: str) -> None:
    with running() as server:
        standing(server).does["vitals"] = does
        found = look(at(server.base))
    assert only(found, "query vitals").status == "FAIL"
    assert words in only(found, "query vitals").finding
    assert only(found, "query oxygen").status != "FAIL"


@pytest.mark.parametrize(
    ("hours", "status"),
    [((3, 2, 1), "ok"), ((1, 2, 3), "warn"), ((1,), "not checked"), ((), "not checked")],
)
def test_whether_the_oldest_come_first_when_asked_for(
    look: Examined, hours: tuple[int, ...], status: str
) -> None:
    with running() as server:
        standing(server)
        server.otherwise = reply(bundle(*map(observed, hours)))
        assert only(look(at(server.base)), "parameter _sort").status == status


# --- how the site charts --------------------------------------------------------------------------


def charted(look: Examined, *results: Json) -> dict[str, list[Finding]]:
    with running() as server:
        standing(server, {"vitals": bundle(*results)})
        return look(at(server.base))


def test_codes_nothing_here_knows_are_counted_without_their_words(look: Examined) -> None:
    flowsheet = {"coding": [{"system": LOCAL, "code": "6", "display": "Temp of Victor"}]}
    rate = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
    found = charted(
        look,
        observed(0),
        observed(1, code=flowsheet),
        observed(2, code=flowsheet),
        observed(3, code=rate),
    )
    one = only(found, "codes vitals")
    assert one.status == "warn"
    assert "temperature 1" in one.finding
    assert f"2 of codes unknown here: {LOCAL}|6 x 2" in one.finding
    assert one.counts == {f"{LOCAL}|6": 2, "http://loinc.org|8867-4": 1}
    assert "overlay" in one.next_step
    assert "Victor" not in repr(found)


def test_a_site_none_of_whose_codes_is_known_fails(look: Examined) -> None:
    flowsheet = {"coding": [{"system": LOCAL, "code": "6"}]}
    assert only(charted(look, observed(1, code=flowsheet)), "codes vitals").status == "FAIL"


NO_UNIT = {"valueQuantity": {"value": 37.77}}
FAHRENHEIT = {"valueQuantity": {"value": 101.3, "system": UCUM, "code": "Cel"}}
ODD_UNIT = {"valueQuantity": {"value": 37.77, "unit": "Grad"}}


@pytest.mark.parametrize(
    ("results", "status", "words"),
    [
        ([observed(0), observed(1)], "ok", "2 values"),
        ([observed(0), observed(1, **NO_UNIT)], "warn", "temperature without a unit x 1"),
        ([observed(0), observed(1, **ODD_UNIT)], "warn", "temperature in Grad x 1"),
        ([observed(0), observed(1, **FAHRENHEIT)], "warn", "not plausible in its unit x 1"),
        ([observed(0, **NO_UNIT), observed(1, **NO_UNIT)], "FAIL", "without a unit x 2"),
    ],
)
def test_units(look: Examined, results: list[Json], status: str, words: str) -> None:
    one = only(charted(look, *results), "units")
    assert one.status == status
    assert words in one.finding
    assert "37.77" not in one.finding
    assert "101.3" not in one.finding


@pytest.mark.parametrize(
    ("when", "words"),
    [("2026-11-20T12:00:00", "no zone x 1"), ("2026-11-20", "a date alone x 1")],
)
def test_times_without_a_zone(look: Examined, when: str, words: str) -> None:
    both = charted(look, observed(0), observed(1, effectiveDateTime=when))
    assert (only(both, "times").status, words in only(both, "times").finding) == ("warn", True)
    assert only(charted(look, observed(1, effectiveDateTime=when)), "times").status == "FAIL"


def pressure(code: str, *parts: str) -> Json:
    value = {"value": 118, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}
    concept = {"coding": [{"system": "http://loinc.org", "code": code}]}
    made = {**observed(5), "id": code, "code": concept, "valueQuantity": value}
    if parts:
        del made["valueQuantity"]
        made["component"] = [
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": one}]},
                "valueQuantity": value,
            }
            for one in parts
        ]
    return made


@pytest.mark.parametrize(
    ("results", "status", "words"),
    [
        ([pressure("85354-9", "8480-6", "8462-4")], "ok", "1 panels with components, 0 single"),
        ([pressure("8480-6")], "ok", "0 panels with components, 1 single"),
        ([pressure("85354-9", "8462-4")], "warn", "1 panels without a systolic"),
        ([observed(0)], "warn", "no blood pressure"),
    ],
)
def test_pressures(look: Examined, results: list[Json], status: str, words: str) -> None:
    one = only(charted(look, *results), "pressure")
    assert (one.status, words in one.finding) == (status, True), one


# --- the server -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(0, "ok"), (-25, "ok"), (60, "warn"), (-60, "warn"), (200, "FAIL"), (-86400, "FAIL")],
)
def test_clock_skew(look: Examined, seconds: int, status: str) -> None:
    theirs = datetime(2026, 11, 21, 12, tzinfo=UTC)
    ours = theirs - timedelta(seconds=seconds)
    with running() as server:
        standing(server)
        server.does["metadata"] = reply(metadata(), Date=format_datetime(theirs, usegmt=True))
        one = only(look(at(server.base), clock=lambda: ours), "clock")
    assert one.status == status
    if status != "ok":
        assert f"{abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}" in one.finding


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_without_a_date_the_clock_is_not_checked(look: Examined, date: str) -> None:
    with running() as server:
        standing(server)
        if date:
            server.does["metadata"] = reply(metadata(), Date=date)
        assert only(look(at(server.base)), "clock").status == "not checked"


@pytest.mark.parametrize(("days", "status"), [(400, "ok"), (10, "warn")])
def test_the_end_of_the_certificate_is_told_in_days(
    look: Examined,
    days: int,
    status: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    until = system_clock() + timedelta(days=days, hours=1)
    with secured(tmp_path, until=until) as (server, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        one = only(look(at(standing(server).base)), "tls")
    assert one.status == status
    assert f"ends in {days} days" in one.finding


def test_types_and_parameters_the_server_does_not_list(look: Examined) -> None:
    listed = [
        {
            "type": "Observation",
            "searchParam": [{"name": "patient"}, {"name": "category"}],
        },
        {"type": "Patient"},
        {"type": "Encounter", "searchParam": [{"name": "patient"}]},
    ]
    with running() as server:
        standing(server).does["metadata"] = reply(metadata(rest=[{"resource": listed}]))
        found = look(at(server.base))
    one = only(found, "declared")
    assert one.status == "warn"
    assert "Observation by code" in one.finding
    assert "MedicationAdministration" in one.finding
    assert "Encounter" not in one.finding
    assert "_sort" not in one.finding
    assert "no Subscription" in only(found, "subscription").finding


def test_a_site_without_a_base_is_not_checked_and_says_what_to_set(look: Examined) -> None:
    one = only(look(at("", fhir_base=None)), "server")
    assert (one.status, "fhir_base" in one.next_step) == ("not checked", True)


def test_another_knowledge_than_the_approved_one_is_a_warning(look: Examined) -> None:
    one = only(look(at("", fhir_base=None, approved_knowledge="0" * 64)), "knowledge")
    assert (one.status, "silent" in one.finding) == ("warn", True)


# --- who is who -----------------------------------------------------------------------------------


def granted(scope: str, tmp_path: Path, look: Examined, **changes: Any) -> dict[str, list[Finding]]:
    def fhir(asked: Asked) -> Reply:
        path = unquote(asked.path).removeprefix("/fhir/")
        if path == "metadata":
            return Reply(200, metadata())
        return Reply(200, PERSON if path == "Patient/p1" else bundle())

    with hospital() as server:
        server.fhir, server.granted["scope"] = fhir, scope
        found = look(site_of(server, tmp_path, **changes))
        assert all(
            "Authorization" in one.headers
            for one in server.asked
            if one.path.startswith("/fhir/") and "well-known" not in one.path
        )
        return found


def test_a_token_that_covers_everything(look: Examined, tmp_path: Path) -> None:
    found = granted("system/*.rs", tmp_path, look)
    one = only(found, "token")
    assert one.status == "ok"
    assert "MedicationAdministration.rs" in one.finding
    assert only(found, "patient").status == "ok"
    assert "Canary" not in repr(found)


def test_a_token_with_less_than_was_asked_for(look: Examined, tmp_path: Path) -> None:
    scope = "system/Patient.rs system/Observation.rs system/Condition.rs system/Encounter.rs"
    one = only(granted(scope, tmp_path, look), "token")
    assert one.status == "FAIL"
    assert "MedicationAdministration.rs, MedicationRequest.rs, Procedure.rs" in one.finding
    assert "Observation" not in one.finding


def test_a_client_that_is_not_registered(look: Examined, tmp_path: Path) -> None:
    with hospital() as server:
        site = site_of(server, tmp_path)
        assert site.backend is not None
        stranger = msgspec.structs.replace(site.backend, client_id="stranger")
        found = look(msgspec.structs.replace(site, backend=stranger))
    one = only(found, "token")
    assert (one.status, "client_id" in one.next_step) == ("FAIL", True)
    assert only(found, "queries").status == "not checked"


DOCUMENT: Json = {
    "issuer": "https://auth.example.org",
    "authorization_endpoint": "https://auth.example.org/authorize",
    "token_endpoint": "https://auth.example.org/token",
    "code_challenge_methods_supported": ["S256"],
    "capabilities": [
        "launch-ehr",
        "client-public",
        "context-ehr-patient",
        "sso-openid-connect",
        "permission-patient",
        "permission-v2",
    ],
}


def configuration(look: Examined, document: object, **smart: Any) -> list[Finding]:
    with running() as server:
        standing(server)
        server.does[".well-known/smart-configuration"] = reply(document, kind="application/json")
        app = Smart(client_id="app", **smart)
        return look(at(server.base, smart=app))["smart"]


def test_a_smart_configuration_with_all_that_is_needed(look: Examined) -> None:
    (one,) = configuration(look, DOCUMENT)
    assert one.status == "ok"


@pytest.mark.parametrize(
    ("changes", "smart", "status", "words"),
    [
        ({"code_challenge_methods_supported": ["plain"]}, {}, "FAIL", "S256"),
        ({"code_challenge_methods_supported": None}, {}, "FAIL", "S256"),
        ({"token_endpoint": "http://auth.example.org/t"}, {}, "FAIL", "token_endpoint is not an"),
        ({"token_endpoint": None}, {}, "FAIL", "token_endpoint is missing"),
        ({"authorization_endpoint": None}, {}, "FAIL", "authorization_endpoint is missing"),
        ({}, {"id_token_issuer": "https://other.example.org"}, "FAIL", "issuer is another"),
        ({"issuer": None}, {}, "FAIL", "names no issuer"),
        ({"capabilities": ["launch-ehr"]}, {}, "warn", "client-public"),
        ({}, {"auth": "private_key_jwt"}, "warn", "client-confidential-asymmetric"),
    ],
)
def test_what_a_smart_configuration_lacks(
    look: Examined, changes: Json, smart: Json, status: str, words: str
) -> None:
    document = {k: v for k, v in {**DOCUMENT, **changes}.items() if v is not None}
    found = configuration(look, document, **smart)
    assert [one for one in found if one.status == status and words in one.finding], found
    assert "example.org" not in repr(found)


@pytest.mark.parametrize("document", [b"<html>", [], b'{"issuer": "a", "issuer": "b"}'])
def test_a_smart_configuration_that_is_none(look: Examined, document: object) -> None:
    (one,) = configuration(look, document)
    assert one.status == "FAIL"


def keys(look: Examined, settings: Settings, tmp_path: Path, *public: Json, **how: Any) -> Finding:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": list(public)}), encoding="utf-8")
    issuer = Issuer(iss="https://ehr.example.org", jwks_file=file, **how)
    signed = msgspec.structs.replace(settings, auth="jwt")
    return only(look(at("", fhir_base=None, issuers=(issuer,)), settings=signed), "client-keys")


def test_keys_of_the_client_by_algorithm(
    look: Examined, settings: Settings, tmp_path: Path
) -> None:
    good = keys(look, settings, tmp_path, ec("e").public(), rsa("r").public())
    assert good.status == "ok"
    assert "2 usable, 0 not used; ES384 1, RS384 1" in good.finding


def test_keys_that_fit_no_algorithm_of_the_file(
    look: Examined, settings: Settings, tmp_path: Path
) -> None:
    one = keys(look, settings, tmp_path, ec("e", "ES256").public())
    assert (one.status, "none fits ES384, RS384" in one.finding) == ("FAIL", True)
    assert "algorithms" in one.next_step


def test_keys_that_are_not_used_and_why(look: Examined, settings: Settings, tmp_path: Path) -> None:
    both = {**rsa("r").public(), "use": "enc"}
    one = keys(look, settings, tmp_path, ec("e").public(), both)
    assert one.status == "warn"
    assert "keys[1]: not for signatures" in one.finding


def test_no_key_at_all(look: Examined, settings: Settings, tmp_path: Path) -> None:
    assert keys(look, settings, tmp_path).status == "FAIL"


def test_keys_at_a_url_that_nobody_answers(look: Examined, settings: Settings) -> None:
    with running() as server:
        url = f"http://127.0.0.1:{server.port}/keys"
    issuer = Issuer(iss="https://ehr.example.org", jwks_url=url)
    signed = msgspec.structs.replace(settings, auth="jwt")
    found = look(at("", fhir_base=None, issuers=(issuer,)), settings=signed)
    one = only(found, "client-keys")
    assert (one.status, "jwks_url" in one.next_step) == ("FAIL", True)


def test_json_has_every_finding_of_every_site(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with served() as server:
        put(server, "fever-only")
        config = configured(tmp_path, server.base)
        more = config.read_text(encoding="utf-8")
        second = more[more.index("[sites.ward]") :].replace("ward", "annex")
        config.write_text(f"{more}\n{second}", encoding="utf-8")
        assert main(["doctor", "--config", str(config), "--format", "json"]) == 0
        both = json.loads(capsys.readouterr().out)
        assert main(["doctor", "--config", str(config), "--site", "annex"]) == 0
        lines = capsys.readouterr().out.splitlines()
    assert [one["site"] for one in both["sites"]] == ["ward", "annex"]
    assert both["failed"] == 0
    assert both["review"] == "not clinically reviewed"
    assert all(line.startswith("annex: ") for line in lines)
    assert len(lines) == len(both["sites"][1]["findings"])
