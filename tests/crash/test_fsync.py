"""On SQLite a wake-up is on the disk before it is acknowledged: the system calls are the witness.

A killed process proves nothing of the kind, for the kernel goes on; and the power supply cannot be
pulled here.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cds.store.migrations import migrate
from tests.crash.processes import ROOT
from tests.required import missing


PUTS = 40
_SAID = re.compile(r'write\(1<[^>]*>, "(put|ack) ([^"\\]+)\\n"')
_TO_LOG = re.compile(r"pwrite64\(\d+<[^>]*-wal>")
_SYNC = re.compile(r"(fdatasync|fsync)\(\d+<[^>]*-wal>")


def traced(folder: Path, threads: int) -> list[str]:
    """The writes and syncs of a process that puts, in their order; each on one line."""
    strace = shutil.which("strace")
    if strace is None:
        missing("no strace on this machine")
    url = f"sqlite:///{folder / 'store.db'}"
    migrate(url)
    trace = folder / "trace"
    done = subprocess.run(  # noqa: S603 - a tool of the system, words of this package
        [
            *(strace, "-f", "-y", "-qq", "-s", "64", "-e", "trace=write,pwrite64,fsync,fdatasync"),
            *("-o", trace, sys.executable, "-m", "tests.crash.child"),
            *("acknowledge", url, str(PUTS), str(threads)),
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        timeout=300,
    )
    if b"ptrace" in done.stderr:
        missing("this machine lets nobody trace a process")
    assert done.returncode == 0, done.stderr.decode()
    return trace.read_text(errors="replace").splitlines()


def said(lines: list[str]) -> dict[str, dict[str, int]]:
    """For each event the numbers of the lines on which it was put and acknowledged."""
    found: dict[str, dict[str, int]] = {}
    for number, line in enumerate(lines):
        if match := _SAID.search(line):
            found.setdefault(match[2], {})[match[1]] = number
    return found


def syncs(lines: list[str]) -> list[tuple[int, int]]:
    """Where each sync of the log began and where it had ended."""
    found: list[tuple[int, int]] = []
    begun: dict[str, int] = {}
    for number, line in enumerate(lines):
        process = line.split(maxsplit=1)[0]
        if _SYNC.search(line):
            if "<unfinished" in line:
                begun[process] = number
            elif line.endswith("= 0"):
                found.append((number, number))
        elif process in begun and re.search(r"(fdatasync|fsync) resumed", line):
            if line.endswith("= 0"):
                found.append((begun[process], number))
            del begun[process]
    return found


def test_between_the_last_write_of_a_put_and_its_acknowledgement_the_log_is_synced(
    tmp_path: Path,
) -> None:
    lines = traced(tmp_path, threads=1)
    events = said(lines)
    writes = [number for number, line in enumerate(lines) if _TO_LOG.search(line)]

    assert len(events) == PUTS
    for event in events.values():
        mine = [number for number in writes if event["put"] < number < event["ack"]]
        assert mine
        assert any(mine[-1] < begun <= ended < event["ack"] for begun, ended in syncs(lines))


@pytest.mark.parametrize("threads", [8])
def test_those_who_share_a_commit_are_all_acknowledged_after_a_sync_of_their_own_time(
    tmp_path: Path, threads: int
) -> None:
    lines = traced(tmp_path, threads)
    events, synced = said(lines), syncs(lines)

    assert len(events) == threads * PUTS
    assert len(synced) < len(events)  # or nobody shared
    for event in events.values():
        assert any(event["put"] < begun <= ended < event["ack"] for begun, ended in synced)
