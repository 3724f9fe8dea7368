"""What a URL of the configuration is: its base, its host, and whether it leaves this machine."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit


_NOTHING = SplitResult("", "", "", "", "")


def same_base(one: str, other: str) -> bool:
    """Whether two FHIR base URLs are the same server base."""
    return _base(one) == _base(other)


def host(url: str) -> str:
    """The host a URL names, without port and brackets; empty where it names none."""
    return parts(url).hostname or ""


def loopback(name: str) -> bool:
    """Whether a host name or address is this machine's own."""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def unprotected(url: str | None) -> bool:
    """Whether a request to this URL would cross a network without TLS."""
    name = host(url or "")
    return bool(name) and parts(url or "").scheme != "https" and not loopback(name)


def parts(url: str) -> SplitResult:
    """The members of a URL; all empty where it is none."""
    try:
        found = urlsplit(url)
        _ = found.port  # reading it is what checks it
    except ValueError:  # an opening bracket without its closing one, a port that is no number
        return _NOTHING
    return found


def _base(url: str) -> tuple[str, str, str]:
    found = parts(url)
    if found is _NOTHING:
        return "", "", url
    return found.scheme, found.netloc.lower(), found.path.rstrip("/")
