"""A migrated SQLite file for a test: a copy, because migrating takes a hundred times as long.

The migrations themselves are tested in `tests/store/test_migrations.py`.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cds.store.migrations import migrate


def migrated(file: Path) -> str:
    """The URL of `file`, made anew with all tables and nothing in them."""
    file.write_bytes(_template())
    file.chmod(0o600)
    return f"sqlite:///{file}"


@cache
def _template() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "store.db"
        migrate(f"sqlite:///{file}")
        return file.read_bytes()
