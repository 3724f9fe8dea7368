"""`btce-cds canary` against services on real sockets: whole ones, and ones that are broken."""

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import pytest
import requests
from werkzeug.serving import WSGIRequestHandler, make_server

from cds.app import create_app
from cds.canary import Caller, Canary, Outcome, sing, target
from cds.canary.expected import WANTED
from cds.canary.patients import SERVICES, request
from cds.cli.main import main
from cds.clock import system_clock
from cds.config import Settings, Site, load
from cds.store import Spool, Store, open_store
from cds.store.migrations import migrate
from fhir_mapping.codes import CodeSets
from knowledge.library import DATA, Library
from knowledge.library import load as load_library
from tests.conformance.tokens import ec
from tests.functional.fhir_upstream import Behaviour, bomb, raw, reply, running
from tests.functional.secured import secured
from tests.functional.serving import served, write_config


KEY = ec("canary-1")
ISSUER = "https://canary.example.org"
AUDIENCE = "https://cds.example.org"
LOCAL = "http://127.0.0.1"
Serve = Callable[..., str]


SIGNED = {"auth": "jwt", "default_site": "", "public_url": AUDIENCE}


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    migrate(url)
    return open_store(url)


@pytest.fixture
def serve(tmp_path: Path, library: Library, codes: CodeSets, store: Store) -> Iterator[Serve]:
    """Starts a service with a changed site, knowledge or clock; its URL."""
    running: list[Callable[[], None]] = []

    def start(
        *,
        knowledge: Library = library,
        clock: Callable[[], datetime] = system_clock,
        settings: dict[str, Any] | None = None,
        **site: Any,
    ) -> str:
        members = {"fhir_base": None, "protocol": "us-label", "zone": ZoneInfo("UTC"), **site}
        open_ = {"auth": "off", "default_site": "demo", "public_url": LOCAL}
        general: dict[str, Any] = {**open_, **(settings or {})}
        made = Settings(
            host="127.0.0.1",
            port=0,
            sites={"demo": Site(id="demo", **members)},
            **general,
        )
        app = create_app(
            made,
            library=knowledge,
            codes=codes,
            clock=clock,
            store=store,
            spool=Spool(tmp_path / "spool"),
        )
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for stop in running:
        stop()


