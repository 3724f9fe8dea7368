"""The parts of a page in words: titled sections of card text, and tables of cited lines.

Values only, in the same escaped Markdown as a card's detail; it words and decides nothing.
"""

from msgspec import Struct

from cards.model import Indicator


class Line(Struct, frozen=True):
    """One row of a table: what, its value, and where that is from. An empty value is a blank."""

    label: str
    value: str
    source: str = ""


class Section(Struct, frozen=True, kw_only=True):
    """One part of a page under its own title. `code` is stable; `texts` are as in a detail."""

    code: str
    title: str
    texts: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.lines and not any(self.texts)


class Lead(Struct, frozen=True):
    """One summary sentence, as a card has it."""

    summary: str
    indicator: Indicator


class Sheet(Struct, frozen=True):
    """Everything of one page: what comes first, then the sections that have something to say."""

    leads: tuple[Lead, ...]
    sections: tuple[Section, ...]


def filled(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Those that are not empty, without their empty texts."""
    return tuple(
        Section(
            code=one.code,
            title=one.title,
            texts=tuple(text for text in one.texts if text),
            lines=one.lines,
        )
        for one in sections
        if not one.empty
    )
