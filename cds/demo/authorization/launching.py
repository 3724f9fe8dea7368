"""`POST {fhir}/_services/smart/Launch`: how an EHR-like page gets a launch id for a card's link.

No standard: the body is what the public CDS Hooks sandbox sends, `launchUrl` and `parameters` with
`patient` and perhaps `appContext`; `launch_url`, `encounter` and `user` are understood too.
"""

from typing import Any
from urllib.parse import urlsplit

from cds.demo.authorization.authority import Authority, start_launch
from cds.demo.authorization.grants import Context
from cds.demo.authorization.people import present_encounter, resource_at
from cds.trust.strict_json import NotStrictJson, read_object


class NoLaunch(Exception):
    """The body asks for no launch this server could make; `text` says why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def launch_of(authority: Authority, body: bytes) -> dict[str, Any]:
    """The answer with its `launch_id`. Raises `NoLaunch`."""
    try:
        asked = read_object(body)
    except NotStrictJson:
        raise NoLaunch("the body is not a JSON object") from None
    parameters = asked.get("parameters", {})
    if not isinstance(parameters, dict):
        raise NoLaunch("parameters is not an object")
    patient = _id(authority, parameters, "patient", "Patient")
    encounter = _id(authority, parameters, "encounter", "Encounter")
    if patient and not encounter:
        encounter = present_encounter(authority.store, patient, authority.base)
    context = Context(
        patient=patient,
        encounter=encounter,
        user=_user(authority, parameters),
        app_context=_text(parameters, "appContext"),
    )
    launch_id = start_launch(authority, context, _launch_url(authority, asked))
    seconds = int(authority.lifetimes.launch.total_seconds())
    return {"launch_id": launch_id, "expires_in": seconds}


def _launch_url(authority: Authority, asked: dict[str, Any]) -> str:
    """That of a registered app, without its query; "" where none is given."""
    text = _text(asked, "launchUrl") or _text(asked, "launch_url") or ""
    try:
        bare = urlsplit(text)._replace(query="", fragment="").geturl()
    except ValueError:
        raise NoLaunch("launchUrl is no URL") from None
    if bare and not any(bare in client.launch_urls for client in authority.clients.values()):
        raise NoLaunch("no registered app is launched at launchUrl")
    return bare


def _id(authority: Authority, parameters: dict[str, Any], name: str, kind: str) -> str:
    id_ = (_text(parameters, name) or "").removeprefix(f"{kind}/")
    if id_ and resource_at(authority.store, f"{kind}/{id_}") is None:
        raise NoLaunch(f"{name} is not on this server")
    return id_


def _user(authority: Authority, parameters: dict[str, Any]) -> str:
    user = _text(parameters, "user")
    if user is not None and resource_at(authority.store, user) is None:
        raise NoLaunch("user is not on this server")
    return user or authority.user


def _text(members: dict[str, Any], name: str) -> str | None:
    found = members.get(name)
    if found is not None and not isinstance(found, str):
        raise NoLaunch(f"{name} is not a text")
    return found
