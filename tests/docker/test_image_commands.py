"""What the Dockerfile installs and starts is a service that answers, and its health check tells.

Installing takes a minute or two, once for all tests of this file; it needs an index for pip.
"""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from tests.docker.container import COMMIT, Image, can_be_its_user
from tests.docker.manifests import ROOT


pytestmark = pytest.mark.live

REQUEST = json.loads((ROOT / "docs/examples/order-sign.json").read_bytes())
START = "/opt/btce-cds/image/start.py"
PYTHON = "/opt/btce-cds/bin/python"


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The files of the image, beside them the sample configuration and the store's URL."""
    with tempfile.TemporaryDirectory(prefix="btce-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        made = Image(folder)
        made.make()
        for place in ("/etc/btce-cds", "/run/secrets"):
            made.path(place).mkdir(parents=True)
        sample = (ROOT / "docs/examples/site.toml").read_text(encoding="utf-8")
        made.path("/etc/btce-cds/site.toml").write_text(sample, encoding="utf-8")
        url = f"sqlite:///{made.path('/var/lib/btce-cds/store.db')}\n"
        made.path("/run/secrets/store").write_text(url, encoding="utf-8")
        yield made


class Running(NamedTuple):
    """The service as a container would have it."""

    image: Image
    process: "subprocess.Popen[str]"
    environ: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://{self.environ['BTCE_BIND']}"

    def health(self, path: str = "") -> int:
        """The exit status of the HEALTHCHECK, with another path if one is given."""
        words = json.loads(self.image.last.last("HEALTHCHECK").rest.removeprefix("CMD "))
        words = [*words[:-1], path or words[-1]]
        return self.image.status(words, **self.environ)[0]


@contextmanager
def running(image: Image) -> Iterator[Running]:
    """ENTRYPOINT and CMD; the port is the only thing that differs from the image."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    secret = image.here("/run/secrets/store")
    environ = {"BTCE_BIND": f"127.0.0.1:{port}", "BTCE_STORE_FILE": secret}
    command = image.last.last("ENTRYPOINT").words + image.last.last("CMD").words
    process = image.start(command, **environ)
    try:
        one = Running(image, process, environ)
        _await(one)
        yield one
    finally:
        with suppress(ProcessLookupError):  # its worker too
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _await(one: Running) -> None:
    until = time.monotonic() + 60
    while one.health() != 0:
        assert one.process.poll() is None, one.process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.5)


def test_the_health_check_is_right_before_while_and_after_it_runs(image: Image) -> None:
    with running(image) as one:
        assert one.health() == 0
        assert one.health("/readyz") == 0
        assert one.health("/no-such-path") == 1
        one.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 8  # of ten seconds of draining
        while one.health("/readyz") == 0:
            assert time.monotonic() < until, "nobody is told that it is about to end"
        assert one.health() == 0, "calls are still taken"
        one.process.communicate(timeout=30)
        assert one.process.returncode == 0
        assert one.health() == 1


def test_it_answers_a_hook_call_and_says_from_which_commit_it_was_made(image: Image) -> None:
    with running(image) as one, requests.Session() as session:
        session.trust_env = False
        assert session.get(f"{one.url}/about", timeout=10).json()["commit"] == COMMIT
        answer = session.post(f"{one.url}/cds-services/btce-order-sign", json=REQUEST, timeout=20)
        assert answer.status_code == 200
        assert answer.json()["cards"]
        assert session.get(f"{one.url}/readyz", timeout=10).json()["checks"]["store"] == {
            "status": "ready",
            "says": "reachable",
        }


def test_it_writes_nowhere_but_into_its_folder_and_for_nobody_else_to_read(image: Image) -> None:
    with running(image) as one, requests.Session() as session:
        session.trust_env = False
        session.post(f"{one.url}/cds-services/btce-order-sign", json=REQUEST, timeout=20)
        kept = image.path("/var/lib/btce-cds")
        newer = (path for path in image.folder.rglob("*") if path.lstat().st_ctime > _made(image))
        assert [path for path in newer if kept not in (path, *path.parents)] == []
        left = [path for path in kept.rglob("*") if path.is_file()]
        assert left
        assert [path for path in left if path.stat().st_mode & 0o077] == []


def _made(image: Image) -> float:
    return image.path("/run/secrets/store").stat().st_ctime


@pytest.mark.skipif(not can_be_its_user(), reason="needs root and an interpreter all may reach")
def test_it_does_not_run_as_root(image: Image) -> None:
    with running(image) as one:
        status = Path(f"/proc/{one.process.pid}/status").read_text(encoding="utf-8")
        assert "Uid:\t10001\t10001\t10001\t10001\n" in status


def test_neither_pip_nor_a_builder_is_in_it(image: Image) -> None:
    packages = {path.name for path in image.path("/opt/btce-cds/lib").glob("*/site-packages/*")}
    assert "cds" in packages
    assert {"pip", "setuptools", "wheel", "pytest"} & packages == set()


def test_everybody_can_read_the_program_and_nobody_else_change_it(image: Image) -> None:
    files = [path for path in image.path("/opt/btce-cds").rglob("*") if not path.is_symlink()]
    assert [path for path in files if path.stat().st_mode & 0o044 != 0o044] == []
    assert [path for path in files if path.stat().st_mode & 0o022] == []


@pytest.mark.parametrize(
    ("secret", "reason"),
    [(None, "cannot be read"), (b"", "one line"), (b"a\nb", "one line"), (b"\xff", "not text")],
    ids=["missing", "empty", "two lines", "not text"],
)
def test_a_secret_that_cannot_be_used_stops_the_start_and_is_not_repeated(
    image: Image, secret: bytes | None, reason: str
) -> None:
    file = image.path("/run/secrets/unusable")
    file.unlink(missing_ok=True)
    if secret is not None:
        file.write_bytes(secret)
    status, said = image.status([PYTHON, START, "check"], BTCE_STORE_FILE=str(file))
    assert status == 2
    assert said.startswith("BTCE_STORE_FILE: ")
    assert reason in said


def test_one_secret_in_two_places_is_refused(image: Image) -> None:
    both = {"BTCE_STORE": "sqlite:///x", "BTCE_STORE_FILE": image.here("/run/secrets/store")}
    status, said = image.status([PYTHON, START, "check"], **both)
    assert (status, said) == (
        2,
        "BTCE_STORE and BTCE_STORE_FILE are both set: only one of them can hold\n",
    )


def test_the_exit_status_is_that_of_the_command(image: Image) -> None:
    assert image.status([PYTHON, START, "check"]) == (0, "")
    status, said = image.status([PYTHON, START, "check", "--config", "/no/such/file"])
    assert status == 1
    assert "/no/such/file" in said
