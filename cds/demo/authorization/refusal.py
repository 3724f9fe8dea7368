"""What the authorization server refuses: the errors of RFC 6749, and what no redirect may carry."""

from typing import Literal, TypeAlias
from urllib.parse import urlencode

from msgspec import Struct


ErrorCode: TypeAlias = Literal[
    "access_denied",
    "interaction_required",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "request_not_supported",
    "request_uri_not_supported",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
]


class TokenRefused(Exception):
    """RFC 6749 5.2; `status` is 401 for `invalid_client`, and the text repeats no value."""

    def __init__(self, error: ErrorCode, text: str) -> None:
        super().__init__(text)
        self.error = error
        self.text = text
        self.status = 401 if error == "invalid_client" else 400


class NotRedirected(Exception):
    """The client or its address is not known: the person is told, nobody is redirected."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Back(Struct, frozen=True):
    """Where the browser is sent afterwards. `state` "": the request had none."""

    redirect_uri: str
    state: str
    issuer: str

    def url(self, **said: str) -> str:
        """RFC 6749 4.1.2 and 4.1.2.1, with the `iss` of RFC 9207."""
        pairs = [*said.items(), *([("state", self.state)] if self.state else [])]
        mark = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{mark}{urlencode([*pairs, ('iss', self.issuer)])}"


class Refused(Exception):
    """RFC 6749 4.1.2.1: told to the client, whose address has been verified."""

    def __init__(self, error: ErrorCode, text: str, back: Back) -> None:
        super().__init__(text)
        self.url = back.url(error=error, error_description=text)
