"""Which URL is a read below one FHIR base: told from the characters alone, nothing is resolved.

Two readers of one odd URL may see two hosts (a backslash, an escaped slash, a full stop too many).
A link that needs a second look is therefore not followed: the query then counts as incomplete.
"""

import re
from urllib.parse import urlsplit


LONGEST = 8192
_PORTS = {"https": 443, "http": 80}
# Printable ASCII without the space, quotes, angle brackets, backslash, caret, backtick and braces;
# `|` is in: servers write it as it is in a token parameter of a `next` link.
_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z|~]+")
# FHIR R4 http, "Service Base URL": type, id, `$operation`, `_search`, `_history`. No escapes, no
# `..`, no `;`, no empty segment.
_TAIL = re.compile(r"(?:/[A-Za-z0-9_$-][A-Za-z0-9_$.-]*)+/?")


def is_below(base: str, url: str) -> bool:
    """Whether the absolute `url` reads something on `base`, spelled without any doubt.

    Also the base itself with a query: that is how HAPI FHIR writes the link to a next page.
    """
    if len(url) > LONGEST or not _PLAIN.fullmatch(url) or "#" in url:
        return False
    own, other = _root(base), _root(url)
    if own is None or other is None or own != other:
        return False
    path, query = urlsplit(url).path, urlsplit(url).query
    root = urlsplit(base).path.rstrip("/")
    if not path.startswith(root):
        return False
    tail = path[len(root) :]
    if tail in {"", "/"}:
        return bool(query)
    return _TAIL.fullmatch(tail) is not None


def _root(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None where there is no host or a user name stands before it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # a bracket left open, a port that is no number
        return None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, _PORTS[parts.scheme] if port is None else port
