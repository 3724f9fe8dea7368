"""Child processes of a run: start one, read its CPU and memory from /proc, end it by its own pid.

Knows nothing of what the process serves. Linux only, like the figures it gives.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path


HOST = "127.0.0.1"
START_TIMEOUT = 60.0  # seconds
TICKS = os.sysconf("SC_CLK_TCK")


class DidNotStart(RuntimeError):
    """A server ended or stayed silent; the message ends with its last lines of output."""


@dataclass(frozen=True)
class Server:
    """A running server; `start_seconds` is from spawn to the first 200 on its discovery path."""

    name: str
    pid: int
    port: int
    start_seconds: float


def free_port() -> int:
    """A TCP port of the loopback interface that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    *,
    port: int,
    ready: str,
    log: Path,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run `command` until the block ends; `ready` is the path that answers 200 once it serves."""
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 -- the commands are the benchmark's own
            list(command),
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environ or {})},
            start_new_session=True,
        )
        try:
            _wait_until_ready(process, port, ready, log)
            yield Server(name, process.pid, port, time.perf_counter() - began)
        finally:
            _end(process)


def cpu_seconds(pid: int) -> float:
    """User and system time of the process and its descendants, finished children included."""
    total = 0
    for member in _tree(pid):
        fields = _stat(member)
        if fields:  # utime, stime, cutime, cstime: proc(5), fields 14 to 17
            total += sum(int(field) for field in fields[11:15])
    return total / TICKS


def worker_rss_mb(pid: int) -> float:
    """Resident memory of the largest process of the tree: the worker that decodes requests."""
    return max((_resident_mb(member) for member in _tree(pid)), default=0.0)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    deadline = time.perf_counter() + START_TIMEOUT
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            break
        if _answers(port, path):
            return
        time.sleep(0.01)
    last = "".join(log.read_text(errors="replace").splitlines(keepends=True)[-3:])
    raise DidNotStart(f"no 200 on {path}; its last words:\n{last}")


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the started process to stop; if it will not, end it and the children it left."""
    members = _tree(process.pid)
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        for member in members:
            _kill(member)
        process.wait(timeout=10)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _tree(pid: int) -> list[int]:
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            fields = _stat(int(folder.name))
            if fields:
                parents[int(folder.name)] = int(fields[1])
    members = [pid]
    for member in members:  # grows while it is read: children of children
        members.extend(child for child, parent in parents.items() if parent == member)
    return members


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from `state` on; the name before them may hold spaces."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _resident_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(x.split()[1]) / 1024 for x in lines if x.startswith("VmRSS:")), 0.0)
