"""The service under load: many signed calls at once, reading from a slow EHR, slow clients.

`python -m tests.bench.load` runs this part alone; the figures go to the screen and to
build/bench-load.json. It is no test: nothing fails.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from cds.clock import system_clock
from tests.bench import load_proxy, payload, process
from tests.bench.load_service import PATH, Client, audience, serving
from tests.bench.measure import percentile
from tests.bench.process import Server
from tests.bench.report import Verdict
from tests.functional.fhir_upstream import Upstream, reply, running


BUILD = Path(__file__).parents[2] / "build"
CLIENTS = 50
OBSERVATIONS = 100
CALLS, WARM_UP = 3000, 300
RHYTHM = 1.0  # seconds between the calls of one client, in the paced run
EXPECTED = "org.btce-cds.assessment"
MISSING = ("labs", "conditions", "procedures", "orders", "encounter", "assessments")
UPSTREAM_SECONDS = 0.3
FETCHES = 30
P99_MS, FETCH_MS, PROBE_MS = 150.0, 450.0, 500.0  # aims


@dataclass(frozen=True)
class Load:
    """One run of calls: latencies in ms, what was no right answer by its status line."""

    name: str
    sent: int
    per_second: float
    p50: float
    p99: float
    worst: float
    errors: Mapping[str, int] = field(default_factory=dict)


def main() -> int:
    """Run everything; 0 whatever the verdicts are."""
    BUILD.mkdir(exist_ok=True)
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as folder, running() as upstream:
        work, client = Path(folder), Client()
        with serving(client, work, fhir_base=upstream.base) as server:
            found = [_calls(server, client, work), _calls(server, client, work, RHYTHM)]
            found.append(_fetches(server, client, work, upstream))
            probes = _probes(server, work)
            kept = _kept(server)
    about = {"load before": f"{before:.2f}", "load after": f"{os.getloadavg()[0]:.2f}", **kept}
    lines = [*table(found, about), *(one.line for one in verdicts(found, probes))]
    sys.stdout.write("\n".join((*lines, "")))
    document = {
        "about": about,
        "load": [asdict(one) for one in found],
        "probesMs": probes if isinstance(probes, str) else list(probes),
        "verdicts": [asdict(one) for one in verdicts(found, probes)],
    }
    (BUILD / "bench-load.json").write_text(json.dumps(document, indent=2) + "\n")
    return 0


def table(found: Sequence[Load], about: Mapping[str, str]) -> Iterator[str]:
    """The lines a person reads."""
    yield ", ".join(f"{name} {value}" for name, value in about.items())
    heads = ("sent", "req/s", "p50 ms", "p99 ms", "worst ms", "errors")
    yield f"{'load':<44}" + "".join(f"{head:>10}" for head in heads)
    for one in found:
        times = (one.per_second, one.p50, one.p99, one.worst)
        yield (
            f"{one.name:<44}{one.sent:>10}"
            + "".join(f"{value:>10.1f}" for value in times)
            + f"{sum(one.errors.values()):>10}"
        )
        yield from (f"  {count} x {error}" for error, count in one.errors.items())


def verdicts(found: Sequence[Load], probes: Sequence[float] | str) -> Iterator[Verdict]:
    """Every aim in a fixed order."""
    *loads, fetch = found
    for one in loads:
        wrong = sum(one.errors.values())
        figure = f"{one.p99:.0f} ms, {wrong} errors"
        yield Verdict(
            f"{one.name}: p99 <= {P99_MS:.0f} ms, no errors",
            figure,
            one.p99 <= P99_MS and not wrong,
        )
    aim = f"six queries of 300 ms each, read within a call: <= {FETCH_MS:.0f} ms"
    right = not fetch.errors and fetch.p50 <= FETCH_MS
    yield Verdict(aim, f"median {fetch.p50:.0f} ms, worst {fetch.worst:.0f} ms", right)
    aim = f"/livez behind the proxy, {load_proxy.SLOW} slow connections open: <= {PROBE_MS:.0f} ms"
    if isinstance(probes, str):
        yield Verdict(aim, probes, None)
    else:
        worst = max(probes)
        figure = f"median {statistics.median(probes):.0f} ms, worst {worst:.0f} ms"
        yield Verdict(aim, figure, worst <= PROBE_MS)


def _calls(server: Server, client: Client, work: Path, between: float = 0.0) -> Load:
    bodies = work / "load-bodies.json"
    made = payload.requests(OBSERVATIONS, hook="order-sign", now=system_clock())
    bodies.write_bytes(b"\n".join(made))
    _send(server, client, bodies, WARM_UP, CLIENTS, 0.0)
    count = CALLS if between == 0 else int(CLIENTS * 30 / between)
    rhythm = f"one call every {between:g} s each" if between else "without a pause"
    name = f"{CLIENTS} clients, {rhythm}"
    return _load(name, _send(server, client, bodies, count, CLIENTS, between))


def _fetches(server: Server, client: Client, work: Path, upstream: Upstream) -> Load:
    """Calls whose prefetch lacks six keys, one after another."""
    bodies = work / "fetch-bodies.json"
    bodies.write_bytes(b"\n".join(_lacking(upstream)))
    upstream.otherwise = reply({"resourceType": "Bundle", "type": "searchset", "entry": []})
    _send(server, client, bodies, 6, 2, 0.0)
    upstream.wait, upstream.asked[:] = UPSTREAM_SECONDS, []
    answer = _send(server, client, bodies, FETCHES, 1, 0.0)
    asked = len(upstream.asked)
    if asked != FETCHES * len(MISSING):
        answer["errors"][f"{asked} queries, not {FETCHES * len(MISSING)}"] = 1
    return _load("one client, six queries of 300 ms a call", answer)


def _lacking(upstream: Upstream) -> Iterator[bytes]:
    token = {"access_token": "t", "token_type": "Bearer", "expires_in": 300}
    token |= {"scope": "patient/*.read", "subject": "bench"}
    for one in payload.requests(OBSERVATIONS, hook="order-sign", now=system_clock()):
        body = json.loads(one)
        body["prefetch"] = {k: v for k, v in body["prefetch"].items() if k not in MISSING}
        body |= {"fhirServer": upstream.base, "fhirAuthorization": token}
        yield json.dumps(body).encode()


def _probes(server: Server, work: Path) -> list[float] | str:
    try:
        with load_proxy.proxying(work, server.port) as port:
            load_proxy.probe_times(port, 5)
            with load_proxy.slow_connections(port) as over:
                over.wait(6)  # until all are open, and the first are cut off and come again
                return load_proxy.probe_times(port)
    except load_proxy.NotInstalled as error:
        return str(error)


def _kept(server: Server) -> dict[str, str]:
    """Where the decisions went: what the store did not take in time waits in the spool."""
    connection = HTTPConnection(process.HOST, server.port, timeout=10)
    connection.request("GET", "/metrics")
    page = connection.getresponse().read().decode()
    connection.close()
    found = re.findall(r'^btce_store_writes_total\{to="(\w+)"\} ([0-9.]+)', page, re.MULTILINE)
    return {f"decisions in the {to}": f"{float(number):.0f}" for to, number in found}


def _send(
    server: Server, client: Client, bodies: Path, count: int, clients: int, between: float
) -> dict[str, Any]:
    tokens = bodies.with_suffix(".tokens")
    signed = client.tokens(count, audience=audience(server.port), now=system_clock())
    tokens.write_text("\n".join(signed))
    done = subprocess.run(  # noqa: S603 -- this package's own client
        [
            *(sys.executable, "-m", "tests.bench.load_client", str(server.port), PATH),
            *(str(bodies), str(tokens), str(clients), str(between), EXPECTED),
        ],
        check=True,
        stdout=subprocess.PIPE,
        timeout=600,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _load(name: str, answer: Mapping[str, Any]) -> Load:
    latencies = answer["latencies"]
    return Load(
        name=name,
        sent=len(latencies),
        per_second=len(latencies) / answer["seconds"],
        p50=percentile(latencies, 50),
        p99=percentile(latencies, 99),
        worst=max(latencies),
        errors=answer["errors"],
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except process.DidNotStart as error:
        sys.exit(f"bench: {error}")
