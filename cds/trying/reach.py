"""Whether a server can be reached at all, step by step: its name, its port, its certificate.

An error of a whole HTTP request does not tell these apart. Sends nothing.
"""

import socket
import ssl
from typing import NamedTuple

from cds.config.urls import loopback, parts
from cds.fhir_sockets import tls_context
from cds.fhir_urls import LONGEST
from cds.trying.trouble import Trouble


_PORTS = {"https": 443, "http": 80}


class Reached(NamedTuple):
    """What was found on the way. `ends_at`: POSIX seconds at which the certificate is over; None
    without TLS, which is for this machine alone."""

    ends_at: float | None = None
    version: str = ""


def base_of(url: str) -> str:
    """`url` as a FHIR base, without its last slash; raises `Trouble`."""
    found = parts(url)
    good = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST
    good = good and found.port != 0  # nobody can be called there
    if not good or found.scheme not in _PORTS or not found.hostname or "@" in found.netloc:
        raise Trouble(
            "this is not the URL of a server",
            "give the FHIR base, such as https://fhir.example.org/r4, without a user name",
        )
    if found.query or found.fragment or "?" in url or "#" in url:
        raise Trouble(
            "a FHIR base has no query and no fragment", "give the URL up to the question mark"
        )
    if found.scheme != "https" and not loopback(found.hostname):
        raise Trouble("http is for this machine alone", "give the https URL of a server elsewhere")
    return url.rstrip("/")


def reach(url: str, seconds: float) -> Reached:
    """Resolve, connect and, for https, shake hands; raises `Trouble`. `seconds`: for each step."""
    found = parts(url)
    name = found.hostname or ""
    with _connected(name, found.port or _PORTS[found.scheme], seconds) as opened:
        if found.scheme == "http":
            return Reached()
        try:
            with tls_context().wrap_socket(opened, server_hostname=name) as secured:
                certificate = secured.getpeercert() or {}
                ends_at = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
                return Reached(ends_at, secured.version() or "")
        except ssl.SSLCertVerificationError as error:
            raise Trouble(
                f"the certificate is not trusted ({_reason(error)})",
                "have the server send its whole chain, or add its authority to this machine's",
            ) from None
        except OSError:  # also what ssl raises, and a time-out
            raise Trouble(
                "the server does not speak TLS that is accepted here, or not in time",
                "check the port, and that it offers TLS 1.2 or newer",
            ) from None


def _connected(name: str, port: int, seconds: float) -> socket.socket:
    try:
        return socket.create_connection((name, port), timeout=seconds)
    except (socket.gaierror, UnicodeError):
        raise Trouble(
            "the host name cannot be resolved", "check its spelling and this machine's DNS"
        ) from None
    except ConnectionRefusedError:
        raise Trouble(
            "the connection is refused", "check the port, and that the server runs"
        ) from None
    except OSError:  # a time-out is one of these
        raise Trouble(
            "nobody answers at this address", "check the port, the network and a firewall"
        ) from None


def _reason(error: ssl.SSLCertVerificationError) -> str:
    """OpenSSL's own words for its closed list of reasons; a mismatch would name the host."""
    said = error.verify_message
    return "it is for another host name" if "mismatch" in said.lower() else said
