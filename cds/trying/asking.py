"""One server as it is asked here: one GET at a time, through the guard, its failure in our words.

The session is closed with the server; its token goes to that base alone.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
import requests
from msgspec import Raw

from cds.body_limits import refuse_unbounded
from cds.errors import ServiceError
from cds.fhir_guard import GuardedSession, Kind, ReadRefused
from cds.fhir_pages import kind_of
from cds.trying.trouble import Trouble, of_kind


_MEDIA = "application/fhir+json"


class Access(NamedTuple):
    """Which server, with which token, and how many seconds one read may take."""

    base: str
    token: str | None
    seconds: float

    def __repr__(self) -> str:
        return "Access(…)"


class Reply(NamedTuple):
    """An answer of 200 that is one JSON object; `body`: the same as it was written."""

    headers: Mapping[str, str]
    content: dict[str, Any]
    body: Raw


class NotRead(NamedTuple):
    """Why there is none. `status`: of HTTP, where there was an answer."""

    kind: Kind
    status: int | None


@contextmanager
def opened(access: Access) -> Iterator[GuardedSession]:
    """A session for reads below the base; raises `Trouble` for a token that cannot be sent."""
    try:
        session = GuardedSession(access.base, access.token, seconds=access.seconds)
    except ReadRefused as error:
        raise Trouble(str(error), "check what the environment variable holds") from None
    alarm = threading.Timer(access.seconds, session.close)  # for what no timeout of a socket ends
    alarm.daemon = True
    alarm.start()
    try:
        yield session
    finally:
        alarm.cancel()
        session.close()


def ask(access: Access, path: str) -> Reply | NotRead:
    """GET `path` below the base; raises `Trouble` for a token that cannot be sent."""
    told: list[requests.Response] = []

    def hear(response: requests.Response, **_: object) -> None:
        told.append(response)

    with opened(access) as session:
        session.hooks["response"].append(hear)
        try:
            answer = session.get(f"{access.base}/{path}", headers={"Accept": _MEDIA})
            answer.raise_for_status()
            refuse_unbounded(answer.content)
            body = msgspec.json.decode(answer.content, type=Raw)  # what the service reads with
            content = json.loads(answer.content)
        except ReadRefused as error:
            return _not_read(error.kind, told)
        except requests.RequestException as error:
            return _not_read(kind_of(error, session), told)
        except (ServiceError, msgspec.DecodeError, ValueError, RecursionError):
            return _not_read("not-fhir", told)
    if not isinstance(content, dict):
        return _not_read("not-fhir", told)
    return Reply(answer.headers, content, body)


def trouble(found: NotRead, access: Access, what: str = "") -> Trouble:
    """The sentence for it."""
    return of_kind(found.kind, found.status, token=access.token is not None, what=what)


def _not_read(kind: Kind, told: list[requests.Response]) -> NotRead:
    return NotRead(kind, told[-1].status_code if told else None)
