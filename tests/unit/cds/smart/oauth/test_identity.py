"""Who is there: OpenID Connect Core 3.1.3.7; SMART App Launch 2.2, "Scopes for requesting identity
data".
"""

import json
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, RSAKey

from tests.functional.fhir_upstream import reply
from tests.unit.cds.backend.hospital import Json
from tests.unit.cds.smart.oauth.authority import (
    GONE,
    OTHER,
    SIGNING,
    USER,
    Authority,
    authority,
    client,
    launched,
    opened,
    public,
    site_of,
)


RSA = RSAKey.generate_key(2048)
P256 = ECKey.generate_key("P-256")


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "RS384"), (P256, "ES256"), (SIGNING, "ES384")],
    ids=["RS256", "RS384", "ES256", "ES384"],
)
@pytest.mark.parametrize("kid", [{"kid": "s1"}, {}], ids=["kid", "no kid"])
def test_every_listed_signature_is_believed(
    key: ECKey | RSAKey, algorithm: str, kid: Json, tmp_path: Path
) -> None:
    with authority() as server:
        server.signing, server.header = key, {"alg": algorithm, **kid}
        server.published = [public(key, **kid), {"kty": "oct", "k": "c2VjcmV0"}, "no key"]
        assert launched(site_of(server, tmp_path), client()).user == USER


def test_new_keys_are_read_when_a_token_names_one_that_is_not_known(tmp_path: Path) -> None:
    with authority() as server:
        site, by = site_of(server, tmp_path), client()
        for _ in range(2):
            launched(site, by)
        assert len(server.paths("/jwks")) == 1
        server.signing, server.header = OTHER, {"alg": "ES384", "kid": "s2"}
        server.published = [public(SIGNING, kid="s1"), public(OTHER, kid="s2")]
        assert launched(site, by).user == USER
        assert len(server.paths("/jwks")) == 2


@pytest.mark.parametrize(
    ("said", "user"),
    [
        ({"fhirUser": "Practitioner/dr1"}, "Practitioner/dr1"),
        ({"fhirUser": "{base}/PractitionerRole/7"}, "PractitionerRole/7"),
        ({"fhirUser": "{base}/Practitioner/7/_history/2"}, "Practitioner/7"),
        ({"fhirUser": GONE, "profile": "Practitioner/7"}, "Practitioner/7"),
        ({"fhirUser": "Patient/p1"}, "Patient/p1"),
    ],
)
def test_the_user_is_a_reference_relative_to_the_base(
    said: dict[str, object], user: str, tmp_path: Path
) -> None:
    with authority() as server:
        server.claims = {
            name: value.replace("{base}", server.base) if isinstance(value, str) else value
            for name, value in said.items()
        }
        granted = launched(site_of(server, tmp_path), client())
    assert granted.user == user
    assert opened(granted).may_chart == user.startswith("Practitioner")


def test_a_signer_with_another_name_is_the_one_of_the_configuration(tmp_path: Path) -> None:
    with authority() as server:
        name = f"{server.url}/tenants/7"
        server.claims = {"iss": name}
        site = site_of(server, tmp_path, id_token_issuer=name)
        assert launched(site, client()).user == USER  # has no document: the server's own keys


def test_the_keys_of_that_signer_are_found_in_its_own_document(tmp_path: Path) -> None:
    with authority() as server, authority() as signer:
        signer.published = [public(OTHER, kid="t1")]
        document = {"issuer": signer.url, "jwks_uri": f"{signer.url}/jwks"}
        answer_with(signer, "/.well-known/openid-configuration", document)
        server.claims = {"iss": signer.url}
        server.signing, server.header = OTHER, {"alg": "ES384", "kid": "t1"}
        assert (
            launched(site_of(server, tmp_path, id_token_issuer=signer.url), client()).user == USER
        )


def answer_with(server: Authority, path: str, document: Json) -> None:
    server.does[path] = reply(document, kind="application/json")


@pytest.mark.parametrize(
    ("audience", "party"), [(["{id}"], GONE), (["other", "{id}"], "{id}"), ("{id}", "{id}")]
)
def test_several_audiences_need_the_party_that_asked(
    audience: object, party: object, tmp_path: Path
) -> None:
    with authority() as server:
        site = site_of(server, tmp_path)
        assert site.smart is not None
        text = json.dumps(audience).replace("{id}", site.smart.client_id)
        server.claims = {"aud": json.loads(text)}
        if party is not GONE:
            server.claims["azp"] = site.smart.client_id
        assert launched(site, client()).user == USER
