"""`doctor`: whether a configured site would work, check by check."""

import argparse
import os
import sys
import time
from typing import Any

from cds.arguments import seconds
from cds.cli.printing import BAD_INPUT, FAILED, FORMS, OK, takes_config
from cds.clock import system_clock


def add(commands: Any) -> None:
    """Add the command of this module."""
    doctor = commands.add_parser("doctor", help="check the servers of a site and what it charts")
    takes_config(doctor)
    doctor.add_argument("--site", metavar="ID", help="only this one")
    doctor.add_argument(
        "--patient", metavar="ID", help="whose queries are tried; default: one on a bispecific"
    )
    doctor.add_argument(
        "--token-env",
        metavar="NAME",
        help="the environment variable that holds a token, for a site without [backend]",
    )
    doctor.add_argument(
        "--timeout", type=seconds, default=20.0, metavar="S", help="for each read (default 20)"
    )
    doctor.add_argument("--format", **FORMS)
    doctor.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    from cds.config import ConfigError, load, site_codes
    from cds.doctor import Examination, Finding, examine, sites_of
    from cds.doctor.report import as_json, line, summary
    from cds.trying import Trouble
    from cds.trying.options import patient_from, token_from
    from fhir_mapping.codes import load_codes
    from knowledge import library

    try:
        settings = load(options.config, os.environ)
        sites = sites_of(settings, options.site)
        token = token_from(options.token_env, os.environ)
        patient = patient_from(options.patient)
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return BAD_INPUT
    except Trouble as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    own, _ = site_codes(settings)  # sound: the configuration is loaded with them
    by = Examination(
        settings=settings,
        library=library.load(),
        codes={site.id: own.get(site.id) or load_codes() for site in sites},
        clock=system_clock,
        monotonic=time.monotonic,
        patient=patient,
        token=token,
        seconds=options.timeout,
    )
    found: dict[str, list[Finding]] = {}
    for site in sites:
        kept = found.setdefault(site.id, [])
        for one in examine(site, by):
            kept.append(one)
            if options.format == "text":
                print(line(site.id, one), flush=True)
    if options.format == "json":
        print(as_json(found, reviewed=by.library.clinically_reviewed), flush=True)
    failed = summary(
        {site: [one for one in every if one.status == "FAIL"] for site, every in found.items()}
    )
    if failed:
        print(failed, file=sys.stderr)
    return FAILED if failed else OK
