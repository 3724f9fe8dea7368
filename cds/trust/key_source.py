"""Reading a JWK Set from where the configuration says it is: a pinned file or one URL.

The URL never comes from a token. No redirect, no compression, no credentials or proxy of this
machine; https, or http on this machine; limits on size and time.
"""

import threading
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from cds.config import Issuer
from cds.config.urls import loopback
from cds.fhir_sockets import Adapter, Sockets


MAX_BYTES = 256 * 1024
SECONDS = 1.0
_CHUNK = 16384
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
_LATE = "the time for reading is used up"


class KeysUnread(Exception):
    """The keys could not be read; the message says why, in words of ours."""


def read_source(issuer: Issuer) -> bytes:
    """The JWK Set of `issuer`, unparsed; raises `KeysUnread`."""
    if issuer.jwks_file is not None:
        return read_file(issuer.jwks_file)
    if issuer.jwks_url is not None:
        return read_url(issuer.jwks_url)
    raise KeysUnread("neither a file nor a URL is configured")


def read_file(path: Path) -> bytes:
    """The whole file, up to the limit."""
    try:
        with path.open("rb") as file:
            body = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise KeysUnread(f"the file cannot be read ({type(error).__name__})") from None
    if len(body) > MAX_BYTES:
        raise KeysUnread(f"larger than {MAX_BYTES} bytes")
    return body


def read_url(url: str, *, seconds: float = SECONDS) -> bytes:
    """One GET of JSON. `seconds`: for all of it, from the first connection to the last byte."""
    parts = urlsplit(url)
    near = parts.scheme == "http" and parts.username is None and loopback(parts.hostname or "")
    if parts.scheme != "https" and not near:
        raise KeysUnread("keys are read over https only")
    sockets = Sockets()
    # Ends also what no timeout of a socket ends: a handshake or a header sent byte by byte.
    alarm = threading.Timer(seconds, sockets.end)
    alarm.daemon = True
    alarm.start()
    try:
        with requests.Session() as session:
            session.trust_env = False  # neither a proxy nor a netrc file of this machine
            session.mount(f"{parts.scheme}://", Adapter(sockets, tls=not near))
            response = session.get(
                url, headers=_HEADERS, allow_redirects=False, stream=True, timeout=seconds
            )
            with response:
                body = _body(response)
    except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
        raise KeysUnread(_LATE if sockets.ended else type(error).__name__) from None
    finally:
        alarm.cancel()
        late = sockets.ended
        sockets.end()
    if late:
        raise KeysUnread(_LATE)
    return body


def _body(response: requests.Response) -> bytes:
    media = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if response.status_code != 200:
        raise KeysUnread(f"the server answered {response.status_code}")
    if media != "application/json" and not media.endswith("+json"):
        raise KeysUnread("the answer is not JSON")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise KeysUnread("the answer is compressed")
    body = bytearray()
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > MAX_BYTES:
            raise KeysUnread(f"larger than {MAX_BYTES} bytes")
    return bytes(body)
