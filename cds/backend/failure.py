"""Why a site's FHIR server was not read or written without a user: one of a closed list of kinds.

The words are ours: nothing of a server's answer, no address, no token.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias, cast, get_args

from cds import fhir_fetch
from cds.fhir_guard import Kind


TokenKind: TypeAlias = Literal[
    "token-no-key",  # the key or secret file cannot be read or does not fit the algorithm
    "token-no-endpoint",  # the FHIR server names no token endpoint, or none that may be used
    "token-unreachable",
    "token-timeout",
    "token-redirect",
    "token-too-large",
    "token-not-json",
    "token-client-refused",  # 401, invalid_client, unauthorized_client: a matter of registration
    "token-refused",  # any other 4xx: a scope, a grant
    "token-too-many-requests",
    "token-server-error",
    "token-unusable",  # an answer of 200 without a bearer token that can be sent
]
BackendKind: TypeAlias = Kind | TokenKind

_TOKEN_REASONS: Mapping[str, str] = {
    "token-no-key": "the key to ask for a token with cannot be used",
    "token-no-endpoint": "no token endpoint is known that may be asked",
    "token-unreachable": "the token endpoint cannot be reached",
    "token-timeout": "the token endpoint did not answer in time",
    "token-redirect": "the token endpoint answered with a redirect",
    "token-too-large": "the token endpoint sent more than is read",
    "token-not-json": "the token endpoint did not answer with JSON",
    "token-client-refused": "the token endpoint does not accept this client",
    "token-refused": "the token endpoint refuses what was asked for",
    "token-too-many-requests": "the token endpoint is asked too often",
    "token-server-error": "the token endpoint reports a fault",
    "token-unusable": "the token endpoint gave no token that can be used",
}
# By BackendKind.
REASONS: Mapping[str, str] = {
    **{str(kind): words for kind, words in fhir_fetch.REASONS.items()},
    **_TOKEN_REASONS,
}
# What a failed token means to whoever wanted to read: the guard's own words.
_AS_READ: Mapping[TokenKind, Kind] = {
    "token-unreachable": "unreachable",
    "token-timeout": "timeout",
    "token-too-many-requests": "too-many-requests",
    "token-server-error": "server-error",
}


class BackendFailed(Exception):
    """A request not made or not answered well. `status`: the HTTP status, where there was one.

    `retry_after`: seconds the server, or our own back-off, asks to wait; None: nothing was said.
    """

    def __init__(
        self, kind: BackendKind, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(REASONS[kind])
        self.kind: BackendKind = kind
        self.status = status
        self.retry_after = retry_after

    @property
    def about_token(self) -> bool:
        """Whether no token was got; the FHIR server was then not asked."""
        return self.kind in get_args(TokenKind)

    @property
    def as_read(self) -> Kind:
        """The failure as one of reading: a site that gives no token is not authorised."""
        if self.about_token:
            return _AS_READ.get(cast(TokenKind, self.kind), "not-authorised")
        return cast(Kind, self.kind)
