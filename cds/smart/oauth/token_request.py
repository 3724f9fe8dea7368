"""One POST to a token endpoint, with what proves that it is us, and the members of its answer.

RFC 6749 4.1.3, 5.2 and 6. Nothing of an answer of failure is kept but its kind.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cds.backend.assertion import Client, proof
from cds.backend.exchange import Exchange, Reply, Request
from cds.backend.failure import BackendFailed
from cds.smart.oauth.refusal import LaunchRefused, RefusedKind, no_answer
from cds.trust.strict_json import NotStrictJson, read_object


_CLIENT_ERRORS = frozenset({"invalid_client", "unauthorized_client"})


def token_request(
    client: Client,
    endpoint: str,
    form: Mapping[str, str],
    exchange: Exchange,
    *,
    refused: RefusedKind,
    seconds: float,
    now: datetime,
) -> Mapping[str, Any]:
    """The members of an answer of 200; raises `LaunchRefused`.

    `refused`: the kind where the server refuses the grant in `form`. `seconds`: for all of it.
    `now`: for the end of the assertion.
    """
    try:
        by = proof(client, endpoint, now)
    except BackendFailed:
        raise LaunchRefused("no-key") from None
    try:
        reply = exchange(Request(endpoint, by.headers, {**form, **by.form}), seconds)
    except BackendFailed as error:
        late = no_answer(error.kind)
        raise LaunchRefused("token-unreachable" if late else "token-unusable") from None
    if reply.status == 429 or reply.status >= 500:
        raise LaunchRefused("token-unreachable")
    if reply.status >= 400:
        raise LaunchRefused("client-refused" if _about_client(reply) else refused)
    if reply.status != 200:
        raise LaunchRefused("token-unusable")
    try:
        return read_object(reply.body)
    except NotStrictJson:
        raise LaunchRefused("token-unusable") from None


def _about_client(reply: Reply) -> bool:
    """Whether it is the registration that is at fault, not this one grant."""
    if reply.status == 401:
        return True
    try:
        said = read_object(reply.body).get("error")
    except NotStrictJson:
        return False
    return isinstance(said, str) and said in _CLIENT_ERRORS
