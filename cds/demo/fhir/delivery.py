"""Sends notifications in threads of their own, one after the other for each subscription.

Only to endpoints that `subscription_form` let through. One retry; no redirect is followed.
"""

import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from threading import Lock, Thread

import requests
from msgspec import Struct


SECONDS = 5.0
PAUSE = 0.1  # before the one retry
Job = Callable[[], None]


class Message(Struct, frozen=True):
    """One HTTP request to a subscriber."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    media_type: str = ""


def send(message: Message, *, sleep: Callable[[float], None] = time.sleep) -> str:
    """ "" when it was accepted, at once or at the second try; else why not, in a few words."""
    problem = _once(message)
    if problem:
        sleep(PAUSE)
        problem = _once(message)
    return problem


class Courier:
    """Runs jobs; those of one subscription in their order, those of several side by side."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[str, deque[Job]] = {}

    def post(self, subscription: str, job: Job) -> None:
        """Run it soon; returns at once."""
        with self._lock:
            if subscription in self._waiting:
                self._waiting[subscription].append(job)
                return
            self._waiting[subscription] = deque([job])
        Thread(target=self._run, args=(subscription,), daemon=True).start()

    def _run(self, subscription: str) -> None:
        """Until nothing waits; the next job starts a new thread."""
        while True:
            with self._lock:
                waiting = self._waiting[subscription]
                if not waiting:
                    del self._waiting[subscription]
                    return
                job = waiting.popleft()
            job()


def _once(message: Message) -> str:
    headers = dict(message.headers)
    if message.media_type:
        headers["Content-Type"] = message.media_type
    with requests.Session() as session:
        session.trust_env = False
        try:
            response = session.request(
                message.method,
                message.url,
                data=message.body,
                headers=headers,
                timeout=SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException:
            return "the endpoint does not answer"
    if HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
        return ""
    return f"the endpoint answers {response.status_code}"
