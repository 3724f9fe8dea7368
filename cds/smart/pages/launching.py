"""The way in and out: launched by the EHR, back from its authorization server, left.

SMART App Launch 2, "Launch App: EHR Launch" and "Standalone Launch". Nothing of what the EHR or its
server put into an address stays in the address of a page.
"""

from collections.abc import Callable, Collection, Mapping

from flask import (
    Blueprint,
    Response,
    after_this_request,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from cds.config import Settings, Site, same_base
from cds.smart.blueprint import PREFIX
from cds.smart.context import Context
from cds.smart.guarding import cookies
from cds.smart.guarding.headers import framed_by
from cds.smart.guarding.problem import Link, Problem
from cds.smart.guarding.sessions import Begun, Sessions
from cds.smart.oauth import LaunchRefused, launch_of
from cds.smart.parts import AddRoutes, Parts, bedside


_LONGEST = 8192  # characters of a query


def launching(sessions: Sessions) -> AddRoutes:
    """The routes `launch`, `callback` and `leave`."""

    def add_routes(page: Blueprint, parts: Parts) -> None:
        settings = parts.deployment.settings
        back = redirect_uri(settings)

        @page.get("/launch")
        def launch() -> Response:
            iss, token = _launched(_arguments())
            site = _site_of(settings, iss)
            framed_by(site)
            begun = sessions.begin(site, launch=token, redirect_uri=back)
            _hand_over(sessions, begun)
            return make_response(redirect(begun.url, 302))

        @page.get("/callback")
        def callback() -> Response:
            args = _arguments()
            id_ = launch_of(args)
            _answered(sessions, id_, args)
            return make_response(redirect(_page(id_), 303))

        @page.post("/l/<launch>/leave")
        def leave(launch: str) -> str:
            sessions.end(launch)
            parts.at_hand.drop(launch)
            framed_by(bedside().site)
            _take_away({launch})
            return render_template("smart/launch_left.html")

    return add_routes


def redirect_uri(settings: Settings) -> str:
    """What has to be registered at every authorization server."""
    return f"{settings.public_url.rstrip('/')}{PREFIX}/callback"


def opening(sessions: Sessions) -> Callable[[Context, str], str]:
    """For a page that opens another patient: of a context and a patient's id, where to go.

    The cookie of the new launch is set on the answer to the request at hand.
    """

    def open_patient(context: Context, patient: str) -> str:
        begun = sessions.derive(context, patient)
        _hand_over(sessions, begun, stays=context.launch)
        return _page(begun.launch)

    return open_patient


def _answered(sessions: Sessions, id_: str, args: Mapping[str, list[str]]) -> None:
    row = sessions.seen(id_) if cookies.is_launch_id(id_) else None
    site = sessions.site(row)
    framed_by(site)
    secret = cookies.secrets_of(request.cookies).get(id_)
    if row is None or site is None or (secret is None and row.stage != "asked"):
        raise Problem("no-sign-in")
    if secret is None:
        raise Problem("no-cookie", link=_again(site))
    if sessions.is_open(row, secret):
        return  # the same address once more: nothing of it is used
    try:
        sessions.answered(row, secret, args)
    except LaunchRefused:
        _take_away({id_})
        raise
    except Problem as problem:
        if problem.kind == "answering":
            raise Problem("answering", link=Link(_page(id_), "Open the page")) from None
        raise


def _arguments() -> dict[str, list[str]]:
    if len(request.query_string) > _LONGEST:
        raise Problem("bad-launch")
    return request.args.to_dict(flat=False)


def _launched(args: Mapping[str, list[str]]) -> tuple[str, str | None]:
    """`iss` and `launch`; the latter None for a standalone launch."""
    iss, launch = args.get("iss", []), args.get("launch", [])
    if len(iss) != 1 or len(launch) > 1 or "" in (*iss, *launch):
        raise Problem("bad-launch")
    return iss[0], launch[0] if launch else None


def _site_of(settings: Settings, iss: str) -> Site:
    """The one site with this FHIR base that offers the app; two would be one too many."""
    found = [
        site
        for site in settings.sites.values()
        if site.smart is not None and site.fhir_base and same_base(site.fhir_base, iss)
    ]
    if len(found) != 1:
        raise Problem("unknown-issuer")
    return found[0]


def _again(site: Site) -> Link:
    """Standalone: the launch that failed is used up, so the EHR asks for the patient."""
    label = "Sign in again in a new tab, and choose the patient there"
    return Link(url_for("smart.launch", iss=site.fhir_base), label, tab=True)


def _hand_over(sessions: Sessions, begun: Begun, *, stays: str = "") -> None:
    """The secret goes to the browser with this answer, and what is over goes from there."""
    _take_away(sessions.make_room(cookies.secrets_of(request.cookies), stays=stays))

    @after_this_request
    def keep(response: Response) -> Response:
        cookies.keep(response, begun.launch, begun.secret)
        return response


def _take_away(launches: Collection[str]) -> None:
    @after_this_request
    def forget(response: Response) -> Response:
        cookies.forget(response, launches)
        return response


def _page(launch: str) -> str:
    return url_for("smart.grade", launch=launch)
