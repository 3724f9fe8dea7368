"""Who the service is to the site, and who the site's client is to the service: token and keys."""

from collections.abc import Iterable, Iterator, Mapping

from joserfc.jwk import RSAKey

from cds.backend import BackendFailed, BackendTokens, Token, needs, uncovered
from cds.backend.failure import BackendKind
from cds.backend.scopes import SUBSCRIPTIONS
from cds.config import Issuer, Settings, Site
from cds.doctor.finding import Finding, fail, ok, unchecked, warn
from cds.trust.key_set import PublicKey, UnfitKeySet, read_key_set
from cds.trust.key_source import KeysUnread, read_source


_STEPS: Mapping[BackendKind, str] = {
    "token-no-key": "check backend.key_file or backend.secret_file, its rights and its algorithm",
    "token-no-endpoint": "set backend.token_url, or have smart-configuration name one",
    "token-unreachable": "check backend.token_url, the network and the certificate of its host",
    "token-timeout": "try again; if it stays, check the network to the token endpoint",
    "token-redirect": "set backend.token_url to where the redirect leads",
    "token-client-refused": "check backend.client_id and that our public key is registered there",
    "token-refused": "ask for the scope in backend.scope to be granted to this client",
    "token-too-many-requests": "wait, then try again",
    "token-server-error": "ask the operator of the authorization server to read its log",
}
_OTHERWISE = "check that backend.token_url is a token endpoint"
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def token(
    site: Site, tokens: BackendTokens, templates: Iterable[str], seconds: float
) -> tuple[Token | None, Finding]:
    """A token of the service's own, and what it allows."""
    check = "token"
    if site.backend is None:
        why = "the site has no [backend]; hook calls bring tokens of their own"
        return None, unchecked(check, why)
    if site.backend.auth == "none":
        return None, ok(check, "backend.auth is none: the server is read without a token")
    try:
        found = tokens.token(site, seconds=seconds)
    except BackendFailed as error:
        status = f" ({error.status})" if error.status else ""
        step = _STEPS.get(error.kind, _OTHERWISE)
        return None, fail(check, f"{error}{status}", step)
    if found is None:
        return None, ok(check, "the server is read without a token")
    wanted = needs(site, templates) + (SUBSCRIPTIONS if site.events is not None else ())
    lacking = uncovered(found.scope, wanted)
    if lacking:
        return found, fail(
            check,
            f"granted, without {', '.join(lacking)}",
            f"have system/{lacking[0]} and the others granted to this client",
        )
    return found, ok(check, f"granted; it covers {', '.join(wanted)}")


def client_keys(settings: Settings, site: Site) -> Iterator[Finding]:
    """The keys that check the tokens of the site's CDS client."""
    if settings.auth == "off":
        yield unchecked(
            "client-keys", 'auth = "off": calls of this machine are answered without a token'
        )
        return
    for place, issuer in enumerate(site.issuers):
        yield _keys_of(issuer, f"issuers[{place}]")


def _keys_of(issuer: Issuer, name: str) -> Finding:
    where = "pinned file" if issuer.jwks_file is not None else "jwks_url"
    check = "client-keys"
    try:
        found = read_key_set(read_source(issuer))
    except KeysUnread as error:
        step = f"check {name}.{'jwks_file' if issuer.jwks_file is not None else 'jwks_url'}"
        return fail(check, f"{name}: the keys cannot be read: {error}", step)
    except UnfitKeySet as error:
        return fail(
            check, f"{name}: no key that can be used: {error}", "ask the client for its public keys"
        )
    fit = {alg: sum(_fits(one, alg) for one in found.keys.values()) for alg in issuer.algorithms}
    usable = {alg: number for alg, number in fit.items() if number}
    text = f"{name}, {where}: {len(found.keys)} usable, {len(found.refused)} not used"
    if not usable:
        return fail(
            check,
            f"{text}; none fits {', '.join(issuer.algorithms)}",
            f"set {name}.algorithms to what the client signs with",
        )
    by = ", ".join(f"{alg} {number}" for alg, number in usable.items())
    if found.refused:
        return warn(
            check,
            f"{text} ({'; '.join(found.refused)}); {by}",
            "tell the client which are not used",
        )
    return ok(check, f"{text}; {by}")


def _fits(key: PublicKey, algorithm: str) -> bool:
    if isinstance(key, RSAKey):
        return algorithm.startswith(("RS", "PS"))
    return _CURVES.get(algorithm) == key.curve_name
