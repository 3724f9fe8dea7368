"""Whose page it is: what a Patient says, however much of it is malformed; what nobody read."""

import json
from pathlib import Path

import pytest

from cds.smart.banner import Banner, banner_of
from cds.smart.evaluating import assessed, record_of
from tests.beside import Room, room
from tests.builders import Json, patient, teclistamab
from tests.unit.cds.worker.hospital import of


def banner(found: Room) -> Banner:
    here, parts = found.here, found.parts
    record = record_of(here, parts.deployment, parts.at_hand)
    return banner_of(record, assessed(record, here, parts.deployment, now=found.clock.now))


def named(**members: object) -> Json:
    made: Json = {**patient(), **members}
    return made


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"name": [{"given": ["Ann", "B."], "family": "Test"}]}, "Ann B. Test"),
        ({"name": [{"text": "Ann Test"}]}, "Ann Test"),
        ({"name": [{"use": "nickname", "text": "A"}, {"use": "official", "text": "Ann"}]}, "Ann"),
        ({"name": [{"given": [None, "Ann"], "_given": [{"id": "x"}, None]}]}, "Ann"),
        ({"name": ["broken", {"family": "Test"}]}, "Test"),
        ({"name": [{"family": 7}, {"family": "Test"}]}, "Test"),
        ({}, ""),
    ],
)
def test_the_name_is_what_can_be_read(
    tmp_path: Path, members: dict[str, object], name: str
) -> None:
    with room(tmp_path, [], [named(**members)]) as found:
        assert banner(found).name == name


def test_one_malformed_member_hides_no_other(tmp_path: Path) -> None:
    members = {"name": 7, "identifier": [None, {"value": "MRN 1"}], "gender": "female"}
    found = json.loads(json.dumps(named(**members)))
    with room(tmp_path, [], [found]) as ward:
        shown = banner(ward)
    assert (shown.name, shown.identifiers, shown.sex) == ("", ("MRN 1",), "female")
    assert shown.born is not None


def test_no_dose_and_doses_that_nobody_read_are_told_apart(tmp_path: Path) -> None:
    with room(tmp_path, [], [patient(), of(teclistamab())]) as found:
        assert banner(found).agent == "teclistamab"
    with room(tmp_path, [], [patient()]) as found:
        assert (banner(found).agent, banner(found).doses_read) == ("", True)
        here, parts = found.here, found.parts
        record = record_of(here, parts.deployment, parts.at_hand)
        prefetch = {k: v for k, v in record.request.prefetch.items() if k != "administrations"}
        request = type(record.request)(
            **{
                name: getattr(record.request, name)
                for name in record.request.__struct_fields__
                if name != "prefetch"
            },
            prefetch=prefetch,
        )
        unread = type(record)(request, record.failed, record.at)
        shown = banner_of(unread, assessed(unread, here, parts.deployment, now=found.clock.now))
        assert (shown.agent, shown.doses_read) == ("", False)
