"""`replay`: silent-mode evidence from saved requests and exports, written as a report."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from cds.cli.printing import BAD_INPUT, FAILED, FORMS, OK


def add(commands: Any) -> None:
    """Add the command of this module."""
    replay = commands.add_parser(
        "replay", help="evaluate saved requests and NDJSON exports as of their own times"
    )
    replay.add_argument("folder", type=Path, metavar="DIR")
    replay.add_argument("--config", type=Path, metavar="FILE", help="take a site's settings")
    replay.add_argument("--site", metavar="ID", help="which site of --config")
    replay.add_argument("--protocol", metavar="ID", help="default: the site's, or us-label")
    replay.add_argument(
        "--against", type=Path, metavar="KNOWLEDGE_DIR", help="compare with other knowledge data"
    )
    replay.add_argument("--out", type=Path, metavar="DIR", help="write report.json, report.html")
    replay.add_argument(
        "--ignore-last-updated",
        action="store_true",
        help="meta.lastUpdated is the day of the export, not of charting",
    )
    replay.add_argument("--format", **FORMS)
    replay.set_defaults(run=_replay)


def _replay(options: argparse.Namespace) -> int:
    from cds.config import ConfigError
    from cds.replay import CannotReplay, replay
    from cds.replay.choosing import Choice, setup_of
    from cds.replay.page import page
    from cds.replay.reporting import as_json
    from cds.replay.summary import summary
    from cds.replay.writing import refuse_inside, write
    from fhir_mapping.codes import CodesError
    from knowledge.errors import KnowledgeError

    choice = Choice(
        config=options.config,
        site=options.site,
        protocol=options.protocol,
        against=options.against,
        updates=not options.ignore_last_updated,
    )
    try:
        if options.out is not None:
            refuse_inside(options.out, options.folder)
        done = replay(options.folder, setup_of(choice, os.environ), monotonic=time.monotonic)
    except (ConfigError, CodesError) as error:
        return _refuse(error.problems, BAD_INPUT)
    except (KnowledgeError, CannotReplay) as error:
        return _refuse([str(error)], BAD_INPUT)
    if options.out is not None:
        try:
            write(options.out, done, page(done.report))
        except OSError as error:
            said = f"--out: the report cannot be written ({error.strerror}): name another folder"
            return _refuse([said], FAILED)
    found = as_json(done.report).decode() if options.format == "json" else summary(done.report)
    print(found, end="", flush=True)
    took = done.timing
    print(
        f"{took.moments} moments in {took.seconds} s: median {took.median_ms} ms,"
        f" 95 % within {took.p95_ms} ms, longest {took.longest_ms} ms",
        file=sys.stderr,
    )
    return OK


def _refuse(problems: Any, status: int) -> int:
    for problem in problems:
        print(problem, file=sys.stderr)
    return status
