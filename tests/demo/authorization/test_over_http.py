"""Over a real socket: the service's own clients get their tokens; two doors to one store."""

import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
import requests

from cds.backend.token import BackendTokens
from cds.clock import system_clock
from cds.config import Backend, Site, Smart
from cds.demo.authorization import Context, start_launch
from cds.smart.context import Context as AppContext
from cds.smart.oauth.client import SmartClient
from cds.smart.oauth.pending import Pending
from cds.smart.oauth.refusal import LaunchRefused
from tests.demo.authorization.doors import Served, served
from tests.demo.authorization.hospital import CALLBACK, DOCTOR, KEY, LAUNCH_URL, SECRET
from tests.demo.fhir_sandbox import Subscriber, observation


LAUNCH = "0123456789abcdef0123456789abcdef"


def site_at(there: Served, **members: Any) -> Site:
    """The site of this sandbox."""
    return Site(
        id="ward",
        fhir_base=f"{there.origin}/fhir",
        protocol="us-label",
        zone=ZoneInfo("Europe/London"),
        **members,
    )


def come_back(url: str, **choice: str) -> dict[str, list[str]]:
    """What the browser brings to the callback; `choice`: the answers to the page, if one comes."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url, allow_redirects=False, timeout=10)
        if choice:
            found = re.search(r'name="asking" value="([^"]+)"', answer.text)
            assert found is not None
            where = f"{url.partition('/oauth2/')[0]}/oauth2/choose"
            form = {"asking": found[1], "answer": "allow", **choice}
            answer = session.post(where, form, allow_redirects=False, timeout=10)
    assert answer.status_code in {302, 303}, answer.text
    assert answer.headers["Location"].startswith(CALLBACK)
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def begun(
    client: SmartClient, site: Site, launch: str | None, **choice: str
) -> tuple[Pending, dict[str, list[str]]]:
    """The first half of a launch."""
    asked = client.begin(site, launch=launch, launch_id=LAUNCH, redirect_uri=CALLBACK)
    return asked.pending, come_back(asked.url, **choice)


def smart_of(kind: str, folder: Path) -> Smart:
    """The registration of the app, by its kind of client."""
    match kind:
        case "client_secret_basic":
            file = folder / "secret"
            file.write_text(SECRET)
            return Smart(client_id="with secret", auth="client_secret_basic", secret_file=file)
        case "private_key_jwt":
            file = folder / "key.json"
            file.write_text(json.dumps(KEY.as_dict(private=True)))
            return Smart(client_id="with-key", auth="private_key_jwt", key_file=file)
        case _:
            return Smart(client_id="bedside")


@pytest.mark.parametrize("kind", ["public", "client_secret_basic", "private_key_jwt"])
def test_the_bedside_app_is_launched_and_renews_its_token(kind: str, tmp_path: Path) -> None:
    with served() as there:
        client = SmartClient(system_clock, time.monotonic)
        site = site_at(there, smart=smart_of(kind, tmp_path))
        context = Context(patient="p1", encounter="e1", user=DOCTOR, app_context='{"a":1}')
        launch = start_launch(there.authority, context, LAUNCH_URL)
        granted = client.finish(site, *begun(client, site, launch))
        assert (granted.patient, granted.encounter, granted.user) == (
            "p1",
            "Encounter/e1",
            DOCTOR,
        )
        assert there.ask("/fhir/Observation?patient=p1", granted.access_token) == 200
        assert there.ask("/fhir/Observation?patient=p2", granted.access_token) == 403
        held = AppContext(
            launch=LAUNCH,
            site="ward",
            patient=granted.patient,
            user=granted.user,
            csrf="x",
            access_token=granted.access_token,
            refresh_token=granted.refresh_token,
            expires_at=granted.expires_at,
            scopes=granted.scopes,
        )
        renewed = client.refresh(site, held)
        assert renewed.access_token != granted.access_token
        assert there.ask("/fhir/Patient/p1", renewed.access_token) == 200
        with pytest.raises(LaunchRefused):  # the first refresh token is spent
            client.refresh(site, held)
        assert there.ask("/fhir/Patient/p1", renewed.access_token) == 401


def test_the_bedside_app_starts_by_itself() -> None:
    with served() as there:
        client = SmartClient(system_clock, time.monotonic)
        site = site_at(there, smart=Smart(client_id="bedside"))
        pending, args = begun(client, site, None, patient="p2", user="Practitioner/dr2")
        granted = client.finish(site, pending, args)
        assert (granted.patient, granted.user) == ("p2", "Practitioner/dr2")


def test_the_service_reads_with_a_token_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps(KEY.as_dict(private=True)))
    with served() as there:
        site = site_at(there, backend=Backend(client_id="service", key_file=file))
        token = BackendTokens(clock=system_clock, monotonic=time.monotonic).token(site)
        assert token is not None
        assert there.ask("/fhir/Observation?patient=p2") == 401
        assert there.ask("/fhir/Observation?patient=p2", token.value) == 200


def test_the_open_door_asks_for_nothing_and_says_nothing_of_it() -> None:
    with served() as there, requests.Session() as session:
        session.trust_env = False
        assert there.ask("/open/fhir/Patient/p2") == 200
        assert there.ask("/fhir/Patient/p2") == 401
        stated = session.get(f"{there.origin}/open/fhir/metadata", timeout=10).json()
        assert "security" not in stated["rest"][0]
        assert there.ask("/open/fhir/.well-known/smart-configuration") == 404


def test_a_subscriber_is_told_once_whichever_door_a_change_comes_through() -> None:
    with served() as there, Subscriber() as subscriber:
        asked = {
            "resourceType": "Subscription",
            "status": "requested",
            "reason": "test",
            "criteria": "Observation?patient=p1",
            "channel": {"type": "rest-hook", "endpoint": subscriber.url},
        }
        assert there.post("/open/fhir/Subscription", asked) == 201
        assert there.post("/open/fhir/Observation", observation("x")) == 201
        assert there.post("/open/fhir/Observation", observation("y")) == 201
        subscriber.wait_for(2)
        time.sleep(0.1)
        assert len(subscriber.heard) == 2
