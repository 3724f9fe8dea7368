"""The production server of this machine: granian, one or several worker processes.

Its own messages go through the allow-list too.
"""

import os
import signal
import tempfile
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

from cds import draining
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


class Server(MPServer):
    """granian that first says it is about to end, and goes on serving for a while.

    That while is for whoever sends it calls: to ask `/readyz` once more and send them elsewhere.
    """

    def __init__(self, *args: Any, drain_seconds: float, folder: Path, **options: Any) -> None:
        super().__init__(*args, **options)
        self._drain_seconds = drain_seconds
        self._folder = folder
        self._at_once = False

    def signal_handler_interrupt(self, *args: Any, **options: Any) -> None:
        """SIGTERM asks to drain; SIGINT, which workers get too, and any second signal do not."""
        self._at_once = self._at_once or self.interrupt_signal or signal.SIGINT in args
        super().signal_handler_interrupt(*args, **options)

    def shutdown(self, exit_code: int = 0) -> None:
        """After the first signal, or when a worker is gone: then nothing is waited for."""
        if self.interrupt_signal and self._drain_seconds > 0:
            self.main_loop_interrupt.clear()
            if not self._at_once and not self.interrupt_children:
                draining.announce(self._folder)
                self.main_loop_interrupt.wait(self._drain_seconds)
        super().shutdown(exit_code)


def run(settings: Settings, config: Path, *, workers: int = 1, drain_seconds: float = 0) -> None:
    """Serve until a signal says to end; calls in flight are answered first.

    `drain_seconds`: after SIGTERM, how long new calls are still taken while `/readyz` says 503.
    """
    with (
        tempfile.TemporaryDirectory(prefix="btce-cds-metrics-") as metrics,
        tempfile.TemporaryDirectory(prefix="btce-cds-draining-") as folder,
    ):
        if workers > 1:  # before the module that counts is imported, here or in a worker
            os.environ.setdefault(METRICS_FOLDER, metrics)
        os.environ[draining.FOLDER] = folder
        from cds.app import from_config  # noqa: PLC0415

        Server(
            str(config),
            drain_seconds=drain_seconds,
            folder=Path(folder),
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
