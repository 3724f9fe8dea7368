"""The production server of this machine: granian, one or several worker processes.

Its own messages go through the allow-list too.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings

from cds.config import Settings


METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
THREADS = 4  # evaluating is computation, but a call waiting for a FHIR server must hold up no other
CONNECTIONS = 1024  # of one worker; more wait to be accepted
HEADERS_MS = 10_000  # a client that sends its headers slower than that is cut off
END_SECONDS = 10  # for the calls in flight, after SIGTERM
_HANDLER = {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}
_LOGGER = {"handlers": ["json"], "level": "INFO", "propagate": False}
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "cds.log.JsonFormatter"}},
    "handlers": {"json": _HANDLER},
    "loggers": {"_granian": _LOGGER, "granian.access": _LOGGER},
}


def run(settings: Settings, config: Path, *, workers: int = 1) -> None:
    """Serve until a signal says to end; calls in flight are answered first."""
    with tempfile.TemporaryDirectory(prefix="btce-cds-metrics-") as folder:
        if workers > 1:  # before the module that counts is imported, here or in a worker
            os.environ.setdefault(METRICS_FOLDER, folder)
        from cds.app import from_config  # noqa: PLC0415

        Granian(
            str(config),
            address=settings.host,
            port=settings.port,
            interface=Interfaces.WSGI,
            websockets=False,
            workers=workers,
            blocking_threads=THREADS,
            backpressure=CONNECTIONS,
            http1_settings=HTTP1Settings(header_read_timeout=HEADERS_MS),
            workers_kill_timeout=END_SECONDS,
            log_dictconfig=LOGGING,
        ).serve(target_loader=from_config)
