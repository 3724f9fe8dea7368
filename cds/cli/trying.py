"""`try`: the pipeline against any R4 server, for one patient and one drafted order."""

import argparse
import os
import sys
import time
from typing import Any

from cds.arguments import instant, seconds
from cds.cli.printing import BAD_INPUT, FAILED, FORMS, OK
from cds.clock import system_clock


def add(commands: Any) -> None:
    """Add the command of this module."""
    trying = commands.add_parser("try", help="read a patient from any FHIR R4 server and evaluate")
    trying.add_argument("--fhir", required=True, metavar="URL", help="the FHIR base")
    trying.add_argument("--patient", required=True, metavar="ID", help="the id of the Patient")
    trying.add_argument(
        "--order", required=True, metavar="PRODUCT", help="the drafted medicine, by its ingredient"
    )
    trying.add_argument("--protocol", default="us-label", metavar="ID")
    trying.add_argument(
        "--token-env", metavar="NAME", help="the environment variable that holds the access token"
    )
    trying.add_argument("--now", type=instant, metavar="ISO8601", help="with a zone")
    trying.add_argument(
        "--timeout", type=seconds, default=20.0, metavar="S", help="for each read (default 20)"
    )
    trying.add_argument("--format", **FORMS)
    trying.set_defaults(run=_try)


def _try(options: argparse.Namespace) -> int:
    from cds.trying import Options, Trouble, as_json, as_text, try_out
    from fhir_mapping.codes import load_codes
    from knowledge import library

    asked = Options(
        fhir=options.fhir,
        patient=options.patient,
        order=options.order,
        protocol=options.protocol,
        now=options.now or system_clock(),
        token_env=options.token_env,
        seconds=options.timeout,
    )
    try:
        tried = try_out(
            asked, os.environ, library=library.load(), codes=load_codes(), monotonic=time.monotonic
        )
    except Trouble as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    print(as_json(tried) if options.format == "json" else as_text(tried), flush=True)
    if tried.incomplete:
        print(tried.incomplete, file=sys.stderr)
        return FAILED
    return OK
