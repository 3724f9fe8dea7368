"""Whether a file holds a secret as this service sends or compares it."""

from collections.abc import Iterator
from pathlib import Path


def secret_problems(file: Path | None, at: str, least: int) -> Iterator[str]:
    """What is wrong with the file; None: refused already. `least`: characters."""
    if file is None:
        return
    try:
        found = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        yield f"{at}: cannot be read as plain text"
        return
    if len(found) < least or not found.isprintable() or " " in found:
        yield f"{at}: must hold at least {least} printable characters without a space"
