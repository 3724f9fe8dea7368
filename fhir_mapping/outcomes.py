"""What a server says about its own answer: that it failed, held something back, or ignored a part.

It reads notes and links, no clinical resource.
"""

import re
from collections.abc import Iterable

import msgspec

from fhir_mapping.resources import Link, OperationOutcome


_SEVERE = frozenset({"error", "fatal"})
_WITHHELD = "suppressed"
_NOT_UNDERSTOOD = frozenset({"invalid", "not-supported"})
_SORT = re.compile(r"[?&]_sort=")


def trouble_of(outcome: OperationOutcome) -> str:
    """Why the query does not count as answered, or nothing: a plain warning is only a note.

    FHIR R4 IssueType `suppressed`: information was not, or might not have been, returned.
    """
    if any(issue.severity in _SEVERE for issue in outcome.issue):
        return "the server reported an error for this query"
    if any(issue.code == _WITHHELD for issue in outcome.issue):
        return "the server withheld results of this query"
    return ""


def ignored_any(outcome: OperationOutcome) -> bool:
    """Whether a note says that a part of the query was not understood: it may be the order."""
    return any(issue.code in _NOT_UNDERSTOOD for issue in outcome.issue)


def was_sorted(links: Iterable[Link]) -> bool:
    """Whether nothing says that the order asked for was not kept.

    FHIR R4 search, "Server Conformance": the `self` link has the parameters that were used. Without
    such a link the server does not say.
    """
    for link in links:
        if link.relation == "self":
            used = _text(link)
            return not used or _SORT.search(used) is not None
    return True


def _text(link: Link) -> str:
    try:
        return msgspec.json.decode(link.url, type=str) if link.url else ""
    except msgspec.DecodeError:
        return ""
