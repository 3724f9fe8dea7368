#!/usr/bin/env python3
"""The first program of a container: reads secrets from files, then becomes `btce-cds`.

`BTCE_STORE_FILE=/run/secrets/store` sets `BTCE_STORE` to the text of that file, so that a database
password need not stand in a manifest. Owns nothing else; imports nothing of the service.
"""

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path


SECRETS = ("BTCE_STORE",)
BAD_INPUT = 2


def take_secrets(environ: MutableMapping[str, str]) -> str | None:
    """Set each name from the file its `NAME_FILE` names; returns why that cannot be done.

    The reason names the variable and the cause, never the text of a file.
    """
    for name in SECRETS:
        file = environ.get(f"{name}_FILE")
        if not file:
            continue
        if environ.get(name):
            return f"{name} and {name}_FILE are both set: only one of them can hold"
        try:
            text = Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            return f"{name}_FILE: the file cannot be read ({error.strerror})"
        except UnicodeDecodeError:
            return f"{name}_FILE: the file is not text"
        if not text or "\n" in text:
            return f"{name}_FILE: the file must hold one line"
        environ[name] = text
    return None


def main() -> int:
    """Become `btce-cds` with the arguments of this program; what it leaves is its owner's alone."""
    refused = take_secrets(os.environ)
    if refused is not None:
        sys.stderr.write(f"{refused}\n")
        return BAD_INPUT
    os.umask(0o077)
    command = [sys.executable, "-m", "cds", *sys.argv[1:]]
    return os.execv(sys.executable, command)  # noqa: S606 - this interpreter, no shell


if __name__ == "__main__":
    sys.exit(main())
