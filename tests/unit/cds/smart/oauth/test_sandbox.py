"""The client and the authorization server of the demo, made apart, understand each other."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import msgspec
import pytest
import requests
from flask import Flask
from joserfc.jwk import ECKey

from cds.clock import system_clock
from cds.config import Site, Smart
from cds.config.model import SMART_SCOPE
from cds.demo.authorization import (
    Authority,
    Client,
    Context,
    create_authorization,
    open_authority,
    start_launch,
)
from cds.demo.authorization.authority import Algorithm
from cds.demo.fhir import Sandbox
from cds.smart.oauth import Granted, LaunchRefused, SmartClient
from tests.beside import served
from tests.demo.fhir_sandbox import patient
from tests.unit.cds.smart.oauth.authority import LAUNCH_ID, client, kept, opened


CALLBACK = "http://127.0.0.1:8080/smart/callback"
DOCTOR = "Practitioner/dr1"
SECRET = "s:cr%t/+"
KEY = ECKey.generate_key("P-384", {"kid": "app-key"})
CLIENTS = (
    Client(client_id="public", redirect_uris=frozenset({CALLBACK})),
    Client(
        client_id="client_secret_basic",
        redirect_uris=frozenset({CALLBACK}),
        auth="client_secret_basic",
        secret=SECRET,
    ),
    Client(
        client_id="private_key_jwt",
        redirect_uris=frozenset({CALLBACK}),
        auth="private_key_jwt",
        jwks={"keys": [dict(KEY.as_dict(private=False))]},
    ),
)


@contextmanager
def sandbox(algorithm: Algorithm = "RS256") -> Iterator[Authority]:
    """The authorization server of one patient's sandbox, on a port of its own."""
    made: list[Authority] = []

    def app(origin: str) -> Flask:
        store = Sandbox()
        store.load(
            [patient("p1"), {"resourceType": "Practitioner", "id": "dr1"}], now=system_clock()
        )
        made.append(
            open_authority(
                store,
                base=f"{origin}/fhir",
                issuer=f"{origin}/oauth2",
                clients=CLIENTS,
                clock=system_clock,
                user=DOCTOR,
                algorithm=algorithm,
            )
        )
        found = Flask("tests.sandbox", static_folder=None)
        found.register_blueprint(create_authorization(made[0]))
        return found

    with served(app):
        yield made[0]


def site_of(server: Authority, folder: Path, auth: str) -> Site:
    key, secret = folder / "key.json", folder / "secret"
    key.write_text(json.dumps(KEY.as_dict(private=True)))
    secret.write_text(SECRET)
    members = {"auth": auth, "key_file": key, "secret_file": secret, "scope": SMART_SCOPE}
    smart = msgspec.convert({"client_id": auth, **members}, Smart)
    zone = ZoneInfo("UTC")
    return Site(id="north", fhir_base=server.base, protocol="us-label", zone=zone, smart=smart)


def through(site: Site, by: SmartClient, launch: str | None) -> Granted:
    """From the click to the rights; where somebody is asked, they choose the patient."""
    asked = by.begin(site, launch=launch, launch_id=LAUNCH_ID, redirect_uri=CALLBACK)
    with requests.Session() as browser:
        browser.trust_env = False
        reply = browser.get(asked.url, allow_redirects=False, timeout=5)
        if launch is None:
            asking = re.search(r'name="asking" value="([^"]+)"', reply.text)
            assert asking is not None
            form = {"asking": asking[1], "answer": "allow", "patient": "p1", "user": DOCTOR}
            where = f"{urlsplit(asked.url).scheme}://{urlsplit(asked.url).netloc}/oauth2/choose"
            reply = browser.post(where, form, allow_redirects=False, timeout=5)
    back = parse_qs(urlsplit(reply.headers["Location"]).query, keep_blank_values=True)
    return by.finish(site, kept(asked.pending), back)


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
@pytest.mark.parametrize("auth", ["public", "client_secret_basic", "private_key_jwt"])
def test_a_launch_by_the_ehr_and_its_renewal(
    auth: str, algorithm: Algorithm, tmp_path: Path
) -> None:
    with sandbox(algorithm) as server:
        site, by = site_of(server, tmp_path, auth), client()
        context = Context(patient="p1", user=DOCTOR, app_context='{"patient":"p1"}')
        granted = through(site, by, start_launch(server, context))
        assert (granted.patient, granted.user) == ("p1", DOCTOR)
        assert granted.app_context == '{"patient":"p1"}'
        assert {"patient/*.rs", "patient/Observation.c"} <= granted.scopes
        renewed = by.refresh(site, opened(granted))
        assert (renewed.patient, renewed.user) == ("p1", DOCTOR)
        assert renewed.access_token != granted.access_token


def test_a_launch_of_its_own(tmp_path: Path) -> None:
    with sandbox() as server:
        granted = through(site_of(server, tmp_path, "public"), client(), None)
    assert (granted.patient, granted.user) == ("p1", DOCTOR)


def test_a_card_of_another_patient_is_refused(tmp_path: Path) -> None:
    with sandbox() as server:
        context = Context(patient="p1", user=DOCTOR, app_context='{"patient":"p2"}')
        site, launch = site_of(server, tmp_path, "public"), start_launch(server, context)
        with pytest.raises(LaunchRefused) as caught:
            through(site, client(), launch)
    assert caught.value.kind == "patient-mismatch"


def test_a_launch_is_good_once(tmp_path: Path) -> None:
    with sandbox() as server:
        site, by = site_of(server, tmp_path, "public"), client()
        launch = start_launch(server, Context(patient="p1", user=DOCTOR))
        through(site, by, launch)
        with pytest.raises(LaunchRefused) as caught:
            through(site, by, launch)
    assert caught.value.kind == "authorization-refused"
