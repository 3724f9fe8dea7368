"""Whether an authorization request is in order: RFC 6749 4.1.1, RFC 7636 4.3, SMART "App Launch".

Nothing is granted here. Until the client and its address are verified nobody is redirected.
"""

import re
from collections.abc import Mapping, Sequence

from cds.demo.authorization.authority import Authority
from cds.demo.authorization.clients import Client
from cds.demo.authorization.grants import Asking, Launch
from cds.demo.authorization.refusal import Back, ErrorCode, NotRedirected, Refused
from cds.demo.authorization.scopes import LAUNCH, granted


_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # of SHA-256, in base64url without padding
_LONGEST = 4096
Parameters = Mapping[str, Sequence[str]]


def asking_of(authority: Authority, parameters: Parameters) -> Asking:
    """The request. Raises `NotRedirected`, `Refused`; does not use up the launch."""
    client, redirect_uri = _client(authority, parameters)
    state = _states(parameters)
    back = Back(redirect_uri, state, authority.issuer)
    given = _once(parameters, back)
    _refuse_form(authority, given, back)
    scopes = granted(given["scope"].split(), client.scope.split(), ("patient", "user"))
    if not scopes:
        raise Refused("invalid_scope", "none of these scopes can be granted", back)
    launch = given.get("launch", "")
    if launch:
        _refuse_launch(authority, client, given["scope"], launch, back)
    elif LAUNCH in given["scope"].split() and "launch/patient" not in given["scope"].split():
        raise Refused("invalid_request", "the scope launch needs the launch parameter", back)
    if given.get("prompt") == "none" and not launch:
        raise Refused("interaction_required", "the person has to choose", back)
    return Asking(
        client_id=client.client_id,
        back=back,
        scopes=scopes,
        challenge=given["code_challenge"],
        nonce=given.get("nonce", ""),
        launch=launch,
    )


def _client(authority: Authority, parameters: Parameters) -> tuple[Client, str]:
    names, uris = parameters.get("client_id", ()), parameters.get("redirect_uri", ())
    client = authority.clients.get(names[0]) if len(names) == 1 else None
    if client is None:
        raise NotRedirected("The app that sent you here is not registered.")
    if len(uris) != 1 or uris[0] not in client.redirect_uris:
        raise NotRedirected("The app is registered, but not for the address it wants to return to.")
    return client, uris[0]


def _states(parameters: Parameters) -> str:
    states = parameters.get("state", ())
    return states[0] if len(states) == 1 and len(states[0]) <= _LONGEST else ""


def _once(parameters: Parameters, back: Back) -> dict[str, str]:
    """RFC 6749 3.1: no parameter twice; one without a value counts as left out."""
    if any(len(values) != 1 for values in parameters.values()):
        raise Refused("invalid_request", "a parameter comes twice", back)
    given = {name: values[0] for name, values in parameters.items() if values[0]}
    if any(len(value) > _LONGEST for value in given.values()):
        raise Refused("invalid_request", "a parameter is too long", back)
    return given


def _refuse_form(authority: Authority, given: Mapping[str, str], back: Back) -> None:
    for name in ("request", "request_uri"):
        if name in given:
            code: ErrorCode = (
                "request_not_supported" if name == "request" else "request_uri_not_supported"
            )
            raise Refused(code, f"{name} is not supported", back)
    if "response_type" not in given:
        raise Refused("invalid_request", "response_type is required", back)
    if given["response_type"] != "code":
        raise Refused("unsupported_response_type", "response_type is code", back)
    for name in ("state", "aud", "scope", "code_challenge", "code_challenge_method"):
        if name not in given:
            raise Refused("invalid_request", f"{name} is required", back)
    if given["aud"] != authority.base:
        raise Refused("invalid_request", "aud is not the FHIR server of this address", back)
    if given["code_challenge_method"] != "S256":
        raise Refused("invalid_request", "code_challenge_method is S256", back)
    if not _CHALLENGE.fullmatch(given["code_challenge"]):
        raise Refused("invalid_request", "code_challenge is no SHA-256 in base64url", back)


def _refuse_launch(
    authority: Authority, client: Client, scope: str, launch_id: str, back: Back
) -> None:
    launch: Launch | None = authority.state.launches.look(launch_id, authority.clock())
    if launch is None:
        raise Refused("invalid_request", "the launch is not known, or over: launch again", back)
    if LAUNCH not in scope.split():
        raise Refused("invalid_scope", "a launch needs the scope launch", back)
    if launch.launch_url and launch.launch_url not in client.launch_urls:
        raise Refused("invalid_request", "the launch is that of another app", back)