@contextmanager
def between(change: Callable[[bytes], bytes], behind: str = "") -> Iterator[str]:
    """A server that answers what `change` makes of the answer of the service behind it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = 200, b""
            if behind:
                with requests.Session() as session:
                    session.trust_env = False
                    headers = {"Content-Type": "application/json"}
                    found = session.post(behind + self.path, body, headers=headers, timeout=10)
                    status, answer = found.status_code, found.content
            answer = change(answer)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class Ran:
    """One run of the command: its status, and the lines of both streams."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
        capsys.readouterr()
        self.status = main(["canary", *arguments])
        said = capsys.readouterr()
        self.out, self.err = said.out.splitlines(), said.err.splitlines()

    @property
    def failed(self) -> set[str]:
        """The patients and calls that failed."""
        return {line.split()[1] for line in self.out if line.startswith("FAIL")}


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs the command with a configuration of one site."""

    def one(url: str, *more: str, **config: Any) -> Ran:
        file = write_config(tmp_path, **{"public_url": LOCAL, **config})
        return Ran(capsys, "--config", str(file), "--url", url, *more)

    return one


Run = Callable[..., Ran]


# --- a whole service ------------------------------------------------------------------------------


def test_a_whole_service_passes_with_a_line_for_each_patient(serve: Serve, run: Run) -> None:
    ran = run(serve())
    assert ran.err == []
    assert ran.status == 0
    assert [line.split()[1] for line in ran.out[:-1]] == list(WANTED)
    assert all(line.startswith("ok ") for line in ran.out[:-1])
    assert "not clinically reviewed" in ran.out[-1]


def test_the_served_process_passes(tmp_path: Path, run: Run) -> None:
    with served(tmp_path) as process:
        assert run(process.address).status == 0


@pytest.mark.parametrize("protocol", ["us-label", "community-sop", "nhs-waht"])
def test_it_passes_again_and_again_over_days_whatever_the_store_remembers(
    serve: Serve, library: Library, protocol: str
) -> None:
    times = [system_clock()]
    url = serve(clock=lambda: times[-1], protocol=protocol)
    site = Site(id="demo", fhir_base=None, protocol=protocol, zone=ZoneInfo("UTC"))
    settings = Settings(
        host="", port=0, public_url=url, auth="off", default_site="demo", sites={"demo": site}
    )
    canary = Canary(
        target=target(settings, {}, url=url, site=None), knowledge=library.sha256, slowest=10
    )
    for hours in (0, 0.25, 6, 48, 60, 120):
        times.append(times[0] + timedelta(hours=hours))
        caller = Caller(url, seconds=10)
        outcomes: list[Outcome] = list(sing(canary, caller, times[-1]))
        assert [one for one in outcomes if one.problems] == [], hours


def test_its_patients_can_be_told_from_others_in_the_store(
    serve: Serve, run: Run, store: Store
) -> None:
    run(serve())
    patients = {row.patient for row in store.decisions()}
    assert len(patients) == len(WANTED) - 1  # the refused one is no decision
    assert all(one.startswith("canary-") for one in patients)


# --- sabotage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("site", "patients"),
    [
        pytest.param({"off_topics": frozenset({"CRSG2"})}, {"crs-2"}, id="topic-off"),
        pytest.param({"off_topics": frozenset({"CANNOTEVALUATE"})}, {"nothing-charted"}, id="open"),
        pytest.param(
            {"off_rules": frozenset({"teclistamab-label#crs-4"})}, {"crs-4"}, id="rule-off"
        ),
    ],
)
def test_what_a_site_changed_is_heard(
    serve: Serve, run: Run, site: dict[str, Any], patients: set[str]
) -> None:
    ran = run(serve(**site))
    assert ran.status == 1
    assert patients <= ran.failed
    assert ran.err[-1].startswith("CANARY FAILED: ")


@pytest.fixture
def altered(tmp_path: Path) -> Library:
    """The knowledge with ten times the most that may be given of tocilizumab."""
    folder = tmp_path / "knowledge"
    shutil.copytree(DATA, folder)
    file = folder / "dosing" / "tocilizumab.yaml"
    text = file.read_text(encoding="utf-8")
    assert "value: 800" in text
    file.write_text(text.replace("value: 800", "value: 8000"), encoding="utf-8")
    return load_library(folder)


def test_a_changed_knowledge_file_is_heard_by_its_digest_and_by_its_cards(
    serve: Serve, run: Run, altered: Library
) -> None:
    ran = run(serve(knowledge=altered))
    assert ran.status == 1
    assert ran.failed == set(WANTED) - {"foreign"}
    (cap,) = [line for line in ran.out if line.split()[1] == "tocilizumab-cap"]
    assert "knowledge " in cap
    assert "no card TOCILIZUMABBLOCKED" in cap


def test_a_site_that_fell_silent_is_heard(serve: Serve, run: Run) -> None:
    ran = run(serve(approved_knowledge="0" * 64))
    assert ran.status == 1
    assert "the site is silent, not live as configured" in ran.out[0]


class Sent(NamedTuple):
    path: str
    body: dict[str, Any]


def requests_of(name: str, now: datetime) -> Sent:
    """What the canary sends for a patient."""
    body = request(name, now)
    return Sent(f"/cds-services/{SERVICES[body['hook']]}", body)


def stripped(answer: bytes) -> bytes:
    found = json.loads(answer)
    return json.dumps({**found, "cards": []} if "cards" in found else found).encode()


def critical_lowered(answer: bytes) -> bytes:
    return answer.replace(b'"critical"', b'"info"')


@pytest.mark.parametrize(
    ("change", "patients"),
    [
        pytest.param(stripped, set(WANTED) - {"well", "foreign"}, id="cards-stripped"),
        pytest.param(
            critical_lowered, {"crs-4", "tocilizumab-cap", "tocilizumab-weight"}, id="indicator"
        ),
        pytest.param(lambda _: b"<html>Sign in</html>", set(WANTED) - {"foreign"}, id="a-page"),
        pytest.param(lambda _: b'{"cards": []}', set(WANTED) - {"foreign"}, id="no-assessment"),
        pytest.param(lambda _: b'[{"cards": 5}]', set(WANTED) - {"foreign"}, id="another-shape"),
    ],
)
def test_what_stands_between_is_heard(
    serve: Serve, run: Run, change: Callable[[bytes], bytes], patients: set[str]
) -> None:
    with between(change, serve()) as url:
        ran = run(url)
    assert ran.status == 1
    assert ran.failed == patients


def test_a_service_that_answers_a_foreign_resource_is_heard(run: Run) -> None:
    with between(lambda _: b'{"cards": [{}]}') as url:
        ran = run(url)
    assert "foreign" in ran.failed
    assert any("HTTP 200 instead of 400; advice was given" in line for line in ran.out)


def test_a_stuck_service_is_heard(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ran = run(f"http://127.0.0.1:{listening.getsockname()[1]}", "--timeout", "1")
    assert ran.status == 1
    assert ran.failed == set(WANTED)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
UNENDING = {
    "a header byte by byte": raw(b"HTTP/1.1 200 OK\r\n", every=0.1, for_ever=b"X"),
    "a body byte by byte": raw(HEAD, b"\r\n{", every=0.1, for_ever=b" "),
    "a body that stops": raw(HEAD, b"Content-Length: 99\r\n\r\n{", every=2),
}


@pytest.mark.parametrize("behaviour", UNENDING.values(), ids=UNENDING)
def test_an_answer_that_does_not_end_is_heard_in_time(run: Run, behaviour: Behaviour) -> None:
    with running() as server:
        server.otherwise = behaviour
        begun = time.monotonic()
        ran = run(f"http://127.0.0.1:{server.port}", "--timeout", "0.3")
    assert time.monotonic() - begun < 0.3 * len(WANTED) + 10
    assert ran.status == 1
    assert ran.failed == set(WANTED)
    assert all("no answer in time" in line for line in ran.out)


BROKEN = {
    "half a body": (raw(HEAD, b"Content-Length: 99\r\n\r\n{"), "broke off"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH\r\n\r\n"), "broke off"),
    "bad gzip": (reply(b"{}", Content_Encoding="gzip"), "cannot be read"),
    "a bomb": (bomb(64 * 1024 * 1024), "of more than"),
    "an outage": (reply(b"busy", status=503, Retry_After="9"), "HTTP 503"),
    "a redirect": (reply(b"", status=307, Location="http://127.0.0.1:9/"), "HTTP 307"),
}


@pytest.mark.parametrize(("behaviour", "says"), BROKEN.values(), ids=BROKEN)
def test_whatever_comes_instead_is_heard_in_one_sentence(
    run: Run, behaviour: Behaviour, says: str
) -> None:
    with running() as server:
        server.otherwise = behaviour
        ran = run(f"http://127.0.0.1:{server.port}")
    assert ran.status == 1
    assert ran.failed == set(WANTED)
    (line,) = ran.err
    assert line.startswith("CANARY FAILED: 9 of 9 calls, the first crs-2: ")
    cause, _, step = line.rpartition(": ")
    assert says in cause
    assert len(step.split()) >= 3


def test_a_certificate_that_is_not_trusted_is_one_sentence(run: Run, tmp_path: Path) -> None:
    with secured(tmp_path, until=datetime(2099, 1, 1, tzinfo=UTC)) as (server, _):
        ran = run(f"https://127.0.0.1:{server.port}")
        assert server.asked == []
    assert (ran.status, ran.out) == (2, [])
    assert ran.err == [
        "the service has no certificate that is trusted here: check --url, and that it runs."
    ]


def test_answers_that_were_kept_are_no_evaluation(serve: Serve, run: Run) -> None:
    """A store between that gives yesterday's answers: each was right when it was made."""
    yesterday = system_clock() - timedelta(days=1)
    kept: dict[bytes, bytes] = {}
    behind = serve(clock=lambda: yesterday)
    for name in WANTED:
        if name != "foreign":
            sent = requests_of(name, yesterday)
            found = requests.post(behind + sent.path, json=sent.body, timeout=10)
            kept[f"canary-{name}".encode()] = found.content
    with between(lambda now: next((kept[one] for one in kept if one in now), now), serve()) as url:
        ran = run(url)
    assert ran.status == 1
    assert ran.failed == set(WANTED) - {"foreign"}
    assert all("an answer that was kept" in line for line in ran.out if line.startswith("FAIL"))


