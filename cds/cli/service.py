"""`serve`, `worker`, `demo`: what runs until it is told to end."""

import argparse
import os
import sys
from typing import Any

from cds.cli.printing import FAILED, OK, report, takes_config


def add(commands: Any) -> None:
    """Add the commands of this module."""
    serve = commands.add_parser("serve", help="run the service")
    takes_config(serve)
    serve.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default 1)")
    serve.add_argument(
        "--drain-seconds",
        type=float,
        default=0,
        metavar="N",
        help="after SIGTERM, how long /readyz says so before the service ends (default 0)",
    )
    serve.set_defaults(run=_serve)

    worker = commands.add_parser("worker", help="grade again what changed between hook calls")
    takes_config(worker)
    worker.add_argument("--once", action="store_true", help="end when nothing is due")
    worker.set_defaults(run=_worker)

    demo = commands.add_parser("demo", help="run the demo on the loopback address")
    demo.add_argument("--port", type=int, default=8080)
    demo.set_defaults(run=_demo)


def _serve(options: argparse.Namespace) -> int:
    from cds.config import ConfigError, load
    from cds.serving import run

    try:
        settings = load(options.config, os.environ)
    except ConfigError as error:
        return report(error.problems)
    _make_ready(settings.store)
    run(settings, options.config, workers=options.workers, drain_seconds=options.drain_seconds)
    return OK


def _worker(options: argparse.Namespace) -> int:
    from cds.config import ConfigError, load
    from cds.store import StoreDown
    from cds.store.errors import AnotherWorker
    from cds.working import run

    try:
        settings = load(options.config, os.environ)
        _make_ready(settings.store)
        run(settings, once=options.once)
    except ConfigError as error:
        return report(error.problems)
    except StoreDown as error:
        return report([f"store: {error.cause}"])
    except AnotherWorker as error:
        return report([error.message])
    return OK


def _make_ready(url: str) -> None:
    """One file on this machine is made ready here; a database that several share is not touched."""
    from cds.store import StoreDown
    from cds.store.migrations import migrate

    try:
        if url.startswith("sqlite"):
            migrate(url)
    except StoreDown as error:  # /readyz says so too; the hook answers and decisions are spooled
        report([f"store: {error.cause}; decisions wait in the spool until it is back"])


def _demo(options: argparse.Namespace) -> int:
    from cds.demo.server import run

    try:
        run(options.port, lambda line: print(line, flush=True))
    except OSError as error:
        print(f"port {options.port}: {error.strerror}", file=sys.stderr)
        return FAILED
    return OK
