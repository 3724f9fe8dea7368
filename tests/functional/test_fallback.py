"""Reading from a FHIR server that is slow, dead, broken or hostile: in time, and by its kind.

Over real sockets. Every case ends within the budget and a margin; only the upper bound is asserted.
"""

import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from cds import fhir_sockets
from cds.config import Site
from cds.errors import AnotherPatient
from cds.fhir_fetch import REASONS, Failure, Fetched, read_missing
from cds.fhir_guard import MAX_BYTES, Kind
from cds.fhir_pages import MAX_PAGES
from cds.hook_request import HookRequest, parse
from cds.pipeline import Evaluation, evaluate
from cds.services import PREFETCH
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.functional.bodies import NOW, Json, bundle, fever, order_sign, vital, without
from tests.functional.fhir_upstream import (
    TOKEN,
    Behaviour,
    Upstream,
    bomb,
    page,
    raw,
    reply,
    running,
    silent,
)


BUDGET = 0.8
MARGIN = 0.5
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
CHUNKED = JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ENTRY = b'{"resource":{"resourceType":"Basic"}},' * 2000
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "x"}]}


def lacking(*keys: str, body: Json | None = None) -> HookRequest:
    """A request without these prefetch keys."""
    made = order_sign(*fever()) if body is None else body
    for key in keys:
        made = without(made, f"prefetch.{key}")
    return parse(json.dumps(made).encode())


def read(request: HookRequest, base: str, seconds: float = BUDGET) -> Fetched:
    """What the server gives, never later than the budget and the margin."""
    start = time.monotonic()
    found = read_missing(request, PREFETCH, base=base, token=TOKEN, seconds=seconds)
    assert time.monotonic() - start < seconds + MARGIN
    return found


def assessed(request: HookRequest, base: str, library: Library, codes: CodeSets) -> Evaluation:
    site = Site(id="demo", fhir_base=base, protocol="us-label", zone=ZoneInfo("UTC"))
    return evaluate(request, site=site, library=library, codes=codes, now=NOW)


def status(code: int) -> Behaviour:
    return reply(OUTCOME, status=code)


def _id(value: object) -> str:
    return value if isinstance(value, str) else ""


