"""That this server is about to end: said by its main process, read by every worker of it.

A file in a folder of their own; the workers learn of the folder from their environment. It says so
and nothing else: who stops sending calls then, and when the process ends, is decided elsewhere.
"""

from collections.abc import Mapping
from pathlib import Path


FOLDER = "BTCE_CDS_DRAINING"  # set by `cds.serving` for its workers, not by operators
_MARKER = "draining"


def announce(folder: Path) -> None:
    """Say it, to every process that was given `folder`. Again changes nothing."""
    (folder / _MARKER).touch()


def announced(environ: Mapping[str, str]) -> bool:
    """Whether the server this process belongs to said so; never outside of such a server."""
    folder = environ.get(FOLDER)
    return bool(folder) and (Path(folder or "") / _MARKER).exists()
