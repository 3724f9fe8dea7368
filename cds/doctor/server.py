"""The FHIR server itself: its certificate, its CapabilityStatement, its clock."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

from cds.config import Site
from cds.doctor.finding import Finding, fail, ok, unchecked, warn
from cds.trying.asking import Access, NotRead, Reply, ask, trouble
from cds.trying.reach import base_of, reach
from cds.trying.run import CAPABILITY, printable
from cds.trying.trouble import Trouble


_DAY = 86400.0
_SOON = 21  # days before the end of a certificate
_SKEW, _LARGE_SKEW = 30.0, 120.0  # seconds; tokens live for minutes
_NOT_PARAMETERS = frozenset({"_count", "_sort"})  # of the framework: a server need not list them


def tls(base: str, seconds: float, now: datetime) -> Finding:
    """Whether the base is reached, and for how long its certificate is good."""
    try:
        found = reach(base_of(base), seconds)
    except Trouble as error:
        return fail("tls", error.cause, error.step)
    if found.ends_at is None:
        return ok("tls", "reached by http on the loopback address; no certificate there")
    days = int((found.ends_at - now.timestamp()) // _DAY)
    text = f"{found.version}, trusted chain, the certificate ends in {days} days"
    if days < _SOON:
        return warn("tls", text, "renew it before calls fail")
    return ok("tls", text)


def metadata(access: Access) -> tuple[Reply | None, Finding]:
    """The CapabilityStatement, if it is one of R4."""
    found = ask(access, "metadata")
    if isinstance(found, NotRead):
        said = trouble(found, access, CAPABILITY)
        return None, fail("metadata", said.cause, said.step)
    content = found.content
    if content.get("resourceType") != CAPABILITY:
        return None, fail(
            "metadata",
            "what is at /metadata is no CapabilityStatement",
            "set fhir_base to the base of the FHIR server",
        )
    version = content.get("fhirVersion")
    text = printable(version) if isinstance(version, str) else "no version"
    if not text.startswith("4."):
        return None, fail(
            "metadata", f"the server speaks FHIR {text}, not R4", "set fhir_base to its R4 endpoint"
        )
    if not text.startswith("4.0"):
        return found, warn(
            "metadata", f"FHIR {text}, not 4.0.1", "use its R4 endpoint if there is one"
        )
    return found, ok("metadata", f"FHIR {text}, {len(_resources(content))} types of resource")


def clock(reply: Reply | None, received: datetime) -> Finding:
    """Their clock, by the `Date` of an answer, beside ours at its arrival."""
    if reply is None:
        return unchecked("clock", "no answer of the server to compare with")
    try:
        sent = parsedate_to_datetime(reply.headers.get("Date", ""))
    except (ValueError, OverflowError):
        sent = None
    if sent is None:
        return unchecked("clock", "the answer has no Date that can be read")
    skew = (sent.replace(tzinfo=sent.tzinfo or UTC) - received).total_seconds()
    text = f"the server's clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
    if abs(skew) > _LARGE_SKEW:
        return fail("clock", text, "let both machines take the time from a time server")
    if abs(skew) > _SKEW:
        return warn("clock", text, "let both machines take the time from a time server")
    return ok("clock", f"less than {_SKEW:.0f} s between the server's clock and this one")


def declared(reply: Reply | None, templates: Mapping[str, str], site: Site) -> Iterator[Finding]:
    """Which of the types and search parameters that are asked for the server lists."""
    if reply is None:
        yield unchecked("declared", "there is no CapabilityStatement to read")
        return
    resources = _resources(reply.content)
    lacking = list(_lacking(resources, templates))
    if lacking:
        yield warn(
            "declared",
            f"not listed in the CapabilityStatement: {', '.join(lacking)}",
            "ask the server's operator; the lines `query` say what it does all the same",
        )
    else:
        yield ok("declared", "every type and search parameter that is asked for is listed")
    yield _subscription(resources, site)


def _subscription(resources: Mapping[str, Mapping[str, Any]], site: Site) -> Finding:
    created = "create" in _codes(resources.get("Subscription", {}).get("interaction"), "code")
    if created:
        return ok("subscription", "Subscription can be created")
    text = "no Subscription that could be created is listed"
    if site.events is not None:
        return warn(
            "subscription", text, "rely on poll_seconds of [events], or ask for subscriptions"
        )
    return ok("subscription", f"{text}; this site has no [events] and needs none")


def _lacking(
    resources: Mapping[str, Mapping[str, Any]], templates: Mapping[str, str]
) -> Iterator[str]:
    wanted: dict[str, set[str]] = {}
    for template in templates.values():
        kind, _, query = re.sub(r"/[^?]*", "", template).partition("?")
        names = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
        wanted.setdefault(kind, set()).update(names - _NOT_PARAMETERS)
    for kind, names in sorted(wanted.items()):
        if kind not in resources:
            yield kind
            continue
        known = _codes(resources[kind].get("searchParam"), "name")
        yield from (f"{kind} by {name}" for name in sorted(names - known))


def _resources(content: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The members of each type's entry, in whatever shape the document is."""
    return {
        str(one.get("type")): one
        for rest in _objects(content.get("rest"))
        for one in _objects(rest.get("resource"))
        if one.get("type")
    }


def _codes(value: object, member: str) -> set[str]:
    return {str(one.get(member)) for one in _objects(value)}


def _objects(value: object) -> Iterable[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
