"""The other members of the header: extensions, types, key ids."""

import itertools
from collections.abc import Iterator

from tests.conformance.forged.model import NOT_TEXT, STRANGER_EC, STRANGER_RSA, TWO, Forged, bearer
from tests.conformance.tokens import CLIENTS, EPIC, GONE, ORACLE, SANDBOX, Json, T


def all_of(canary: str) -> Iterator[Forged]:
    """The whole family; `canary` is an address that must never be connected to."""
    for one in (
        _critical(),
        _types(),
        _kids(canary),
    ):
        yield from one


def _critical() -> Iterator[Forged]:
    members: dict[str, Json] = {
        "crit exp": {"crit": ["exp"], "exp": T},
        "crit names nothing": {"crit": []},
        "crit is text": {"crit": "exp"},
        "crit is null": {"crit": None},
        "crit is true": {"crit": True},
        "crit is an object": {"crit": {"exp": True}},
        "crit names alg": {"crit": ["alg"]},
        "crit names jku": {"crit": ["jku"]},
        "crit names what is absent": {"crit": ["absent"]},
        "crit names a URL": {"crit": ["https://example.org/x"], "https://example.org/x": 1},
        "crit names a number": {"crit": [1]},
        "crit names crit": {"crit": ["crit"]},
        "crit names one twice": {"crit": ["exp", "exp"], "exp": T},
        "crit and b64 false": {"crit": ["b64"], "b64": False},
        "crit and b64 true": {"crit": ["b64"], "b64": True},
        "b64 false alone": {"b64": False},
        "b64 true alone": {"b64": True},
        "b64 as text": {"b64": "false"},
        "enc": {"enc": "A256GCM"},
        "zip": {"zip": "DEF"},
        "epk": {"epk": {"kty": "EC"}},
        "cty JWT": {"cty": "JWT"},
        "cty jwt": {"cty": "jwt"},
        "cty text": {"cty": "text/plain"},
    }
    for kind, client in TWO.items():
        for what, header in members.items():
            yield bearer(f"{what} in the header, {kind}", client.token(header=header), "header")


def _types() -> Iterator[Forged]:
    texts = ("", "jwt", "Jwt", "JWT ", "JOSE", "JOSE+JSON", "JWE", "at+jwt", "application/jwt")
    values = {
        **{repr(text): text for text in texts},
        **NOT_TEXT,
        "missing": GONE,
        "listed": ["JWT"],
    }
    for what, value in values.items():
        yield bearer(f"typ is {what}", SANDBOX.token(header={"typ": value}), "header")


def _kids(canary: str) -> Iterator[Forged]:
    own = SANDBOX.signer.kid
    texts = {
        "a path": "../../../../../../dev/null",
        "an absolute path": "/dev/null",
        "a path with a NUL": "/etc/passwd\0.json",
        "a Windows path": "..\\..\\windows\\win.ini",
        "a file URL": "file:///proc/self/environ",
        "the canary": f"{canary}/key.pem",
        "always true in SQL": "' OR '1'='1",
        "a second SQL statement": "x'; DROP TABLE jti;--",
        "a union in SQL": "x' UNION SELECT 'AAAA'--",
        "a shell command": "$(curl localhost)",
        "a piped command": "|/bin/id",
        "a lookup": "${jndi:ldap://127.0.0.1/x}",
        "a template": "{{7*7}}",
        "a wildcard": "*",
        "a percent wildcard": "%",
        "a blank": " ",
        "a NUL": "\0",
        "the own kid and a blank": f"{own} ",
        "a blank and the own kid": f" {own}",
        "the own kid and a NUL": f"{own}\0",
        "the own kid in capitals": own.upper(),
        "the own kid without its last letter": own[:-1],
        "the own kid twice": own * 2,
        "the own kid and a comma": f"{own},{own}",
        "the own kid in quotes": f'"{own}"',
        "another issuer's kid": EPIC.signer.kid,
        "the kid of the same client in another set": ORACLE.signer.kid,
        "the key's thumbprint": SANDBOX.signer.key.thumbprint(),
        "the word null": "null",
        "the word undefined": "undefined",
        "the word keys": "keys",
        "__proto__": "__proto__",
        "__class__": "__class__",
        "an index": "0",
        "a minus index": "-1",
        "half a surrogate pair": "\ud800",
        "right to left": f"\u202e{own}",
        "300 letters": "k" * 300,
    }
    for (what, kid), who in itertools.product(texts.items(), ("the client", "a stranger")):
        by = SANDBOX.signer if who == "the client" else STRANGER_EC
        token = SANDBOX.token(header={"kid": kid}, by=by)
        yield bearer(f"kid is {what}, signed by {who}", token, "key-unknown")
    unfit = {**NOT_TEXT, "missing": GONE, "empty": "", "a list of itself": [own]}
    for what, value in unfit.items():
        yield bearer(f"kid is {what}", SANDBOX.token(header={"kid": value}), "header")
    long = SANDBOX.token(header={"kid": "k" * 10_000})
    yield bearer("kid of ten thousand letters", long, "too-long")
    for name, client in CLIENTS.items():
        stranger = STRANGER_EC if client.header["alg"] == "ES384" else STRANGER_RSA
        token = client.token(by=stranger)
        yield bearer(f"{name}'s kid, signed by a stranger", token, "signature")
