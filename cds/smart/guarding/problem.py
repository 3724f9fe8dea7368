"""Whatever can go wrong before or within a page, in words: what happened and what to do now.

Words of the app itself, nothing clinical; no word is taken from a request, a record or a token.
Shown by `problem_pages`.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct


Kind = Literal[
    "no-session",
    "idle",
    "over",
    "token-over",
    "busy",
    "csrf",
    "origin",
    "unknown-issuer",
    "bad-launch",
    "no-sign-in",
    "no-cookie",
    "answering",
    "bad-request",
    "unknown-path",
    "wrong-method",
    "too-large",
    "another-patient",
    "data-unavailable",
    "not-allowed",
    "store-down",
    "fault",
]


class Link(Struct, frozen=True):
    """Where to go on. `tab`: in a tab of its own."""

    url: str
    label: str
    tab: bool = False


class Problem(Exception):
    """A request for a page that is not answered with that page; `kind` says why."""

    def __init__(self, kind: Kind, *, link: Link | None = None) -> None:
        super().__init__(kind)
        self.kind: Kind = kind
        self.link = link


class Shown(Struct, frozen=True):
    """One problem as it is shown. `status`: of HTTP. `tell`: for informatics; may be empty."""

    status: int
    title: str
    happened: str
    do: str
    tell: str = ""


_AGAIN = "Launch the app again from the patient's chart in the EHR."
_KEPT = "What was confirmed is kept; what was not confirmed has to be entered again."
_COOKIES = (
    "The browser has to accept a partitioned third-party cookie (CHIPS) of the app's address in a"
    " frame of the EHR, or the EHR has to open the app in a tab of its own."
)
_NOT_SENT = "This form was not sent"

SHOWN: Mapping[Kind, Shown] = {
    "no-session": Shown(
        403,
        "The app is not open in this browser",
        "Nobody is signed in to this page: the session has ended, it belongs to another browser,"
        " or the browser did not send the app's cookie.",
        f"{_AGAIN} {_KEPT}",
        _COOKIES,
    ),
    "idle": Shown(
        403,
        "The session ended because it was not used",
        "The app closes by itself after a while, so that nobody else can chart in your name.",
        f"{_AGAIN} {_KEPT}",
    ),
    "over": Shown(
        403,
        "The session is over",
        "It was left, it lasted as long as a session may, or too many patients were open.",
        f"{_AGAIN} {_KEPT}",
    ),
    "token-over": Shown(
        403,
        "The EHR's permission has run out",
        "The EHR gave access to the record for a limited time and that time is over.",
        f"{_AGAIN} {_KEPT}",
        "The authorization server gave no refresh token; the scopes online_access or"
        " offline_access ask for one.",
    ),
    "busy": Shown(
        503,
        "The EHR is slow to answer",
        "Access to the record is being renewed, and that takes longer than it should.",
        "Try again in a moment. If it happens again, launch the app again from the EHR.",
    ),
    "csrf": Shown(
        403,
        _NOT_SENT,
        "It does not belong to the patient whose page it was sent to, or it is of a session that"
        " is over. Nothing was stated.",
        "Go back to the app, check the patient at the top of the page, and enter it there.",
    ),
    "origin": Shown(
        403,
        _NOT_SENT,
        "It did not come from a page of this app. Nothing was stated.",
        f"Enter it in the app itself. {_AGAIN}",
        "The header Origin has to be the app's public address, as `public_url` is configured.",
    ),
    "unknown-issuer": Shown(
        400,
        "This EHR is not known here",
        "The launch came from a FHIR server for which the app is not set up.",
        "Use the chart, and tell informatics that the launch was refused.",
        "The parameter iss has to be the FHIR base of a configured site that has `smart`.",
    ),
    "bad-launch": Shown(
        400,
        "The launch cannot be read",
        "What the EHR sent to open the app is incomplete, too long, or there twice.",
        f"{_AGAIN} If it happens again, tell informatics.",
        "A launch has one parameter iss and at most one parameter launch.",
    ),
    "no-sign-in": Shown(
        400,
        "This sign-in is not known here",
        "It was begun too long ago, it is finished already, or it was not begun here.",
        _AGAIN,
    ),
    "no-cookie": Shown(
        403,
        "The browser did not keep the app's cookie",
        "The app was opened inside the EHR, and the browser does not let it remember there who"
        " signed in. A launch can be used once only, so this one cannot go on.",
        f"{_AGAIN} If it happens again, open the app in a tab of its own.",
        _COOKIES,
    ),
    "answering": Shown(
        409,
        "Signing in is under way",
        "The same sign-in arrived twice; one of the two is being worked on.",
        "Wait a moment, then open the page of the patient with the link below.",
    ),
    "bad-request": Shown(
        400,
        "The request cannot be read",
        "What the browser sent is not what this page expects. Nothing was stated.",
        "Go back, reload the page and try again.",
    ),
    "unknown-path": Shown(
        404,
        "There is no such page",
        "Nothing of the app is at this address.",
        _AGAIN,
    ),
    "wrong-method": Shown(
        405,
        "This page cannot be opened like that",
        "The address is of a form that has to be sent from its own page.",
        _AGAIN,
    ),
    "too-large": Shown(
        413,
        "Too much was sent at once",
        "A form of this app is never as large as that. Nothing was stated.",
        "Go back, shorten what was entered and try again.",
    ),
    "another-patient": Shown(
        400,
        "Data of another patient arrived",
        "The EHR sent something that belongs to another patient or server. So nothing is shown:"
        " neither a grade nor advice.",
        "Use the chart. Tell informatics now.",
        "An answer of the FHIR server held a resource of another patient than the launch's.",
    ),
    "data-unavailable": Shown(
        412,
        "The record cannot be read",
        "The EHR did not give the data without which nothing can be graded.",
        "Use the chart. Try again in a minute; if it happens again, launch the app again from the"
        " EHR.",
        "Not even the resource Patient was read with the user's token.",
    ),
    "not-allowed": Shown(
        403,
        "This is not allowed here",
        "The user or the launch has no right to do this. Nothing was stated.",
        "Ask informatics if you need it for your work.",
    ),
    "store-down": Shown(
        503,
        "The app cannot keep anything at the moment",
        "Its database does not answer.",
        "Use the chart meanwhile and try again in a minute. Whether a statement was taken is shown"
        " on the page Statements: look there before you confirm again.",
    ),
    "fault": Shown(
        500,
        "Something is wrong with the app",
        "This is a fault of the app, not of what was entered.",
        "Use the chart, and tell informatics what you did and when.",
    ),
}

# What a `ServiceError` or an HTTP status is shown as, where its code is not one of the kinds.
BY_STATUS: Mapping[int, Kind] = {
    400: "bad-request",
    403: "not-allowed",
    404: "unknown-path",
    405: "wrong-method",
    412: "data-unavailable",
    413: "too-large",
    415: "bad-request",
    503: "store-down",
}


def kind_of(code: str, status: int) -> Kind:
    """The kind of a `ServiceError` by its code and status."""
    for kind in SHOWN:
        if kind == code:
            return kind
    return BY_STATUS.get(status, "fault")
