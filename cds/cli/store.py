"""`migrate`, `feedback`, `audit`, `store`: what is kept."""

import argparse
import os
from pathlib import Path
from typing import Any

from cds.arguments import since
from cds.cli.printing import FAILED, FORMS, show, takes_config
from cds.clock import system_clock


_DAY = "a day, from midnight UTC, or an ISO 8601 time with a zone"


def add(commands: Any) -> None:
    """Add the commands of this module."""
    migrate = commands.add_parser("migrate", help="create the store or bring it up to date")
    takes_config(migrate)
    migrate.set_defaults(run=_migrate)

    feedback = commands.add_parser("feedback", help="what users did with the cards, by topic")
    takes_config(feedback)
    feedback.add_argument("--since", required=True, type=since, metavar="DATE", help=_DAY)
    feedback.add_argument("--format", **FORMS)
    feedback.set_defaults(run=_feedback)

    _add_audit(commands.add_parser("audit", help="list, verify or recompute what was decided"))
    _add_store(commands.add_parser("store", help="copy, fill or prune the store"))


def _add_audit(audit: argparse.ArgumentParser) -> None:
    audit.add_argument(
        "action",
        nargs="?",
        choices=("list", "verify", "recompute"),
        default="list",
        help="list the decisions of a knowledge (default); verify that nothing kept was changed;"
        " make decisions again and compare",
    )
    audit.add_argument("ids", nargs="*", metavar="ID", help="recompute: these decisions")
    takes_config(audit)
    audit.add_argument("--knowledge", metavar="SHA", help="list: 8 to 64 digits of its digest")
    audit.add_argument("--rule", action="append", default=[], metavar="ID", help="list: with these")
    audit.add_argument("--since", type=since, metavar="DATE", help=_DAY)
    audit.add_argument("--until", type=since, metavar="DATE", help="recompute: before that")
    audit.add_argument("--site", metavar="ID", help="verify, recompute: of this site")
    audit.add_argument(
        "--noted",
        action="append",
        default=[],
        metavar="SITE:N:LINK",
        help="verify: a head as it was printed before",
    )
    audit.add_argument("--show-values", action="store_true", help="recompute: with clinical values")
    audit.add_argument("--format", **FORMS)
    audit.set_defaults(run=_audit, refuse=audit.error)


def _add_store(store: argparse.ArgumentParser) -> None:
    actions = store.add_subparsers(required=True, metavar="ACTION")
    backup = actions.add_parser("backup", help="a copy while the service runs")
    restore = actions.add_parser("restore", help="a copy into a database that holds nothing")
    for one in (backup, restore):
        takes_config(one)
        one.add_argument("file", type=Path, metavar="FILE")
    backup.set_defaults(run=_backup)
    restore.set_defaults(run=_restore)
    prune = actions.add_parser("prune", help="remove what is older than the site keeps")
    takes_config(prune)
    prune.add_argument("--before", required=True, type=since, metavar="DATE", help=_DAY)
    prune.add_argument("--site", metavar="ID")
    prune.set_defaults(run=_prune)


def _migrate(options: argparse.Namespace) -> int:
    from cds.commands import migrate_store

    return show(migrate_store(options.config, os.environ))


def _feedback(options: argparse.Namespace) -> int:
    from cds.commands import report_feedback

    lines = report_feedback(options.config, os.environ, since=options.since, form=options.format)
    return show(lines)


def _audit(options: argparse.Namespace) -> int:
    if options.action == "recompute":
        return _recompute(options)
    if options.action == "verify":
        from cds.store_commands import verify_chain

        noted = tuple(options.noted)
        return show(verify_chain(options.config, os.environ, site=options.site, noted=noted))
    if options.knowledge is None:
        options.refuse("--knowledge is required to list")
    from cds.commands import list_affected

    lines = list_affected(
        options.config,
        os.environ,
        knowledge=options.knowledge,
        since=options.since,
        rules=options.rule,
        form=options.format,
    )
    return show(lines)


def _recompute(options: argparse.Namespace) -> int:
    from cds.commands import recompute_decisions
    from cds.recompute_report import SomeDiffer

    lines = recompute_decisions(
        options.config,
        os.environ,
        ids=options.ids,
        since=options.since,
        until=options.until,
        site=options.site,
        form=options.format,
        show_values=options.show_values,
    )
    try:
        return show(lines)
    except SomeDiffer:  # its lines say which
        return FAILED


def _backup(options: argparse.Namespace) -> int:
    from cds.store_commands import back_up

    return show(back_up(options.config, os.environ, options.file))


def _restore(options: argparse.Namespace) -> int:
    from cds.store_commands import restore

    return show(restore(options.config, os.environ, options.file))


def _prune(options: argparse.Namespace) -> int:
    from cds.store_commands import remove_old

    lines = remove_old(
        options.config,
        os.environ,
        before=options.before,
        now=system_clock(),
        site=options.site,
    )
    return show(lines)
