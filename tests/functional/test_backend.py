"""A site's FHIR server read and written with a token of the service's own, over real sockets.

FHIR R4 http: "create", "update", "delete", "Conditional create"; RFC 6750 for the token.
"""

import json
import logging
import time
from pathlib import Path

import pytest
import requests

from cds.backend import BackendFailed, FhirClient
from cds.fhir_guard import GuardedSession, Kind, ReadRefused
from tests.functional.fhir_upstream import Behaviour, Listener, raw, reply, running, silent
from tests.unit.cds.backend.hospital import (
    Asked,
    Hospital,
    Monotonic,
    Reply,
    hospital,
    site_of,
    tokens,
)


FLAG = {"resourceType": "Flag", "status": "active"}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "x"}]}


def client(
    server: Hospital, folder: Path, *, seconds: float = 5.0, clock: Monotonic | None = None
) -> FhirClient:
    asking = tokens() if clock is None else tokens(clock)
    return FhirClient(site_of(server, folder), asking, seconds=seconds)


def fhir(server: Hospital) -> list[Asked]:
    """What came to the FHIR base, but for the discovery."""
    return [one for one in server.paths("/fhir/") if ".well-known" not in one.path]


def searchset(*resources: object, following: str = "") -> dict[str, object]:
    links = [{"relation": "next", "url": following}] if following else []
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, "link": links}


def test_a_resource_is_read_as_it_was_sent_with_the_token(tmp_path: Path) -> None:
    text = b'{"resourceType":"Observation","id":"1","valueQuantity":{"value":38.50}}'
    with hospital() as server, client(server, tmp_path) as reader:
        server.does["/fhir/Observation/1"] = reply(text)
        assert bytes(reader.read_json("Observation/1")) == text
        sent = fhir(server)[0].headers
    assert sent["Authorization"] == "Bearer Canary-token-1"
    assert sent["Accept"] == "application/fhir+json"


def test_all_pages_of_a_search_are_one_bundle(tmp_path: Path) -> None:
    with hospital() as server, client(server, tmp_path) as reader:
        first = searchset({"resourceType": "Flag", "id": "1"}, following=f"{server.base}?page=2")
        second = searchset({"resourceType": "Flag", "id": "2"})
        server.fhir = lambda asked: Reply(200, second if "page" in asked.path else first)
        found = reader.search("Flag?patient=1")
    assert found.kind is None
    assert found.raw is not None
    ids = [entry["resource"]["id"] for entry in json.loads(bytes(found.raw))["entry"]]
    assert ids == ["1", "2"]


def test_a_page_elsewhere_is_not_followed_and_the_rest_is_kept(tmp_path: Path) -> None:
    canary = Listener()
    with hospital() as server, client(server, tmp_path) as reader:
        there = f"http://127.0.0.1:{canary.port}/fhir/Flag?page=2"
        page = searchset({"resourceType": "Flag", "id": "1"}, following=there)
        server.fhir = lambda _: Reply(200, page)
        found = reader.search("Flag?patient=1")
    canary.close()
    assert (found.kind, found.raw is not None, canary.connections) == ("foreign-link", True, 0)


def test_after_401_one_new_token_is_asked_for_and_the_request_made_once_more(
    tmp_path: Path,
) -> None:
    clock = Monotonic()
    with hospital() as server, client(server, tmp_path, clock=clock) as reader:
        reader.read_json("Basic/1")
        server.valid.clear()
        server.valid.add("other")
        clock.now += 60
        assert b"Basic" in bytes(reader.read_json("Basic/1"))
        sent = [one.headers["Authorization"] for one in fhir(server)]
    assert sent == [
        "Bearer Canary-token-1", "Bearer Canary-token-1", "Bearer Canary-token-2",
    ]  # fmt: skip


@pytest.mark.parametrize("search", [False, True])
def test_a_server_that_goes_on_with_401_is_not_hammered(tmp_path: Path, search: bool) -> None:
    clock = Monotonic()
    with hospital() as server, client(server, tmp_path, clock=clock) as reader:
        reader.read_json("Basic/1")
        clock.now += 60
        server.fhir = lambda _: Reply(401, OUTCOME)
        for _ in range(5):
            with pytest.raises(BackendFailed) as caught:
                reader.search("Flag?patient=1") if search else reader.read_json("Flag/1")
            assert (caught.value.kind, caught.value.status) == ("not-authorised", 401)
        assert len(server.paths("/token")) == 2
        assert len(fhir(server)) == 1 + 2 + 4


