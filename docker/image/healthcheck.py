#!/usr/bin/env python3
"""Asks the service in this container for `/livez` or the path given; exit status 0 for 200, else 1.

For a container engine's health check, which has no client of its own. It asks the port of
`BTCE_BIND` on the loopback address, through no proxy, and prints nothing but a reason.
"""

import http.client
import os
import sys


SECONDS = 3.0
DEFAULT_BIND = "0.0.0.0:8080"  # as in the image; only its port is asked


def unhealthy(path: str, bind: str) -> str | None:
    """Why the service at `bind` is not healthy; None where `path` answers 200."""
    host, _, port = bind.rpartition(":")
    if not port.isdecimal():
        return "BTCE_BIND is not host:port"
    near = "::1" if host == "[::1]" else "127.0.0.1"
    connection = http.client.HTTPConnection(near, int(port), timeout=SECONDS)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{path}: {type(error).__name__}"
    finally:
        connection.close()
    return None if status == http.HTTPStatus.OK else f"{path}: {status}"


def main() -> int:
    """The exit status for the engine."""
    path = sys.argv[1] if len(sys.argv) > 1 else "/livez"
    reason = unhealthy(path, os.environ.get("BTCE_BIND") or DEFAULT_BIND)
    if reason is not None:
        sys.stderr.write(f"{reason}\n")
    return 0 if reason is None else 1


if __name__ == "__main__":
    sys.exit(main())
