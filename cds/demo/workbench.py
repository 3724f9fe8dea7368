"""The order-entry page: a patient, an order, a protocol, and the cards the service answers with.

Server-rendered, no JavaScript. It calls the service over HTTP like any EHR and decides nothing.
"""

import uuid
from collections.abc import Mapping

from flask import Blueprint, Response, abort, render_template, request

from cds.clock import Clock
from cds.demo import answer, chart_text
from cds.demo.answer import Answer
from cds.demo.drugs import ORDERS, DemoOrder
from cds.demo.launching import add_launch
from cds.demo.sign import SERVICE, order_sign
from cds.demo.story import Story


CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; frame-src {base}"
)
# Each protocol is a site of its own, mounted under its own service base.
PROTOCOLS: dict[str, str] = {
    "us-label": "US labels and REMS",
    "community-sop": "US community cancer centre procedure",
    "nhs-waht": "NHS Worcestershire guideline",
}


def create_workbench(
    stories: Mapping[str, Story], *, clock: Clock, base: str, fhir: str
) -> Blueprint:
    """The blueprint; `base` is the address this server listens on, `fhir` its FHIR base."""
    page = Blueprint(
        "workbench",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/workbench",
    )

    @page.get("/")
    def choose() -> str:
        story = _story(stories, request.args.get("patient", next(iter(stories))))
        return _render(stories, story, ORDERS[story.order], story.protocol, None)

    @page.post("/sign")
    def sign() -> str:
        story = _story(stories, request.form.get("patient", ""))
        order = ORDERS.get(request.form.get("order", "")) or abort(400)
        protocol = request.form.get("protocol", "")
        if protocol not in PROTOCOLS:
            abort(400)
        body = order_sign(story, order, now=clock(), hook_instance=str(uuid.uuid4()))
        url = f"{base}/{protocol}/cds-services/{SERVICE}"
        return _render(stories, story, order, protocol, answer.send(url, body))

    add_launch(
        page,
        fhir=fhir,
        patients=frozenset(stories),
        apps=frozenset(launch_url(base, protocol) for protocol in PROTOCOLS),
    )
    policy = CONTENT_SECURITY_POLICY.format(base=base)

    @page.after_app_request
    def harden(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        if response.mimetype == "text/html":
            response.headers["Cache-Control"] = "no-store"
        return response

    return page


def launch_url(base: str, protocol: str) -> str:
    """Where the bedside app of a protocol's site is launched."""
    return f"{base}/{protocol}/smart/launch"


def _story(stories: Mapping[str, Story], name: str) -> Story:
    if name not in stories:
        abort(404)
    return stories[name]


def _render(
    stories: Mapping[str, Story],
    story: Story,
    order: DemoOrder,
    protocol: str,
    result: Answer | None,
) -> str:
    return render_template(
        "workbench.html",
        stories=stories.values(),
        story=story,
        chart=chart_text.lines(story),
        orders=ORDERS.values(),
        order=order,
        protocols=PROTOCOLS,
        protocol=protocol,
        answer=result,
    )
