"""What the command line and the application really have, for words that stand in other files."""

import tempfile
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from cds.app import create_app
from cds.cli import main
from cds.clock import system_clock
from cds.config import Settings
from cds.store import Spool, open_store
from cds.store.migrations import migrate
from fhir_mapping.codes import load_codes
from knowledge import library


def refused_words(words: list[str]) -> list[str]:
    """The command, or its options, that the program does not know."""
    command, *options = words
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said), pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    if ended.value.code != 0:
        return [command]
    known = said.getvalue().replace(",", " ").replace("]", " ").replace("[", " ").split()
    return [word for word in options if word.startswith("--") and word not in known]


def routes(settings: Settings) -> set[str]:
    """The paths of the application that such settings make."""
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'store.db'}"
        migrate(url)
        store = open_store(url)
        app = create_app(
            settings,
            library=library.load(),
            codes=load_codes(),
            clock=system_clock,
            store=store,
            spool=Spool(Path(name) / "spool"),
        )
        found = {rule.rule for rule in app.url_map.iter_rules()}
        store.close()
    return found
