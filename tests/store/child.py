"""What another process does to the same database; run as `python -m tests.store.child`."""

import resource
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from cds.store import SpoolDown, StoreDown, open_store
from cds.store.migrations import migrate
from cds.store.spool import Spool
from tests.store.rows import NOW, card, decision, uuid


def main(what: str, *arguments: str) -> None:
    """Do one of the things below."""
    DEEDS[what](*arguments)


def first_use(url: str, rounds: str) -> None:
    """One line a JWT id: whether this process was the first."""
    store = open_store(url, wait=20)
    _say("ready")
    sys.stdin.readline()
    for number in range(int(rounds)):
        _say(str(store.first_use("https://a", f"id {number}", NOW + timedelta(hours=1), NOW)))


def record(url: str, name: str) -> None:
    """Record for ever; each id is said after the store has returned, never before."""
    store = open_store(url, wait=20)
    number = 0
    while True:
        one = f"{name} {number}"
        store.record(decision(one, cards=(card(f"{one} a"), card(f"{one} b"))))
        _say(uuid(one))
        number += 1


def drain(url: str, folder: str) -> None:
    """Put what waits there into the store."""
    store = open_store(url, wait=20)
    _say("ready")
    sys.stdin.readline()
    _say(str(Spool(Path(folder)).drain(store).stored))


def no_space(url: str, folder: str) -> None:
    """Files may not grow any more: as on a full disk. Then the spool has no room either."""
    store = open_store(url)
    store.ready()
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    try:
        store.record(decision(assessment="x" * 200_000))
    except StoreDown as down:
        _say(f"store-down {down.cause}")
    try:
        Spool(Path(folder)).keep(decision(assessment="x" * 200_000))
    except SpoolDown as down:
        _say(down.code)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    store.record(decision("afterwards"))
    _say("stored")


def run_migrations(url: str) -> None:
    """Bring the database up to date."""
    _say("ready")
    sys.stdin.readline()
    migrate(url)
    _say("migrated")


DEEDS: dict[str, Callable[..., None]] = {
    "first_use": first_use,
    "record": record,
    "drain": drain,
    "no_space": no_space,
    "migrate": run_migrations,
}


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
