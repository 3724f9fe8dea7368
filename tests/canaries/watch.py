"""Sees every log line and every answer of a test run, and keeps which of them held a canary.

Whatever handlers a test gives the root logger: a record is seen where it is handed to handlers. It
is searched as the service's formatter writes it, which is how it leaves a process.
"""

import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flask import Flask, Response, request, request_finished

from cds import log
from tests.canaries import strings


LOGGED = (*strings.NOWHERE, *strings.CLINICAL, *strings.FEEDBACK, *strings.OTHER_TOKENS)
ANSWERED = (*strings.NOWHERE, *strings.FEEDBACK, *strings.OTHER_TOKENS)
_STORES = ("*.db", "*.db-wal", "*.sqlite*", "*.decision", "*.writing")
_CALLS = "/cds-services/"


class Watch:
    """Counts what it searched, so that a search of nothing is seen; `found`: one line a canary."""

    def __init__(self) -> None:
        self.lines = self.errors = self.metrics = self.answers = 0
        self.found: list[str] = []
        self._formatter = log.JsonFormatter()
        self._handed: Any = None

    def start(self) -> None:
        """From now on until `stop`."""
        handed = self._handed = logging.Logger.callHandlers

        def seen(logger: logging.Logger, record: logging.LogRecord) -> None:
            self.line(self._formatter.format(record))
            handed(logger, record)

        logging.Logger.callHandlers = seen  # type: ignore[method-assign, assignment]
        log.LOGGER.setLevel(logging.INFO)
        request_finished.connect(self.answer)

    def stop(self) -> None:
        """Leave everything as it was."""
        if self._handed is not None:
            logging.Logger.callHandlers = self._handed  # type: ignore[method-assign]
        log.LOGGER.setLevel(logging.NOTSET)
        request_finished.disconnect(self.answer)

    def line(self, text: str) -> None:
        """One line of the log."""
        self.lines += 1
        self._search("log", text, LOGGED)

    def answer(self, sender: Flask, response: Response, **_: object) -> None:
        """One answer of any application: receiver of Flask's `request_finished`."""
        if sender.name != "cds" or response.is_streamed:
            return
        self.answers += 1
        self.errors += response.status_code >= 400
        self.metrics += request.path == "/metrics"
        called = response.status_code == 200 and request.path.startswith(_CALLS)
        where = f"{response.status_code} {request.method}"
        self._search(where, str(response.headers), LOGGED)
        if called:
            self._search(where, _without_drafts(response.get_data()), ANSWERED)
        else:
            self._search(where, response.get_data(as_text=True), LOGGED)

    def files(self, folder: Path) -> int:
        """Every database and spool below `folder`; how many were searched."""
        found = [file for pattern in _STORES for file in folder.rglob(pattern) if file.is_file()]
        for file in found:
            text = file.read_bytes().decode("utf-8", "replace")
            self._search(file.name, text, (*strings.NOWHERE, *strings.OTHER_TOKENS))
        return len(found)

    def _search(self, where: str, text: str, canaries: Iterable[str]) -> None:
        test = os.environ.get("PYTEST_CURRENT_TEST", "")
        self.found += [f"{one} in {where}, {test}" for one in canaries if one in text]


def _without_drafts(body: bytes) -> str:
    """An answer but for the drafts that its suggestions give back, which are the client's own."""
    text = body.decode()
    if not any(one in text for one in ANSWERED):
        return text
    answer = json.loads(text)
    for card in answer.get("cards", []):
        for suggestion in card.get("suggestions", []):
            for action in suggestion.get("actions", []):
                action.pop("resource", None)
    return json.dumps(answer, ensure_ascii=False)
