"""Keeps a fault in the work on one patient from ending the work on the others; hides none.

The same rule as for a hook call: kind and line are logged, never the text, which may hold a value.
"""

import logging
from traceback import extract_tb
from types import TracebackType

from cds import log
from cds.store import StoreDown


class Contained:
    """A block whose faults are logged and remembered; `fault` is the name of the last one.

    What ends the process passes, and so does `StoreDown`: that is the loop's to wait for.
    """

    def __init__(self, event: str, site: str) -> None:
        self._event = event
        self._site = site
        self.fault: str | None = None

    def __enter__(self) -> "Contained":
        self.fault = None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if kind is None or not issubclass(kind, Exception) or issubclass(kind, StoreDown):
            return False
        last = extract_tb(trace)[-1]
        where = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
        self.fault = kind.__name__
        log.event(self._event, level=logging.ERROR, error=self.fault, at=where, site=self._site)
        return True
