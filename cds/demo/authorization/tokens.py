"""The three grants of the token endpoint: form fields in, the JSON of RFC 6749 5.1 out.

Raises `TokenRefused`. Tokens are opaque and random; what they are worth is in the state alone.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from cds.demo.authorization.authority import Authority
from cds.demo.authorization.clients import Client
from cds.demo.authorization.grants import Access, Code, Context, Grant
from cds.demo.authorization.id_token import claims
from cds.demo.authorization.people import name_of, resource_at
from cds.demo.authorization.refusal import TokenRefused
from cds.demo.authorization.scopes import (
    FHIR_USER,
    OPENID,
    PROFILE,
    REFRESHING,
    granted,
    read_scopes,
)


_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
Form = Mapping[str, str]
Answer = dict[str, Any]


def answer(authority: Authority, client: Client, form: Form) -> Answer:
    """The token response for a client that has proved who it is."""
    match form.get("grant_type"):
        case "authorization_code":
            return _by_code(authority, client, form)
        case "refresh_token":
            return _by_refresh(authority, client, form)
        case "client_credentials":
            return _by_itself(authority, client, form)
        case None:
            raise TokenRefused("invalid_request", "grant_type is required")
        case _:
            raise TokenRefused("unsupported_grant_type", "this grant_type is not supported")


def _by_code(authority: Authority, client: Client, form: Form) -> Answer:
    secret = _required(form, "code")
    verifier, redirect_uri = _required(form, "code_verifier"), _required(form, "redirect_uri")
    state, now = authority.state, authority.clock()
    _refuse_second_use(authority, client, secret)
    code = state.codes.look(secret, now)
    if code is None or code.grant.client_id != client.client_id:
        raise _invalid("the code is not known, over, or another client's")
    state.codes.take(secret, now)
    if not state.spend(secret, code.grant):
        raise _again(authority, code.grant)
    if redirect_uri != code.redirect_uri:
        raise _invalid("redirect_uri is not that of the authorization request")
    if not _VERIFIER.fullmatch(verifier) or not _proves(verifier, code.challenge):
        raise _invalid("code_verifier is not that of the code_challenge")
    found = _issued(authority, code.grant, code.grant.scopes)
    if OPENID in code.grant.scopes:
        found["id_token"] = _id_token(authority, code)
    return found


def _by_refresh(authority: Authority, client: Client, form: Form) -> Answer:
    secret = _required(form, "refresh_token")
    state, now = authority.state, authority.clock()
    _refuse_second_use(authority, client, secret)
    grant = state.refreshes.look(secret, now)
    if grant is None or grant.client_id != client.client_id or state.revoked(grant):
        raise _invalid("the refresh token is not known, over, or another client's")
    scopes = grant.scopes
    if "scope" in form:
        scopes = _fewer(form["scope"].split(), grant.scopes)
    state.refreshes.take(secret, now)
    if not state.spend(secret, grant):
        raise _again(authority, grant)
    return _issued(authority, grant, scopes)


def _by_itself(authority: Authority, client: Client, form: Form) -> Answer:
    """SMART Backend Services: no person, no patient, no refresh."""
    allowed = client.scope.split()
    if client.auth == "public" or not any(one.level == "system" for one in read_scopes(allowed)):
        raise TokenRefused("unauthorized_client", "the client may not act by itself")
    scopes = granted(_required(form, "scope").split(), allowed, ("system",))
    if not scopes:
        raise TokenRefused("invalid_scope", "none of these scopes can be granted")
    return _issued(authority, Grant(uuid4().hex, client.client_id, scopes, Context()), scopes)


def _issued(authority: Authority, grant: Grant, scopes: tuple[str, ...]) -> Answer:
    state, now, lifetimes = authority.state, authority.clock(), authority.lifetimes
    access = Access(grant, scopes)
    found: Answer = {
        "access_token": state.accesses.put(access, now=now, until=now + lifetimes.access),
        "token_type": "Bearer",
        "expires_in": int(lifetimes.access.total_seconds()),
        "scope": " ".join(scopes),
    }
    if REFRESHING & set(grant.scopes):
        until = now + lifetimes.refresh
        found["refresh_token"] = state.refreshes.put(grant, now=now, until=until)
    context = grant.context
    if context.patient:
        found |= {"patient": context.patient, "need_patient_banner": True}
    if context.encounter:
        found["encounter"] = context.encounter
    if context.app_context is not None:
        found["appContext"] = context.app_context
    return found


def _id_token(authority: Authority, code: Code) -> str:
    now, user = authority.clock(), code.grant.context.user
    person = resource_at(authority.store, user)
    name = "" if person is None else name_of(person)
    whole = claims(
        issuer=authority.issuer,
        client_id=code.grant.client_id,
        user=user,
        base=authority.base,
        nonce=code.nonce,
        names={"name": name} if name else {},
        now=now,
        until=now + authority.lifetimes.access,
    )
    if not {FHIR_USER, PROFILE} & set(code.grant.scopes):
        whole = {name: one for name, one in whole.items() if name not in {"fhirUser", "name"}}
    return authority.signer.sign(whole)


def _fewer(asked: Sequence[str], has: Sequence[str]) -> tuple[str, ...]:
    """RFC 6749 6: no scope that was not granted before."""
    kept = granted(asked, has, ("patient", "user"))
    if not kept or set(kept) != set(asked):
        raise TokenRefused("invalid_scope", "a refresh gives no more than was granted")
    return kept


def _refuse_second_use(authority: Authority, client: Client, secret: str) -> None:
    grant = authority.state.spent(secret)
    if grant is not None and grant.client_id == client.client_id:
        raise _again(authority, grant)


def _again(authority: Authority, grant: Grant) -> TokenRefused:
    """RFC 6749 4.1.2, RFC 9700 4.14: one of the two who used it has stolen it."""
    authority.state.revoke(grant)
    return _invalid("it was used already: every token that came of it has been ended")


def _proves(verifier: str, challenge: str) -> bool:
    digest = hashlib.sha256(verifier.encode()).digest()
    made = base64.urlsafe_b64encode(digest).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode())


def _required(form: Form, name: str) -> str:
    found = form.get(name, "")
    if not found:
        raise TokenRefused("invalid_request", f"{name} is required")
    return found


def _invalid(text: str) -> TokenRefused:
    return TokenRefused("invalid_grant", text)
