"""Genuinely signed, by the wrong client, for somebody else, or at another time."""

import itertools
from collections.abc import Iterator

from tests.conformance.forged.model import NOT_TEXT, STRANGER_RSA, TWO, Forged, bearer
from tests.conformance.tokens import (
    CLIENTS,
    ENDPOINT,
    EPIC,
    EPIC_BASE,
    EPIC_SUBJECT,
    GONE,
    ORACLE,
    OTHER_TENANT,
    PUBLIC_URL,
    SANDBOX,
    Json,
    T,
    encoded,
    signed,
)


def all_of(canary: str) -> Iterator[Forged]:
    """The whole family; `canary` is an address that must never be connected to."""
    for one in (
        _issuers(canary),
        _audiences(),
        _tenants(),
        _subjects(),
        _wrong_times(),
        _times_of_wrong_type(),
        _jtis(),
    ):
        yield from one


def _issuers(canary: str) -> Iterator[Forged]:
    own = EPIC_BASE
    values = {
        "unknown": "https://evil.test",
        "the canary": canary,
        "with a slash": f"{own}/",
        "with a blank": f"{own} ",
        "with a line break": f"{own}\n",
        "with a NUL": f"{own}\0",
        "with a query": f"{own}?x",
        "with a fragment": f"{own}#x",
        "cut short": own[:-1],
        "its host alone": "https://ehr.example.org",
        "in capitals": own.upper(),
        "over http": own.replace("https", "http"),
        "with a port": own.replace(".org/", ".org:443/"),
        "below another host": own.replace(".org/", ".org.evil.test/"),
        "with another letter": own.replace("ehr.", "\u0435hr."),
        "a wildcard": "*",
        "the site's id": "epic",
        "empty": "",
        "missing": GONE,
        "a list with the registered one": [own],
        "two in one text": f"{own} https://sandbox.cds-hooks.org",
        **NOT_TEXT,
    }
    for (what, iss), who in itertools.product(values.items(), ("the client", "a stranger")):
        by = EPIC.signer if who == "the client" else STRANGER_RSA
        yield bearer(
            f"iss is {what}, signed by {who}", EPIC.token(claims={"iss": iss}, by=by), "issuer"
        )
    for one, other in itertools.permutations(CLIENTS, 2):
        claims = {
            "iss": CLIENTS[other].claims["iss"],
            "tenant": CLIENTS[other].claims.get("tenant", GONE),
        }
        header = {"jku": GONE, "kid": CLIENTS[one].signer.kid}
        token = CLIENTS[one].token(claims=claims, header=header)
        yield bearer(f"{one} calls itself {other}", token, "key-unknown", "algorithm")


def _audiences() -> Iterator[Forged]:
    host = "https://cds.example.org"
    values = {
        "another host": ENDPOINT.replace("cds.", "other."),
        "discovery": f"{PUBLIC_URL}/cds-services",
        "the public URL": PUBLIC_URL,
        "the host": host,
        "another service": ENDPOINT.replace("sign", "select"),
        "the service's feedback": f"{ENDPOINT}/feedback",
        "with a slash": f"{ENDPOINT}/",
        "with two slashes": ENDPOINT.replace("/cds-services", "//cds-services"),
        "with a query": f"{ENDPOINT}?x=1",
        "with a fragment": f"{ENDPOINT}#x",
        "with a blank": f"{ENDPOINT} ",
        "with a NUL": f"{ENDPOINT}\0",
        "over http": ENDPOINT.replace("https", "http"),
        "with a port": ENDPOINT.replace(".org/", ".org:443/"),
        "host in capitals": ENDPOINT.replace("cds.example", "CDS.EXAMPLE"),
        "percent-encoded": ENDPOINT.replace("-", "%2D"),
        "with a user": ENDPOINT.replace("//", "//x@"),
        "the path alone": ENDPOINT.removeprefix(host),
        "the service's id": "btce-order-sign",
        "a loopback address": "http://127.0.0.1:8080/cds-services/btce-order-sign",
        "two in one text": f"{ENDPOINT} {ENDPOINT}",
        "the right one as prefix": f"{ENDPOINT}-2",
        "a wildcard": "*",
        "empty": "",
        "missing": GONE,
        "the issuer": SANDBOX.claims["iss"],
        "a list of wrong ones": [PUBLIC_URL, host],
        "a list of lists": [[ENDPOINT]],
        "the right one beside a number": [ENDPOINT, 1],
        "the right one beside null": [ENDPOINT, None],
        "the right one as a member name": {ENDPOINT: True},
        **NOT_TEXT,
    }
    for (what, aud), (name, client) in itertools.product(values.items(), TWO.items()):
        yield bearer(f"aud is {what}, {name}", client.token(claims={"aud": aud}), "audience")