def test_a_search_whose_second_page_is_refused_begins_anew_with_a_new_token(
    tmp_path: Path,
) -> None:
    clock = Monotonic()
    with hospital() as server, client(server, tmp_path, clock=clock) as reader:
        reader.read_json("Basic/1")
        clock.now += 60

        def answer(asked: Asked) -> Reply:
            if "page" not in asked.path:
                page = {"resourceType": "Flag", "id": "1"}
                return Reply(200, searchset(page, following=f"{server.base}?page=2"))
            if asked.headers["Authorization"].endswith("1"):
                return Reply(401, OUTCOME)
            return Reply(200, searchset({"resourceType": "Flag", "id": "2"}))

        server.fhir = answer
        found = reader.search("Flag?patient=1")
    assert found.kind is None
    assert found.raw is not None
    assert len(json.loads(bytes(found.raw))["entry"]) == 2


def test_a_failed_token_asks_the_fhir_server_nothing(tmp_path: Path) -> None:
    with hospital() as server, client(server, tmp_path) as reader:
        server.does["/token"] = reply(b"", status=503, Retry_After="30")
        with pytest.raises(BackendFailed) as caught:
            reader.read_json("Basic/1")
        assert fhir(server) == []
    assert (caught.value.kind, caught.value.as_read) == ("token-server-error", "server-error")
    assert caught.value.retry_after == 30


