"""Every check of one site in its order; what rests on one that failed is named as not checked."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from msgspec import Raw, Struct

from cds.backend import BackendTokens
from cds.backend.exchange import Exchange, exchange
from cds.clock import Clock
from cds.config import Settings, Site, unfit
from cds.doctor import charting, credentials, queries, server, smart
from cds.doctor.finding import Finding, fail, ok, unchecked, warn
from cds.pipeline import effective_mode
from cds.services import ORDER_SIGN, services_of
from cds.trying.asking import Access, opened
from cds.trying.trouble import Trouble
from fhir_mapping.codes import CodeSets
from knowledge.library import Library


class Examination(Struct, frozen=True, kw_only=True):
    """What a site is examined with. `patient`, `token`: None where none is given.

    `codes`: the site's own. `token` counts only where the site has no [backend]. `seconds`: for
    each read.
    """

    settings: Settings
    library: Library
    codes: Mapping[str, CodeSets]
    clock: Clock
    monotonic: Callable[[], float]
    patient: str | None = None
    token: str | None = None
    seconds: float = 20.0
    exchange: Exchange = exchange


def sites_of(settings: Settings, wanted: str | None) -> tuple[Site, ...]:
    """All of them, or the one; raises `Trouble`."""
    if wanted is None:
        return tuple(settings.sites.values())
    if wanted not in settings.sites:
        known = ", ".join(sorted(settings.sites))
        raise Trouble("--site names no site of this configuration", f"give one of {known}")
    return (settings.sites[wanted],)


def examine(site: Site, by: Examination) -> Iterator[Finding]:
    """One site, check by check."""
    yield from _configured(site, by)
    yield from credentials.client_keys(by.settings, site)
    base = site.fhir_base
    if base is None:
        yield unchecked(
            "server",
            "the site has no fhir_base, so nothing is ever read from its server",
            "set fhir_base, unless every call brings its whole prefetch",
        )
        return
    reached = server.tls(base, by.seconds, by.clock())
    yield reached
    if reached.status == "FAIL":
        yield unchecked("server", "everything else at the server: it is not reached")
        return
    yield from _at_server(site, base, by)


def _configured(site: Site, by: Examination) -> Iterator[Finding]:
    place = f"sites.{site.id}."
    wrong = [one for one in unfit(by.settings, by.library) if one.startswith(place)]
    for one in wrong:
        yield fail("config", one, "correct the setting, see docs/configuration.md")
    if not wrong:
        yield ok("config", f"loaded; protocol {site.protocol}, auth {by.settings.auth}")
    if site.mode == "live" and effective_mode(site, by.library) == "silent":
        yield warn(
            "knowledge",
            "approved_knowledge is not the knowledge installed here, so the site runs silent",
            "approve this digest, or install the knowledge that was approved",
        )
    else:
        reviewed = "" if by.library.clinically_reviewed else "not "
        text = f"{by.library.version}, {reviewed}clinically reviewed"
        yield ok("knowledge", f"{text}, mode {effective_mode(site, by.library)}")


def _at_server(site: Site, base: str, by: Examination) -> Iterator[Finding]:
    templates = {
        **next(one for one in services_of(by.codes[site.id]) if one.id == ORDER_SIGN.id).prefetch
    }
    yield from smart.smart(site, by.exchange, by.seconds)
    tokens = BackendTokens(clock=by.clock, monotonic=by.monotonic, exchange=by.exchange)
    token, finding = credentials.token(site, tokens, templates.values(), by.seconds)
    yield finding
    value = token.value if token is not None else by.token if site.backend is None else None
    access = Access(base.rstrip("/"), value, by.seconds)
    try:
        with opened(access):
            pass
    except Trouble as error:
        yield fail("server", error.cause, error.step)
        return
    reply, found = server.metadata(access)
    received = by.clock()
    yield found
    yield server.clock(reply, received)
    yield from server.declared(reply, templates, site)
    if finding.status == "FAIL" and token is None:
        yield unchecked("queries", "no token to read patients with")
    elif found.status == "FAIL":
        yield unchecked("queries", "the server is no FHIR R4 server")
    else:
        yield from _for_patient(site, access, templates, by)


def _for_patient(
    site: Site, access: Access, templates: Mapping[str, str], by: Examination
) -> Iterator[Finding]:
    rules = site.site_rules(by.library.rules)
    span = timedelta(days=max(rules.crs_lookback_days, rules.icans_lookback_days))
    codes = by.codes[site.id]
    patient = by.patient or queries.someone(access, site, codes, by.clock(), span)
    if isinstance(patient, Finding):
        yield patient
        return
    found = queries.read_patient(access, patient, lent=site.backend is None)
    yield found
    if found.status != "ok":
        yield unchecked("queries", "the patient cannot be read")
        return
    answers: dict[str, Raw] = {}
    slowest = 0.0
    for asked in queries.ask_all(access, templates, patient, by.monotonic):
        yield asked.finding
        slowest = max(slowest, asked.took)
        if asked.body is not None:
            answers[asked.key] = asked.body
    yield queries.speed(slowest, float(by.settings.deadline_seconds))
    yield from queries.probe(access, patient)
    yield from charting.charting(answers, codes)
