"""How a source is named in a card: the citation line, the card's source and its topic."""

import re
from collections.abc import Iterable
from datetime import date
from urllib.parse import urlsplit

from cards.escape import name
from cards.model import Coding, Source
from cards.units import day
from knowledge.assessment import Assessment
from knowledge.decision import Citation


TOPIC_SYSTEM = "https://btce-cds.org/fhir/CodeSystem/card-topic"
NOT_REVIEWED = "not clinically reviewed"
_RULE = re.compile(r"\brule ([\w.-]+@[0-9]+#[\w.-]+)")


def review(reviewed_by: str) -> str:
    """Who reviewed the rule: nobody, until a clinical role is named."""
    return NOT_REVIEWED if reviewed_by in ("", "none") else f"reviewed by {reviewed_by}"


def document(citation: Citation) -> str:
    """Title, publisher, date and place, saying which of them our copy does not state."""
    publisher = citation.publisher or "publisher not stated in our copy"
    published = day(citation.published) if citation.published else "date not stated in our copy"
    return f"{citation.title}, {publisher}, {published}, {citation.at}"


def line(citation: Citation) -> str:
    """The whole citation, as one line of a card's detail."""
    return f"{document(citation)}; rule {citation.rule}; {review(citation.reviewed_by)}"


def rules_in(sections: Iterable[str]) -> frozenset[str]:
    """The rules that the lines of a detail name, by "file@version#row"."""
    return frozenset(found for text in sections for found in _RULE.findall(text))


def grouped(lines: Iterable[tuple[str, Citation]]) -> list[str]:
    """Each sentence with its place, then each document once; numbered where there are several."""
    pairs = list(lines)
    documents = list(dict.fromkeys(without_place(citation) for _, citation in pairs))
    if len(documents) == 1:
        told = [f"{text} [{citation.at}]" for text, citation in pairs]
        return [*told, f"Source: {documents[0]}"]
    numbers = {document: number for number, document in enumerate(documents, start=1)}
    told = [
        f"{text} [{numbers[without_place(citation)]}: {citation.at}]" for text, citation in pairs
    ]
    return [*told, *(f"Source {number}: {document}" for document, number in numbers.items())]


def without_place(citation: Citation) -> str:
    """The citation of a whole document."""
    publisher = citation.publisher or "publisher not stated in our copy"
    published = day(citation.published) if citation.published else "date not stated in our copy"
    named = f"{citation.title}, {publisher}, {published}"
    return f"{named}; rule {citation.rule}; {review(citation.reviewed_by)}"


def source(citation: Citation | None, assessment: Assessment, topic: Coding) -> Source:
    """The card's source: the document behind it, else this software's own evaluation."""
    if citation is None:
        protocol = f"{assessment.protocol.id} version {assessment.protocol.version}"
        label = f"btce-cds, protocol {protocol}, knowledge {assessment.knowledge.version}"
        reviewed = assessment.knowledge.clinically_reviewed
        return Source(label if reviewed else f"{label}; {NOT_REVIEWED}", topic=topic)
    today = assessment.evaluated_at.date()
    label = name(f"{document(citation)}; {review(citation.reviewed_by)}{_age(citation, today)}")
    return Source(label, citation.url if _absolute(citation.url) else "", topic)


def topic(kind: str, graded: str, display: str) -> Coding:
    """A topic code of letters and digits only.

    Epic ties a user's override to the code: it holds kind, syndrome and grade, so that overriding
    grade 1 never hides grade 3.
    """
    code = "".join(c for c in f"{kind}{graded}".upper() if c.isascii() and c.isalnum())
    return Coding(code[:100], TOPIC_SYSTEM, display)


def _age(citation: Citation, today: date) -> str:
    """How long ago the rule was checked, once that is longer than the review interval."""
    if citation.checked_on is None:
        return ""
    days = (today - citation.checked_on).days
    return f"; last checked {days} days ago" if days > citation.stale_after else ""


def _absolute(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname)