ANSWERS: list[tuple[str, Behaviour, Kind]] = [
    ("400", status(400), "rejected"),
    ("401", status(401), "not-authorised"),
    ("403", status(403), "not-authorised"),
    ("404", status(404), "not-found"),
    ("410", status(410), "not-found"),
    ("422", status(422), "rejected"),
    ("429", status(429), "too-many-requests"),
    ("500", status(500), "server-error"),
    ("503", reply(b"", status=503, Retry_After="3600"), "server-error"),
    ("599", status(599), "server-error"),
    (
        "a redirect to another host",
        reply(b"", status=302, Location="http://127.0.0.1:9/x"),
        "redirect",
    ),
    ("a redirect to itself", reply(b"", status=307, Location="/fhir/Observation"), "redirect"),
    ("a redirect without an address", reply(b"", status=301), "redirect"),
    (
        "a redirect with a body for ever",
        raw(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", for_ever=b"x" * 65536),
        "redirect",
    ),
    (
        "an error with a body for ever",
        raw(b"HTTP/1.1 500 X\r\n\r\n", for_ever=b"x" * 65536),
        "server-error",
    ),
    ("nothing, ever", silent, "timeout"),
    ("a byte a second", raw(JSON_HEAD + b"\r\n", for_ever=b" ", every=0.2), "timeout"),
    (
        "a header line a second",
        raw(b"HTTP/1.1 200 OK\r\n", for_ever=b"A: b\r\n", every=0.2),
        "timeout",
    ),
    ("a status line drop by drop", raw(b"HTTP/1.1 ", for_ever=b"2", every=0.2), "timeout"),
    (
        "100 Continue for ever",
        raw(for_ever=b"HTTP/1.1 100 Continue\r\n\r\n", every=0.05),
        "timeout",
    ),
    ("a flood of 100 Continue", raw(for_ever=b"HTTP/1.1 100 Continue\r\n\r\n"), "timeout"),
    ("a flood of header fields", raw(b"HTTP/1.1 200 OK\r\n", for_ever=b"A: b\r\n" * 99), "cut-off"),
    ("a header line without end", raw(b"HTTP/1.1 200 OK\r\nA: ", for_ever=b"a" * 65536), "cut-off"),
    ("a status line without end", raw(b"HTTP/1.1 200 ", for_ever=b"a" * 65536), "cut-off"),
    ("no HTTP", raw(b"SSH-2.0-x\r\n"), "cut-off"),
    ("a closed connection", raw(), "cut-off"),
    (
        "half of the body",
        raw(JSON_HEAD + b'Content-Length: 900\r\n\r\n{"resourceType":'),
        "cut-off",
    ),
    ("half of a chunk", raw(CHUNKED + b"ff\r\n{"), "cut-off"),
    ("a chunk of no size", raw(CHUNKED + b"zz\r\n{"), "cut-off"),
    (
        "a length that cuts the JSON",
        raw(JSON_HEAD + b'Content-Length: 9\r\n\r\n{"resourceType":'),
        "not-fhir",
    ),
    ("entries for ever", raw(JSON_HEAD + b'\r\n{"entry":[', for_ever=ENTRY), "too-large"),
    ("chunks for ever", raw(CHUNKED, for_ever=b"10000\r\n" + b" " * 65536 + b"\r\n"), "too-large"),
    ("a gzip bomb", bomb(4 * MAX_BYTES), "too-large"),
    ("gzip that is none", reply(b"xxxxxxxxxxxxxxxxxxxx", Content_Encoding="gzip"), "not-fhir"),
    ("an encoding nobody knows", reply(b"\xff\xfe", Content_Encoding="x-odd"), "not-fhir"),
    ("204", reply(b"", status=204), "not-fhir"),
    ("206", reply(bundle(), status=206), "not-fhir"),
    ("HTML", reply(b"<html>", kind="text/html"), "not-fhir"),
    ("JSON that calls itself HTML", reply(bundle(), kind="text/html"), "not-fhir"),
    ("XML", reply(b"<Bundle/>", kind="application/fhir+xml"), "not-fhir"),
    ("HTML that calls itself JSON", reply(b"<html>"), "not-fhir"),
    ("nothing", reply(b""), "not-fhir"),
    ("null", reply(b"null"), "not-fhir"),
    ("a list", reply([]), "not-fhir"),
    ("a string", reply("x"), "not-fhir"),
    ("NaN", reply(b'{"resourceType":"Bundle","total":NaN}'), "not-fhir"),
    ("two documents", reply(b'{"resourceType":"Bundle"}{}'), "not-fhir"),
    ("invalid UTF-8", reply(b'{"resourceType":"Bundle","id":"\xff"}'), "not-fhir"),
    ("UTF-16", reply('{"resourceType":"Bundle"}'.encode("utf-16")), "not-fhir"),
    ("100,000 brackets", reply(b"[" * 100_000), "not-fhir"),
    (
        "nested too deep",
        reply(b'{"resourceType":"Bundle","a":' + b"[" * 99 + b"]" * 99 + b"}"),
        "not-fhir",
    ),
    ("another type", reply({"resourceType": "CapabilityStatement"}), "not-fhir"),
    ("a resource instead of a search", reply(vital("8310-5", 38.6, "Cel")), "not-fhir"),
    ("an OperationOutcome", reply(OUTCOME), "failed"),
    ("a Bundle with an error", reply(bundle(OUTCOME)), "failed"),
]


@pytest.mark.parametrize(("name", "behaviour", "kind"), ANSWERS, ids=_id)
def test_each_misbehaviour_ends_in_time_and_has_its_kind(
    name: str, behaviour: Behaviour, kind: Kind, library: Library, codes: CodeSets
) -> None:
    with running() as server:
        server.does["vitals"] = behaviour
        found = read(lacking("vitals"), server.base)
        assert found.failed == (Failure("vitals", kind),)
        assert server.connections == 1, "nothing is asked twice"
        assert "p1" not in str(found.failed[0])
        facts = assessed(found.request, server.base, library, codes).facts
    assert "vitals" not in facts.answered
    assert facts.temperatures == ()


def test_a_dead_port_and_a_name_that_leads_nowhere_are_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    for base in (f"http://127.0.0.1:{port}/fhir", "https://no-such-host.invalid/fhir"):
        found = read(lacking("vitals", "labs"), base, seconds=2)
        assert {one.key for one in found.failed} == {"vitals", "labs"}
        assert {one.kind for one in found.failed} <= {"unreachable", "timeout"}


def test_a_server_that_accepts_no_connection_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:  # the queue of the kernel is full after the first few
            one.setblocking(False)
            one.connect_ex(address)
        found = read(lacking("vitals"), f"http://127.0.0.1:{address[1]}/fhir")
        for one in waiting:
            one.close()
    assert found.failed == (Failure("vitals", "timeout"),)


def test_a_tls_handshake_that_drips_is_given_up_in_time() -> None:
    with running() as server:
        drips = raw(b"\x16\x03\x03\x40\x00", for_ever=b"\x02", every=0.2)
        server.talk = drips  # type: ignore[assignment,method-assign]
        found = read(lacking("vitals"), server.base.replace("http:", "https:"))
        assert found.failed == (Failure("vitals", "timeout"),)


def test_one_slow_query_costs_no_other_its_answer(library: Library, codes: CodeSets) -> None:
    with running(order_sign(*fever())["prefetch"]) as server:
        server.does["labs"] = silent
        found = read(lacking(*PREFETCH), server.base)
        assert found.failed == (Failure("labs", "timeout"),)
        assert assessed(found.request, server.base, library, codes).facts.temperatures


def test_no_thread_and_no_connection_outlives_the_answer() -> None:
    with running() as server:
        server.otherwise = raw(b"HTTP/1.1 200 OK\r\n", for_ever=b"A: b\r\n", every=0.1)
        before = threading.active_count()
        read(lacking(*PREFETCH), server.base)
        limit = time.monotonic() + 2
        while threading.active_count() > before and time.monotonic() < limit:
            time.sleep(0.02)
        assert threading.active_count() <= before


def test_six_queries_of_300_ms_each_are_answered_within_450_ms() -> None:
    answers = order_sign(*fever())["prefetch"]
    keys = ("vitals", "oxygen", "assessments", "labs", "administrations", "conditions")
    with running(answers) as server:
        server.wait = 0.3
        start = time.monotonic()
        found = read(lacking(*keys), server.base, seconds=2)
        took = time.monotonic() - start
        assert found.failed == ()
        assert len(server.asked) == 6
    assert took <= 0.45


# --- pages ---------------------------------------------------------------------------------------


def reading(hours: float) -> Json:
    return vital("8310-5", 38.0 + hours / 10, "Cel", hours_ago=hours)


def test_pages_are_followed_and_read_as_one(library: Library, codes: CodeSets) -> None:
    with running() as server:
        links = [f"{server.base}?_getpages=abc&_getpagesoffset={n}" for n in range(3)]
        server.does["vitals"] = reply(page(reading(1), following=links[1]))
        server.does["?_getpages=abc&_getpagesoffset=1"] = reply(
            page(reading(2), following=links[2])
        )
        server.does["?_getpages=abc&_getpagesoffset=2"] = reply(page(reading(3)))
        found = read(lacking("vitals"), server.base)
        assert found.failed == ()
        facts = assessed(found.request, server.base, library, codes).facts
        assert {fields.get("authorization") for _, fields in server.asked} == {f"Bearer {TOKEN}"}
    assert len(facts.temperatures) == 3
    assert "vitals" in facts.answered


def followed(server: Upstream, behaviour: Behaviour | None, link: str = "") -> Fetched:
    """A first page with 38.1 °C, and a second one that behaves like this."""
    target = link or f"{server.base}/Observation?page=2"
    server.does["vitals"] = reply(page(reading(1), following=target))
    if behaviour is not None:
        server.does["Observation?page=2"] = behaviour
    return read(lacking("vitals"), server.base)


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (status(401), "not-authorised"),
        (status(404), "not-found"),
        (status(500), "server-error"),
        (silent, "timeout"),
        (raw(JSON_HEAD + b"\r\n", for_ever=b" ", every=0.2), "timeout"),
        (raw(), "cut-off"),
        (reply(b"<html>"), "not-fhir"),
        (reply({"resourceType": "Patient", "id": "p1"}), "not-fhir"),
        (reply(OUTCOME), "failed"),
        (bomb(2 * MAX_BYTES), "too-large"),
    ],
    ids=_id,
)
def test_a_page_that_fails_leaves_the_pages_before_it_and_the_key_incomplete(
    behaviour: Behaviour, kind: Kind, library: Library, codes: CodeSets
) -> None:
    with running() as server:
        found = followed(server, behaviour)
        assert found.failed == (Failure("vitals", kind, partial=kind != "failed"),)
        facts = assessed(found.request, server.base, library, codes).facts
    assert len(facts.temperatures) == 1
    assert "vitals" not in facts.answered
    assert "partial-page" in {notice.code for notice in facts.notices}


