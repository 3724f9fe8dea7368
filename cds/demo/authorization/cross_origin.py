"""Which other pages of this machine may ask: CORS, as SMART wants it for apps in a browser."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers


_HEADERS = "Authorization, Content-Type, Accept"
_METHODS = "GET, POST, OPTIONS"


def loopback(host: str | None) -> bool:
    """Whether an address or host name means this machine."""
    if host == "localhost":
        return True
    try:
        return host is not None and ip_address(host).is_loopback
    except ValueError:
        return False


def allow(origin: str | None, headers: Headers) -> None:
    """Let a page of this machine read the answer; cookies are never sent along."""
    headers.add("Vary", "Origin")
    try:
        host = urlsplit(origin or "").hostname
    except ValueError:
        return
    if origin and loopback(host):
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Headers"] = _HEADERS
        headers["Access-Control-Allow-Methods"] = _METHODS
