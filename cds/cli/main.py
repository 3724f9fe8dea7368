"""The commands together; each module of this package adds its own."""

import argparse
import os
import sys
from collections.abc import Sequence

from cds import __version__
from cds.cli import (
    canary,
    doctor,
    explain,
    knowledge,
    replay,
    service,
    store,
    subscriptions,
    trying,
)
from cds.cli.printing import FAILED


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has seen enough, as `head` has; nothing more is flushed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="btce-cds",
        description="CDS Hooks service for CRS and ICANS in patients on bispecific T-cell engagers."
        " Not clinically reviewed.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for part in (service, knowledge, store, subscriptions, explain, trying, doctor, replay, canary):
        part.add(commands)
    return parser
