"""Notifications over a real socket, and what operators see of them."""

import http.client
import io
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import make_server

from cds import log
from tests.conformance.notifications.bodies import notification, observation
from tests.conformance.notifications.conftest import hospital, hospital_with
from tests.conformance.notifications.hospital import NORTH, SECRETS, Hospital
from tests.functional.bodies import FHIR_BASE


__all__ = ["hospital", "hospital_with"]  # fixtures
EVERYBODY = ("", "")


@contextmanager
def served(hospital: Hospital) -> Iterator[http.client.HTTPConnection]:
    server = make_server("127.0.0.1", 0, hospital.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    thread.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        yield connection
    finally:
        connection.close()
        server.shutdown()
        thread.join()
        server.server_close()


def exchange(
    connection: http.client.HTTPConnection, headers: list[tuple[str, str]], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    connection.putrequest("POST", f"/test/events/north/{NORTH}", skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    return response.status, dict(response.getheaders()), response.read()


def test_a_handshake_and_an_event_over_http(hospital: Hospital) -> None:
    own = [("Authorization", f"Bearer {SECRETS['north']}"), ("Content-Type", "application/json")]
    with served(hospital) as connection:
        shaken = notification(None, kind="handshake", status="requested", total=0)
        status, headers, body = exchange(connection, own, json.dumps(shaken).encode())
        assert status == 200
        assert headers["Content-Type"] == "application/fhir+json"
        assert json.loads(body) == {"resourceType": "Bundle", "type": "transaction-response"}
        status, headers, body = exchange(connection, own, b"")
        assert (status, body) == (200, b"")
        assert "Content-Type" not in headers
        assert exchange(connection, own, json.dumps(notification(1)).encode())[0] == 200
    assert hospital.asked() == [EVERYBODY, ("", "Observation/o1")]


def test_two_authorization_headers_are_none(hospital: Hospital) -> None:
    right, wrong = f"Bearer {SECRETS['north']}", "Bearer x"
    with served(hospital) as connection:
        for pair in ((right, wrong), (wrong, right), (right, right)):
            headers = [("Authorization", one) for one in pair]
            assert exchange(connection, headers, b"")[0] == 401
    assert hospital.rows() == []


def test_the_log_says_what_came_from_where_and_nothing_of_anybody(hospital: Hospital) -> None:
    root = logging.getLogger()
    before, level = root.handlers, root.level
    stream = io.StringIO()
    log.configure(stream)
    try:
        patient = "canary-patient"
        hospital.send(observation(patient=patient), method="PUT", below="Observation/canary-o1")
        hospital.send(b'{"resourceType":"canary"', headers={"X-Medplum-Interaction": "canary"})
        hospital.send(None, headers={"Authorization": "Bearer canary-secret"})
        hospital.send(notification(1, focus=f"{FHIR_BASE}/Observation/canary-o2"))
    finally:
        root.handlers = before
        root.setLevel(level)
    said = stream.getvalue()
    assert "canary" not in said
    assert SECRETS["north"] not in said
    lines = [json.loads(line) for line in said.splitlines()]
    assert [one.get("notification") for one in lines] == ["change", "unreadable", None, "event"]
    assert [one.get("site") for one in lines] == ["north", "north", None, "north"]
    assert [one.get("refusal") for one in lines] == [None, None, "wrong-secret", None]


def test_new_reasons_are_counted_and_repeats_are_not(hospital: Hospital) -> None:
    for version in ("1", "2", "2"):
        hospital.send(observation(version))
    page = hospital.metrics.render()[0].decode()
    assert "btce_wake_ups_total 2.0" in page
    assert hospital.counted("change") == 3
