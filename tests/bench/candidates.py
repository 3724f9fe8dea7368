"""The three servers compared: how each is started, what it is sent, how its answer is known."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.measure import Candidate
from tests.bench.process import HOST
from tests.bench.report import FLOOR, PEER, SERVICE


# Fixed, so that every run does the same work; HealthChain takes about 0.3 s for a large request.
QUICK = {100: 1500, 1000: 240}
SLOW = {100: 80, 1000: 12}


def service(work: Path) -> Candidate:
    """This service as `serve` runs it in production; no JWT, which only loopback allows."""

    def command(port: int) -> Sequence[str]:
        config = work / f"service-{port}.toml"
        config.write_text(_settings(port))
        return [sys.executable, "-m", "cds", "serve", "--config", str(config)]

    return Candidate(
        name=SERVICE,
        command=command,
        ready="/cds-services",
        path="/cds-services/btce-order-sign",
        hook="order-sign",
        expected="org.btce-cds.assessment",
        requests=QUICK,
    )


def floor() -> Candidate:
    """The same server and framework, decoding into the same structs, answering a fixed card."""
    return Candidate(
        name=FLOOR,
        command=lambda port: [sys.executable, "-m", "tests.bench.floor_app", str(port)],
        ready="/cds-services",
        path="/cds-services/btce-order-sign",
        hook="order-sign",
        expected='"cards"',
        requests=QUICK,
    )


def healthchain(python: Path) -> Candidate:
    """The closest Python framework, with its own prefetch conversion, as patient-view."""
    app = Path(__file__).with_name("healthchain_app.py")
    return Candidate(
        name=PEER,
        command=lambda port: [str(python), str(app), str(port)],
        ready="/cds/cds-discovery",
        path="/cds/cds-services/bench",
        hook="patient-view",
        expected="Newest temperature",
        requests=SLOW,
    )


def _settings(port: int) -> str:
    url = f"http://{HOST}:{port}"
    return "\n".join(
        (
            f'bind = "{HOST}:{port}"',
            f'public_url = "{url}"',
            'auth = "off"',
            'default_site = "bench"',
            "[sites.bench]",
            f'fhir_base = "{url}/fhir"',
            'protocol = "us-label"',
            'time_zone = "UTC"',
        )
    )
