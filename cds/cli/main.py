"""The command line: parses arguments, prints, chooses the exit status; only this module prints.

Each command imports what it needs, so that `--help` stays quick.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cds import __version__
from cds.arguments import instant, since
from cds.clock import system_clock


OK, FAILED, BAD_INPUT = 0, 1, 2
_SINCE = "a day, from midnight UTC, or an ISO 8601 time with a zone"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="btce-cds",
        description="CDS Hooks service for CRS and ICANS in patients on bispecific T-cell engagers."
        " Not clinically reviewed.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the service")
    serve.add_argument("--config", required=True, type=Path, metavar="FILE")
    serve.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default 1)")
    serve.set_defaults(run=_serve)

    demo = commands.add_parser("demo", help="run the demo on the loopback address")
    demo.add_argument("--port", type=int, default=8080)
    demo.set_defaults(run=_demo)

    check = commands.add_parser(
        "check", help="check the knowledge, its lock and SPEC.md, a configuration"
    )
    check.add_argument("--config", type=Path, metavar="FILE")
    check.set_defaults(run=_check)

    lock = commands.add_parser("lock", help="write knowledge.lock.json")
    lock.set_defaults(run=_lock)

    spec = commands.add_parser("spec", help="write knowledge/SPEC.md from the cases")
    spec.set_defaults(run=_spec)

    _add_store_commands(commands)

    explain = commands.add_parser("explain", help="show every stage for CDS Hooks request files")
    explain.add_argument("files", nargs="+", type=Path, metavar="REQUEST.json")
    explain.add_argument("--protocol", default="us-label", metavar="ID")
    explain.add_argument("--now", type=instant, metavar="ISO8601", help="with a zone")
    explain.add_argument("--format", choices=("json", "text"), default="json")
    explain.add_argument("--fetch", action="store_true", help="read missing data from fhirServer")
    explain.set_defaults(run=_explain)
    return parser


def _add_store_commands(commands: Any) -> None:
    forms = {"choices": ("text", "json"), "default": "text"}
    migrate = commands.add_parser("migrate", help="create the store or bring it up to date")
    migrate.set_defaults(run=_migrate)

    feedback = commands.add_parser("feedback", help="what users did with the cards, by topic")
    feedback.add_argument("--since", required=True, type=since, metavar="DATE", help=_SINCE)
    feedback.add_argument("--format", **forms)
    feedback.set_defaults(run=_feedback)

    audit = commands.add_parser("audit", help="list the decisions made under a knowledge")
    audit.add_argument("--knowledge", required=True, metavar="SHA", help="8 to 64 digits of it")
    audit.add_argument("--since", type=since, metavar="DATE", help=_SINCE)
    audit.add_argument("--rule", action="append", default=[], metavar="ID", help="only with these")
    audit.add_argument("--format", **forms)
    audit.set_defaults(run=_audit)
    for command in (migrate, feedback, audit):
        command.add_argument("--config", required=True, type=Path, metavar="FILE")


def _serve(options: argparse.Namespace) -> int:
    from cds.config import ConfigError, load
    from cds.serving import run
    from cds.store import StoreDown
    from cds.store.migrations import migrate

    try:
        settings = load(options.config, os.environ)
    except ConfigError as error:
        return _report(error.problems)
    try:
        # One file on this machine is made ready here; a database that several share is not touched.
        if settings.store.startswith("sqlite"):
            migrate(settings.store)
    except StoreDown as error:  # /readyz says so too; the hook answers and decisions are spooled
        _report([f"store: {error.cause}; decisions wait in the spool until it is back"])
    run(settings, options.config, workers=options.workers)
    return OK


def _demo(options: argparse.Namespace) -> int:
    from cds.demo.server import run

    try:
        run(options.port, lambda line: print(line, flush=True))
    except OSError as error:
        print(f"port {options.port}: {error.strerror}", file=sys.stderr)
        return FAILED
    return OK


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
    return _report(problems)


def _lock(options: argparse.Namespace) -> int:
    from knowledge import lock

    return _report(lock.write())


def _spec(options: argparse.Namespace) -> int:
    from knowledge import spec
    from knowledge.errors import KnowledgeError

    try:
        return _report(spec.write())
    except KnowledgeError as error:
        return _report([str(error)])


def _migrate(options: argparse.Namespace) -> int:
    from cds.commands import migrate_store

    return _print(migrate_store(options.config, os.environ))


def _feedback(options: argparse.Namespace) -> int:
    from cds.commands import report_feedback

    lines = report_feedback(options.config, os.environ, since=options.since, form=options.format)
    return _print(lines)


def _audit(options: argparse.Namespace) -> int:
    from cds.commands import list_affected

    lines = list_affected(
        options.config,
        os.environ,
        knowledge=options.knowledge,
        since=options.since,
        rules=options.rule,
        form=options.format,
    )
    return _print(lines)


def _explain(options: argparse.Namespace) -> int:
    from cds.explain import explain
    from fhir_mapping.codes import load_codes
    from knowledge import library

    knowledge, codes = library.load(), load_codes()
    if options.protocol not in knowledge.protocols:
        known = ", ".join(sorted(knowledge.protocols))
        print(f"--protocol: {options.protocol} is not one of {known}", file=sys.stderr)
        return BAD_INPUT
    status = OK
    for path in options.files:
        now = options.now or system_clock()
        found = explain(
            path,
            protocol=options.protocol,
            library=knowledge,
            codes=codes,
            now=now,
            fetch=options.fetch,
        )
        for line in found.failed:
            print(f"{path}: not fetched: {line}", file=sys.stderr)
        print(found.json if options.format == "json" else found.text, flush=True)
        if found.refused:
            print(found.refused, file=sys.stderr)
            status = BAD_INPUT
    return status


def _print(lines: Iterable[str]) -> int:
    """Print what a command about the store says; why it cannot is one of three kinds."""
    from cds.config import ConfigError
    from cds.store import StoreDown

    try:
        for line in lines:
            print(line)
    except ConfigError as error:
        return _report(error.problems)
    except StoreDown as error:
        return _report([f"store: {error.cause}"])
    except ValueError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:  # who reads has seen enough, as `head` has; nothing more is flushed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


def _report(problems: Sequence[str]) -> int:
    for problem in problems:
        print(problem, file=sys.stderr)
    return FAILED if problems else OK
