"""What a FHIR server on another host may name: no network is used here, its documents are given."""

import json
import time
from zoneinfo import ZoneInfo

import pytest

from cds.backend.exchange import Reply, Request
from cds.clock import system_clock
from cds.config import Site, Smart
from cds.smart.oauth import LaunchRefused, SmartClient


BASE = "https://ehr.example.org/fhir"
GOOD = {
    "issuer": "https://login.example.org",
    "jwks_uri": "https://login.example.org/keys",
    "authorization_endpoint": "https://login.example.org/authorize?tenant=7",
    "token_endpoint": "https://tokens.example.org/token",
    "code_challenge_methods_supported": ["plain", "S256"],
}


def begun(document: object, base: str = BASE) -> str:
    """The address of the browser, if the FHIR server at `base` says this of itself."""

    def exchange(request: Request, seconds: float) -> Reply:
        assert request == Request(f"{BASE}/.well-known/smart-configuration")
        assert seconds > 0
        return Reply(200, {}, json.dumps(document).encode())

    by = SmartClient(system_clock, time.monotonic, exchange)
    smart = Smart(client_id="bedside")
    zone = ZoneInfo("UTC")
    site = Site(id="north", fhir_base=base, protocol="us-label", zone=zone, smart=smart)
    return by.begin(
        site, launch="x", launch_id="0123", redirect_uri="https://app.example.org/cb"
    ).url


@pytest.mark.parametrize("base", [BASE, f"{BASE}/"])
def test_endpoints_may_be_on_other_hosts_by_https(base: str) -> None:
    assert begun(GOOD, base).startswith("https://login.example.org/authorize?tenant=7&")


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "issuer"])
@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8080/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://[::1]/x",
        "http://ehr.example.org/x",
        "ftp://ehr.example.org/x",
        "//ehr.example.org/x",
        "https://user@ehr.example.org/x",
        "https://ehr.example.org/x#y",
        "https://ehr.example.org/\r\nX: y",
        "https://ehr.example.org/ü",
        "https://[::1/x",
        f"https://ehr.example.org/{'x' * 3000}",
        7,
        ["https://ehr.example.org/x"],
    ],
)
def test_an_address_that_may_not_be_asked_ends_the_launch(name: str, address: object) -> None:
    with pytest.raises(LaunchRefused) as caught:
        begun({**GOOD, name: address})
    assert caught.value.kind == "discovery-unusable"


@pytest.mark.parametrize("name", ["state", "redirect_uri", "client_id", "aud", "code_challenge"])
def test_an_endpoint_cannot_answer_our_parameters_for_us(name: str) -> None:
    with pytest.raises(LaunchRefused) as caught:
        begun({**GOOD, "authorization_endpoint": f"https://login.example.org/a?{name}="})
    assert caught.value.kind == "discovery-unusable"
