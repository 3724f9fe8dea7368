"""`canary`: synthetic patients through a deployed service; fails when a card does not come."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from cds.arguments import seconds
from cds.cli.printing import BAD_INPUT, FAILED, OK, takes_config
from cds.clock import system_clock


def add(commands: Any) -> None:
    """Add the command of this module."""
    canary = commands.add_parser("canary", help="send synthetic patients through the service")
    takes_config(canary)
    canary.add_argument("--url", required=True, metavar="URL", help="the service's public URL")
    canary.add_argument("--site", metavar="ID", help="whose rules must come")
    canary.add_argument("--key", type=Path, metavar="FILE", help="a private JWK that signs calls")
    canary.add_argument("--kid", default="", metavar="ID", help="default: that of the key")
    canary.add_argument("--issuer", default="", metavar="ISS", help="who signs, as the site knows")
    canary.add_argument(
        "--token-env", metavar="NAME", help="an environment variable that holds one bearer token"
    )
    canary.add_argument(
        "--timeout", type=seconds, default=10.0, metavar="S", help="for each call (default 10)"
    )
    canary.add_argument(
        "--slowest", type=seconds, default=2.0, metavar="S", help="still good (default 2)"
    )
    canary.set_defaults(run=_canary)


def _canary(options: argparse.Namespace) -> int:
    from cds.canary import Caller, Canary, CannotStart, Outcome, Unreachable, sing, target
    from cds.config import ConfigError, load
    from knowledge import library

    try:
        settings = load(options.config, os.environ)
        chosen = target(
            settings,
            os.environ,
            url=options.url,
            site=options.site,
            token_env=options.token_env,
            key=options.key,
            kid=options.kid,
            issuer=options.issuer,
        )
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return BAD_INPUT
    except CannotStart as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    digest = chosen.site.approved_knowledge or library.load().sha256
    canary = Canary(target=chosen, knowledge=digest, slowest=options.slowest)
    caller = Caller(chosen.url, seconds=options.timeout)
    found: list[Outcome] = []
    try:
        for outcome in sing(canary, caller, system_clock()):
            print(outcome, flush=True)
            found.append(outcome)
    except Unreachable as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    in_part = sum(one.in_part for one in found)
    if in_part:
        print(f"silent site: the cards of {in_part} patients are withheld and were not looked at")
    failed = [one for one in found if one.problems]
    if failed:
        first = failed[0].problems[0]
        print(
            f"CANARY FAILED: {len(failed)} of {len(found)} calls, the first {failed[0].name}:"
            f" {first.wrong}: {first.step}.",
            file=sys.stderr,
        )
        return FAILED
    print(
        f"all {len(found)} calls as they must be; knowledge {digest[:12]}, not clinically reviewed"
    )
    return OK
