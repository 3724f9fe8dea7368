"""Not one bearer token, not a compact JWS, not JSON, or JSON that says a thing twice."""

import base64
import json
from collections.abc import Iterator

from joserfc.jwk import RSAKey

from tests.conformance.forged.model import TWO, Forged, bearer
from tests.conformance.tokens import EPIC, SANDBOX, b64, encoded, signed


def all_of() -> Iterator[Forged]:
    """The whole family."""
    for one in (
        _schemes(),
        _structures(),
        _spellings(),
        _duplicates(),
        _not_json(),
    ):
        yield from one


def _schemes() -> Iterator[Forged]:
    token = SANDBOX.token()
    yield Forged("no Authorization header", None, frozenset({"no-token"}))
    yield Forged("empty Authorization header", "", frozenset({"no-token"}))
    names = (
        "Basic Digest DPoP Negotiate JWT OAuth MAC Token Hawk HOBA NTLM SCRAM-SHA-256 vapid GNAP"
    )
    for name in [*names.split(), "Bearer:", "Bearer=", "BearerX", "XBearer", "Bear", "\uff22earer"]:
        yield Forged(f"scheme {name!a}", f"{name} {token}", frozenset({"scheme"}))
    wrong = {
        "the token without a scheme": token,
        "the scheme alone": "Bearer",
        "the scheme and blanks": "Bearer   ",
        "a tab after the scheme": f"Bearer\t{token}",
        "a no-break space after the scheme": f"Bearer\u00a0{token}",
        "a line break after the scheme": f"Bearer\r\n {token}",
        "a blank before the scheme": f" Bearer {token}",
        "the scheme twice": f"Bearer Bearer {token}",
        "two tokens": f"Bearer {token} {token}",
        "two headers joined": f"Bearer {token}, Bearer {token}",
        "two tokens with a comma": f"Bearer {token},{token}",
        "parameters after the token": f'Bearer {token}, realm="cds"',
        "the token as a parameter": f"Bearer token={token}",
        "the token quoted": f'Bearer "{token}"',
        "a blank after the token": f"Bearer {token} ",
        "a line break after the token": f"Bearer {token}\n",
        "a header injected after the token": f"Bearer {token}\r\nX-Site: epic",
        "a NUL after the token": f"Bearer {token}\0",
        "a semicolon after the token": f"Bearer {token};",
        "the word null": "Bearer null",
        "the word undefined": "Bearer undefined",
        "the token as Basic password": "Basic " + base64.b64encode(f":{token}".encode()).decode(),
        "the token base64-encoded once more": "Bearer " + b64(token.encode()),
        "a megabyte": "Bearer " + "A" * 2**20,
        "a token longer than is read": f"Bearer {token}" + "A" * 8192,
    }
    for what, value in wrong.items():
        yield Forged(what, value, frozenset({"scheme", "malformed", "too-long"}))


def _structures() -> Iterator[Forged]:
    for name, client in TWO.items():
        token = client.token()
        header, payload, signature = token.split(".")
        one = {"header": {}, "protected": header, "signature": signature}
        wrong = {
            "the header alone": header,
            "header and signature": f"{header}.{signature}",
            "header and signature, payload detached": f"{header}..{signature}",
            "no header": f".{payload}.{signature}",
            "dots alone": "..",
            "a part more": f"{token}.{signature}",
            "an empty part more": f"{token}.",
            "five parts, as a JWE has": f"{header}.{signature}.{signature}.{payload}.{signature}",
            "a JWE header over five parts": ".".join(
                [b64(encoded({"alg": "dir", "enc": "A256GCM"})), "", "AAAA", "AAAA", "AAAA"]
            ),
            "the flattened JSON serialisation": json.dumps({"payload": payload, **one}),
            "the general JSON serialisation": json.dumps({"payload": payload, "signatures": [one]}),
            "the JSON serialisation without blanks": encoded({"payload": payload, **one}).decode(),
            "a token in quotes": f"'{token}'",
        }
        for what, value in wrong.items():
            yield bearer(f"{what}, {name}", value, "malformed")
        exchanged = f"{payload}.{header}.{signature}"
        yield bearer(f"header and payload exchanged, {name}", exchanged, "header")
        inner = {"a token": token.encode(), "a token in quotes": json.dumps(token).encode()}
        inner |= {"a token in an object": encoded({"jwt": token})}
        for what, text in inner.items():
            nested = signed(encoded(client.header), text, client.signer)
            yield bearer(f"payload is {what}, {name}", nested, "malformed", "issuer")


