"""One cookie a launch, so that launches in one browser stay apart; no other cookie is ever set.

`__Host-`: from this host alone, over TLS. `SameSite=None; Partitioned`: it works in a frame of the
EHR, and only in frames of that EHR (Cookies Having Independent Partitioned State).
"""

import re
from collections.abc import Collection, Mapping

from flask import Response


_NAME = "__Host-btce-"
_ID = re.compile(r"[0-9a-f]{32}")
_SECRET = re.compile(r"[0-9a-f]{64}")


def is_launch_id(text: str) -> bool:
    """Whether this has the form of a launch's id."""
    return _ID.fullmatch(text) is not None


def secrets_of(cookies: Mapping[str, str]) -> dict[str, str]:
    """The secrets by launch that a request carries; what is not of our form is not there."""
    found = {}
    for name, value in cookies.items():
        launch = name.removeprefix(_NAME)
        if launch != name and is_launch_id(launch) and _SECRET.fullmatch(value):
            found[launch] = value
    return found


def keep(response: Response, launch: str, secret: str) -> None:
    """Give the browser the secret of a launch, until it is closed."""
    _set(response, launch, secret, None)


def forget(response: Response, launches: Collection[str]) -> None:
    """Take the cookies of these launches away."""
    for launch in sorted(launches):
        _set(response, launch, "", 0)


def _set(response: Response, launch: str, value: str, max_age: int | None) -> None:
    response.set_cookie(
        f"{_NAME}{launch}",
        value,
        max_age=max_age,
        path="/",
        secure=True,
        httponly=True,
        samesite="None",
        partitioned=True,
    )