def test_a_clock_that_is_off_by_hours_is_named(serve: Serve, run: Run) -> None:
    ran = run(serve(clock=lambda: system_clock() + timedelta(hours=1)))
    assert ran.status == 1
    assert "a wrong clock" in ran.err[0]
    assert "time server" in ran.err[0]


def swapped(one: bytes, other: bytes) -> Callable[[bytes], bytes]:
    return lambda answer: answer.replace(one, other)


SWAPPED = [
    pytest.param(swapped(b"Patient/canary-", b"Patient/other-"), "of another patient", id="who"),
    pytest.param(swapped(b'"site":"demo"', b'"site":"ward"'), "another site", id="site"),
    pytest.param(swapped(b'"id":"us-label"', b'"id":"nhs-waht"'), "another site", id="protocol"),
    pytest.param(swapped(b"eclistamab", b"alquetamab"), "not say 'teclistamab'", id="drug"),
    pytest.param(swapped(b"RS grade 2", b"RS grade 1"), "not say 'CRS grade 2'", id="grade"),
    pytest.param(swapped(b'"CRSG2"', b'"CRSG2TO3"'), "no card CRSG2", id="topic"),
    pytest.param(swapped(b'"evaluatedAt"', b'"at"'), "when it evaluated", id="no time"),
]


