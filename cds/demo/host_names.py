"""The services of the demo answer to the names of this machine only, as its pages do.

A page elsewhere whose name was made to lead to the loopback address reaches nothing. Only in front
of the demo.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from werkzeug.sansio.utils import host_is_trusted


if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def for_names(
    mounts: Mapping[str, "WSGIApplication"], names: Sequence[str]
) -> dict[str, "WSGIApplication"]:
    """The services by their mount points, each refusing a request for another host name, 400."""
    return {path: _guarded(service, names) for path, service in mounts.items()}


def _guarded(service: "WSGIApplication", names: Sequence[str]) -> "WSGIApplication":
    def answered(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        if host_is_trusted(environ.get("HTTP_HOST"), names):
            return service(environ, start)
        start("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"The demo answers to the names of this machine only.\n"]

    return answered
