"""The log: one JSON object a line, listed fields of one word each, no text of anybody else."""

import io
import json
import logging
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from cds import log


CANARY = "Canaryname"
DECISION = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers, root.level
    stream = io.StringIO()
    log.configure(stream)
    yield stream
    root.handlers = before
    root.setLevel(level)


def written(lines: io.StringIO) -> Any:
    (line,) = lines.getvalue().splitlines()
    return json.loads(line)


def test_what_a_call_was_can_be_followed_without_the_patient(lines: io.StringIO) -> None:
    log.event(
        "request",
        site="north",
        decision=DECISION,
        hook="org.btce-cds.observation-create",
        upstream=("timeout", "not-authorised"),
        refusal="expired",
        topics=("CRSG2",),
        status=200,
        ms=12.5,
        spooled=False,
    )
    found = written(lines)
    assert found["event"] == "request"
    assert found["level"] == "info"
    assert (found["site"], found["decision"]) == ("north", DECISION)
    assert found["hook"] == "org.btce-cds.observation-create"
    assert found["upstream"] == ["timeout", "not-authorised"]
    assert (found["refusal"], found["topics"]) == ("expired", ["CRSG2"])
    assert (found["status"], found["ms"], found["spooled"]) == (200, 12.5, False)


@pytest.mark.parametrize(
    "field",
    ["patient", "token", "iss", "tenant", "jti", "sub", "url", "message", "value", "body", "name"],
)
def test_a_field_that_is_not_listed_is_dropped(lines: io.StringIO, field: str) -> None:
    fields: dict[str, Any] = {field: CANARY}
    log.event("request", **fields)
    assert set(written(lines)) == {"time", "level", "event"}


@pytest.mark.parametrize(
    "value",
    [
        f"{CANARY} Second",
        f"{CANARY}\n{{}}",
        f'{CANARY}"',
        f"\x1b[31m{CANARY}",
        f"{CANARY}\u202e",
        "x" * 101,
        "",
        None,
        {"a": CANARY},
        b"Canaryname",
        ValueError(CANARY),
        object(),
    ],
)
def test_a_listed_field_holds_one_word_and_nothing_else(lines: io.StringIO, value: object) -> None:
    log.event("request", site=value, error=value, topics=(value, "CRSG2"))
    found = written(lines)
    assert CANARY not in lines.getvalue()
    assert set(found) == {"time", "level", "event", "topics"}
    assert found["topics"] == ["CRSG2"]


@pytest.mark.parametrize("value", [39.17, 39, True])
def test_a_number_stands_only_where_a_number_of_ours_is_meant(
    lines: io.StringIO, value: object
) -> None:
    log.event("request", site=value, code=value, topics=(value,), decision=value)
    assert set(written(lines)) == {"time", "level", "event"}


@pytest.mark.parametrize("decision", [CANARY, "p1", 7.5, DECISION + "0", ["p1"]])
def test_a_decision_is_our_own_uuid(lines: io.StringIO, decision: object) -> None:
    log.event("request", decision=decision)
    assert "decision" not in written(lines)


def test_texts_and_exceptions_of_libraries_are_dropped(lines: io.StringIO) -> None:
    library = logging.getLogger("urllib3.connectionpool")
    try:
        raise ConnectionError(f"https://ehr.example.org/Patient/{CANARY}")
    except ConnectionError:
        library.exception("GET /Patient/%s failed", CANARY, stack_info=True)
    found = written(lines)
    assert CANARY not in lines.getvalue()
    assert "ehr.example.org" not in lines.getvalue()
    assert set(found) == {"time", "level", "event", "logger", "error"}
    assert (found["logger"], found["error"]) == ("urllib3.connectionpool", "ConnectionError")


def test_each_record_is_one_line_of_json(lines: io.StringIO) -> None:
    log.event("start")
    logging.getLogger("x").warning("a\nb\nc %s", CANARY)
    log.event("stop", level=logging.ERROR)
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [one["event"] for one in found] == ["start", "log", "stop"]
    assert found[2]["level"] == "error"
    assert all(one["time"].endswith("+00:00") for one in found)


@pytest.fixture
def guarded(lines: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    log.guard_process()
    yield lines
    logging.captureWarnings(False)


def test_a_fault_in_a_thread_is_logged_by_its_kind_alone(
    guarded: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    def fault() -> None:
        raise RuntimeError(CANARY)

    thread = threading.Thread(target=fault)
    thread.start()
    thread.join()
    found = written(guarded)
    assert (found["event"], found["error"]) == ("thread-fault", "RuntimeError")
    assert CANARY not in guarded.getvalue() + capsys.readouterr().err


def test_a_warning_of_a_library_is_logged_without_its_text(
    guarded: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    warnings.showwarning(CANARY, UserWarning, "x.py", 1)
    assert written(guarded)["logger"] == "py.warnings"
    assert CANARY not in guarded.getvalue()
