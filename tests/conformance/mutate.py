"""Changes one request a little, by a seeded random generator: the same list in every run."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any


Path = tuple[str | int, ...]
RAW = "raw JSON text: "
HOSTILE: tuple[str, ...] = (
    *(
        "",
        " ",
        "\x00",
        "\x1b[2J",
        "\u202e",
        "\u200b",
        "\ufeff",
        "\U0010ffff",
        "é" * 70,
        "𝄞",
        "İ",
        "ß",
    ),
    *("../../etc/passwd", "file:///etc/passwd", "http://127.0.0.1:1/", "//elsewhere.example/fhir"),
    *(
        "' OR 1=1 --",
        '"; DROP TABLE x; --',
        "$(id)",
        "`id`",
        "${jndi:ldap://x}",
        "{{7*7}}",
        "%s%n%x",
    ),
    *(
        "<script>alert(1)</script>",
        "]]>",
        "\r\nX-Injected: 1",
        "a\nb",
        "-1",
        "0x7f",
        "1e999",
        "NaN",
    ),
    *(
        "Patient/p1",
        "Patient/p2",
        "Patient/p1/_history/1",
        "#p1",
        "urn:uuid:1",
        "https://[::1",
        "#",
    ),
    *("9999-12-31T23:59:59Z", "0001-01-01", "0000-00-00", "2026-13-45", "2026-11-21T24:00:00Z"),
    *(
        "2026-11-21T12:00:60Z",
        "2026-11-21T12:00:00+99:99",
        "2026-11-21T12:00:00",
        "2026",
        "\u0662\u0660\u0662\u0666-\u0661\u0661-\u0662\u0661",
    ),
    *("final", "entered-in-error", "on-hold", "Cel", "[degF]", "kg", "teclistamab", "tocilizumab"),
    *(
        "x" * 20_000,
        "a" * 255 + "!",
        "((((((((((" * 50,
        "mg/kg/mg/kg/" * 99,
        ".*" * 500,
        "\\" * 999,
    ),
)
NUMBERS: tuple[Any, ...] = (
    *(0, -1, 1, 7, 37, 41.999, 1e308, -1e308, 5e-324, 2**31, 2**53 + 1, 2**63, -(2**64), 10**40),
    *(RAW + text for text in ("1e400", "-1e400", "1e-400", "1E+99999", "-0", "-0.0", "0e0", "NaN")),
    *(RAW + text for text in ("9" * 400, "0." + "3" * 400, "Infinity", "01", "+1", "1e", "0x10")),
)
KINDS: tuple[Any, ...] = (None, True, False, 0, 1.5, "x", [], {}, [[]], [{}], {"a": None}, [None])


def mutants(body: Any, count: int, seed: int) -> Iterator[bytes]:
    """`count` requests, each with one to three changes."""
    generator = random.Random(seed)  # noqa: S311 - a list of cases, not a secret
    paths = list(_paths(body))
    for _ in range(count):
        made = copy.deepcopy(body)
        for _ in range(generator.choice((1, 1, 2, 3))):
            _change(made, generator.choice(paths), generator)
        text = _text(made, generator)
        yield _damage(text, generator) if generator.random() < 0.15 else text


def _paths(value: Any, at: Path = ()) -> Iterator[Path]:
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for step, member in members:
        yield (*at, step)
        yield from _paths(member, (*at, step))


def _change(body: Any, path: Path, generator: random.Random) -> None:
    """One change at the path; none if an earlier one took the place away."""
    parent = body
    try:
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]]
    except (KeyError, IndexError, TypeError):
        return
    if isinstance(parent, dict | list):
        generator.choice(CHANGES)(parent, path[-1], generator)


def _delete(parent: Any, key: Any, _: random.Random) -> None:
    del parent[key]


def _duplicate(parent: Any, key: Any, generator: random.Random) -> None:
    again = copy.deepcopy(parent[key])
    if isinstance(parent, list):
        parent[key:key] = [again] * generator.choice((1, 2, 30))
    else:
        parent[f"{key}{generator.choice(('', ' ', '2', '_'))}"] = again


def _retype(parent: Any, key: Any, generator: random.Random) -> None:
    parent[key] = copy.deepcopy(generator.choice(KINDS))


def _wrap(parent: Any, key: Any, generator: random.Random) -> None:
    parent[key] = generator.choice(([parent[key]], {"a": parent[key]}, {str(key): parent[key]}))


def _swap(parent: Any, key: Any, generator: random.Random) -> None:
    other = generator.choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
    parent[key], parent[other] = parent[other], parent[key]


def _truncate(parent: Any, key: Any, generator: random.Random) -> None:
    if isinstance(parent[key], str | list):
        parent[key] = parent[key][: generator.randrange(len(parent[key]) + 1)]


def _hostile(parent: Any, key: Any, generator: random.Random) -> None:
    parent[key] = generator.choice(HOSTILE)


def _hostile_name(parent: Any, key: Any, generator: random.Random) -> None:
    if isinstance(parent, dict):
        parent[generator.choice(HOSTILE)] = parent.pop(key)


def _number(parent: Any, key: Any, generator: random.Random) -> None:
    parent[key] = generator.choice(NUMBERS)


def _nest(parent: Any, key: Any, generator: random.Random) -> None:
    for _ in range(generator.choice((10, 40, 70))):
        parent[key] = generator.choice(([parent[key]], {"a": parent[key]}))


def _repeat_member(parent: Any, key: Any, generator: random.Random) -> None:
    first = json.dumps(parent[key])
    if isinstance(parent, dict) and RAW not in first:
        again = generator.choice((first, '"x"', "null"))
        parent[key] = f"{RAW}{first},{json.dumps(key)}:{again}"


CHANGES: tuple[Callable[[Any, Any, random.Random], None], ...] = (
    *(_delete, _duplicate, _retype, _wrap, _swap, _truncate, _hostile, _hostile, _hostile_name),
    *(_number, _nest, _repeat_member),
)


def _text(body: Any, generator: random.Random) -> bytes:
    """As JSON, compact or not, with the raw texts put in as they are."""
    separators = generator.choice(((",", ":"), (", ", ": ")))
    parts = json.dumps(body, separators=separators, ensure_ascii=False).split(f'"{RAW}')
    made = parts[0]
    for part in parts[1:]:
        raw, rest = _until_quote(part)
        made += json.loads(f'"{raw}"') + rest
    return made.encode("utf-8", "surrogatepass")


def _until_quote(part: str) -> tuple[str, str]:
    end = 0
    while part[end] != '"':
        end += 2 if part[end] == "\\" else 1
    return part[:end], part[end + 1 :]


def _damage(text: bytes, generator: random.Random) -> bytes:
    """Cut off, bits turned over, or a piece put in again elsewhere."""
    kind, at = generator.randrange(3), generator.randrange(len(text))
    if kind == 0:
        return text[:at]
    if kind == 1:
        changed = bytearray(text)
        for _ in range(generator.choice((1, 2, 8))):
            changed[generator.randrange(len(changed))] ^= 1 << generator.randrange(8)
        return bytes(changed)
    piece = text[at : at + generator.randrange(60)]
    to = generator.randrange(len(text))
    return text[:to] + piece + text[to:]