@pytest.mark.parametrize(("change", "says"), SWAPPED)
def test_an_answer_about_something_else_is_heard(
    serve: Serve, run: Run, change: Callable[[bytes], bytes], says: str
) -> None:
    with between(change, serve()) as url:
        ran = run(url)
    assert ran.status == 1
    assert says in ran.out[0]


def test_a_slow_service_is_heard(serve: Serve, run: Run) -> None:
    ran = run(serve(), "--slowest", "0.001")
    assert ran.status == 1
    assert "longer than 0.001 s" in ran.out[0]


# --- a silent site --------------------------------------------------------------------------------


def test_at_a_silent_site_the_assessment_is_judged_and_it_says_so(serve: Serve, run: Run) -> None:
    ran = run(serve(mode="silent"), site='mode = "silent"')
    assert ran.status == 0
    assert ran.out[-2].startswith("silent site: the cards of 8 patients are withheld")


def test_a_silent_site_with_changed_knowledge_is_heard(
    serve: Serve, run: Run, altered: Library
) -> None:
    ran = run(serve(mode="silent", knowledge=altered), site='mode = "silent"')
    assert ran.status == 1
    (cap,) = [line for line in ran.out if line.split()[1] == "tocilizumab-cap"]
    assert "tocilizumab not-addressed instead of blocked" in cap


def test_a_silent_site_that_shows_cards_is_heard(serve: Serve, run: Run) -> None:
    assert "crs-2" in run(serve(), site='mode = "silent"').failed


# --- signed calls ---------------------------------------------------------------------------------


@pytest.fixture
def signed(tmp_path: Path, library: Library) -> dict[str, str]:
    """The configuration of a deployment that trusts the canary's key."""
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [KEY.public()]}), encoding="utf-8")
    private = {**KEY.key.as_dict(private=True), "kid": KEY.kid}
    (tmp_path / "key.json").write_text(json.dumps(private), encoding="utf-8")
    site = f'approved_knowledge = "{library.sha256}"\n' + (
        f'[[sites.demo.issuers]]\niss = "{ISSUER}"\njwks_file = "jwks.json"\n'
        'algorithms = ["ES384"]\n'
    )
    return {"auth": "jwt", "top": "", "site": site, "public_url": AUDIENCE}


def with_key(folder: Path) -> tuple[str, ...]:
    return ("--key", str(folder / "key.json"), "--issuer", ISSUER)


