"""`check`, `lock`, `spec`: the knowledge, and a configuration beside it."""

import argparse
import os
from pathlib import Path
from typing import Any

from cds.cli.printing import report


def add(commands: Any) -> None:
    """Add the commands of this module."""
    check = commands.add_parser(
        "check", help="check the knowledge, its lock and SPEC.md, a configuration"
    )
    check.add_argument("--config", type=Path, metavar="FILE")
    check.set_defaults(run=_check)

    lock = commands.add_parser("lock", help="write knowledge.lock.json")
    lock.set_defaults(run=_lock)

    spec = commands.add_parser("spec", help="write knowledge/SPEC.md from the cases")
    spec.set_defaults(run=_spec)


def _check(options: argparse.Namespace) -> int:
    from cds.config import ConfigError, load, unfit
    from knowledge import library, lock, spec
    from knowledge.errors import KnowledgeError

    problems: list[str] = []
    try:
        knowledge = library.load()
        problems += (*lock.check(), *spec.check())
        if options.config is not None:
            problems += unfit(load(options.config, os.environ), knowledge)
    except KnowledgeError as error:
        problems.append(str(error))
    except ConfigError as error:
        problems += error.problems
    return report(problems)


def _lock(options: argparse.Namespace) -> int:
    from knowledge import lock

    return report(lock.write())


def _spec(options: argparse.Namespace) -> int:
    from knowledge import spec
    from knowledge.errors import KnowledgeError

    try:
        return report(spec.write())
    except KnowledgeError as error:
        return report([str(error)])
