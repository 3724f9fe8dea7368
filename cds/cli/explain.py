"""`explain`: every stage for CDS Hooks request files."""

import argparse
import sys
from pathlib import Path
from typing import Any

from cds.arguments import instant
from cds.cli.printing import BAD_INPUT, OK
from cds.clock import system_clock


def add(commands: Any) -> None:
    """Add the command of this module."""
    explain = commands.add_parser("explain", help="show every stage for CDS Hooks request files")
    explain.add_argument("files", nargs="+", type=Path, metavar="REQUEST.json")
    explain.add_argument("--protocol", default="us-label", metavar="ID")
    explain.add_argument("--now", type=instant, metavar="ISO8601", help="with a zone")
    explain.add_argument("--format", choices=("json", "text"), default="json")
    explain.add_argument("--fetch", action="store_true", help="read missing data from fhirServer")
    explain.set_defaults(run=_explain)


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