def loaded(folder: Path, signed: dict[str, str]) -> Settings:
    return load(write_config(folder, **signed), {})


def test_signed_calls_pass_and_calls_without_a_good_token_are_refused(
    serve: Serve, run: Run, tmp_path: Path, signed: dict[str, str]
) -> None:
    site = loaded(tmp_path, signed).sites["demo"]
    approved = site.approved_knowledge
    url = serve(settings=SIGNED, issuers=site.issuers, approved_knowledge=approved)
    ran = run(url, *with_key(tmp_path), **signed)
    assert ran.err == []
    assert [line.split()[1] for line in ran.out[-3:-1]] == ["without-token", "expired-token"]
    assert ran.status == 0


def test_a_service_that_lets_everybody_in_is_heard(
    serve: Serve, run: Run, tmp_path: Path, signed: dict[str, str]
) -> None:
    ran = run(serve(), *with_key(tmp_path), **signed)
    assert ran.failed == {"without-token", "expired-token"}
    assert ran.status == 1


def test_a_key_the_site_does_not_trust_is_heard(
    serve: Serve, run: Run, tmp_path: Path, signed: dict[str, str]
) -> None:
    site = loaded(tmp_path, signed).sites["demo"]
    approved = site.approved_knowledge
    url = serve(settings=SIGNED, issuers=site.issuers, approved_knowledge=approved)
    other = {**ec("canary-1").key.as_dict(private=True), "kid": "canary-1"}
    (tmp_path / "key.json").write_text(json.dumps(other), encoding="utf-8")
    ran = run(url, *with_key(tmp_path), **signed)
    assert ran.status == 1
    assert "HTTP 401" in ran.out[0]


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "more", "says"),
    [
        ("http://127.0.0.1:9", (), "cannot be reached: check --url"),
        ("http://cds.example.org", (), "--url: not the public URL"),
        ("cds.example.org", (), "--url: not the public URL"),
        ("https://user@cds.example.org", (), "--url: not the public URL"),
        ("https://cds.example.org:x", (), "--url: not the public URL"),
        ("http://127.0.0.1:9", ("--site", "north"), "--site: name one of the sites"),
        ("http://127.0.0.1:9", ("--token-env", "BTCE_NO_SUCH"), "holds no bearer token: set it"),
        ("https://cds example.org", (), "--url: not the public URL"),
        ("http://127.0.0.1:9", ("--key", "absent.json", "--issuer", "x"), "--key: the file cannot"),
        ("http://127.0.0.1:9", ("--key", "pyproject.toml", "--issuer", "x"), "--key: not a JWK"),
        ("http://127.0.0.1:9", ("--key", "pyproject.toml"), "--issuer"),
    ],
)
def test_bad_input_is_one_sentence(run: Run, url: str, more: tuple[str, ...], says: str) -> None:
    ran = run(url, *more)
    assert ran.status == 2
    assert ran.out == []
    (line,) = ran.err
    assert says in line


def test_a_token_in_place_of_a_variables_name_is_not_repeated(run: Run) -> None:
    ran = run("http://127.0.0.1:9", "--token-env", "Canary-token-91")
    assert ran.status == 2
    assert "Canary-token-91" not in "\n".join((*ran.out, *ran.err))


def test_a_public_key_is_no_key(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "public.json"
    file.write_text(json.dumps(KEY.public()), encoding="utf-8")
    ran = run("http://127.0.0.1:9", "--key", str(file), "--issuer", ISSUER)
    assert ran.status == 2
    assert "a private key with a kid is needed" in ran.err[0]


def test_a_signed_service_wants_a_key(run: Run, signed: dict[str, str]) -> None:
    ran = run("http://127.0.0.1:9", **signed)
    assert ran.status == 2
    assert "give --key and --issuer" in ran.err[0]


def test_the_expected_is_complete() -> None:
    for name, wanted in WANTED.items():
        looked = msgspec.structs.asdict(wanted)
        assert any(looked[one] for one in ("topic", "no_cards", "refused")), name
        assert bool(wanted.topic) == bool(wanted.indicator), name
