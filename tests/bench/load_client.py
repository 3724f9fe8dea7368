"""Many clients at once, each on a connection it keeps; a process of its own.

`python -m tests.bench.load_client PORT PATH BODY_FILE TOKEN_FILE CLIENTS SECONDS_BETWEEN EXPECTED`
sends one request for each line of the token file, the bodies in turn, and prints one JSON object:
seconds for all, each latency in milliseconds, and what was no right answer by its status line. With
0 seconds between, a client sends again as soon as it was answered; else at that rhythm.
"""

import json
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.client import HOST, TIMEOUT, WrongAnswer, answer


def main(arguments: list[str]) -> None:
    """Send and print; the arguments are those of the module docstring."""
    port, path, body_file, token_file, clients, between, expected = arguments
    bodies = Path(body_file).read_bytes().splitlines()
    tokens = Path(token_file).read_text().splitlines()
    turns = enumerate(tokens)  # shared: whoever is free takes the next one
    count, pause = int(clients), float(between)
    began = time.perf_counter()
    with ThreadPoolExecutor(count) as pool:
        callers = [
            pool.submit(
                _caller,
                (int(port), path, expected.encode()),
                bodies,
                turns,
                began + pause * number / count,
                pause,
            )
            for number in range(count)
        ]
        found = [one for caller in callers for one in caller.result()]
    seconds = time.perf_counter() - began
    latencies = [latency for latency, _ in found]
    errors = Counter(error for _, error in found if error)
    sys.stdout.write(json.dumps({"seconds": seconds, "latencies": latencies, "errors": errors}))


def _caller(
    to: tuple[int, str, bytes],
    bodies: Sequence[bytes],
    turns: Iterator[tuple[int, str]],
    first: float,
    pause: float,
) -> list[tuple[float, str]]:
    """Latency in ms and the error, if it was one, of each request of one client."""
    port, path, expected = to
    found = []
    due = first
    with socket.create_connection((HOST, port), timeout=TIMEOUT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for turn, token in turns:
            message = _message(port, path, token, bodies[turn % len(bodies)])
            time.sleep(max(0.0, due - time.perf_counter()))
            began = time.perf_counter()
            try:
                connection.sendall(message)
                head, body = answer(connection)
            except (OSError, WrongAnswer) as error:
                found.append(((time.perf_counter() - began) * 1000, type(error).__name__))
                break
            status = head.partition(b"\r\n")[0].decode("latin-1")
            right = status.startswith("HTTP/1.1 200") and expected in body
            found.append(((time.perf_counter() - began) * 1000, "" if right else status))
            due += pause
    return found


def _message(port: int, path: str, token: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    main(sys.argv[1:])
