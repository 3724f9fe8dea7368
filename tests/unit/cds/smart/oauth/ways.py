"""A way to misbehave, and how a good server is made to."""

from collections.abc import Callable
from typing import Any, NamedTuple

from cds.smart.oauth import RefusedKind
from tests.functional.fhir_upstream import Behaviour
from tests.unit.cds.smart.oauth.authority import Authority


JSON = "application/json"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Case(NamedTuple):
    """A way to misbehave. `spoils`: makes a good server do so. `slow`: by never ending."""

    name: str
    spoils: Callable[[Authority], None]
    kind: RefusedKind
    slow: bool = False


def metadata(**changes: Any) -> Callable[[Authority], None]:
    return lambda server: server.metadata.update(changes)


def answer(**changes: Any) -> Callable[[Authority], None]:
    return lambda server: server.answered.update(changes)


def claims(**changes: Any) -> Callable[[Authority], None]:
    return lambda server: server.claims.update(changes)


def back(**changes: Any) -> Callable[[Authority], None]:
    return lambda server: server.back.update(changes)


def does(path: str, behaviour: Behaviour) -> Callable[[Authority], None]:
    return lambda server: server.does.update({path: behaviour})