def test_a_page_that_leads_to_itself_or_back_is_read_once(
    library: Library, codes: CodeSets
) -> None:
    with running() as server:
        link = f"{server.base}/Observation?page=2"
        found = followed(server, reply(page(reading(2), following=link)))
        assert found.failed == (Failure("vitals", "endless-pages", partial=True),)
        assert len(server.asked) == 2
        facts = assessed(found.request, server.base, library, codes).facts
    assert len(facts.temperatures) == 2
    assert "vitals" not in facts.answered


class Endless(Upstream):
    """Every page has another one behind it."""

    def talk(self, connection: socket.socket) -> None:
        self.otherwise = reply(
            page(reading(1), following=f"{self.base}/Observation?n={self.connections}")
        )
        super().talk(connection)


def test_pages_for_ever_end_at_the_cap(library: Library, codes: CodeSets) -> None:
    server = Endless()
    try:
        found = read(lacking("vitals"), server.base, seconds=4)
        assert found.failed == (Failure("vitals", "too-large", partial=True),)
        assert server.connections == MAX_PAGES
        facts = assessed(found.request, server.base, library, codes).facts
    finally:
        server.close()
    assert "vitals" not in facts.answered


@pytest.mark.parametrize("total", [0, 1, 10**9, -1, 10**400])
def test_a_total_is_not_believed(total: int, library: Library, codes: CodeSets) -> None:
    with running() as server:
        body = json.dumps(page(reading(1), reading(2))).encode()
        server.does["vitals"] = reply(b'{"total":%d,' % total + body[1:])
        found = read(lacking("vitals"), server.base)
        assert found.failed == ()
        assert len(assessed(found.request, server.base, library, codes).facts.temperatures) == 2