def _spellings() -> Iterator[Forged]:
    token = SANDBOX.token()
    parts = token.split(".")
    for at, part in enumerate(("header", "payload", "signature")):
        text = parts[at]
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        wrong = {
            "padded": text + "=" * (-len(text) % 4 or 4),
            "padded once": f"{text}=",
            "with a blank": f"{text[:8]} {text[8:]}",
            "with a line break": f"{text[:8]}\n{text[8:]}",
            "with a tab": f"{text[:8]}\t{text[8:]}",
            "with a NUL": f"{text[:8]}\0{text[8:]}",
            "with a plus": f"{text[:8]}+{text[8:]}",
            "with a slash": f"{text[:8]}/{text[8:]}",
            "with a tilde": f"{text[:8]}~{text[8:]}",
            "percent-encoded": f"{text[:8]}%41{text[8:]}",
            "with a letter beyond ASCII": f"{text[:8]}é{text[8:]}",
            "in base32": base64.b32encode(raw).decode().rstrip("="),
            "in hexadecimal": raw.hex(),
            "one letter long": "A",
            "without its first letter": text[1:],
            "without its last letter": text[:-1],
            "with a letter more": f"{text}A",
        }
        for what, value in wrong.items():
            spelled = ".".join([*parts[:at], value, *parts[at + 1 :]])
            kinds = ("malformed", "scheme", "signature")
            yield bearer(f"{part} {what}", spelled, *kinds)
    # Bits that the last letter has and no byte needs: another spelling of the same token.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for filler in ("", "x"):
        long = SANDBOX.token(claims={"jti": "j" * 8, "pad": filler}).split(".")
        if len(long[1]) % 4:
            last = alphabet[alphabet.index(long[1][-1]) + 1]
            spelled = f"{long[0]}.{long[1][:-1]}{last}.{long[2]}"
            what = f"payload of {len(long[1])} letters with stray bits in the last"
            yield bearer(what, spelled, "malformed")
    rsa_parts = EPIC.token().split(".")  # 256 bytes: the last letter has stray bits
    last = alphabet[alphabet.index(rsa_parts[2][-1]) + 1]
    spelled = f"{rsa_parts[0]}.{rsa_parts[1]}.{rsa_parts[2][:-1]}{last}"
    yield bearer("signature with stray bits in its last letter", spelled, "signature", "malformed")


def _duplicates() -> Iterator[Forged]:
    for name, client in TWO.items():
        header, claims = client.header, {**client.claims, "jti": "x"}
        for member, value in header.items():
            for what, other in {"same": value, "another": "x"}.items():
                text = encoded(header)[:-1] + b"," + encoded({member: other})[1:]
                token = signed(text, encoded(claims), client.signer)
                yield bearer(f"header has {member} twice, {what} value, {name}", token, "malformed")
        for member, value in claims.items():
            for what, other in {"same": value, "another": "x"}.items():
                first = b"{" + encoded({member: other})[1:-1] + b"," + encoded(claims)[1:]
                token = signed(encoded(header), first, client.signer)
                yield bearer(f"claim {member} twice, {what} value, {name}", token, "malformed")
        escaped = encoded(claims)[:-1] + b',"\\u0065xp":1}'
        token = signed(encoded(header), escaped, client.signer)
        yield bearer(f"claim exp once more in escapes, {name}", token, "malformed")
        inside = encoded({**claims, "x": 0}).replace(b'"x":0', b'"x":{"a":1,"a":2}')
        token = signed(encoded(header), inside, client.signer)
        yield bearer(f"a member twice inside a claim, {name}", token, "malformed")


def _not_json() -> Iterator[Forged]:
    header, claims = encoded(SANDBOX.header), encoded({**SANDBOX.claims, "jti": "x"})
    for part, good in {"header": header, "payload": claims}.items():
        texts = {
            "empty": b" ",
            "an empty object": b"{}",
            "null": b"null",
            "true": b"true",
            "a number": b"1",
            "NaN": b"NaN",
            "a text": b'"alg kid typ b64 iss"',
            "a list": b"[" + good + b"]",
            "a list of names": b'["alg","kid","typ","b64"]',
            "two objects": good + good,
            "an object and a NUL": good + b"\0",
            "an object and text": good + b"x",
            "with a comma too many": good[:-1] + b",}",
            "with a comment": good[:-1] + b"/* */}",
            "with single quotes": good.replace(b'"', b"'"),
            "without its end": good[:-1],
            "with a byte order mark": b"\xef\xbb\xbf" + good,
            "in UTF-16": good.decode().encode("utf-16"),
            "in UTF-16 without a mark": good.decode().encode("utf-16-le"),
            "in UTF-32": good.decode().encode("utf-32"),
            "with a byte that is not UTF-8": good.replace(b"JWT", b"JWT\xff").replace(
                b'"x"', b'"\xff"'
            ),
            "with an overlong NUL": good[:-1] + b',"x":"\xc0\x80"}',
            "with a surrogate as UTF-8": good[:-1] + b',"x":"\xed\xa0\x80"}',
            "with a line break in a text": good[:-1] + b',"x":"\n"}',
            "with NaN beside": good[:-1] + b',"x":NaN}',
            "with infinity beside": good[:-1] + b',"x":-Infinity}',
            "with a list nested 1500 deep": good[:-1] + b',"x":' + b"[" * 1500,
            "with an object nested 800 deep": good[:-1] + b',"x":' + b'{"a":' * 800,
            "compressed": base64.b64decode("eJyrVkrMSVGyUqoFABHEA0U="),
            "XML": b"<jwt/>",
            "a PEM": b"-----BEGIN PUBLIC KEY-----",
        }
        for what, text in texts.items():
            token = signed(
                *((text, claims) if part == "header" else (header, text)), SANDBOX.signer
            )
            kinds = ("malformed", "header", "issuer")
            yield bearer(f"{part} is JSON {what}", token, *kinds)
    secret = RSAKey.generate_key(2048).as_pem(private=True)
    yield bearer("a private key instead of a token", b64(secret), "malformed")
