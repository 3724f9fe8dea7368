"""`subscriptions`: what this service asks the FHIR servers of its sites to notify."""

import argparse
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from cds.cli.printing import report, show, takes_config


def add(commands: Any) -> None:
    """Add the commands of this module."""
    subscriptions = commands.add_parser(
        "subscriptions", help="create, check, renew or remove FHIR Subscriptions for the cohort"
    )
    actions = subscriptions.add_subparsers(required=True, metavar="ACTION")
    create = actions.add_parser("create", help="what the patients watched now lack")
    create.add_argument("--kind", choices=("rest-hook", "topic"), default="rest-hook")
    create.add_argument("--content", choices=("empty", "id-only", "full-resource"), default="empty")
    create.add_argument("--topic", default="", metavar="URL", help="the canonical of the topic")
    create.add_argument("--type", action="append", default=[], metavar="TYPE", dest="types")
    create.set_defaults(run=_create)
    check = actions.add_parser("check", help="what is wrong; changes nothing")
    check.set_defaults(run=_check)
    renew = actions.add_parser("renew", help="put right what check finds")
    renew.set_defaults(run=_renew)
    remove = actions.add_parser("remove", help="remove them")
    remove.add_argument(
        "--strangers", action="store_true", help="and what sends here and is not known"
    )
    remove.set_defaults(run=_remove)
    for one in (create, check, renew, remove):
        takes_config(one)
        one.add_argument("--site", metavar="ID", help="only this one")


def _create(options: argparse.Namespace) -> int:
    from cds.subscriptions.commands import create_subscriptions
    from cds.subscriptions.plan import TYPES, Shape

    def lines() -> Iterator[str]:
        shape = Shape(
            kind=options.kind,
            content=options.content,
            topic=options.topic,
            types=tuple(options.types) or TYPES,
        )
        yield from create_subscriptions(options.config, os.environ, site=options.site, shape=shape)

    return _shown(lines)


def _check(options: argparse.Namespace) -> int:
    from cds.subscriptions.commands import check_subscriptions

    return _shown(partial(check_subscriptions, options.config, os.environ, site=options.site))


def _renew(options: argparse.Namespace) -> int:
    from cds.subscriptions.commands import renew_subscriptions

    return _shown(partial(renew_subscriptions, options.config, os.environ, site=options.site))


def _remove(options: argparse.Namespace) -> int:
    from cds.subscriptions.commands import remove_subscriptions

    every = options.strangers
    return _shown(
        partial(
            remove_subscriptions, options.config, os.environ, site=options.site, strangers=every
        )
    )


def _shown(lines: Callable[[], Iterator[str]]) -> int:
    from cds.subscriptions.commands import Unfinished

    try:
        return show(lines())
    except Unfinished as error:
        return report(error.problems)
