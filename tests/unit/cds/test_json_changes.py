"""What differs between two documents is named by its path, and nothing else is."""

import pytest

from cds.json_changes import Change, changes


@pytest.mark.parametrize(
    ("kept", "now", "found"),
    [
        ('{"a":1}', '{"a":1}', []),
        ('{"a":1}', '{"a":2}', [("x.a", "1", "2")]),
        ('{"a":8.0}', '{"a":8.00}', [("x.a", "8.0", "8.00")]),
        ('{"a":8}', '{"a":8.0}', [("x.a", "8", "8.0")]),
        ('{"a":1}', '{"a":"1"}', [("x.a", "1", '"1"')]),
        ('{"a":1}', '{"a":true}', [("x.a", "1", "true")]),
        ('{"a":null}', "{}", [("x.a", "null", "")]),
        ("{}", '{"a":null}', [("x.a", "", "null")]),
        ('{"a":{"b":[1,2]}}', '{"a":{"b":[1,3]}}', [("x.a.b[1]", "2", "3")]),
        ("[1]", "[1,{}]", [("x[1]", "", "{}")]),
        ('{"a":[]}', '{"a":{}}', [("x.a", "[]", "{}")]),
        (
            '{"a":1,"b":2}',
            '{"b":3,"c":4}',
            [("x.a", "1", ""), ("x.b", "2", "3"), ("x.c", "", "4")],
        ),
        ('{"a":1,"b":2}', '{"b":2,"a":1}', [("x", '{"a":1,"b":2}', '{"b":2,"a":1}')]),
        ('{"a": 1}', '{"a":1}', [("x", '{"a": 1}', '{"a":1}')]),
        ("{", "{}", [("x", '"{"', "{}")]),
        ('"{"', "{", [("x", '"{"', "{")]),
        ('{"a":"Zoë"}', '{"a":"Zoe"}', [("x.a", '"Zoë"', '"Zoe"')]),
    ],
)
def test_every_difference_and_no_other_is_found(
    kept: str, now: str, found: list[tuple[str, str, str]]
) -> None:
    expected = tuple(Change(*one) for one in found)
    assert changes("x", kept.encode(), now.encode()) == expected


@pytest.mark.parametrize("text", [b"\xff", b"[" * 100_000, b""])
def test_what_is_no_json_differs_as_a_whole(text: bytes) -> None:
    (found,) = changes("x", text, b"{}")
    assert found.path == "x"
