"""A Flag or a Communication about an event: what R4 asks of each, and nothing not given."""

from datetime import datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from fhir_mapping.write_flag import About, communication, flag


ABOUT = About("p1", "https://cds.example.org/events|17")
EAST = timezone(timedelta(hours=2))
ONSET = datetime(2026, 11, 21, 2, 10, tzinfo=EAST)
END = datetime(2026, 11, 22, 3, 0, tzinfo=EAST)
TEXT = "CRS grade 2. Not clinically reviewed."


def test_a_flag_is_active_until_the_event_ends() -> None:
    """R4 Flag: status, code and subject are required; instants in UTC."""
    open_, over = (flag(ABOUT, TEXT, since=ONSET, until=end) for end in (None, END))
    assert open_["status"] == "active"
    assert open_["period"] == {"start": "2026-11-21T00:10:00Z"}
    assert over["status"] == "inactive"
    assert over["period"] == {"start": "2026-11-21T00:10:00Z", "end": "2026-11-22T01:00:00Z"}
    for one in (open_, over):
        assert one["code"] == {"text": TEXT}
        assert one["subject"] == {"reference": "Patient/p1"}


def test_a_communication_is_a_notification_to_nobody() -> None:
    """It is no alert: the category says so, and no recipient is named."""
    made = communication(ABOUT, TEXT, sent=ONSET)
    (category,) = made["category"]
    assert category["coding"][0]["code"] == "notification"
    assert made["status"] == "completed"
    assert made["sent"] == "2026-11-21T00:10:00Z"
    assert made["payload"] == [{"contentString": TEXT}]
    assert made["subject"] == {"reference": "Patient/p1"}
    assert "recipient" not in made


def test_each_carries_the_identifier_by_which_it_is_found_again() -> None:
    for one in (
        flag(ABOUT, TEXT, since=ONSET, until=None),
        communication(ABOUT, TEXT, sent=ONSET),
    ):
        assert one["identifier"] == [{"system": "https://cds.example.org/events", "value": "17"}]


def test_an_empty_text_is_refused_before_it_reaches_a_chart() -> None:
    with pytest.raises(ValidationError):
        flag(ABOUT, "", since=ONSET, until=None)
    with pytest.raises(ValidationError):
        communication(ABOUT, "", sent=ONSET)
