"""The headers of every answer of the app but its static files: who may frame it, what it may load.

Content Security Policy 3; a page of the app has no inline script or style, and loads from itself.
"""

from typing import Protocol

from flask import Blueprint, Response, g, request

from cds.config import Site


_NOTHING_ELSE = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class _Framed(Protocol):
    framed_by: Site | None


def framed_by(site: Site | None) -> None:
    """The answer to this request may be shown in a frame of this site's EHR."""
    here: _Framed = g
    here.framed_by = site


def add_headers(page: Blueprint) -> None:
    """On every answer below the blueprint's prefix, also where nothing is there."""

    @page.after_app_request
    def finished(response: Response) -> Response:
        served = request.endpoint == f"{page.name}.static" and response.status_code < 400
        if not served and below(page):
            response.headers.update(headers(g.get("framed_by")))
            if request.view_args and "launch" in request.view_args:
                # With no-referrer, browsers send "Origin: null" with a form, and no check is left.
                response.headers["Referrer-Policy"] = "same-origin"
        return response


def below(page: Blueprint) -> bool:
    """Whether this request is for something below the prefix of the blueprint."""
    return request.path.startswith(f"{page.url_prefix}/")


def headers(site: Site | None) -> dict[str, str]:
    """By name. `site`: whose EHR may frame the answer; None: nobody may."""
    return {
        "Content-Security-Policy": policy(site),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Permissions-Policy": _NOTHING_ELSE,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def policy(site: Site | None) -> str:
    """The Content-Security-Policy."""
    ancestors = "'none'"
    if site is not None and site.smart is not None:
        ancestors = " ".join(("'self'", *sorted(site.smart.ehr_origins)))
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            f"frame-ancestors {ancestors}",
        )
    )
