"""What the token endpoint granted: a token, for which patient, with which rights.

RFC 6749 5.1, SMART App Launch 2, "Obtain access token". Pure. Names nobody: who is there is a
matter of the id_token.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from cds.smart.oauth.refusal import LaunchRefused, RefusedKind
from cds.trust.strict_json import NotStrictJson, read_object


UNSAID = timedelta(minutes=5)  # where the answer does not say how long
LONGEST = timedelta(hours=24)
_MOST = 16_384  # characters of a token
_TOKEN = re.compile(r"[\x21-\x7e]+")
# A FHIR id; those that are only dots would lead elsewhere in a URL.
_ID = re.compile(r"(?!\.+\Z)[A-Za-z0-9.-]{1,64}")


class Granted(Struct, frozen=True, kw_only=True):
    """The rights of one user for one patient; serialises to JSON, is shown nowhere.

    `patient`: a bare id. `user`: a relative reference ("Practitioner/12"); empty where no id_token
    was asked for. `encounter`: "Encounter/3", or empty. `refresh_token`: or empty. `banner`:
    whether the app shows who the patient is. `app_context`: the card's, as it was sent, or empty.
    """

    patient: str
    access_token: str
    expires_at: datetime
    scopes: frozenset[str]
    user: str = ""
    encounter: str = ""
    refresh_token: str = ""
    banner: bool = True
    app_context: str = ""

    def __repr__(self) -> str:
        return "Granted(…)"


def read_granted(found: Mapping[str, Any], *, asked: frozenset[str], now: datetime) -> Granted:
    """What one answer of 200 grants, `patient` empty if it names none; raises `LaunchRefused`.

    `asked`: the scopes that were asked for. `now`: before the request was made.
    """
    kind = found.get("token_type")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise LaunchRefused("token-unusable")
    refresh = found.get("refresh_token")
    encounter = _id(found.get("encounter"), "token-unusable")
    return Granted(
        patient=_id(found.get("patient"), "no-patient"),
        access_token=_token(found.get("access_token")),
        expires_at=now + _lifetime(found.get("expires_in")),
        scopes=_scopes(found.get("scope"), asked),
        encounter=f"Encounter/{encounter}" if encounter else "",
        refresh_token=_token(refresh) if refresh else "",
        banner=found.get("need_patient_banner") is not False,
        app_context=_text(found.get("appContext")),
    )


def check_patient(granted: Granted) -> None:
    """There is one, and the card that led here was about the same; raises `LaunchRefused`."""
    if not granted.patient:
        raise LaunchRefused("no-patient")
    if not granted.app_context.lstrip().startswith("{"):
        return
    try:
        meant = read_object(granted.app_context.encode())
    except (NotStrictJson, UnicodeEncodeError):
        raise LaunchRefused("token-unusable") from None
    if meant.get("patient") is None:
        return
    named = meant["patient"]
    if not isinstance(named, str) or named.removeprefix("Patient/") != granted.patient:
        raise LaunchRefused("patient-mismatch")


def _token(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MOST or not _TOKEN.fullmatch(value):
        raise LaunchRefused("token-unusable")
    return value


def _id(value: object, bad: RefusedKind) -> str:
    """A FHIR id; empty where none is given. Anything else is not guessed at."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise LaunchRefused(bad)
    return value


def _lifetime(said: object) -> timedelta:
    """How long the token is good; a number as text is a common slip."""
    if said is None:
        return UNSAID
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        raise LaunchRefused("token-unusable")
    try:
        seconds = float(said)
    except (ValueError, OverflowError):
        raise LaunchRefused("token-unusable") from None
    if math.isnan(seconds) or seconds <= 0:
        raise LaunchRefused("token-unusable")
    return timedelta(seconds=min(seconds, LONGEST.total_seconds()))


def _scopes(said: object, asked: frozenset[str]) -> frozenset[str]:
    """RFC 6749 5.1: left out where it is what was asked for."""
    if said is None:
        return asked
    if not isinstance(said, str):
        raise LaunchRefused("token-unusable")
    return frozenset(said.split())


def _text(value: object) -> str:
    """An appContext: a text, usually JSON; a server that sends the object means the same."""
    if value is None:
        return ""
    try:
        text = json.dumps(value) if isinstance(value, dict) else value
    except RecursionError:
        raise LaunchRefused("token-unusable") from None
    if not isinstance(text, str) or len(text) > _MOST:
        raise LaunchRefused("token-unusable")
    return text
