"""A FHIR server on a real socket with a certificate of its own, good for 127.0.0.1."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from cds import fhir_sockets
from tests.functional.fhir_upstream import Upstream


@contextmanager
def secured(folder: Path, *, until: datetime) -> Iterator[tuple[Upstream, Path]]:
    """The server, and its certificate for whoever is to trust it. `until`: its last moment."""
    certificate = _certificate(folder / "ehr.pem", until)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    class Secured(Upstream):
        @property
        def base(self) -> str:
            return super().base.replace("http:", "https:")

        def talk(self, connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as inside:
                super().talk(inside)

    server = Secured()
    fhir_sockets._read_authorities.cache_clear()  # noqa: SLF001 - another machine, so to speak
    try:
        yield server, certificate
    finally:
        fhir_sockets._read_authorities.cache_clear()  # noqa: SLF001
        server.close()


def _certificate(path: Path, until: datetime) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ehr")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(until)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return path
