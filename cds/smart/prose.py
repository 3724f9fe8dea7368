"""The text of a card's detail as blocks a template can show: headings, lists, paragraphs.

Undoes the escapes of that text, for Jinja escapes it in its own way; makes no HTML and words
nothing. Reads only the subset that `cards.detail` writes.
"""

import re
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct


_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_ITEM = "- "


class Block(Struct, frozen=True):
    """One heading, paragraph or list. `lines`: one for a heading or paragraph, else the items."""

    kind: Literal["heading", "paragraph", "list"]
    lines: tuple[str, ...]


def unescaped(text: str) -> str:
    """The text as its reader is to see it."""
    return _ESCAPED.sub(r"\1", text)


def blocks(text: str, *, under: str = "") -> tuple[Block, ...]:
    """The blocks of one detail, or of one section of it.

    `under`: the title it is shown under; a heading that only repeats it is left out.
    """
    found: list[Block] = []
    for part in text.split("\n\n"):
        found += _part(part.split("\n"))
    if found and found[0] == Block("heading", (under,)):
        return tuple(found[1:])
    return tuple(found)


def _part(lines: Sequence[str]) -> list[Block]:
    """A title line has a list right below it; every other line is a paragraph of its own."""
    found: list[Block] = []
    items: list[str] = []
    for number, line in enumerate(lines):
        if line.startswith(_ITEM):
            items.append(unescaped(line.removeprefix(_ITEM)))
            continue
        if items:
            found.append(Block("list", tuple(items)))
            items = []
        titles = number + 1 < len(lines) and lines[number + 1].startswith(_ITEM)
        if line:
            found.append(Block("heading" if titles else "paragraph", (unescaped(line),)))
    return [*found, *([Block("list", tuple(items))] if items else [])]
