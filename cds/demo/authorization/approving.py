"""From an authorization request that is in order to the code the app gets; nothing of HTTP."""

from collections.abc import Iterable
from uuid import uuid4

from msgspec.structs import replace

from cds.demo.authorization.authority import Authority
from cds.demo.authorization.grants import Asking, Code, Context, Grant
from cds.demo.authorization.people import present_encounter, resource_at
from cds.demo.authorization.refusal import NotRedirected, Refused
from cds.demo.authorization.scopes import LAUNCH_ENCOUNTER, LAUNCH_PATIENT, read_scopes


def needs_patient(asking: Asking) -> bool:
    """Whether a patient has to be chosen for what is granted."""
    of_patient = any(scope.level == "patient" for scope in read_scopes(asking.scopes))
    return of_patient or bool({LAUNCH_PATIENT, LAUNCH_ENCOUNTER} & set(asking.scopes))


def approve_launch(authority: Authority, asking: Asking) -> str:
    """Where the browser goes after an EHR launch. Uses the launch up; raises `Refused`."""
    now = authority.clock()
    launch = authority.state.launches.take(asking.launch, now)
    if launch is None:  # somebody else was quicker
        raise Refused("invalid_request", "the launch was used already", asking.back)
    context = launch.context
    scopes = asking.scopes
    if not context.patient:
        scopes = tuple(_without_patient(scopes))
    if read_scopes(asking.scopes) and not read_scopes(scopes):
        raise Refused("invalid_scope", "the launch has no patient for these scopes", asking.back)
    return _with_code(authority, replace(asking, scopes=scopes), context)


def approve_choice(authority: Authority, asking: Asking, patient: str, user: str) -> str:
    """Where the browser goes after the person chose. Raises `NotRedirected` for a wrong choice."""
    wanted = needs_patient(asking)
    if wanted and resource_at(authority.store, f"Patient/{patient}") is None:
        raise NotRedirected("Choose one of the patients that were shown.")
    if user != authority.user and resource_at(authority.store, user) is None:
        raise NotRedirected("Choose one of the practitioners that were shown.")
    encounter = ""
    if wanted and LAUNCH_ENCOUNTER in asking.scopes:
        encounter = present_encounter(authority.store, patient, authority.base)
    context = Context(patient=patient if wanted else "", encounter=encounter, user=user)
    return _with_code(authority, asking, context)


def deny(asking: Asking) -> str:
    """Where the browser goes after the person said no."""
    return asking.back.url(error="access_denied", error_description="the person said no")


def _without_patient(scopes: Iterable[str]) -> Iterable[str]:
    of_patient = {one.text for one in read_scopes(scopes) if one.level == "patient"}
    return (text for text in scopes if text not in of_patient)


def _with_code(authority: Authority, asking: Asking, context: Context) -> str:
    now = authority.clock()
    grant = Grant(uuid4().hex, asking.client_id, asking.scopes, context)
    code = Code(grant, asking.back.redirect_uri, asking.challenge, asking.nonce)
    until = now + authority.lifetimes.code
    return asking.back.url(code=authority.state.codes.put(code, now=now, until=until))
