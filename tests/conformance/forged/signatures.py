"""Signatures that are another text's, another key's, damaged or in another form."""

import base64
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.conformance.forged.model import STRANGERS, TWO, Forged, bearer
from tests.conformance.tokens import ENDPOINT, EPIC, SANDBOX, T, b64, encoded


# The order of P-384 (FIPS 186-4, D.1.2.4).
_P384 = 2**384 - 0x389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68D


def all_of() -> Iterator[Forged]:
    """The whole family."""
    for one in (
        _signatures(),
        _ec_signatures(),
    ):
        yield from one


def _signatures() -> Iterator[Forged]:
    for name, client in TWO.items():
        token = client.token()
        text, _, signature = token.rpartition(".")
        header, _, payload = text.partition(".")
        raw = base64.urlsafe_b64decode(signature + "==")
        key, stranger = client.signer, STRANGERS[name]
        whole = [n for n in (1, 2, 16, 32, 48, 64, 95, 128, 255) if n < len(raw)]
        made = {
            "of zeros": bytes(len(raw)),
            "of ones": b"\xff" * len(raw),
            "of one byte": b"\x01",
            "with a byte more": raw + b"\0",
            "with a zero before": b"\0" + raw,
            "twice": raw * 2,
            "reversed": raw[::-1],
            "by a stranger": stranger.signature(text.encode()),
            "of the header alone": key.signature(header.encode()),
            "of the payload alone": key.signature(payload.encode()),
            "of the decoded text": key.signature(base64.urlsafe_b64decode(payload + "==")),
            "of the parts in the other order": key.signature(f"{payload}.{header}".encode()),
            "of the text without its dot": key.signature((header + payload).encode()),
            "of the text with a dot more": key.signature(f"{text}.".encode()),
            "of another of the client's tokens": base64.urlsafe_b64decode(
                client.token().rpartition(".")[2] + "=="
            ),
            **{f"cut to {n} bytes": raw[:n] for n in whole},
            **{f"without its first {n} bytes": raw[n:] for n in whole[:4]},
        }
        for at in range(0, len(raw) * 8, max(1, len(raw) * 8 // 16)):
            flipped = bytearray(raw)
            flipped[at // 8] ^= 1 << at % 8
            made[f"with bit {at} flipped"] = bytes(flipped)
        for what, other in made.items():
            yield bearer(f"signature {what}, {name}", f"{text}.{b64(other)}", "signature")
        yield bearer(f"signature stripped, {name}", f"{text}.", "malformed")
        yield bearer(f"signature and its dot stripped, {name}", text, "malformed")
        for claim, value in {"sub": "x", "tenant": "x", "exp": T + 3000, "aud": [ENDPOINT]}.items():
            claims = {**client.claims, "jti": "x", claim: value}
            swapped = f"{header}.{b64(encoded(claims))}.{signature}"
            yield bearer(
                f"payload with another {claim} under the signature, {name}", swapped, "signature"
            )
    for what, alg in {"RSA-PSS": "PS384", "SHA-256": "RS256", "SHA-512": "RS512"}.items():
        text = EPIC.token().rpartition(".")[0]
        made_by = EPIC.signer.signature(text.encode(), alg)
        yield bearer(f"signature with {what} under RS384", f"{text}.{b64(made_by)}", "signature")


def _ec_signatures() -> Iterator[Forged]:
    text, _, signature = SANDBOX.token().rpartition(".")
    raw = base64.urlsafe_b64decode(signature)
    r, s = (int.from_bytes(half) for half in (raw[:48], raw[48:]))
    pairs = {
        "r and s exchanged": (s, r),
        "r zero": (0, s),
        "s zero": (r, 0),
        "both zero": (0, 0),
        "both one": (1, 1),
        "r the order": (_P384, s),
        "s the order": (r, _P384),
        "both the order": (_P384, _P384),
        "both the order less one": (_P384 - 1, _P384 - 1),
        "r the negative": (_P384 - r, s),
    }
    for what, (one, two) in pairs.items():
        made = b64(one.to_bytes(48) + two.to_bytes(48))
        yield bearer(f"ECDSA signature with {what}", f"{text}.{made}", "signature")
    yield bearer("ECDSA signature in DER", f"{text}.{b64(encode_dss_signature(r, s))}", "signature")
    for alg in ("ES256", "ES512"):
        made = b64(SANDBOX.signer.signature(text.encode(), alg))
        yield bearer(f"ECDSA signature with the hash of {alg}", f"{text}.{made}", "signature")
