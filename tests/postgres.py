"""A PostgreSQL of the tests' own: made by initdb in a temporary folder, on loopback, then removed.

The system's binaries, as they are: `fsync` is on, and passwords are checked. Fixtures: `postgres`,
one cluster for the whole run; `postgres_database`, the URL of an empty database in it;
`postgres_url_factory`, for tests that need several.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest

from tests.required import missing


DEBIAN = Path("/usr/lib/postgresql")
START_SECONDS = 30
STOP_SECONDS = 20
_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_ACCOUNTS = ("postgres", "nobody")  # the server refuses to run as root


class Cluster:
    """One server. `folder` is its own; `start` and `stop` may be repeated, the data stays."""

    def __init__(self, binaries: Path, folder: Path, *options: str) -> None:
        self.binaries = binaries
        self.folder = folder
        self.options = options
        self.port = 0
        self.password = secrets.token_urlsafe(12)
        self._process: subprocess.Popen[bytes] | None = None
        self._names = count(1)

    @property
    def pid(self) -> int:
        """Of the server process that starts all others."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str = "postgres", driver: str = "postgresql+psycopg") -> str:
        """Over TCP on loopback, with the password."""
        return f"{driver}://btce:{self.password}@127.0.0.1:{self.port}/{database}"

    def create(self) -> None:
        """`initdb`."""
        self.folder.chmod(0o700)
        word = self.folder / "password"
        word.write_text(self.password)
        account = _account()
        if account:
            for path in (self.folder, word):
                shutil.chown(path, account.pw_uid, account.pw_gid)
        self._run(
            *("initdb", f"--pgdata={self.folder / 'data'}", "--username=btce", "--no-sync"),
            *("--auth=scram-sha-256", f"--pwfile={word}", "--encoding=UTF8", "--locale=C"),
        )

    def start(self) -> None:
        """Returns once it answers; on the same port as before."""
        assert self._process is None
        for _ in range(3):  # another process may take the port in between
            self.port = self.port or _free_port()
            self._process = self._spawn()
            if self._answers():
                return
            self.stop("immediate")
            self.port = 0
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def stop(self, how: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """`immediate` writes nothing more, as a crash of the server does; killed if it hangs."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGCONT)
            os.kill(self._process.pid, _SIGNALS[how])
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """SIGKILL, of all its processes at once."""
        if self._process is None:
            return
        self.pause()  # it starts no more of them
        for child in [*self._children(), self._process.pid]:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._process.wait(STOP_SECONDS)
        self._process = None

    def pause(self) -> None:
        """It goes on listening and answers no newcomer; `resume` ends that."""
        os.kill(self.pid, signal.SIGSTOP)

    def freeze(self) -> None:
        """Those that are connected get no answer any more either."""
        self.pause()
        for child in self._children():
            os.kill(child, signal.SIGSTOP)

    def resume(self) -> None:
        """After `pause` or `freeze`."""
        for child in [*self._children(), self.pid]:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGCONT)

    def new_database(self) -> str:
        """The URL of an empty one."""
        name = f"test_{next(self._names)}_{secrets.token_hex(4)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """A database that is not needed any more, with whoever is still connected to it."""
        self.execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def fill(self, url: str, template: str) -> None:
        """Put in the place of the database at `url` a copy of the one at `template`."""
        name, source = (one.rpartition("/")[2] for one in (url, template))
        self.execute(f"DROP DATABASE {name}")
        self.execute(f"CREATE DATABASE {name} TEMPLATE {source}")

    def execute(self, statement: str) -> None:
        """One statement, outside of a transaction."""
        with psycopg.connect(self.url(driver="postgresql"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _spawn(self) -> "subprocess.Popen[bytes]":
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - a binary of the system, words of this file
                [
                    *(self.binaries / "postgres", "-D", self.folder / "data"),
                    *("-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder)),
                    *("-c", "max_connections=200", "-c", "shared_buffers=64MB"),
                    *(word for option in self.options for word in ("-c", option)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **_as_account(),
            )

    def _answers(self) -> bool:
        assert self._process is not None
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return True
        return False

    def _children(self) -> list[int]:
        """Of the server process; the kernel lists them."""
        try:
            listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        except OSError:
            return []
        return [int(pid) for pid in listed.split()]

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603 - a binary of the system, words of this file
            [self.binaries / program, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            cwd=self.folder,
            **_as_account(),
        )
        assert done.returncode == 0, done.stdout.decode(errors="replace")


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`; the newest where there are several."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    versions = DEBIAN.glob("*/bin/initdb") if DEBIAN.is_dir() else ()
    folders += sorted((path.parent for path in versions), key=_version, reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


@contextmanager
def cluster(*options: str) -> Iterator[Cluster]:
    """A started server of its own, for a test that stops or stops answering; `options`: a=b."""
    found = binaries()
    if found is None:
        missing("no PostgreSQL server on this machine (initdb)")
    if os.geteuid() == 0 and _account() is None:
        missing("PostgreSQL does not run as root, and there is no other account")
    folder = Path(tempfile.mkdtemp(prefix="btce-pg-"))  # a short path: it holds the socket
    one = Cluster(found, folder, *options)
    try:
        one.create()
        one.start()
        yield one
    finally:
        one.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


_RUNNING = pytest.StashKey[Cluster]()


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Cluster:
    """The server of the whole run; one, in however many places this fixture is known."""
    config = request.config
    if _RUNNING not in config.stash:
        stack = ExitStack()
        config.stash[_RUNNING] = stack.enter_context(cluster())
        config.add_cleanup(stack.close)
    return config.stash[_RUNNING]


@pytest.fixture(scope="session")
def postgres_url_factory(postgres: Cluster) -> Callable[[], str]:
    """A new empty database each time it is called; removed with the server."""
    return postgres.new_database


@pytest.fixture
def postgres_database(postgres: Cluster) -> Iterator[str]:
    """The URL of an empty database, removed after the test."""
    url = postgres.new_database()
    yield url
    postgres.drop(url)


def _account() -> pwd.struct_passwd | None:
    """Whom to run the server as, where this is root."""
    if os.geteuid() != 0:
        return None
    for name in _ACCOUNTS:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    return None


def _as_account() -> dict[str, Any]:
    account = _account()
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _version(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0
