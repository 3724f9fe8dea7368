"""A page in the browser that plays the EHR may call the demo, and no other page of the web may."""

from collections.abc import Iterator

import pytest
import requests

from cds.demo.drugs import ORDERS
from cds.demo.sign import order_sign
from cds.demo.story import load
from tests.demo.workbench_room import NOW, running


SANDBOX = "https://sandbox.cds-hooks.org"
ALLOWED = "Access-Control-Allow-Origin"
CALLED = (
    "/cds-services",
    "/public/cds-services",
    "/us-label/cds-services",
    "/open/fhir/metadata",
    "/open/fhir/Patient/fever-only",
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running demo with a fixed clock."""
    with running(tmp_path_factory.mktemp("demo")) as found:
        yield found


@pytest.mark.parametrize("path", CALLED)
def test_the_public_sandbox_may_read_services_and_the_open_fhir_door(base: str, path: str) -> None:
    reply = requests.get(f"{base}{path}", headers={"Origin": SANDBOX}, timeout=10)
    assert reply.status_code == 200
    assert reply.headers[ALLOWED] == SANDBOX
    assert "Origin" in reply.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in reply.headers


@pytest.mark.parametrize("path", ["/public/cds-services/btce-order-sign", "/open/fhir/Observation"])
def test_a_preflight_allows_json_with_a_token(base: str, path: str) -> None:
    asked = {
        "Origin": SANDBOX,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
        "Access-Control-Request-Private-Network": "true",
    }
    reply = requests.options(f"{base}{path}", headers=asked, timeout=10)
    assert reply.status_code == 204
    assert reply.headers[ALLOWED] == SANDBOX
    assert {"POST", "GET"} <= set(reply.headers["Access-Control-Allow-Methods"].split(", "))
    granted = reply.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"authorization", "content-type"} <= set(granted)
    assert reply.headers["Access-Control-Allow-Private-Network"] == "true"


def test_a_hook_of_the_sandbox_with_its_own_fhir_server_and_token_is_answered(base: str) -> None:
    body = order_sign(
        load()["fever-only"],
        ORDERS["teclistamab"],
        now=NOW,
        hook_instance="00000000-0000-4000-8000-000000000001",
    )
    body["fhirServer"] = f"{base}/open/fhir"
    reply = requests.post(
        f"{base}/public/cds-services/btce-order-sign",
        json=body,
        headers={"Origin": SANDBOX, "Authorization": "Bearer of-the-sandbox"},
        timeout=10,
    )
    assert reply.status_code == 200
    assert reply.headers[ALLOWED] == SANDBOX
    assert reply.json()["cards"] != []


def test_an_error_can_be_read_by_the_page_too(base: str) -> None:
    reply = requests.post(
        f"{base}/public/cds-services/btce-order-sign",
        data="{}",
        headers={"Origin": SANDBOX, "Content-Type": "application/json"},
        timeout=10,
    )
    assert reply.status_code == 400
    assert reply.headers[ALLOWED] == SANDBOX


@pytest.mark.parametrize(
    "origin",
    [
        "https://elsewhere.example",
        "https://sandbox.cds-hooks.org.elsewhere.example",
        "https://127.0.0.1.elsewhere.example",
        "null",
        "*",
    ],
)
@pytest.mark.parametrize("path", CALLED)
def test_no_other_page_may(base: str, path: str, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        reply = requests.request(method, f"{base}{path}", headers={"Origin": origin}, timeout=10)
        assert ALLOWED not in reply.headers


@pytest.mark.parametrize(
    "path", ["/", "/fhir/Patient/fever-only", "/us-label/about", "/livez", "/metrics"]
)
def test_nothing_else_of_the_demo_is_opened_to_the_sandbox(base: str, path: str) -> None:
    reply = requests.get(
        f"{base}{path}", headers={"Origin": SANDBOX}, timeout=10, allow_redirects=False
    )
    assert ALLOWED not in reply.headers


def test_a_page_of_this_machine_may(base: str) -> None:
    origin = "http://localhost:9000"
    reply = requests.get(f"{base}/open/fhir/metadata", headers={"Origin": origin}, timeout=10)
    assert reply.headers[ALLOWED] == origin


@pytest.mark.parametrize(
    "path",
    ["/", "/open/fhir/metadata", *CALLED[:3], "/us-label/about", "/metrics", "/public/livez"],
)
def test_a_page_whose_name_leads_to_this_machine_reaches_nothing(base: str, path: str) -> None:
    for host in ("rebound.example", "127.0.0.1.example:80", "localhost.example"):
        reply = requests.get(f"{base}{path}", headers={"Host": host}, timeout=10)
        assert reply.status_code == 400, (path, host)
    port = base.rpartition(":")[2]
    there = {"Host": f"localhost:{port}"}
    assert requests.get(f"{base}{path}", headers=there, timeout=10).status_code == 200
