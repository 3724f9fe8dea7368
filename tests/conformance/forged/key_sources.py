"""Keys that the token brings, or says where to find."""

import base64
import itertools
import json
from collections.abc import Iterator
from typing import Any

from tests.conformance.forged.model import NOT_TEXT, STRANGER_RSA, STRANGERS, TWO, Forged, bearer
from tests.conformance.tokens import EPIC, EPIC_JKU, INFERNO, Json


def all_of(canary: str) -> Iterator[Forged]:
    """The whole family; `canary` is an address that must never be connected to."""
    for one in (
        _foreign_key_addresses(canary),
        _keys_in_the_header(canary),
    ):
        yield from one


def _addresses(canary: str) -> dict[str, Any]:
    """Addresses of keys that are not registered, some of which look like the one that is."""
    host = canary.removeprefix("http://")
    return {
        "the canary": f"{canary}/jwks.json",
        "the canary over https": f"https://{host}/jwks.json",
        "the canary, scheme in capitals": f"HTTP://{host}/jwks.json",
        "the canary without a scheme": f"//{host}/jwks.json",
        "the canary by name": f"http://localhost:{host.rpartition(':')[2]}/jwks.json",
        "the registered host as user name": f"http://ehr.example.org@{host}/jwks.json",
        "the registered address as user name": EPIC_JKU.replace("/", "%2F") + f"@{host}/",
        "the registered address then an at sign": f"{EPIC_JKU}@{host}",
        "the registered address then a fragment": f"{EPIC_JKU}#{canary}",
        "the registered address then a query": f"{EPIC_JKU}?next={canary}",
        "the registered address then a path": f"{EPIC_JKU}/../../{host}",
        "the registered address then a blank": f"{EPIC_JKU} ",
        "the registered address then a NUL": f"{EPIC_JKU}\0",
        "the registered address then a line break": f"{EPIC_JKU}\n",
        "the registered address then a slash": f"{EPIC_JKU}/",
        "a blank, then the registered address": f" {EPIC_JKU}",
        "the registered address over http": EPIC_JKU.replace("https", "http"),
        "the registered address in capitals": EPIC_JKU.upper(),
        "the registered host with a full stop": EPIC_JKU.replace(".org/", ".org./"),
        "the registered host with its port": EPIC_JKU.replace(".org/", ".org:443/"),
        "the registered host below another": EPIC_JKU.replace(".org/", ".org.evil.test/"),
        "the registered host with another letter": EPIC_JKU.replace("ehr.", "\u0435hr."),
        "the registered host in punycode": EPIC_JKU.replace("ehr.", "xn--hr-klc."),
        "another issuer's address": INFERNO.header["jku"],
        "a backslash": f"http:\\\\{host}\\jwks.json",
        "the canary as a number": f"http://2130706433:{host.rpartition(':')[2]}/jwks.json",
        "the canary in hexadecimal": f"http://0x7f000001:{host.rpartition(':')[2]}/jwks.json",
        "a file": "file:///dev/null",
        "data": "data:application/json,{}",
        "gopher": f"gopher://{host}/_GET",
        "ftp": f"ftp://{host}/jwks.json",
        "a cloud's metadata": "http://169.254.169.254/latest/meta-data",
        "a path": "/jwks.json",
        "nothing": "",
        "a list with the registered address": [EPIC_JKU],
        **NOT_TEXT,
    }


def _foreign_key_addresses(canary: str) -> Iterator[Forged]:
    for (what, address), who in itertools.product(
        _addresses(canary).items(), ("a stranger", "the client itself")
    ):
        by = STRANGER_RSA if who == "a stranger" else EPIC.signer
        token = EPIC.token(header={"jku": address}, by=by)
        yield bearer(f"jku is {what}, signed by {who}", token, "key-source")
    for what, address in _addresses(canary).items():
        token = EPIC.token(header={"x5u": address}, by=STRANGER_RSA)
        yield bearer(f"x5u is {what}, signed by a stranger", token, "key-source")
    for member in ("x5u", "jwk", "x5c"):
        token = EPIC.token(header={member: EPIC_JKU})
        yield bearer(f"{member} is the registered jku", token, "key-source")
    for kid in (EPIC.signer.kid, "stranger", f"{canary}/key"):
        token = EPIC.token(header={"jku": f"{canary}/jwks.json", "kid": kid}, by=STRANGER_RSA)
        what = kid.replace(canary, "canary")
        yield bearer(f"jku is the canary and kid is {what}", token, "key-source")
    iss = EPIC.token(claims={"iss": canary}, header={"jku": f"{canary}/jwks.json"}, by=STRANGER_RSA)
    yield bearer("iss and jku are the canary", iss, "issuer", "key-source")


def _keys_in_the_header(canary: str) -> Iterator[Forged]:
    for kind, client in TWO.items():
        stranger = STRANGERS[kind]
        certificate = base64.b64encode(stranger.key.as_der()).decode()
        members: dict[str, Json] = {
            "a jwk": {"jwk": stranger.public()},
            "a private jwk": {"jwk": stranger.key.as_dict(private=True)},
            "a symmetric jwk": {"jwk": {"kty": "oct", "k": "c2VjcmV0"}},
            "a jwk as text": {"jwk": json.dumps(stranger.public())},
            "an empty jwk": {"jwk": {}},
            "a null jwk": {"jwk": None},
            "a list of jwk": {"jwk": [stranger.public()]},
            "the client's own jwk": {"jwk": client.signer.public()},
            "a jwk that names the canary": {"jwk": {**stranger.public(), "x5u": canary}},
            "x5c": {"x5c": [certificate]},
            "x5c as text": {"x5c": certificate},
            "x5c empty": {"x5c": []},
            "x5c null": {"x5c": None},
            "x5c and x5u": {"x5c": [certificate], "x5u": f"{canary}/cert.pem"},
            "jwk, jku and x5u": {"jwk": stranger.public(), "jku": canary, "x5u": canary},
        }
        for (what, header), kid in itertools.product(members.items(), ("its own", "another")):
            named = header if kid == "its own" else {**header, "kid": "stranger-1"}
            token = client.token(header=named, by=stranger)
            yield bearer(f"{what} in the header, {kid} kid, {kind}", token, "key-source")