def _tenants() -> Iterator[Forged]:
    own = ORACLE.claims["tenant"]
    values = {
        "unknown": "11111111-2222-3333-4444-555555555555",
        "missing": GONE,
        "empty": "",
        "in capitals": own.upper(),
        "with a blank": f"{own} ",
        "with a NUL": f"{own}\0",
        "cut short": own[:-1],
        "a wildcard": "*",
        "the site's id": "north-hospital",
        "two in one text": f"{own},{OTHER_TENANT}",
        "a list": [own],
        "a list of two": [own, OTHER_TENANT],
        **NOT_TEXT,
    }
    for what, tenant in values.items():
        yield bearer(f"tenant is {what}", ORACLE.token(claims={"tenant": tenant}), "tenant")
    for what, tenant in NOT_TEXT.items():
        token = SANDBOX.token(claims={"tenant": tenant})
        yield bearer(f"tenant is {what} for a client without tenants", token, "tenant")


def _subjects() -> Iterator[Forged]:
    values = {
        "another client": "00000000-2f0e-4f5c-9b1c-0d6a4f1f9e11",
        "missing": GONE,
        "empty": "",
        "in capitals": EPIC_SUBJECT.upper(),
        "with a blank": f"{EPIC_SUBJECT} ",
        "with a NUL": f"{EPIC_SUBJECT}\0",
        "cut short": EPIC_SUBJECT[:-1],
        "a wildcard": "*",
        "the issuer": EPIC_BASE,
        "a list": [EPIC_SUBJECT],
        **NOT_TEXT,
    }
    for what, subject in values.items():
        yield bearer(f"sub is {what}", EPIC.token(claims={"sub": subject}), "subject")


def _wrong_times() -> Iterator[Forged]:
    times: dict[str, Json] = {
        "expired 60 s ago": {"iat": T - 360, "exp": T - 60, "nbf": T - 360},
        "expired an hour ago": {"iat": T - 3900, "exp": T - 3600, "nbf": T - 3900},
        "expired a year ago": {"iat": T - 31536300, "exp": T - 31536000, "nbf": T - 31536300},
        "issued in 61 s": {"iat": T + 61, "exp": T + 300},
        "issued in an hour": {"iat": T + 3600, "exp": T + 3900},
        "issued in a year": {"iat": T + 31536000, "exp": T + 31536300},
        "not before 61 s from now": {"iat": T, "nbf": T + 61, "exp": T + 300},
        "not before an hour from now": {"iat": T, "nbf": T + 3600, "exp": T + 3600},
        "good for a second too long": {"iat": T, "exp": T + 3601},
        "good for a day": {"iat": T, "exp": T + 86400},
        "good for a hundred years": {"iat": T, "exp": T + 3153600000},
        "good until 9999": {"iat": T, "exp": 253402300799},
        "issued long ago, still good": {"iat": T - 3600, "exp": T + 300, "nbf": T - 3600},
        "expires before it is issued": {"iat": T, "exp": T - 30},
        "expires when it is issued": {"iat": T, "exp": T},
        "in milliseconds": {"iat": T * 1000, "exp": T * 1000 + 300000, "nbf": T * 1000},
        "exp in milliseconds": {"exp": T * 1000 + 300000},
        "from 1970": {"iat": 1, "exp": 300, "nbf": 1},
    }
    for (what, claims), (name, client) in itertools.product(times.items(), TWO.items()):
        yield bearer(f"{what}, {name}", client.token(claims=claims), "time")


def _times_of_wrong_type() -> Iterator[Forged]:
    values = {
        "null": None,
        "true": True,
        "false": False,
        "a list": [T],
        "an object": {"value": T},
        "a digit string": str(T + 100),
        "an ISO time": "2026-11-21T12:05:00Z",
        "empty text": "",
        "NaN": float("nan"),
        "infinity": float("inf"),
        "minus infinity": float("-inf"),
        "zero": 0,
        "negative": -T,
        "minus a fraction": -0.5,
        "beyond 9999": 10**12,
        "beyond 64 bits": 2**64,
        "a hundred digits": 10**100,
        "beyond a float": 10**400,
        "five thousand digits": GONE,  # written below: Python does not convert that many
        "1e308": 1e308,
        "1e400": GONE,
    }
    written = {"five thousand digits": "9" * 5000, "1e400": "1e400"}
    for (what, value), name in itertools.product(values.items(), ("exp", "iat", "nbf")):
        claims = {**SANDBOX.claims, "jti": "x", name: value}
        if what in written:
            text = encoded({**claims, name: "@"}).replace(b'"@"', written[what].encode())
        else:
            text = encoded(claims)
        token = signed(encoded(SANDBOX.header), text, SANDBOX.signer)
        yield bearer(f"{name} is {what}", token, "time", "malformed")
    for name in ("exp", "iat"):
        yield bearer(f"{name} is missing", SANDBOX.token(claims={name: GONE}), "time")
    both = SANDBOX.token(claims={"exp": GONE, "iat": GONE})
    yield bearer("exp and iat are missing", both, "time")


def _jtis() -> Iterator[Forged]:
    values = {
        **NOT_TEXT,
        "missing": GONE,
        "empty": "",
        "a list": ["x"],
        "a NUL": "\0",
        "with a NUL": "x\0y",
        "with a line break": "x\ny",
        "half a surrogate pair": "\ud800",
        "257 letters": "x" * 257,
        "4000 letters": "x" * 4000,
        "invisible": "\u200b",
    }
    for (what, jti), (name, client) in itertools.product(values.items(), TWO.items()):
        yield bearer(f"jti is {what}, {name}", client.token(claims={"jti": jti}), "jti")
