"""The virtualenv HealthChain runs in, made once under build/; never the project's own."""

import subprocess
import sys
import venv
from pathlib import Path


PIN = "0.16.1"
REPORTED = ("healthchain", "fhir.resources", "fastapi", "pydantic", "uvicorn")
INSTALL_TIMEOUT = 180  # seconds


class NotInstalled(RuntimeError):
    """HealthChain could not be installed; the message is the installer's last line."""


def python_of(folder: Path) -> Path:
    """The interpreter of a virtualenv with the pinned HealthChain in it; made when absent."""
    python = folder / "bin" / "python"
    if python.exists() and versions(python).get("healthchain") == PIN:
        return python
    venv.create(folder, with_pip=True, clear=True)
    command = [str(python), "-m", "pip", "install", "--quiet", f"healthchain=={PIN}"]
    try:
        subprocess.run(  # noqa: S603 -- a fixed command
            command, check=True, capture_output=True, text=True, timeout=INSTALL_TIMEOUT
        )
    except subprocess.CalledProcessError as error:
        raise NotInstalled((error.stderr.strip().splitlines() or ["no output"])[-1]) from error
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"no end after {INSTALL_TIMEOUT} s") from error
    return python


def versions(python: Path) -> dict[str, str]:
    """Installed versions of the packages that decide its speed; absent ones are left out."""
    script = (
        "import importlib.metadata as m, sys\n"
        "for name in sys.argv[1:]:\n"
        "    try: print(name, m.version(name))\n"
        "    except m.PackageNotFoundError: pass\n"
    )
    done = subprocess.run(  # noqa: S603 -- a fixed command
        [str(python), "-c", script, *REPORTED], check=True, capture_output=True, text=True
    )
    pairs = (line.partition(" ") for line in done.stdout.splitlines())
    return {name: version for name, _, version in pairs}


def interpreter() -> str:
    """The Python version both virtualenvs share."""
    return ".".join(str(part) for part in sys.version_info[:3])