def test_the_page_behind_a_prefetched_one_is_read_and_a_failure_keeps_what_was_sent(
    library: Library, codes: CodeSets
) -> None:
    with running() as server:
        body = order_sign()
        link = f"{server.base}/Observation?page=2"
        body["prefetch"]["vitals"] = page(reading(1), following=link)
        for behaviour, readings, failed in (
            (reply(page(reading(2))), 2, ()),
            (status(403), 1, (Failure("vitals", "not-authorised", partial=True),)),
        ):
            server.does["Observation?page=2"] = behaviour
            found = read(lacking(body=body), server.base)
            assert found.failed == failed
            facts = assessed(found.request, server.base, library, codes).facts
            assert len(facts.temperatures) == readings
            assert ("vitals" in facts.answered) == (not failed)


# --- whose data ----------------------------------------------------------------------------------


@pytest.mark.parametrize("on_page", [1, 2])
def test_another_patients_resource_refuses_the_request_on_any_page(
    on_page: int, library: Library, codes: CodeSets
) -> None:
    stranger = vital("8310-5", 39.5, "Cel", patient="p2")
    with running() as server:
        if on_page == 1:
            server.does["vitals"] = reply(page(reading(1), stranger))
            found = read(lacking("vitals"), server.base)
        else:
            found = followed(server, reply(page(stranger)))
        with pytest.raises(AnotherPatient):
            assessed(found.request, server.base, library, codes)


def test_a_patient_with_another_id_refuses_the_request(library: Library, codes: CodeSets) -> None:
    with running() as server:
        server.does["patient"] = reply({"resourceType": "Patient", "id": "p2"})
        found = read(lacking("patient"), server.base)
        with pytest.raises(AnotherPatient):
            assessed(found.request, server.base, library, codes)


