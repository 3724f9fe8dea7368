"""One attempt from the address to the cards: reach, metadata, patient, the other queries, evaluate.

Stops at the first thing without which nothing can be said; what else is not answered is unknown.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Raw, Struct

from cds.config import Site
from cds.errors import AnotherPatient
from cds.pipeline import Evaluation, evaluate
from cds.prefetch import Enough, covers
from cds.services import PREFETCH
from cds.trying.asking import Access, NotRead, ask, trouble
from cds.trying.codings import Met, codings_of, resources_in
from cds.trying.options import Options, Plan, plan
from cds.trying.reach import reach
from cds.trying.reading import Query, Read, read_all
from cds.trying.trouble import NO_JSON, OPEN, Trouble
from fhir_mapping.bundles import read_head
from fhir_mapping.codes import CodeSets
from fhir_mapping.resources import Readable
from knowledge.library import Library


CAPABILITY = OPEN
_R4 = "4."
_SHOWN = 60
_PATIENT = "patient"


class Tried(Struct, frozen=True, kw_only=True):
    """What came of it. `server`: FHIR version and software, as the server says."""

    base: str
    server: str
    queries: tuple[Query, ...]
    evaluation: Evaluation
    met: tuple[Met, ...]

    @property
    def incomplete(self) -> str:
        """What is missing and what to do about it, in one sentence; empty where nothing is."""
        lacking = [one for one in self.queries if one.problem]
        if not lacking:
            return ""
        names = ", ".join(one.key for one in lacking)
        first = lacking[0]
        return f"not answered in full: {names}; {first.problem}: {first.next_step}."


def try_out(
    options: Options,
    environ: Mapping[str, str],
    *,
    library: Library,
    codes: CodeSets,
    monotonic: Callable[[], float],
) -> Tried:
    """Read and evaluate; raises `Trouble`."""
    planned = plan(options, environ, library=library, codes=codes)
    access = planned.access
    reach(access.base, access.seconds)
    server = _server(access)
    rules = library.rules
    longest = timedelta(days=max(rules.crs_lookback_days, rules.icans_lookback_days))
    read = _read(planned, covers(options.now, longest), monotonic)
    site = Site(id="try", fhir_base=access.base, protocol=options.protocol, zone=ZoneInfo("UTC"))
    try:
        evaluation = evaluate(
            read.request,
            site=site,
            library=library,
            codes=codes,
            now=options.now,
            unread=tuple(map(str, read.failed)),
        )
    except AnotherPatient as error:
        raise _another(error.field) from None
    return Tried(
        base=access.base,
        server=server,
        queries=read.queries,
        evaluation=evaluation,
        met=tuple(codings_of(_each_once(read), codes)),
    )


def _each_once(read: Read) -> Iterator[Readable]:
    """What came, though more than one query may have brought it."""
    seen: set[tuple[type, str]] = set()
    for raw in read.request.prefetch.values():
        for one in resources_in(raw):
            key = (type(one), one.id or "")
            if key not in seen:
                seen |= {key} if one.id else set()
                yield one


def _server(access: Access) -> str:
    found = ask(access, "metadata")
    if isinstance(found, NotRead):
        if found.kind in {"not-found", "rejected"} and found.status not in NO_JSON:
            raise Trouble(
                "there is no CapabilityStatement at /metadata below this URL",
                "give the base URL of the FHIR server, which often ends in /fhir or /R4",
            )
        raise trouble(found, access, CAPABILITY)
    if found.content.get("resourceType") != CAPABILITY:
        raise Trouble(
            "what is at /metadata is no CapabilityStatement", "give the base URL of a FHIR server"
        )
    version = found.content.get("fhirVersion")
    if not isinstance(version, str) or not version.startswith(_R4):
        said = version if isinstance(version, str) else "no version"
        raise Trouble(
            f"the server speaks FHIR {printable(said)}, not R4", "give the base of its R4 endpoint"
        )
    return f"FHIR {printable(version)}{_software(found.content)}"


def _software(content: Mapping[str, Any]) -> str:
    software = content.get("software")
    name = software.get("name") if isinstance(software, dict) else None
    return f", {printable(name)}" if isinstance(name, str) and name else ""


def printable(text: str) -> str:
    """A short text of a server, without anything that moves a terminal's cursor."""
    plain = "".join(sign if sign.isprintable() else "?" for sign in text)
    return plain if len(plain) <= _SHOWN else plain[: _SHOWN - 1] + "…"


def _read(planned: Plan, enough: Enough, monotonic: Callable[[], float]) -> Read:
    """The patient first: without one nothing else is asked."""
    access, patient = planned.access, planned.request.patient_id
    first = {_PATIENT: PREFETCH[_PATIENT]}
    others = {key: template for key, template in PREFETCH.items() if key != _PATIENT}
    begun = read_all(planned.request, first, access, enough, monotonic)
    _check_patient(begun, patient)
    rest = read_all(begun.request, others, access, enough, monotonic)
    return Read(rest.request, (*begun.queries, *rest.queries), (*begun.failed, *rest.failed))


def _check_patient(read: Read, patient: str) -> None:
    raw: Raw | None = read.request.prefetch.get(_PATIENT)
    (query,) = read.queries
    if raw is None and query.status in {404, 410}:
        raise Trouble(
            f"the server has no such patient ({query.status})",
            "check --patient: it is the id of the Patient resource, not a record number",
        )
    if raw is None:
        raise Trouble(query.problem, query.next_step)
    head = read_head(raw)
    if head is None or head.id != patient:
        raise _another(_PATIENT)


def _another(place: str) -> Trouble:
    return Trouble(
        f"the server sent something of another patient ({place}), so nothing is evaluated",
        "check --patient, and what stands between this machine and the server",
    )
