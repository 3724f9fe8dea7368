"""`alg` and what it is taken for: none, a shared secret, an algorithm nobody registered."""

import base64
import hmac
import itertools
import json
from collections.abc import Iterator

from tests.conformance.forged.model import NOT_TEXT, STRANGER_EC, STRANGER_RSA, TWO, Forged, bearer
from tests.conformance.tokens import (
    EPIC,
    GONE,
    INFERNO,
    ORACLE,
    SANDBOX,
    Client,
    b64,
    changed,
    encoded,
    signed,
)


def all_of() -> Iterator[Forged]:
    """The whole family."""
    for one in (
        _alg_none(),
        _public_key_as_secret(),
        _other_algorithms(),
    ):
        yield from one


def _alg_none() -> Iterator[Forged]:
    for letters in itertools.product("nN", "oO", "nN", "eE"):
        name = "".join(letters)
        token = SANDBOX.token(header={"alg": name})
        text = token.rpartition(".")[0]
        yield bearer(f"alg {name} without a signature", f"{text}.", "malformed", "algorithm")
        yield bearer(f"alg {name} and two parts", text, "malformed")
        yield bearer(f"alg {name} with a signature", token, "algorithm")
    odd = [
        "none ",
        " none",
        "none\0",
        "none\n",
        "n\u043ene",
        "non",
        "noned",
        "",
        "null",
        "false",
        "0",
    ]
    for name in odd:
        token = SANDBOX.token(header={"alg": name})
        yield bearer(f"alg {name!a} with a signature", token, "algorithm")
    for what, value in NOT_TEXT.items():
        yield bearer(f"alg is {what}", SANDBOX.token(header={"alg": value}), "algorithm")
    for what, value in {"missing": GONE, "a list of itself": ["ES384"]}.items():
        yield bearer(f"alg is {what}", SANDBOX.token(header={"alg": value}), "algorithm")


def _public_key_as_secret() -> Iterator[Forged]:
    for kind, client in TWO.items():
        public = client.signer.public()
        pem, der = client.signer.key.as_pem(), client.signer.key.as_der()
        secrets = {
            "the PEM": pem,
            "the PEM without its last line break": pem.rstrip(),
            "the PEM with CRLF": pem.replace(b"\n", b"\r\n"),
            "the PEM's base64 lines": b"".join(pem.splitlines()[1:-1]),
            "the DER": der,
            "the JWK": encoded(public),
            "the JWK with blanks": json.dumps(public).encode(),
            "the JWK without kid": encoded(changed(public, {"kid": GONE, "use": GONE})),
            "the JWK Set": encoded({"keys": [public]}),
            "its first number": public["n" if kind == "rsa" else "x"].encode(),
            "the bytes of its first number": base64.urlsafe_b64decode(
                public["n" if kind == "rsa" else "x"] + "=="
            ),
            "its kid": client.signer.kid.encode(),
            "its issuer": client.claims["iss"].encode(),
            "nothing": b"",
            "the word secret": b"secret",
            "a NUL": b"\0",
        }
        for (what, secret), bits in itertools.product(secrets.items(), (256, 384, 512)):
            header = encoded(changed(client.header, {"alg": f"HS{bits}"}))
            text = f"{b64(header)}.{b64(encoded({**client.claims, 'jti': 'x'}))}"
            mac = hmac.digest(secret, text.encode(), f"sha{bits}")
            name = f"HS{bits} with {what} of the {kind} key as secret"
            yield bearer(name, f"{text}.{b64(mac)}", "algorithm")


def _other_algorithms() -> Iterator[Forged]:
    for alg in ("RS256", "RS512", "PS256", "PS384", "PS512"):
        token = _signed_as(EPIC, alg)
        yield bearer(f"{alg}, genuinely signed but not registered", token, "algorithm")
    names = (
        "ES256 ES512 ES256K EdDSA Ed25519 ML-DSA-65 RS384 PS384 HS384 RSA1_5 RSA-OAEP dir A128KW"
        " ECDH-ES PBES2-HS256+A128KW es384 Es384 ES-384 ES0384 ECDSA SHA384withECDSA"
    )
    for name in [*names.split(), "ES384 ", " ES384", "ES384\0", "ES384,RS384", "*"]:
        token = SANDBOX.token(header={"alg": name})
        kinds = ("algorithm", "signature")
        yield bearer(f"alg {name!a} on a token signed ES384", token, *kinds)
    for kind, other in {"rsa": "ES384", "ec": "RS384"}.items():
        token = TWO[kind].token(header={"alg": other})
        yield bearer(f"alg {other} with the kid of a {kind} key", token, "algorithm")
    token = INFERNO.token(header={"alg": "RS384"}, by=STRANGER_RSA)
    yield bearer("registered alg RS384 with the kid of an EC key", token, "algorithm")
    token = ORACLE.token(header={"alg": "ES384"}, by=STRANGER_EC)
    yield bearer("registered alg ES384 with the kid of an RSA key", token, "algorithm")


def _signed_as(client: Client, alg: str) -> str:
    header = encoded(changed(client.header, {"alg": alg}))
    return signed(header, encoded({**client.claims, "jti": "x"}), client.signer._replace(alg=alg))
