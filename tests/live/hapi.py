"""HAPI FHIR for the tests: the one named by HAPI_URL, or the one of docker/hapi, built and started.

Built once per state of its sources. Its data are in memory, so that every run starts empty.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import STDOUT, Popen

import requests

from tests.required import missing


PROJECT = Path(__file__).parents[2] / "docker" / "hapi"
TARGET = PROJECT / "target"
BUILD_SECONDS = 900
START_SECONDS = 300
STOP_SECONDS = 20
_STAMP = TARGET / "built-from"
_SERVING = re.compile(r"serving (http://\S+)")
_UNREACHABLE = re.compile(r"Could not (transfer|resolve|find artifact)|offline mode")
# Starts sooner with the quick compiler alone, and needs no second thread for its memory.
_JAVA = ("-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dport=0", "-jar", "hapi.jar")


@contextmanager
def served(log: Path) -> Iterator[str]:
    """The FHIR base of a running server; one of our own writes its messages into `log`."""
    given = os.environ.get("HAPI_URL", "").rstrip("/")
    if given:
        _await_metadata(given, time.monotonic() + START_SECONDS)
        yield given
        return
    java, maven = shutil.which("java"), shutil.which("mvn")
    if java is None or maven is None:
        missing("HAPI FHIR needs java and mvn, or HAPI_URL")
    _build(maven)
    command = [java, *_JAVA]
    with log.open("w", encoding="utf-8") as messages:
        # The command is ours: what was just built.
        process = Popen(command, cwd=TARGET, stdout=messages, stderr=STDOUT)  # noqa: S603
    try:
        yield _started(process, log)
    finally:
        _end(process)


def _build(maven: str) -> None:
    """Without a network if Maven has everything already; with one, else."""
    with (PROJECT / "pom.xml").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sources = _digest()
        if _STAMP.is_file() and _STAMP.read_text(encoding="utf-8") == sources:
            return
        shutil.rmtree(TARGET, ignore_errors=True)
        if _packaged(maven, "--offline") is not None:
            said = _packaged(maven)
            if said is not None and _UNREACHABLE.search(said):
                missing(f"HAPI FHIR cannot be built without its libraries: {said[-400:]}")
            assert said is None, said[-4000:]
        _STAMP.write_text(sources, encoding="utf-8")


def _digest() -> str:
    """Of everything the server is built from."""
    whole = hashlib.sha256()
    for path in (PROJECT / "pom.xml", *sorted((PROJECT / "src").rglob("*.*"))):
        whole.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()


def _packaged(maven: str, *options: str) -> str | None:
    """What Maven said if it failed."""
    environment = {"MAVEN_OPTS": "-Xmx1g", **os.environ}
    command = [maven, "-B", "-q", "-ntp", *options, "-f", str(PROJECT / "pom.xml"), "package"]
    done = subprocess.run(  # noqa: S603 - ours, as above
        command, capture_output=True, text=True, env=environment, timeout=BUILD_SECONDS, check=False
    )
    return None if done.returncode == 0 else done.stdout + done.stderr


def _started(process: Popen[bytes], log: Path) -> str:
    """Its base, once it answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        said = log.read_text(encoding="utf-8")
        if found := _SERVING.search(said):
            _await_metadata(found[1], deadline)
            return found[1]
        assert process.poll() is None, f"HAPI ended:\n{said[-4000:]}"
        assert time.monotonic() < deadline, f"HAPI did not start in time:\n{said[-4000:]}"
        time.sleep(0.2)


def _await_metadata(base: str, deadline: float) -> None:
    with requests.Session() as session:
        session.trust_env = False
        while True:
            with suppress(requests.RequestException):
                answer = session.get(f"{base}/metadata", timeout=60)
                if answer.json()["resourceType"] == "CapabilityStatement":
                    return
            assert time.monotonic() < deadline, "no FHIR server answers"
            time.sleep(0.2)


def _end(process: Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    process.kill()
    process.wait()
