"""Starts children, remembers what they said, and kills them."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path


ROOT = Path(__file__).parents[2]
PATIENCE = 180.0  # seconds until a child must be where it was told to go, on a busy machine


class Child:
    """One process of `tests.crash.child`; `acked` grows while it runs."""

    def __init__(self, *arguments: str) -> None:
        self.acked: list[str] = []
        self._up = threading.Event()
        self._there = threading.Event()
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, words of this package
            [sys.executable, "-m", "tests.crash.child", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        self._listening = threading.Thread(target=self._listen)
        self._listening.start()

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def begin(self) -> None:
        """Returns once it works."""
        assert self._up.wait(PATIENCE)

    def arrive(self) -> None:
        """Returns once it is at the point it was told to stop at."""
        assert self._there.wait(PATIENCE)

    def kill(self) -> None:
        """SIGKILL. What it had said before is heard to the end."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._listening.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, _, rest = line.decode().partition(" ")
            if word == "ack" and rest.endswith("\n"):
                self.acked.append(rest.strip())
            if word == "at":
                self._there.set()
            if line == b"up\n":
                self._up.set()
