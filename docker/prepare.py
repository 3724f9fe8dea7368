#!/usr/bin/env python3
"""Makes the secrets of docker/compose.yaml, for trying it out: passwords, TLS, a key pair.

    .venv/bin/python docker/prepare.py docker/compose/secrets

The folder must not exist. It is its owner's alone; the files that containers read can be read by
everybody, because a container runs as another user and sees a file without its folder. Not for a
hospital.
"""

import json
import secrets
import sys
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey


DATABASE = "postgresql+psycopg://{account}:{password}@postgres:5432/btce_cds"
KEPT = "client-key.json"  # signs calls; no container reads it
KID = "trial"
DAYS = 90
BAD_INPUT = 2


def made() -> dict[str, bytes]:
    """The text of each file by its name."""
    owner, service = _password(), _password()
    key = ECKey.generate_key("P-384", parameters={"kid": KID, "use": "sig", "alg": "ES384"})
    public = {"keys": [key.as_dict(private=False)]}
    certificate, private = _self_signed()
    words = {
        "postgres-admin": _password(),
        "postgres-owner": owner,
        "postgres-service": service,
        "store-owner": DATABASE.format(account="btce_owner", password=owner),
        "store-service": DATABASE.format(account="btce_service", password=service),
        "events-secret": _password(),
        KEPT: json.dumps(key.as_dict(private=True)),
        "client-jwks.json": json.dumps(public),
    }
    files = {name: f"{text}\n".encode() for name, text in words.items()}
    return files | {"proxy-certificate.pem": certificate, "proxy-key.pem": private}


def _password() -> str:
    return secrets.token_urlsafe(33)


def _self_signed() -> tuple[bytes, bytes]:
    """Certificate and private key in PEM, for localhost."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.fromtimestamp(time.time(), UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), secret


def main(arguments: list[str]) -> int:
    """Write them; 2 for a folder that is there already: nothing is overwritten."""
    if len(arguments) != 1:
        sys.stderr.write("usage: prepare.py FOLDER\n")
        return BAD_INPUT
    folder = Path(arguments[0])
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        sys.stderr.write(f"{folder}: {error.strerror}\n")
        return BAD_INPUT
    for name, text in made().items():
        file = folder / name
        file.write_bytes(text)
        file.chmod(0o600 if name == KEPT else 0o444)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
