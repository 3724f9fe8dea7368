"""Why a launch came to nothing: one of a closed list of kinds. Repeats nothing of what came."""

from typing import Literal, TypeAlias

from cds.backend import BackendKind


RefusedKind: TypeAlias = Literal[
    # Before anybody is asked.
    "not-configured",  # the bedside app is not set up for this site
    "launch",  # the launch parameter is none that can be passed on
    "no-key",  # our own key or secret file cannot be used
    "discovery-unreachable",
    "discovery-unusable",  # no smart-configuration, or one whose addresses may not be asked
    "discovery-no-identity",  # it does not say who signs the id_token, or with which keys
    "no-pkce",  # S256 is not offered
    # What the browser brings back.
    "callback",  # not an answer of RFC 6749: doubled, over-long or missing members
    "state",  # not the launch that was begun here
    "too-late",
    "issuer",  # another authorization server than the one asked (RFC 9207)
    "declined",
    "server-busy",
    "scope-refused",
    "authorization-refused",
    # The token endpoint.
    "token-unreachable",
    "token-unusable",
    "client-refused",
    "code-refused",
    # What it grants.
    "scope-patient",
    "scope-observations",
    "scope-medications",
    "no-patient",
    "patient-mismatch",
    # Who is there.
    "no-id-token",
    "id-token-malformed",
    "id-token-algorithm",
    "id-token-keys",  # the keys cannot be read
    "id-token-key",  # none of them fits
    "id-token-signature",
    "id-token-issuer",
    "id-token-audience",
    "id-token-time",
    "id-token-nonce",
    "no-user",
    "user-elsewhere",
    # Later on.
    "no-refresh",
    "refresh-refused",
]

_NO_ANSWER: frozenset[BackendKind] = frozenset(
    {
        "token-unreachable",
        "token-timeout",
        "token-too-many-requests",
        "token-server-error",
    }
)


class LaunchRefused(Exception):
    """A launch, or its renewal, that does not go on; `kind` says why and is all that is said."""

    def __init__(self, kind: RefusedKind) -> None:
        super().__init__(kind)
        self.kind: RefusedKind = kind


def no_answer(kind: BackendKind) -> bool:
    """Whether a failed request may well succeed later: nobody answered, or a server at fault."""
    return kind in _NO_ANSWER
