"""What stands before every page of a launch: its cookie, its session, and where a form came from.

https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html:
a token in the form and the Origin of the request, because the cookie is sent from any site.
"""

import hmac
from urllib.parse import urlsplit

from flask import Blueprint, g, request, url_for
from werkzeug.datastructures import Headers

from cds.smart.context import Context
from cds.smart.guarding.cookies import is_launch_id, secrets_of
from cds.smart.guarding.headers import add_headers, framed_by
from cds.smart.guarding.problem import Link, Problem
from cds.smart.guarding.problem_pages import add_problem_pages
from cds.smart.guarding.sessions import Sessions
from cds.smart.parts import AddRoutes, Bedside, Parts


MOST_BYTES = 256 * 1024  # of a form
_OPEN = ("static", "launch", "callback")  # what nobody has to be signed in for
_SAFE = ("GET", "HEAD", "OPTIONS")
_PORTS = {"http": 80, "https": 443}


def guard(sessions: Sessions) -> AddRoutes:
    """Before the routes of any page: it checks for all of them."""

    def add_routes(page: Blueprint, parts: Parts) -> None:
        origin = origin_of(parts.deployment.settings.public_url)
        add_headers(page)
        add_problem_pages(page)
        unguarded = {f"{page.name}.{name}" for name in _OPEN}

        @page.before_request
        def check() -> None:
            """Sets `g.bedside` or raises."""
            request.max_content_length = MOST_BYTES
            if request.endpoint not in unguarded:
                _sit_down(sessions, str((request.view_args or {}).get("launch", "")), origin)

    return add_routes


def _sit_down(sessions: Sessions, launch: str, origin: str) -> None:
    if not is_launch_id(launch):
        raise Problem("unknown-path")
    row = sessions.seen(launch)
    site = sessions.site(row)
    framed_by(site)
    safe = request.method in _SAFE
    if not safe and not from_here(request.headers, origin):
        raise Problem("origin")
    context = sessions.find(row, secrets_of(request.cookies).get(launch), used=_by_a_person())
    if site is None:  # `find` has refused it
        raise Problem("no-session")
    if not safe and not carries(context, request.form.getlist("csrf")):
        raise Problem("csrf", link=Link(url_for("smart.grade", launch=launch), "Go to the app"))
    g.seen = {"site": site.id}
    g.bedside = Bedside(context=context, site=site)


def from_here(headers: Headers, origin: str) -> bool:
    """Whether a page of this origin sent the request, as the browser says.

    A browser that leaves Origin out may say the same by Sec-Fetch-Site (Fetch Metadata).
    """
    if "Origin" in headers:
        return origin_of(headers["Origin"]) == origin
    return headers.get("Sec-Fetch-Site") == "same-origin"


def carries(context: Context, values: list[str]) -> bool:
    """Whether the form has the token of this launch, once."""
    given = "".join(values).encode(errors="replace")
    return len(values) == 1 and hmac.compare_digest(given, context.csrf.encode())


def origin_of(url: str) -> str:
    """Scheme, host and port as a browser writes them; empty where there is none."""
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError:
        return ""
    if found.scheme not in _PORTS or not found.hostname:
        return ""
    host = f"[{found.hostname}]" if ":" in found.hostname else found.hostname
    shown = "" if port is None or port == _PORTS[found.scheme] else f":{port}"
    return f"{found.scheme}://{host}{shown}"


def _by_a_person() -> bool:
    """A part of a page that a script gets by itself keeps no session open."""
    return not (request.method in _SAFE and "HX-Request" in request.headers)
