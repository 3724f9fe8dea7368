"""What every command prints and returns: lines, problems, and one of three statuses."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any


OK, FAILED, BAD_INPUT = 0, 1, 2
FORMS: Mapping[str, Any] = {"choices": ("text", "json"), "default": "text"}


def takes_config(command: ArgumentParser) -> None:
    """Every command about a deployment names its file."""
    command.add_argument("--config", required=True, type=Path, metavar="FILE")


def show(lines: Iterable[str]) -> int:
    """Print what a command says; why it cannot is one of three kinds."""
    from cds.config import ConfigError
    from cds.store import StoreDown
    from cds.store.errors import BackupFailed, ChainBroken, StoreRefused

    try:
        for line in lines:
            print(line, flush=True)
    except ConfigError as error:
        return report(error.problems)
    except StoreDown as error:
        return report([f"store: {error.cause}"])
    except (BackupFailed, ChainBroken, StoreRefused) as error:
        return report([error.message])
    except ValueError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:  # who reads has seen enough, as `head` has; nothing more is flushed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


def report(problems: Sequence[str]) -> int:
    """Say what is wrong, a line each."""
    for problem in problems:
        print(problem, file=sys.stderr)
    return FAILED if problems else OK
