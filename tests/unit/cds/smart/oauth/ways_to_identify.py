"""Ways of the id_token and of the keys it is signed with: OpenID Connect Core 3.1.3.7, RFC 8725."""

import base64
import hmac
import json
import time
from collections.abc import Callable

from joserfc.jwk import ECKey, RSAKey

from tests.functional.fhir_upstream import raw, reply, silent
from tests.unit.cds.backend.hospital import Json
from tests.unit.cds.smart.oauth.authority import GONE, OTHER, SIGNING, Authority, public
from tests.unit.cds.smart.oauth.ways import HEAD, JSON, Case, answer, claims, does


RSA = RSAKey.generate_key(2048)
NOW = int(time.time())
WEAK = {"kty": "RSA", "kid": "s1", "e": "AQAB", "n": base64.urlsafe_b64encode(b"x" * 128).decode()}


def signing(
    key: ECKey | RSAKey, published: list[object], **header: str
) -> Callable[[Authority], None]:
    def spoil(server: Authority) -> None:
        server.signing, server.published, server.header = key, published, header

    return spoil


def signs(sign: Callable[[Authority, Json], object]) -> Callable[[Authority], None]:
    def spoil(server: Authority) -> None:
        server.signs = lambda claims: sign(server, claims)

    return spoil


def plain(header: Json, claims: Json, secret: bytes | None = None) -> str:
    """A token made by hand: unsigned, or with a shared secret."""
    text = ".".join(url64(json.dumps(part).encode()) for part in (header, claims))
    signature = b"" if secret is None else hmac.digest(secret, text.encode(), "sha256")
    return f"{text}.{url64(signature)}"


def url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def swapped(server: Authority, claims: Json) -> str:
    """Claims of the attacker under the signature of the server's own."""
    head, _, signature = server.sign(claims).split(".")
    return (
        f"{head}.{url64(json.dumps({**claims, 'fhirUser': 'Practitioner/x'}).encode())}.{signature}"
    )


def doubled(server: Authority, claims: Json) -> str:
    """A good signature over claims that name `sub` twice."""
    head = url64(json.dumps(server.header).encode())
    body = url64(f'{{"sub":"a",{json.dumps(claims)[1:]}'.encode())
    return f"{head}.{body}.{url64(b'x' * 96)}"


