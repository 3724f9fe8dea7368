"""Reading the documents: links, anchors, code spans and blocks; judges nothing."""

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct


ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_FENCE = re.compile(r"^( *)```([\w-]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
_LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
# At the beginning, after a prompt, a folder or another command; not as the value of an option.
_COMMAND = re.compile(r"(?:(?:^|[`$/&] ?)btce-cds|python -m cds) ([a-z][^`]*)")


class Block(Struct, frozen=True):
    """A fenced block: its language and its text, without the indent of the fence."""

    language: str
    text: str


def documents() -> list[str]:
    """Every Markdown document under docs/, relative to the root, in order."""
    return [path.relative_to(ROOT).as_posix() for path in sorted(DOCS.rglob("*.md"))]


def text(document: str) -> str:
    """A document as it is written."""
    return (ROOT / document).read_text("utf-8")


def blocks(document: str, language: str = "") -> list[Block]:
    """The fenced blocks, of one language or all."""
    found = [
        Block(kind, re.sub(rf"^{indent}", "", body, flags=re.MULTILINE))
        for indent, kind, body in _FENCE.findall(text(document))
    ]
    return [block for block in found if language in {"", block.language}]


def prose(document: str) -> str:
    """A document without its fenced blocks."""
    return _FENCE.sub("", text(document))


def spans(document: str) -> list[str]:
    """Code inside sentences, on one line each."""
    return [" ".join(span.split()) for span in _SPAN.findall(prose(document))]


def commands(document: str) -> list[str]:
    """What is written after `btce-cds` or `python -m cds`, in blocks and sentences."""
    lines = [line for block in blocks(document) for line in block.text.splitlines()]
    found = []
    for code in (*lines, *spans(document)):
        found += _COMMAND.findall(code)
    return found


def links(document: str) -> list[tuple[str, str]]:
    """Relative links as path and anchor; the path is empty within the document."""
    found = [link.partition("#") for link in _LINK.findall(prose(document))]
    return [(path, anchor) for path, _, anchor in found]


def anchors(document: str) -> frozenset[str]:
    """The anchors that a renderer as GitHub's makes of the headings."""
    return frozenset(_anchors(prose(document)))


def _anchors(written: str) -> Iterator[str]:
    seen: dict[str, int] = {}
    for heading in _HEADING.findall(written):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        again = seen.get(name, 0)
        seen[name] = again + 1
        yield f"{name}-{again}" if again else name
