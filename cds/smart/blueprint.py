"""The app as one Flask blueprint: its pages, what is checked before them, and its headers."""

from collections.abc import Sequence

from flask import Blueprint

from cds.smart.parts import AddRoutes, Parts


PREFIX = "/smart"


def create_smart(parts: Parts, pages: Sequence[AddRoutes]) -> Blueprint:
    """The blueprint, with the routes of `pages`; what guards them is a page like any other."""
    smart = Blueprint(
        "smart",
        __name__,
        url_prefix=PREFIX,
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    for add_routes in pages:
        add_routes(smart, parts)
    return smart
