"""`btce-cds serve`: the production server on the loopback address, started as an operator would."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.conformance.checker import check_response
from tests.conftest import CALL
from tests.functional.bodies import FHIR_BASE, given, order_sign


CONFIG = """
bind = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
auth = "off"
default_site = "demo"

[sites.demo]
fhir_base = "{base}"
protocol = "us-label"
time_zone = "America/New_York"
"""


def answers(session: requests.Session, url: str) -> bool:
    try:
        return session.get(url, timeout=1).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.trust_env = False
        yield made


@pytest.fixture
def address(tmp_path: Path, session: requests.Session) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    config = tmp_path / "btce.toml"
    config.write_text(CONFIG.format(port=port, base=FHIR_BASE), encoding="utf-8")
    command = [sys.executable, "-m", "cds", "serve", "--config", str(config)]
    # The command is ours: this interpreter and a file of this test.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:  # noqa: S603
        base = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 20
        while not answers(session, f"{base}/livez") and time.monotonic() < deadline:
            assert process.poll() is None, "the server ended"
            time.sleep(0.1)
        yield base
        process.terminate()
        process.communicate(timeout=15)


def test_serve_answers_hooks_and_survives_what_it_refuses(
    address: str, session: requests.Session
) -> None:
    assert session.get(f"{address}/cds-services", timeout=10).json()["services"]
    answer = session.post(address + CALL, json=order_sign(), timeout=10)
    assert answer.status_code == 200, answer.text
    check_response(answer.json())
    deep = b"[" * 100_000 + b"]" * 100_000
    headers = {"Content-Type": "application/json"}
    assert session.post(address + CALL, data=deep, headers=headers, timeout=10).status_code == 400
    large = {**order_sign(), "extension": {"x": [given()] * 100_000}}
    assert session.post(address + CALL, json=large, timeout=30).status_code == 413
    chunks = iter([b'{"hook":', b'"order-sign"}'])
    assert session.post(address + CALL, data=chunks, headers=headers, timeout=10).status_code == 400
    assert session.get(f"{address}/readyz", timeout=10).json()["status"] == "ready"
