"""Whether the FHIR server lets the user read one Patient, and why not; reads nothing else of it.

A token that is over (401) is told apart from a patient whom this user may not read (403): the one
is about everybody in a list.
"""

import threading
from http import HTTPStatus
from typing import Literal, TypeAlias
from urllib.parse import quote

import msgspec
import requests
from msgspec import Struct

from cds.fhir_guard import GuardedSession, Kind, ReadRefused
from cds.fhir_pages import kind_of
from cds.smart.parts import Bedside
from fhir_mapping.bundles import BAD_INPUT


_SECONDS = 5.0
Refusal: TypeAlias = Kind | Literal["session-over"]


class _Head(Struct, rename="camel"):
    resource_type: str = ""


def refused(there: Bedside) -> Refusal | None:
    """Why the user's token does not read the Patient of `there`; None: it does."""
    base = (there.site.fhir_base or "").rstrip("/")
    try:
        session = GuardedSession(base, there.context.access_token, seconds=_SECONDS)
    except ReadRefused as error:
        return error.kind
    alarm = threading.Timer(_SECONDS, session.close)  # for what no timeout of a socket ends
    alarm.daemon = True
    alarm.start()
    try:
        return _asked(session, f"{base}/Patient/{quote(there.context.patient, safe='')}")
    finally:
        alarm.cancel()
        session.close()


def _asked(session: GuardedSession, url: str) -> Refusal | None:
    try:
        response = session.get(url, headers={"Accept": "application/fhir+json"})
        response.raise_for_status()
    except ReadRefused as error:
        return error.kind
    except requests.HTTPError as error:
        over = error.response.status_code == HTTPStatus.UNAUTHORIZED
        return "session-over" if over else kind_of(error, session)
    except requests.RequestException as error:
        return kind_of(error, session)
    try:
        head = msgspec.json.decode(response.content, type=_Head)
    except BAD_INPUT:
        return "not-fhir"
    return None if head.resource_type == "Patient" else "not-fhir"
