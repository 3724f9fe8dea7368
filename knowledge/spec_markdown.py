"""Tables and lists of the specification as Markdown lines; knows no clinical word."""

from collections.abc import Iterable


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A table and an empty line; no cell can break out of its place."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *([_cell(text) for text in row] for row in rows)]
    return [*(f"| {' | '.join(line)} |" for line in lines), ""]


def bullets(title: str, items: Iterable[str]) -> list[str]:
    """A titled list and an empty line; nothing where there are no items."""
    found = [f"* {' '.join(text.split())}" for text in items]
    return [f"{title}:", "", *found, ""] if found else []


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
