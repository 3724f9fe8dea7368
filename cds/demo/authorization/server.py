"""The authorization server as a Flask blueprint: URLs, forms, redirects and pages; no rule.

For the loopback address only. Whoever mounts it restricts the host names (`TRUSTED_HOSTS`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as Redirection

from cds.demo.authorization import approving, cross_origin, discovery, launching, tokens
from cds.demo.authorization.asking import asking_of
from cds.demo.authorization.authority import Authority
from cds.demo.authorization.client_auth import client_of
from cds.demo.authorization.grants import Asking
from cds.demo.authorization.people import Person, people
from cds.demo.authorization.refusal import NotRedirected, Refused, TokenRefused


_DEMO = Path(__file__).parents[1]
_LARGEST = 64 * 1024
_FORM = "application/x-www-form-urlencoded"


def create_authorization(authority: Authority, name: str = "sandbox_authorization") -> Blueprint:
    """To be mounted without a prefix, in the application of the FHIR server at its base."""
    root, fhir = urlsplit(authority.issuer).path, urlsplit(authority.base).path
    page = Blueprint(
        name,
        __name__,
        template_folder=str(_DEMO / "templates"),
        static_folder=str(_DEMO / "static" / "authorization"),
        static_url_path=f"{root}/static",
    )
    _add_documents(page, authority, root, fhir)
    _add_authorize(page, authority, root)
    _add_token(page, authority, root)
    _add_launch(page, authority, fhir)

    @page.before_request
    def limit() -> None:
        request.max_content_length = _LARGEST

    @page.after_request
    def harden(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Pragma"] = "no-cache"
        if not (request.endpoint or "").endswith((".authorize", ".choose")):
            cross_origin.allow(request.headers.get("Origin"), response.headers)
        return response

    return page


def _add_documents(page: Blueprint, authority: Authority, root: str, fhir: str) -> None:
    @page.get(f"{fhir}/.well-known/smart-configuration")
    def smart_configuration() -> Response:
        return jsonify(discovery.smart_configuration(authority))

    @page.get(f"{root}/.well-known/openid-configuration")
    def openid_configuration() -> Response:
        return jsonify(discovery.openid_configuration(authority))

    @page.get(f"{root}/jwks")
    def jwks() -> Response:
        return jsonify(authority.signer.public())


def _add_authorize(page: Blueprint, authority: Authority, root: str) -> None:
    @page.route(f"{root}/authorize", methods=["GET", "POST"])
    def authorize() -> Response | Redirection:
        given = request.args if request.method == "GET" else request.form
        asking = asking_of(authority, dict(given.lists()))
        if asking.launch:
            return redirect(approving.approve_launch(authority, asking))
        return _choice(page.name, authority, asking)

    @page.post(f"{root}/choose")
    def choose() -> Redirection:
        form = request.form
        asking = authority.state.askings.take(form.get("asking", ""), authority.clock())
        if asking is None:
            raise NotRedirected(
                "This page was used already, or it is too old. Start the app again."
            )
        if form.get("answer") != "allow":
            return redirect(approving.deny(asking), 303)
        patient, user = form.get("patient", ""), form.get("user", "")
        return redirect(approving.approve_choice(authority, asking, patient, user), 303)

    @page.errorhandler(Refused)
    def refuse(error: Refused) -> Redirection:
        return redirect(error.url)

    @page.errorhandler(NotRedirected)
    def explain(error: NotRedirected) -> Response:
        shown = render_template(
            "authorization/refused.html", text=error.text, style=_style(page.name)
        )
        return _html(shown, "'self'", status=400)


def _add_token(page: Blueprint, authority: Authority, root: str) -> None:
    @page.post(f"{root}/token")
    def token() -> Response:
        form = _once(request.form)
        client = client_of(authority, request.headers.get("Authorization", ""), form)
        return jsonify(tokens.answer(authority, client, form))

    @page.errorhandler(TokenRefused)
    def refuse_token(error: TokenRefused) -> Response:
        response = jsonify({"error": error.error, "error_description": error.text})
        response.status_code = error.status
        if error.status == 401 and "Authorization" in request.headers:
            response.headers["WWW-Authenticate"] = 'Basic realm="token", charset="UTF-8"'
        return response


def _add_launch(page: Blueprint, authority: Authority, fhir: str) -> None:
    @page.post(f"{fhir}/_services/smart/Launch")
    def launch() -> Response:
        # A page of another site can send no JSON without being asked for it first (CORS).
        if not cross_origin.loopback(request.remote_addr) or not request.is_json:
            return _said("only JSON from this machine", 403)
        return jsonify(launching.launch_of(authority, request.get_data()))

    @page.errorhandler(launching.NoLaunch)
    def refuse_launch(error: launching.NoLaunch) -> Response:
        return _said(error.text, 400)


def _choice(name: str, authority: Authority, asking: Asking) -> Response:
    now = authority.clock()
    secret = authority.state.askings.put(asking, now=now, until=now + authority.lifetimes.asking)
    users = [
        Person(f"Practitioner/{one.id}", one.name, one.born)
        for one in people(authority.store, "Practitioner")
    ]
    if authority.user not in {one.id for one in users}:
        users.insert(0, Person(authority.user, authority.user, ""))
    shown = render_template(
        "authorization/choose.html",
        client=asking.client_id,
        scopes=asking.scopes,
        patients=people(authority.store, "Patient") if approving.needs_patient(asking) else None,
        users=users,
        user=authority.user,
        asking=secret,
        action=url_for(f"{name}.choose"),
        style=_style(name),
    )
    # Browsers hold the redirect after the form to `form-action` as well.
    there = urlsplit(asking.back.redirect_uri)
    return _html(shown, f"'self' {there.scheme}://{there.netloc}")


def _html(text: str, form_action: str, status: int = 200) -> Response:
    response = Response(text, status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; img-src data:; form-action {form_action}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return response


def _style(name: str) -> str:
    return url_for(f"{name}.static", filename="authorization.css")


def _once(form: MultiDict[str, str]) -> Mapping[str, str]:
    """RFC 6749 3.2: form fields, none of them twice; one without a value counts as left out."""
    if request.mimetype != _FORM or request.args:
        raise TokenRefused("invalid_request", f"the parameters belong in a body of {_FORM}")
    lists: list[tuple[str, list[str]]] = list(form.lists())
    if any(len(found) > 1 for _, found in lists):
        raise TokenRefused("invalid_request", "a parameter comes twice")
    return {name: found[0] for name, found in lists if found[0]}


def _said(text: str, status: int) -> Response:
    response: Any = jsonify({"error": text})
    response.status_code = status
    return response
