"""Addresses as values of the file: URLs, the address to listen on, the database."""

from pathlib import Path
from typing import Any

from cds.config.kinds import Kind, Refused, text
from cds.config.urls import parts


def _web(value: Any, folder: Path) -> str:
    """An absolute URL as it stands, without a password in it."""
    found = parts(text(value, folder))
    if found.scheme not in {"http", "https"} or not found.hostname or value.split() != [value]:
        raise Refused(("", "must be an absolute http or https URL"))
    if found.username is not None:
        raise Refused(("", "must not hold a user name or a password"))
    return str(value)


def _base(value: Any, folder: Path) -> str:
    found = parts(_web(value, folder))
    if found.query or found.fragment:
        raise Refused(("", "must be a base URL, without a query"))
    return str(value).rstrip("/")


def _origin(value: Any, folder: Path) -> str:
    found = _base(value, folder)
    if parts(found).path:
        raise Refused(("", "must be scheme, host and port alone, as a browser sends it"))
    return found


def _bind(value: Any, folder: Path) -> tuple[str, int]:
    host, _, port = text(value, folder).rpartition(":")
    if not (host and port.isascii() and port.isdecimal() and int(port) <= 65535):
        raise Refused(("", "must be host:port"))
    return host.strip("[]"), int(port)


def _store(value: Any, folder: Path) -> str:
    """A database URL; a relative SQLite file lies beside the configuration."""
    url = text(value, folder)
    if url.startswith("postgresql+psycopg://"):
        return url
    name = url.removeprefix("sqlite:///")
    if name == url or not name or name.startswith(":memory:"):
        allowed = "sqlite:///FILE or postgresql+psycopg://..."
        raise Refused(("", f"must be {allowed}: what is kept in memory is neither kept nor shared"))
    return f"sqlite:///{folder.absolute() / name}"


WEB = Kind("URL", _web)
BASE = Kind("base URL", _base)
ORIGIN = Kind("origin", _origin)
BIND = Kind("host:port", _bind, ("", 0))
STORE = Kind("SQLAlchemy URL", _store)
