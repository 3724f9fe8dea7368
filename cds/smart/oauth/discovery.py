"""What a site's FHIR server says of its authorization server, and whether it may be followed.

SMART App Launch 2, "Retrieve .well-known/smart-configuration"; RFC 8414. Read below the FHIR base
of a configured site alone. Further members are ignored, those that are used are held to their form.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from cds.backend.exchange import Exchange, Reply, Request, may_ask
from cds.backend.failure import BackendFailed
from cds.config.urls import host, loopback, parts
from cds.smart.oauth.refusal import LaunchRefused, RefusedKind, no_answer
from cds.trust.strict_json import NotStrictJson, read_object


_SMART = "/.well-known/smart-configuration"
_OPENID = "/.well-known/openid-configuration"
_LONGEST = 2048  # characters of an address
_OURS = frozenset(
    {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "aud",
        "launch",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    }
)


class Server(Struct, frozen=True, kw_only=True):
    """One authorization server. `issuer`, `jwks_uri`: empty where it names none.

    `names_itself`: it announces `iss` in its answers (RFC 9207), so that one without is refused.
    """

    authorization_endpoint: str
    token_endpoint: str
    issuer: str = ""
    jwks_uri: str = ""
    names_itself: bool = False


def read_server(base: str, exchange: Exchange, seconds: float) -> Server:
    """The server that `base` names; raises `LaunchRefused`. `seconds`: for the whole request."""
    found = _read(f"{base.rstrip('/')}{_SMART}", exchange, seconds)
    methods = found.get("code_challenge_methods_supported")
    if not isinstance(methods, list) or "S256" not in methods:
        raise LaunchRefused("no-pkce")
    authorize = _address(found, "authorization_endpoint", base)
    if _OURS & {name for name, _ in parse_qsl(parts(authorize).query, keep_blank_values=True)}:
        raise LaunchRefused("discovery-unusable")
    return Server(
        authorization_endpoint=authorize,
        token_endpoint=_address(found, "token_endpoint", base),
        issuer=_address(found, "issuer", base) if found.get("issuer") else "",
        jwks_uri=_address(found, "jwks_uri", base) if found.get("jwks_uri") else "",
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
    )


def with_keys(server: Server, signer: str, base: str, exchange: Exchange, seconds: float) -> Server:
    """`server` with the keys of `signer`, who signs its id_tokens; raises `LaunchRefused`.

    Where somebody else signs, or it names no keys: those of the signer's OpenID Connect Discovery
    document; its own if the signer has none.
    """
    if not _may_follow(signer, base):  # also where it names none
        raise LaunchRefused("discovery-no-identity")
    if server.jwks_uri and signer == server.issuer:
        return server
    url = f"{signer.rstrip('/')}{_OPENID}"
    try:
        found = _read(url, exchange, seconds, bad="discovery-no-identity")
    except LaunchRefused as refused:
        if refused.kind == "discovery-no-identity" and server.jwks_uri:
            return server
        raise
    uri = found.get("jwks_uri")
    if found.get("issuer") != signer or not isinstance(uri, str) or not _may_follow(uri, base):
        raise LaunchRefused("discovery-no-identity")
    return msgspec.structs.replace(server, jwks_uri=uri)


def _read(
    url: str, exchange: Exchange, seconds: float, bad: RefusedKind = "discovery-unusable"
) -> Mapping[str, Any]:
    try:
        reply: Reply = exchange(Request(url), seconds)
    except BackendFailed as error:
        raise LaunchRefused("discovery-unreachable" if no_answer(error.kind) else bad) from None
    if reply.status == 429 or reply.status >= 500:
        raise LaunchRefused("discovery-unreachable")
    if reply.status != 200:
        raise LaunchRefused(bad)
    try:
        return read_object(reply.body)
    except NotStrictJson:
        raise LaunchRefused(bad) from None


def _address(found: Mapping[str, Any], name: str, base: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not _may_follow(value, base):
        raise LaunchRefused("discovery-unusable")
    return value


def _may_follow(url: str, base: str) -> bool:
    """https, or http on this machine; and a server elsewhere cannot send us to this machine."""
    if len(url) > _LONGEST or not url.isascii() or may_ask(url) is None:
        return False
    return loopback(host(base)) or not loopback(host(url))
