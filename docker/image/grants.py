#!/usr/bin/env python3
"""After `migrate`: what the account that serves may change, from postgresql-grants.sql beside it.

Connects with the owner's URL, `BTCE_STORE` or the file `BTCE_STORE_FILE` names. Changes no table.
"""

import os
import sys
from pathlib import Path

import psycopg
from start import BAD_INPUT, take_secrets


STATEMENTS = Path(__file__).parent / "postgresql-grants.sql"
DRIVER, SCHEME = "postgresql+psycopg://", "postgresql://"
SECONDS = 10
FAILED = 1


def main() -> int:
    """0: granted. 1: the database refused or did not answer. 2: there is no URL of one."""
    refused = take_secrets(os.environ)
    url = os.environ.get("BTCE_STORE", "")
    if refused is None and not url.startswith(DRIVER):
        refused = f"BTCE_STORE: must be {DRIVER}..."
    if refused is not None:
        sys.stderr.write(f"{refused}\n")
        return BAD_INPUT
    try:
        refused = _grant(SCHEME + url.removeprefix(DRIVER), STATEMENTS.read_bytes())
    except psycopg.Error as error:  # its text names hosts and accounts; the kind is enough
        refused = error.sqlstate or type(error).__name__
    if refused is not None:
        sys.stderr.write(f"the grants were not made: {refused}\n")
        return FAILED
    return 0


def _grant(url: str, statements: bytes) -> str | None:
    """All or nothing; the SQLSTATE of a warning: who is no owner gets one, and no error."""
    warnings: list[str] = []

    def heard(notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            warnings.append(notice.sqlstate or "warning")

    with psycopg.connect(url, connect_timeout=SECONDS) as connection:
        connection.add_notice_handler(heard)
        connection.execute(statements)
        if warnings:
            connection.rollback()
    return next(iter(warnings), None)


if __name__ == "__main__":
    sys.exit(main())