READS: list[tuple[str, Behaviour, Kind, int | None]] = [
    ("403", reply(OUTCOME, status=403), "not-authorised", 403),
    ("404", reply(OUTCOME, status=404), "not-found", 404),
    ("410", reply(OUTCOME, status=410), "not-found", 410),
    ("429", reply(OUTCOME, status=429), "too-many-requests", 429),
    ("503", reply(OUTCOME, status=503), "server-error", 503),
    ("an outcome", reply(OUTCOME), "failed", 200),
    ("HTML", reply(b"<html>", kind="text/html"), "not-fhir", 200),
    ("no resource", reply([1]), "not-fhir", 200),
    ("302", reply(b"", status=302, Location="/x"), "redirect", 302),
    ("cut off", raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: 99\r\n\r\n{"), "cut-off", 200),
    ("nothing, ever", silent, "timeout", None),
    ("header by header", raw(b"HTTP/1.1 200 OK\r\n", for_ever=b"A: b\r\n", every=0.1),
     "timeout", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("does", "kind", "status"), [case[1:] for case in READS], ids=[case[0] for case in READS]
)
def test_a_read_that_fails_says_why_in_time_and_the_next_one_works(
    does: Behaviour, kind: Kind, status: int | None, tmp_path: Path
) -> None:
    with hospital() as server, client(server, tmp_path, seconds=0.6) as reader:
        reader.read_json("Basic/1")
        server.does["/fhir/Basic/2"] = does
        start = time.monotonic()
        with pytest.raises(BackendFailed) as caught:
            reader.read_json("Basic/2")
        assert time.monotonic() - start < 1.2
        assert (caught.value.kind, caught.value.status) == (kind, status)
        assert b"Basic" in bytes(reader.read_json("Basic/1"))


@pytest.mark.parametrize("status", [429, 503])
def test_how_long_to_wait_is_told(status: int, tmp_path: Path) -> None:
    with hospital() as server, client(server, tmp_path) as reader:
        server.fhir = lambda _: Reply(status, OUTCOME, {"Retry-After": "17"})
        for job in (
            lambda: reader.read_json("Basic/1"),
            lambda: reader.search("Flag?patient=1"),
            lambda: reader.create("Flag", FLAG),
        ):
            with pytest.raises(BackendFailed) as caught:
                job()
            assert caught.value.retry_after == 17


LOCATION = "https://ehr.example.org/fhir/Flag/77/_history/3"
CREATED = [
    (Reply(201, None, {"Location": LOCATION}), ("77", "3")),
    (Reply(201, None, {"Location": "Flag/77", "ETag": 'W/"4"'}), ("77", "4")),
    (Reply(201, {**FLAG, "id": "78", "meta": {"versionId": "1"}}), ("78", "1")),
    (Reply(200, {**FLAG, "id": "78"}), ("78", "")),
    (Reply(201, OUTCOME, {"Location": LOCATION}), ("77", "3")),
    (Reply(201, None, {"Location": "https://ehr.example.org/Observation/1"}), ("", "")),
    (Reply(201, None, {"Location": "Flag/../x"}), ("", "")),
    (Reply(201, None), ("", "")),
    (Reply(202, None), ("", "")),
]


@pytest.mark.parametrize(("answer", "expected"), CREATED)
def test_a_created_resource_is_known_by_its_location_or_its_body(
    answer: Reply, expected: tuple[str, str], tmp_path: Path
) -> None:
    with hospital() as server, client(server, tmp_path) as writer:
        server.fhir = lambda _: answer
        written = writer.create("Flag", FLAG, if_none_exist="identifier=x|1")
        asked = fhir(server)[0]
    assert (written.id, written.version) == expected
    assert (asked.method, asked.path) == ("POST", "/fhir/Flag")
    assert asked.headers["If-None-Exist"] == "identifier=x|1"
    assert asked.headers["Content-Type"] == "application/fhir+json"
    assert json.loads(asked.body) == FLAG


def test_an_update_names_the_version_it_replaces(tmp_path: Path) -> None:
    with hospital() as server, client(server, tmp_path) as writer:
        server.fhir = lambda _: Reply(200, {**FLAG, "id": "7", "meta": {"versionId": "6"}})
        written = writer.update("Flag/7", {**FLAG, "id": "7"}, if_match="5")
        asked = fhir(server)[0]
    assert (written.id, written.version) == ("7", "6")
    assert (asked.method, asked.path, asked.headers["If-Match"]) == ("PUT", "/fhir/Flag/7", 'W/"5"')


def test_an_update_of_another_version_is_refused(tmp_path: Path) -> None:
    with hospital() as server, client(server, tmp_path) as writer:
        server.fhir = lambda _: Reply(412, OUTCOME)
        with pytest.raises(BackendFailed) as caught:
            writer.update("Flag/7", FLAG, if_match="5")
    assert (caught.value.kind, caught.value.status) == ("rejected", 412)


@pytest.mark.parametrize("status", [200, 202, 204, 404, 410])
def test_what_is_gone_is_deleted(status: int, tmp_path: Path) -> None:
    with hospital() as server, client(server, tmp_path) as writer:
        server.fhir = lambda _: Reply(status)
        writer.delete("Flag/7")
        assert [(one.method, one.path) for one in fhir(server)] == [("DELETE", "/fhir/Flag/7")]


def test_a_write_that_was_made_stands_whatever_page_comes_with_it(tmp_path: Path) -> None:
    with hospital() as server, client(server, tmp_path) as writer:
        server.does["/fhir/Flag"] = reply(
            b"<html>", kind="text/html", status=201, Location=f"{server.base}/Flag/7"
        )
        assert writer.create("Flag", FLAG).id == "7"


@pytest.mark.parametrize("path", ["../admin", "//127.0.0.1:1/x", "Flag/1/../../..", "Flag#x"])
def test_nothing_outside_the_base_is_written(path: str, tmp_path: Path) -> None:
    with hospital() as server, client(server, tmp_path) as writer:
        with pytest.raises(BackendFailed) as caught:
            writer.update(path, FLAG)
        assert (caught.value.kind, fhir(server)) == ("refused", [])


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_session_that_reads_does_not_write(method: str) -> None:
    with running() as server:
        session = GuardedSession(server.base, None, seconds=1)
        with pytest.raises(ReadRefused):
            session.request(method, f"{server.base}/Flag/1")
        assert server.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_a_write_is_not_followed(status: int, tmp_path: Path) -> None:
    canary = Listener()
    with hospital() as server, client(server, tmp_path) as writer:
        place = f"http://127.0.0.1:{canary.port}/fhir/Flag"
        server.fhir = lambda _: Reply(status, None, {"Location": place})
        with pytest.raises(BackendFailed) as caught:
            writer.create("Flag", FLAG)
    canary.close()
    assert (caught.value.kind, canary.connections) == ("redirect", 0)


def test_a_session_can_write_no_other_method() -> None:
    with running() as server:
        session = GuardedSession(server.base, None, seconds=1, writes=True)
        for method in ("PATCH", "OPTIONS", "TRACE"):
            with pytest.raises(requests.RequestException):
                session.request(method, f"{server.base}/Flag/1")
        assert server.connections == 0


def test_the_token_and_the_assertion_are_in_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with hospital() as server, client(server, tmp_path) as writer:
        writer.read_json("Basic/1")
        server.fhir = lambda asked: Reply(400, {"echo": dict(asked.headers)})
        with pytest.raises(BackendFailed) as caught:
            writer.create("Flag", FLAG)
        assertion = server.paths("/token")[0].form["client_assertion"]
    said = caplog.text + str(caught.value) + repr(caught.value)
    assert "Canary-token" not in said
    assert assertion not in said


def test_each_address_hears_only_what_is_for_it(tmp_path: Path) -> None:
    """The token endpoint on one host, the FHIR base on another: neither learns the other's."""
    with hospital() as one, hospital() as other:
        one.does["/fhir/.well-known/smart-configuration"] = reply(
            {"token_endpoint": other.token_url}, kind="application/json"
        )
        other.key, other.algorithm = one.key, one.algorithm
        one.valid.add("Canary-token-1")
        with client(one, tmp_path) as reader:
            reader.read_json("Basic/1")
        assertion = other.paths("/token")[0].form["client_assertion"]
        heard = [str(asked) for asked in one.asked]
        assert not [text for text in heard if assertion in text]
        assert not [text for text in map(str, other.asked) if "Canary-token" in text]
        assert other.refusals == []
        assert [asked.headers.get("Authorization") for asked in one.asked] == [
            None, "Bearer Canary-token-1",
        ]  # fmt: skip
