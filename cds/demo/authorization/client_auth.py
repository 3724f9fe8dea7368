"""Who asks at the token endpoint: a public client, a secret by Basic, or a signed assertion.

RFC 6749 2.3, RFC 7523 3, RFC 8725 3 and SMART "Client Authentication: Asymmetric". An assertion is
checked against the registered keys only; a `jku` in its header is never followed.
"""

import base64
import binascii
import hmac
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import unquote_plus

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry
from joserfc.jws import extract_compact

from cds.demo.authorization.authority import Authority
from cds.demo.authorization.clients import Client, ClientAuth
from cds.demo.authorization.discovery import ASSERTION_ALGORITHMS
from cds.demo.authorization.refusal import TokenRefused
from cds.trust.strict_json import read_object


ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LONGEST = 300  # seconds an assertion may be good for
_LEEWAY = 30  # for a clock that is not quite ours


def client_of(authority: Authority, header: str, form: Mapping[str, str]) -> Client:
    """The client that proved itself the way it is registered for. Raises `TokenRefused`."""
    methods = [
        name
        for name, used in (
            ("client_secret_basic", bool(header)),
            ("private_key_jwt", "client_assertion" in form or "client_assertion_type" in form),
            ("client_secret_post", "client_secret" in form),
        )
        if used
    ]
    if len(methods) > 1:
        raise TokenRefused("invalid_request", "more than one way of authentication")
    match methods:
        case ["client_secret_basic"]:
            client = _by_secret(authority, header)
        case ["private_key_jwt"]:
            client = _by_assertion(authority, form)
        case ["client_secret_post"]:
            raise TokenRefused("invalid_client", "the secret belongs in the Authorization header")
        case _:
            client = _registered(authority, form.get("client_id", ""), "public")
    if form.get("client_id", client.client_id) != client.client_id:
        raise TokenRefused("invalid_request", "client_id names another client")
    return client


def _registered(authority: Authority, client_id: str, auth: ClientAuth) -> Client:
    client = authority.clients.get(client_id)
    if client is None or client.auth != auth:
        raise _refused()
    return client


def _by_secret(authority: Authority, header: str) -> Client:
    scheme, _, encoded = header.partition(" ")
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise _refused() from None
    name, mark, secret = pair.partition(":")
    if scheme.lower() != "basic" or not mark:
        raise _refused()
    client = _registered(authority, unquote_plus(name), "client_secret_basic")
    given = unquote_plus(secret).encode()
    if not client.secret or not hmac.compare_digest(given, client.secret.encode()):
        raise _refused()
    return client


def _by_assertion(authority: Authority, form: Mapping[str, str]) -> Client:
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise TokenRefused("invalid_request", "client_assertion_type is that of a JWT")
    text = form.get("client_assertion", "")
    try:
        opened = extract_compact(text.encode())
        # Believed only as far as to find the keys this client is registered with.
        client_id = str(read_object(opened.payload).get("sub"))
        client = _registered(authority, client_id, "private_key_jwt")
        key = _key(client, opened.headers())
        claims = jwt.decode(text, key, algorithms=list(ASSERTION_ALGORITHMS)).claims
    except (JoseError, ValueError, TypeError, RecursionError):
        raise _refused() from None
    _refuse_claims(authority, client, claims)
    return client


def _key(client: Client, header: Mapping[str, Any]) -> Any:
    if header.get("typ") != "JWT":
        raise _refused()
    for key in (client.jwks or {}).get("keys", ()):
        if key["kid"] == header.get("kid") and key.get("alg", header["alg"]) == header["alg"]:
            return JWKRegistry.import_key(dict(key))
    raise _refused()


def _refuse_claims(authority: Authority, client: Client, claims: Mapping[str, Any]) -> None:
    now = authority.clock()
    seconds, jti = now.timestamp(), claims.get("jti")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != client.client_id or authority.token_endpoint not in audiences:
        raise _refused()
    until = _number(claims.get("exp"))
    if not seconds - _LEEWAY < until <= seconds + _LONGEST + _LEEWAY:
        raise _refused()
    if any(_number(claims[name]) > seconds + _LEEWAY for name in ("iat", "nbf") if name in claims):
        raise _refused()
    if not isinstance(jti, str) or not jti:
        raise _refused()
    end = now + timedelta(seconds=until - seconds + _LEEWAY)
    if not authority.state.prove(client.client_id, jti, now=now, until=end):
        raise _refused()


def _number(value: object) -> float:
    """Of a NumericDate (RFC 7519 2)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _refused()
    return value


def _refused() -> TokenRefused:
    return TokenRefused("invalid_client", "the client is not known, or did not prove itself")