IDENTITY = [
    Case("no id_token", answer(id_token=GONE), "no-id-token"),
    Case("an id_token that is an object", answer(id_token={"sub": "a"}), "id-token-malformed"),
    Case("an id_token of one part", answer(id_token="abc"), "id-token-malformed"),
    Case("an encrypted one", answer(id_token="a.b.c.d.e"), "id-token-malformed"),
    Case("an id_token of a megabyte", answer(id_token=f"a.{'b' * 100_000}.c"),
         "id-token-malformed"),
    Case("alg none", signs(lambda _, c: plain({"alg": "none"}, c)), "id-token-algorithm"),
    Case("alg none with a signature", signs(lambda _, c: plain({"alg": "None"}, c, b"x")),
         "id-token-algorithm"),
    Case("HS256 with the public key", signs(lambda _, c: plain(
        {"alg": "HS256", "kid": "s1"}, c, SIGNING.as_pem(private=False))), "id-token-algorithm"),
    Case("HS256 with the client id", signs(lambda _, c: plain({"alg": "HS256"}, c, b"id")),
         "id-token-algorithm"),
    Case("an algorithm that is not listed", signing(RSA, [public(RSA, kid="s1")], alg="PS256",
                                                    kid="s1"), "id-token-algorithm"),
    Case("critical extensions", signs(lambda _, c: plain(
        {"alg": "ES384", "kid": "s1", "crit": ["x"], "x": 1}, c, b"x")), "id-token-malformed"),
    Case("signed with another key", signing(OTHER, [public(SIGNING, kid="s1")], alg="ES384",
                                            kid="s1"), "id-token-signature"),
    Case("other claims under a good signature", signs(swapped), "id-token-signature"),
    Case("claims that say something twice", signs(doubled), "id-token-malformed"),
    Case("an unknown kid", signing(OTHER, [public(SIGNING, kid="s1")], alg="ES384", kid="s9"),
         "id-token-key"),
    Case("no kid and two keys", signing(
        SIGNING, [public(SIGNING), public(OTHER)], alg="ES384"), "id-token-key"),
    Case("one kid for two keys", signing(
        SIGNING, [public(SIGNING, kid="s1"), public(OTHER, kid="s1")], alg="ES384", kid="s1"),
        "id-token-key"),
    Case("a key of another curve", signing(
        ECKey.generate_key("P-256"), [public(SIGNING, kid="s1")], alg="ES256", kid="s1"),
        "id-token-key"),
    Case("a key for another algorithm", signing(
        RSA, [public(RSA, kid="s1", alg="RS512")], alg="RS256", kid="s1"), "id-token-key"),
    Case("a key for encryption", signing(
        RSA, [public(RSA, kid="s1", use="enc")], alg="RS256", kid="s1"), "id-token-keys"),
    Case("a weak key", signing(RSA, [WEAK], alg="RS256", kid="s1"),
         "id-token-keys"),
    Case("a private key", signing(
        SIGNING, [{**SIGNING.as_dict(private=True), "kid": "s1"}], alg="ES384", kid="s1"),
        "id-token-keys"),
    Case("a shared secret as a key", signing(
        SIGNING, [{"kty": "oct", "k": "c2VjcmV0", "kid": "s1"}], alg="ES384", kid="s1"),
        "id-token-keys"),
    Case("no keys", does("/jwks", reply(b"", status=404)), "id-token-keys"),
    Case("keys that never come", does("/jwks", silent), "id-token-keys", slow=True),
    Case("keys without end", does("/jwks", raw(HEAD + b"\r\n", for_ever=b" " * 65536)),
         "id-token-keys"),
    Case("keys elsewhere", does("/jwks", reply(b"", status=302, Location="/k")), "id-token-keys"),
    Case("keys as HTML", does("/jwks", reply(b"<html>")), "id-token-keys"),
    Case("keys that are no list", does("/jwks", reply({"keys": {}}, kind=JSON)), "id-token-keys"),
    Case("an iss of another", claims(iss="https://evil.example.org"), "id-token-issuer"),
    Case("no iss", claims(iss=GONE), "id-token-issuer"),
    Case("an aud of another app", claims(aud="another-app"), "id-token-audience"),
    Case("no aud", claims(aud=GONE), "id-token-audience"),
    Case("several aud and no azp", lambda s: s.claims.update(aud=["x", "btce-cds-backend"]),
         "id-token-audience"),
    Case("an azp of another app", claims(azp="another-app"), "id-token-audience"),
    Case("over", claims(iat=NOW - 900, exp=NOW - 300), "id-token-time"),
    Case("no exp", claims(exp=GONE), "id-token-time"),
    Case("an exp in words", claims(exp="tomorrow"), "id-token-time"),
    Case("no iat", claims(iat=GONE), "id-token-time"),
    Case("issued in the future", claims(iat=NOW + 3600, exp=NOW + 7200), "id-token-time"),
    Case("not yet", claims(nbf=NOW + 3600), "id-token-time"),
    Case("another nonce", claims(nonce="x" * 43), "id-token-nonce"),
    Case("no nonce", claims(nonce=GONE), "id-token-nonce"),
    Case("no sub", claims(sub=GONE), "id-token-malformed"),
    Case("no fhirUser", claims(fhirUser=GONE), "no-user"),
    Case("a fhirUser that is a device", claims(fhirUser="Device/1"), "no-user"),
    Case("a fhirUser with a path", claims(fhirUser="Practitioner/../Patient/1"),
         "user-elsewhere"),
    Case("a fhirUser of two dots", claims(fhirUser="Practitioner/.."), "no-user"),
    Case("a fhirUser with a query", claims(fhirUser="Practitioner/1?x=y"), "no-user"),
    Case("a fhirUser elsewhere", claims(fhirUser="https://evil.example.org/fhir/Practitioner/1"),
         "user-elsewhere"),
    Case("a fhirUser beside the base",
         lambda s: s.claims.update(fhirUser=f"{s.url}/fhir2/Practitioner/1"), "user-elsewhere"),
]  # fmt: skip
