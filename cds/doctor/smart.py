"""`.well-known/smart-configuration` beside what the site's file needs of it.

SMART App Launch 2.2, "Conformance" and "Backend Services". Shows no address.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from cds.backend import BackendFailed
from cds.backend.exchange import Exchange, Request, may_ask
from cds.config import Site
from cds.config.urls import host, loopback
from cds.doctor.finding import Finding, fail, ok, unchecked, warn
from cds.trust.strict_json import NotStrictJson, read_object


_PATH = "/.well-known/smart-configuration"
_CLIENTS = {
    "public": "client-public",
    "client_secret_basic": "client-confidential-symmetric",
    "private_key_jwt": "client-confidential-asymmetric",
}
_ADDRESSES = ("authorization_endpoint", "token_endpoint", "issuer", "jwks_uri")


class Need(NamedTuple):
    """What is wrong and what to do."""

    wrong: str
    step: str


def smart(site: Site, exchange: Exchange, seconds: float) -> Iterator[Finding]:
    """Presence, then content; a site that uses neither app nor backend needs none of it."""
    check, base = "smart", site.fhir_base or ""
    try:
        reply = exchange(Request(f"{base.rstrip('/')}{_PATH}"), seconds)
        found = read_object(reply.body) if reply.status == 200 else None
    except (BackendFailed, NotStrictJson) as error:
        status = error.status if isinstance(error, BackendFailed) else None
        said = f" ({status})" if status else ""
        yield _absent(site, f"the document cannot be read or is not JSON{said}")
        return
    if found is None:
        yield _absent(site, f"there is none below the FHIR base ({reply.status})")
        return
    wrong = [*_addresses(found, base), *_for_app(found, site), *_for_backend(found, site)]
    if not wrong:
        yield ok(check, "read; endpoints by https or on this machine, all that is needed is there")
    yield from (fail(check, one.wrong, one.step) for one in wrong)
    lacking = _capabilities(found, site)
    if lacking:
        yield warn(
            check,
            f"capabilities not listed: {', '.join(lacking)}",
            "ask the operator of the authorization server; the app may not start without them",
        )


def _absent(site: Site, why: str) -> Finding:
    step = "ask the server's operator to publish it below the FHIR base"
    if site.smart is not None:
        return fail("smart", f"smart-configuration: {why}; the bedside app cannot start", step)
    if site.backend is not None and site.backend.auth != "none" and not site.backend.token_url:
        return fail("smart", f"smart-configuration: {why}", f"{step}, or set backend.token_url")
    return unchecked("smart", f"smart-configuration: {why}; nothing in this site's file needs it")


def _addresses(found: Mapping[str, Any], base: str) -> Iterator[Need]:
    for name in _ADDRESSES:
        value = found.get(name)
        if value is None:
            continue
        if not isinstance(value, str) or may_ask(value) is None:
            yield Need(f"{name} is not an https URL", "have it corrected at the server")
        elif loopback(host(value)) and not loopback(host(base)):
            yield Need(f"{name} leads to the loopback address", "have it corrected at the server")


def _for_app(found: Mapping[str, Any], site: Site) -> Iterator[Need]:
    if site.smart is None:
        return
    for name in ("authorization_endpoint", "token_endpoint"):
        if not found.get(name):
            yield Need(f"{name} is missing", "the app needs it: have it published")
    if "S256" not in _texts(found, "code_challenge_methods_supported"):
        yield Need(
            "code_challenge_methods_supported lacks S256",
            "have PKCE with S256 switched on: the app starts with nothing less",
        )
    wanted, said = site.smart.id_token_issuer, found.get("issuer")
    if wanted is None and not said:
        yield Need(
            "it names no issuer, and smart.id_token_issuer is not set",
            "set smart.id_token_issuer to who signs the id_tokens",
        )
    elif wanted is not None and said and wanted != said:
        yield Need(
            "its issuer is another one than smart.id_token_issuer",
            "correct the setting, unless the server is known to sign in another name",
        )


def _for_backend(found: Mapping[str, Any], site: Site) -> Iterator[Need]:
    backend = site.backend
    if backend is None or backend.auth == "none" or backend.token_url:
        return
    if not found.get("token_endpoint") and site.smart is None:
        yield Need("token_endpoint is missing", "have it published, or set backend.token_url")
    methods = _texts(found, "token_endpoint_auth_methods_supported")
    if methods and backend.auth not in methods:
        yield Need(
            f"token_endpoint_auth_methods_supported lacks {backend.auth}",
            "register this client with a method the server has, and set backend.auth to it",
        )
    algorithms = _texts(found, "token_endpoint_auth_signing_alg_values_supported")
    if backend.auth == "private_key_jwt" and algorithms and backend.algorithm not in algorithms:
        yield Need(
            f"token_endpoint_auth_signing_alg_values_supported lacks {backend.algorithm}",
            "use a key for one of the algorithms it lists",
        )


def _capabilities(found: Mapping[str, Any], site: Site) -> list[str]:
    """What the app's configuration uses; a server that lists nothing says nothing."""
    listed = _texts(found, "capabilities")
    if site.smart is None or not listed:
        return []
    wanted = ["launch-ehr", _CLIENTS[site.smart.auth], "context-ehr-patient"]
    scope = site.smart.scope.split()
    wanted += ["sso-openid-connect"] if "openid" in scope else []
    wanted += ["permission-patient"] if any(one.startswith("patient/") for one in scope) else []
    wanted += ["permission-user"] if any(one.startswith("user/") for one in scope) else []
    wanted += ["permission-v2"]
    return [one for one in wanted if one not in listed]


def _texts(found: Mapping[str, Any], name: str) -> Collection[str]:
    value = found.get(name)
    return {one for one in value if isinstance(one, str)} if isinstance(value, list) else set()
