"""Does what docker/Dockerfile says, without an engine: its RUN and COPY lines in one folder.

A path of the image, such as /opt/btce-cds, becomes one below that folder. What is started runs as
the user of the image, if the tests run as root and that user can reach the interpreter. It is no
container: the interpreter and the libraries of C are those of this machine.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.docker.dockerfile import Instruction, Stage, read
from tests.docker.manifests import DOCKER, ROOT
from tests.required import missing


COMMIT = "0123456789abcdef0123456789abcdef01234567"
_OWN = re.compile(r"(?<![\w/.])/(build|etc/btce-cds|opt/btce-cds|run/secrets|var/lib/btce-cds)\b")
_NO_INDEX = re.compile(
    r"No matching distribution|Could not find a version|Connection|Temporary fail"
)
_SHELL = ["/bin/sh", "-ec"]
_PASSED_ON = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "https_proxy", "no_proxy")


def can_be_its_user() -> bool:
    """Only root becomes another user, and only where that one may reach the interpreter."""
    interpreter = (Path(sys.base_prefix) / "bin/python3").resolve()
    return os.geteuid() == 0 and all(one.stat().st_mode & 0o001 for one in interpreter.parents)


class Image:
    """The files of the image below `folder`, which others may enter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        _, (self._build, self.last) = read(DOCKER / "Dockerfile")

    def make(self) -> None:
        """Both stages, instruction by instruction. Skips where pip reaches no index."""
        self._stage(self._build, {"COMMIT": COMMIT})
        self._stage(self.last, {})

    def here(self, text: str) -> str:
        """The paths of the image in `text` as paths of this machine."""
        return _OWN.sub(lambda found: f"{self.folder}{found[0]}", text)

    def path(self, of_image: str) -> Path:
        """One path of the image."""
        return Path(self.here(of_image))

    def environment(self, **more: str) -> dict[str, str]:
        """What a process of the container sees, and `more`."""
        kept = {name: self.here(value) for name, value in self.last.environment().items()}
        return kept | {"TMPDIR": str(self.path("/var/lib/btce-cds"))} | more

    def start(self, command: list[str], **more: str) -> "subprocess.Popen[str]":
        """Run a command of the container, as its user."""
        return subprocess.Popen(  # noqa: S603 - a command of the Dockerfile
            [self.here(word) for word in command],
            env=self.environment(**more),
            cwd=self.path(self.last.last("WORKDIR").rest),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **self._as_its_user(),
        )

    def status(self, command: list[str], **more: str) -> tuple[int, str]:
        """The exit status of a command and what it says on stderr."""
        running = self.start(command, **more)
        said = running.communicate(timeout=60)[1]
        return running.returncode, said

    def _as_its_user(self) -> dict[str, Any]:
        if not can_be_its_user():
            return {}
        user, group = self.last.last("USER").rest.split(":")
        return {"user": int(user), "group": int(group), "extra_groups": []}

    def _stage(self, stage: Stage, arguments: dict[str, str]) -> None:
        folder = self.folder
        for one in stage.instructions:
            if one.name == "WORKDIR":
                folder = self.path(one.rest)
                folder.mkdir(parents=True, exist_ok=True)
            elif one.name == "COPY" and "from" not in one.options:
                self._copy(one, folder)
            elif one.name == "RUN":
                self._run(one, folder, stage.environment() | arguments)

    def _copy(self, one: Instruction, folder: Path) -> None:
        *sources, target = one.words
        to = folder / self.here(target)
        for source in (ROOT / name for name in sources):
            if source.is_dir():
                left_out = shutil.ignore_patterns("__pycache__", "assets", "COMMIT")
                shutil.copytree(source, to, ignore=left_out, dirs_exist_ok=True)
            else:
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, to / source.name if to.is_dir() else to)

    def _run(self, one: Instruction, folder: Path, environment: dict[str, str]) -> None:
        words = one.words if one.exec_form else [*_SHELL, one.rest]
        if words[0] == "install" and os.geteuid() != 0:  # nobody else may give files away
            words = ["install", "-d", words[-1]]
        interpreter = Path(sys.base_prefix) / "bin"
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        kept |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        path = {"PATH": f"{interpreter}:/usr/local/bin:/usr/bin:/bin", "HOME": str(self.folder)}
        done = subprocess.run(  # noqa: S603 - a command of the Dockerfile
            [self.here(word) for word in words],
            env=kept | environment | path,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        asked_an_index = "pip install --only-binary" in one.rest
        if done.returncode != 0 and asked_an_index and _NO_INDEX.search(done.stderr):
            missing(f"pip reaches no index: {done.stderr[-200:]}")
        assert done.returncode == 0, (one.rest, done.stdout[-1000:], done.stderr[-2000:])
