"""Makes text from the record harmless in a card; owns no sentence.

`source.label` and summaries are plain text, `detail` is GitHub-flavoured Markdown: the same words
need another treatment in each.
"""

import re
import unicodedata


# Control, format (bidirectional overrides among them), surrogate, private and unassigned
# characters, line and paragraph separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKUP = re.compile(r"[\\`*_<>|~&]|^#|\](?=[(\[:])")
# GFM turns a bare address into a link; an escaped sign in it stops that.
_ADDRESS = re.compile(r"(?<=\w)(:(?=//)|@(?=[\w-]+\.))|(?<=\bwww)\.", re.IGNORECASE)
# Text without any of these, which is most of it, has no sign to escape and no address.
_SUSPECT = re.compile(r"[\\`*_\[\]<>#|~&@:]|[Ww]\.")


def plain(text: str) -> str:
    """One line without characters that hide, reorder or break text."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    shown = "".join(" " if unicodedata.category(c) in _INVISIBLE else c for c in text)
    return " ".join(shown.split())


def markdown(text: str) -> str:
    """One line that a Markdown reader shows as it is: no emphasis, link, HTML or entity."""
    line = plain(text)
    if _SUSPECT.search(line) is None:
        return line
    return _ADDRESS.sub(r"\\\g<0>", _MARKUP.sub(r"\\\g<0>", line))


def name(text: str) -> str:
    """One line for a summary, where Markdown signs are dropped: some clients render them."""
    return plain(_MARKUP.sub(" ", text))
