"""The whole demo on a socket with a clock of the test, and a tab of its workbench without script.

A tab is what a browser is without JavaScript: forms posted, redirects followed, pages read.
"""

import html
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import requests

from cds.clock import Clock
from cds.demo.server import listen, open_demo


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
Json = dict[str, Any]


@contextmanager
def running(folder: Path, *, clock: Clock = lambda: NOW, worker: bool = False) -> Iterator[str]:
    """The address of a demo; with `worker`, one that hears of changes between the calls."""
    stop = threading.Event()
    server, parts = open_demo(0, state=folder, clock=clock)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    working = listen(parts, stop) if worker else None
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        stop.set()
        if working is not None:
            working.join(timeout=30)
        server.shutdown()
        serving.join()
        server.server_close()


class Reading(HTMLParser):
    """The words of a page, and of the elements with an id those below them."""

    _VOID = frozenset({"input", "link", "meta", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.fields: dict[str, str] = {}
        self._open: list[str] = []
        self.words: dict[str, list[str]] = {"": []}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        given = dict(attrs)
        self.tags.append(tag)
        if given.get("id"):
            self.ids.append(given["id"] or "")
            self.words[given["id"] or ""] = []
        if tag not in self._VOID:
            self._open.append(given.get("id") or "")

    def handle_endtag(self, tag: str) -> None:
        """Leave one."""
        if self._open and tag not in self._VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Words of the page, and of every open element."""
        text = " ".join(data.split())
        if text:
            for one in {"", *filter(None, self._open)}:
                self.words[one].append(text)

    def text(self, of: str = "") -> str:
        """All words, or those of the element with this id."""
        return " ".join(self.words.get(of, []))


class Tab:
    """One visit of the workbench."""

    def __init__(self, base: str, story: str) -> None:
        self.base = base
        self._session = requests.Session()
        self._session.trust_env = False
        self.reply = self._session.get(f"{base}/?patient={story}", timeout=30)
        assert self.reply.status_code == 200, self.reply.text
        self.url = self.reply.url.partition("#")[0]

    @property
    def visit(self) -> str:
        """Its id."""
        return self.url.rpartition("/")[2]

    @property
    def page(self) -> Reading:
        """What is on the screen."""
        return Reading(self.reply.text)

    def look(self, **query: str) -> "Tab":
        """Load the page again."""
        self.reply = self._session.get(self.url, params=query, timeout=30)
        assert self.reply.status_code == 200
        return self

    def do(self, step: str, **form: str) -> "Tab":
        """Press a button."""
        self.reply = self._session.post(f"{self.url}/{step}", data=form, timeout=60)
        assert self.reply.status_code == 200, (step, self.reply.status_code, self.reply.text[:500])
        return self

    def wire(self, which: str) -> Json:
        """Request, response or assessment as the page has it."""
        found = re.search(
            rf'<pre tabindex="0" aria-label="{which} as JSON">(.*?)</pre>',
            self.reply.text,
            re.DOTALL,
        )
        assert found is not None, f"no {which}: {self.page.text('answer')[:600]}"
        decoded: Json = msgspec.json.decode(html.unescape(found[1]))
        return decoded

    def orders(self) -> list[str]:
        """The list of unsigned orders, a line each."""
        items = re.findall(r'<li class="draft ([a-z-]+)">(.*?)</li>', self.reply.text, re.DOTALL)
        return [f"{state}: {Reading(text).text()}" for state, text in items]

    def get(self, path: str, **query: str) -> requests.Response:
        """Anything of the demo."""
        return self._session.get(f"{self.base}{path}", params=query, timeout=30)