# --- the token -----------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["a\r\nX-Injected: 1", "a b", "", "ä", "a\x00", "\n"])
def test_a_token_that_is_none_is_not_sent(token: str) -> None:
    with running(order_sign()["prefetch"]) as server:
        request = lacking("vitals")
        found = read_missing(request, PREFETCH, base=server.base, token=token, seconds=1)
        assert found == Fetched(request, (Failure("vitals", "refused"),))
        assert server.connections == 0


def test_without_a_token_none_is_sent() -> None:
    with running(order_sign()["prefetch"]) as server:
        read_missing(lacking("vitals"), PREFETCH, base=server.base, token=None, seconds=1)
        assert [fields.get("authorization") for _, fields in server.asked] == [None]


def test_cookies_proxies_and_netrc_of_the_machine_are_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with running() as server, running() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        link = f"{server.base}/Observation?page=2"
        first = page(reading(1), following=link)
        server.does["vitals"] = reply(first, Set_Cookie="session=1; Path=/")
        server.does["Observation?page=2"] = reply(page(reading(2)))
        read_missing(lacking("vitals"), PREFETCH, base=server.base, token=None, seconds=1)
        assert len(server.asked) == 2
        assert proxy.connections == 0
        for _, fields in server.asked:
            assert "cookie" not in fields
            assert "authorization" not in fields


def test_nothing_of_the_token_or_the_patient_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="cds")
    caplog.set_level(logging.DEBUG, logger="btce_cds")
    with running() as server:
        server.does["vitals"] = raw(b"HTTP/1.1 200 OK\r\nodd header\r\n\r\n")
        read(lacking(*PREFETCH), server.base)
        assert server.asked
    ours = [record for record in caplog.records if record.name.startswith(("cds", "btce_cds"))]
    assert ours == []
    assert TOKEN not in caplog.text


def test_every_kind_has_words_and_they_name_the_key() -> None:
    for kind, words in REASONS.items():
        assert str(Failure("vitals", kind)) == f"vitals: {words}"
        assert str(Failure("vitals", kind, partial=True)) == (
            f"vitals: only a part was read: {words}"
        )


# --- certificates --------------------------------------------------------------------------------


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[Upstream, Path]]:
    """A server with a certificate of its own for 127.0.0.1, and that certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ehr")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "ehr.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)

    class Secured(Upstream):
        def talk(self, connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as inside:
                super().talk(inside)

    server = Secured(order_sign(*fever())["prefetch"])
    fhir_sockets._read_authorities.cache_clear()  # noqa: SLF001 - another machine, so to speak
    yield server, path
    fhir_sockets._read_authorities.cache_clear()  # noqa: SLF001
    server.close()


def test_a_server_without_a_trusted_certificate_hears_neither_query_nor_token(
    secured: tuple[Upstream, Path],
) -> None:
    server, _ = secured
    found = read(lacking("vitals"), server.base.replace("http:", "https:"), seconds=3)
    assert found.failed == (Failure("vitals", "unreachable"),)
    assert server.connections == 1
    assert server.asked == []


def test_a_certificate_the_machine_trusts_is_good_for_the_names_in_it(
    secured: tuple[Upstream, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, certificate = secured
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    base = server.base.replace("http:", "https:")
    found = read(lacking("vitals"), base, seconds=3)
    assert found.failed == ()
    assert server.asked[0][1]["authorization"] == f"Bearer {TOKEN}"
    found = read(lacking("vitals"), base.replace("127.0.0.1", "localhost"), seconds=3)
    assert found.failed == (Failure("vitals", "unreachable"),)
    assert len(server.asked) == 1


def test_the_certificate_authorities_are_read_once_not_for_every_connection(
    secured: tuple[Upstream, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, certificate = secured
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    first = fhir_sockets.tls_context()
    found = read(lacking(*PREFETCH), server.base.replace("http:", "https:"), seconds=3)
    assert found.failed == ()
    assert len(server.asked) == len(PREFETCH)
    assert fhir_sockets.tls_context() is first
    assert first.cert_store_stats()["x509_ca"] > 1
