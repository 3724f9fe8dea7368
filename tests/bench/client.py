"""The load client, a process of its own: a fixed number of POSTs over several kept connections.

`python -m tests.bench.client PORT PATH BODY_FILE REQUESTS CONNECTIONS EXPECTED` sends the
lines of the file in turn and prints one JSON object: seconds for all, and each latency in
milliseconds. Any answer that is not a 200 holding `EXPECTED` ends the run: a quick wrong answer is
not a result.
"""

import json
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


HOST = "127.0.0.1"
TIMEOUT = 60.0


class WrongAnswer(RuntimeError):
    """The server answered, but not what this candidate must answer."""


def main(arguments: list[str]) -> None:
    """Send and print; the arguments are those of the module docstring."""
    port, path, body_file, requests, connections, expected = arguments
    bodies = Path(body_file).read_bytes().splitlines()
    messages = [_message(int(port), path, body) for body in bodies]
    turns = iter(range(int(requests)))  # shared: whoever is free takes the next one
    began = time.perf_counter()
    with ThreadPoolExecutor(int(connections)) as pool:
        callers = [
            pool.submit(_caller, int(port), messages, turns, expected.encode())
            for _ in range(int(connections))
        ]
        latencies = [latency for caller in callers for latency in caller.result()]
    seconds = time.perf_counter() - began
    sys.stdout.write(json.dumps({"seconds": seconds, "latencies": latencies}))


def _message(port: int, path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _caller(
    port: int, messages: Sequence[bytes], turns: Iterator[int], expected: bytes
) -> list[float]:
    latencies = []
    with socket.create_connection((HOST, port), timeout=TIMEOUT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for turn in turns:
            message = messages[turn % len(messages)]
            began = time.perf_counter()
            connection.sendall(message)
            head, body = answer(connection)
            latencies.append((time.perf_counter() - began) * 1000)
            if not head.startswith(b"HTTP/1.1 200") or expected not in body:
                raise WrongAnswer((head + b"\n" + body)[:500].decode(errors="replace"))
    return latencies


def answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of one response; all candidates send a Content-Length."""
    data = bytearray()
    while b"\r\n\r\n" not in data:
        data += _receive(connection)
    head, _, body = bytes(data).partition(b"\r\n\r\n")
    length = _content_length(head)
    while len(body) < length:
        body += _receive(connection)
    return head, body


def _receive(connection: socket.socket) -> bytes:
    chunk = connection.recv(262144)
    if not chunk:
        raise WrongAnswer("the server closed the connection")
    return chunk


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise WrongAnswer("no Content-Length: " + head.decode(errors="replace"))


if __name__ == "__main__":
    main(sys.argv[1:])
