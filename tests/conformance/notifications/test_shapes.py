"""What servers are known to send: each shape is read, answered as that server needs, and known
when it comes again. The public source of each is named in its file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.notifications.hospital import Hospital


FILES = sorted(Path(__file__).parent.glob("*.json"))
BUNDLE = {"resourceType": "Bundle", "type": "transaction-response"}


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def send(hospital: Hospital, request: Any) -> Any:
    return hospital.send(
        request["body"],
        method=request["method"],
        below=request["below"],
        headers=request["headers"],
    )


def asked(hospital: Hospital) -> list[tuple[str, str]]:
    return sorted(hospital.asked())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_notification_wakes_whom_it_names_and_gets_the_answer_its_server_needs(
    file: Path, hospital_with: Callable[..., Hospital]
) -> None:
    case = read(file)
    expected = case["expect"]
    hospital = hospital_with(**case["subscription"])
    response = send(hospital, case["request"])
    assert response.status_code == 200
    if expected["reply"] == "bundle":
        assert response.mimetype == "application/fhir+json"
        assert json.loads(response.data) == BUNDLE
    else:
        assert response.data == b""
        assert "Content-Type" not in response.headers
    wanted = sorted((one["patient"], one["ref"]) for one in expected["wakeUps"])
    assert asked(hospital) == wanted
    assert hospital.counted(expected["kind"]) == 1
    for row in hospital.rows():
        assert (row.site, row.source) == ("north", hospital.heard().id)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_same_notification_again_is_known_or_wakes_the_same_again(
    file: Path, hospital_with: Callable[..., Hospital]
) -> None:
    case = read(file)
    hospital = hospital_with(**case["subscription"])
    send(hospital, case["request"])
    once = asked(hospital)
    assert send(hospital, case["request"]).status_code == 200
    if case["expect"]["again"] == "known":
        assert asked(hospital) == once
    else:
        assert asked(hospital) == sorted(once * 2)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_counters_of_a_notification_are_remembered(
    file: Path, hospital_with: Callable[..., Hospital]
) -> None:
    case = read(file)
    expected = case["expect"]
    hospital = hospital_with(**case["subscription"])
    send(hospital, case["request"])
    heard = hospital.heard()
    last = max([*expected["numbers"], -1 if expected["total"] is None else expected["total"]])
    assert (heard.last_event, heard.missing, heard.gap_from) == (last, "", None)
    assert heard.heard_at == hospital.now
    if expected["kind"] != "handshake" and expected["status"] is not None:
        assert heard.status == expected["status"]
    else:
        assert heard.status == "requested"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_clinical_of_a_notification_is_kept(
    file: Path, hospital_with: Callable[..., Hospital], tmp_path: Path
) -> None:
    case = read(file)
    hospital = hospital_with(**case["subscription"])
    send(hospital, case["request"])
    said = repr(hospital.rows()) + repr(hospital.heard())
    assert "38.4" not in said
    assert "8310-5" not in said
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("store.db*"))
    assert b"38.4" not in stored


def test_every_shape_names_a_public_source() -> None:
    assert len(FILES) >= 25
    for file in FILES:
        assert "(https://" in read(file)["source"], file.name
