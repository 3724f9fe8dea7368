"""Every prefetch query as this server really answers it, for one patient: first pages alone.

Also a few queries that nothing can match, to see whether a parameter is ignored.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple

from msgspec import Raw

from cds.config import Site
from cds.doctor.finding import Finding, fail, ok, unchecked, warn
from cds.doctor.honoured import Judged, judge, results_of, times_of
from cds.prefetch import classify
from cds.trying.asking import Access, NotRead, ask, trouble
from cds.trying.trouble import of_kind
from cds.worker.search import queries as cohort_queries
from cds.worker.search import wake_ups
from fhir_mapping.bundles import read_raw_entries
from fhir_mapping.codes import CodeSets


_TOKEN = "{{context.patientId}}"  # noqa: S105 - of a prefetch template
_NOTHING = "btce-cds-doctor-none"  # a code that no system has
_PROBES: Mapping[str, str] = {
    "code": f"Observation?patient={_TOKEN}&code=http://loinc.org|{_NOTHING}&_count=1",
    "category": f"Observation?patient={_TOKEN}&category={_NOTHING}&_count=1",
    "_lastUpdated": f"Observation?patient={_TOKEN}&_lastUpdated=gt2999-01-01&_count=1",
}
# Newest first is also how many servers answer unasked; oldest first is not.
_OLDEST_FIRST = f"Observation?patient={_TOKEN}&category=vital-signs&_sort=date&_count=20"
_UNUSED = frozenset({"_lastUpdated"})  # no query of this service relies on it
_UNSORTED = "nothing here: the service then reads every page, which takes longer"


class Asked(NamedTuple):
    """One query's finding, how many seconds it took, and what came."""

    key: str
    finding: Finding
    took: float = 0.0
    body: Raw | None = None


def someone(
    access: Access, site: Site, codes: CodeSets, now: datetime, span: timedelta
) -> str | Finding:
    """The id of a patient who was given a bispecific since `now` - `span`, or why there is none.

    Not every server can be searched across patients.
    """
    why = "no patient on a bispecific is found by a search across patients"
    step = "name a patient with --patient"
    for query in cohort_queries(codes, now, span):
        found = ask(access, query)
        if isinstance(found, NotRead):
            said = trouble(found, access, "MedicationAdministration")
            why = f"the search across patients for one on a bispecific: {said.cause}"
            if found.status == HTTPStatus.UNAUTHORIZED and access.token is not None:
                return fail("queries", why, said.step)
            step = said.step if found.status == 401 else step
            continue
        raws = [raw for _, raw in read_raw_entries(found.body) or () if memoryview(raw).nbytes]
        for one in wake_ups(site, codes, raws, frozenset(), now):
            if one.patient:
                return one.patient
    return unchecked("queries", why, step)


def read_patient(access: Access, patient: str, *, lent: bool) -> Finding:
    """Whether the Patient can be read, and is the one that was asked for.

    `lent`: this site's tokens come with each call, so that having none here is nobody's fault.
    """
    found = ask(access, f"Patient/{patient}")
    if isinstance(found, NotRead):
        if found.status in {404, 410}:
            return fail(
                "patient",
                f"the server has no such patient ({found.status})",
                "check --patient: it is the id of the Patient resource, not a record number",
            )
        said = trouble(found, access, "Patient")
        if lent and found.status == 401 and access.token is None:
            return unchecked("patient", said.cause, said.step)
        return fail("patient", said.cause, said.step)
    if found.content.get("resourceType") != "Patient" or found.content.get("id") != patient:
        return fail(
            "patient",
            "the server answered with another patient or another resource",
            "have this looked into before anything else: the service would give no advice",
        )
    return ok("patient", "read")


def ask_all(
    access: Access,
    templates: Mapping[str, str],
    patient: str,
    monotonic: Callable[[], float],
) -> Iterator[Asked]:
    """Every search of `templates`, a finding each."""
    for key, template in templates.items():
        if "?" in template:
            begun = monotonic()
            asked = _asked(access, key, template.replace(_TOKEN, patient), patient)
            yield asked._replace(took=monotonic() - begun)


def speed(slowest: float, deadline: float) -> Finding:
    """The slowest first page beside the time a hook call has; both in seconds."""
    text = f"the slowest query took {slowest:.2f} s; a hook call has {deadline:g} s for all of them"
    if slowest > deadline / 2:
        return warn(
            "speed", text, "have the client send the prefetch, so that less is read by the service"
        )
    return ok("speed", text)


