"""Why a notification is refused. No message repeats a value of it."""

from typing import ClassVar

from cds.errors import ServiceError, Unauthorized


_SUBSCRIPTIONS = "https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/"
_HTTP = "https://www.rfc-editor.org/rfc/"


class WrongSecret(Unauthorized):
    """The request does not bring the secret of any site."""

    spec_url: ClassVar[str] = _HTTP + "rfc6750.html"

    def __init__(self) -> None:
        super().__init__("wrong-secret")
        self.message = "the secret of the site is required as bearer token"


class UnreadableNotification(ServiceError):
    """The body is not a notification or a resource as FHIR JSON."""

    code = "bad-notification"
    status = 400
    issue = "invalid"
    spec_url: ClassVar[str] = _SUBSCRIPTIONS + "notifications.html"


class TooManyNotifications(ServiceError):
    """One subscription sends more than is read; `seconds`: when to try again."""

    code = "too-many-notifications"
    status = 429
    issue = "throttled"
    spec_url: ClassVar[str] = _HTTP + "rfc6585.html#section-4"

    def __init__(self, seconds: int) -> None:
        super().__init__("too many notifications at once")
        self.seconds = seconds
