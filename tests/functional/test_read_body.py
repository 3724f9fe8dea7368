"""The body is read whole, however the server hands it out."""

from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException

from cds.hooks import read_body


BODY = b'{"hook": "order-sign"}'
app = Flask("test")
app.config["MAX_CONTENT_LENGTH"] = 1000


class Pieces(BytesIO):
    """An input that never hands out more than five bytes at once."""

    def readinto(self, buffer: Any) -> int:
        piece = self.read(min(5, len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


def read(stream: BytesIO, length: int | None, **extra: Any) -> bytes:
    environ = {"wsgi.input": stream, "wsgi.input_terminated": True, **extra}
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    with app.test_request_context("/", method="POST", environ_overrides=environ):
        return read_body()


@pytest.mark.parametrize("terminated", [True, False])
def test_a_body_of_the_length_it_says_is_read_whole(terminated: bool) -> None:
    environ = {"wsgi.input_terminated": terminated}
    assert read(BytesIO(BODY), len(BODY), **environ) == BODY


def test_a_body_without_a_length_is_read_to_its_end() -> None:
    assert read(BytesIO(BODY), None) == BODY


def test_no_body_is_empty() -> None:
    assert read(BytesIO(b""), 0) == b""


def test_a_body_over_the_limit_is_refused() -> None:
    with pytest.raises(HTTPException) as refused:
        read(BytesIO(BODY * 100), len(BODY) * 100)
    assert refused.value.code == 413


def test_a_body_that_comes_in_pieces_is_put_together() -> None:
    assert read(Pieces(BODY), len(BODY)) == BODY