def probe(access: Access, patient: str) -> Iterator[Finding]:
    """Parameters asked for with a value that nothing has; and `_sort` the other way round."""
    yield _sorting(access, patient)
    for name, template in _PROBES.items():
        check = f"parameter {name}"
        found = ask(access, template.replace(_TOKEN, patient))
        if isinstance(found, NotRead):
            why = trouble(found, access, "Observation")
            yield unchecked(check, f"asked for what nothing has: {why.cause}")
            continue
        judged = judge("", found.content, found.body, patient=patient, base=access.base)
        if not judged.results:
            yield ok(check, "heeded: a value that nothing has finds nothing")
        elif name in _UNUSED:
            yield ok(check, "ignored by the server; no query of this service relies on it")
        else:
            yield warn(
                check,
                f"ignored by the server: a value that nothing has finds {_results(judged.results)}",
                "expect more than was asked for; what is not needed is left out by its code",
            )


def _sorting(access: Access, patient: str) -> Finding:
    check, query = "parameter _sort", _OLDEST_FIRST.replace(_TOKEN, patient)
    found = ask(access, query)
    if isinstance(found, NotRead):
        why = trouble(found, access, "Observation")
        return unchecked(check, f"asked for the oldest first: {why.cause}")
    if len(set(times_of(results_of(found.content)))) < 2:
        why_not = "fewer than two times came, which have no order"
        return unchecked(check, why_not, "choose a patient with more vital signs")
    judged = judge(query, found.content, found.body, patient=patient, base=access.base)
    if "_sort" in judged.ignored:
        return warn(check, "ignored by the server: the oldest first do not come so", _UNSORTED)
    return ok(check, "heeded: the oldest come first when asked for")


def _asked(access: Access, key: str, query: str, patient: str) -> Asked:
    check, kind = f"query {key}", query.partition("?")[0]
    found = ask(access, query)
    if isinstance(found, NotRead):
        why = trouble(found, access, kind)
        return Asked(key, fail(check, f"not answered: {why.cause}", why.step))
    if found.content.get("resourceType") != "Bundle":
        step = "see what its OperationOutcome says"
        return Asked(key, fail(check, "answered with something else than a Bundle", step))
    state = classify(query, found.body).state
    if state in {"failed", "wrong-type"}:
        said = of_kind("failed" if state == "failed" else "not-fhir", None, token=False)
        return Asked(key, fail(check, f"not answered: {said.cause}", said.step))
    judged = judge(query, found.content, found.body, patient=patient, base=access.base)
    return Asked(key, _finding(check, judged, whole=state != "caveats"), body=found.body)


def _finding(check: str, found: Judged, *, whole: bool) -> Finding:
    """`whole` False: the server reports an error beside the results."""
    if found.foreign:
        return fail(
            check,
            f"{found.foreign} of {_results(found.results)} of another patient or another base",
            "have this looked into before anything else: the service would give no advice",
        )
    text = f"{_results(found.results)}{_paging(found)}"
    if not whole:
        return warn(
            check,
            f"{text}, and an error beside them: the rest counts as not read",
            "see what its OperationOutcome says",
        )
    if found.astray:
        return warn(
            check,
            f"{text}; the next page is not below fhir_base, so it is not read",
            "set fhir_base to the base that the server uses in its own links",
        )
    if found.ignored:
        return warn(
            check,
            f"{text}; not heeded: {', '.join(found.ignored)}",
            _step(found),
        )
    if found.nobodys:
        return warn(
            check,
            f"{text}; {found.nobodys} name no patient, and are not used",
            "have the subject sent as a reference to the Patient",
        )
    if found.unsaid:
        return warn(
            check,
            f"{text}; the self link leaves out {', '.join(found.unsaid)}",
            "ask the server's operator whether it is supported",
        )
    if not found.told:
        return unchecked(
            check,
            "0 results and no self link: nothing shows what the server heeds",
            "choose a patient with such data",
        )
    return ok(check, f"{text}; nothing shows that a parameter is ignored")


def _step(found: Judged) -> str:
    if "_sort" in found.ignored:
        return _UNSORTED
    return "nothing is lost, but more is read than was asked for; ask the server's operator"


def _paging(found: Judged) -> str:
    if not found.more:
        return ""
    count = found.asked_count
    capped = count is not None and found.results < count
    return f", more pages (its pages end at {found.results})" if capped else ", more pages"


def _results(number: int) -> str:
    return "1 result" if number == 1 else f"{number} results"
