"""The YAML files of a code set, ours or a site's: shape and reading, with every problem told.

Nothing here knows what a code means; one code against another is compared in build.py.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import yaml
from msgspec import Meta, Struct

from fhir_mapping.codes.model import BackgroundKind, DrugKind, RouteWord
from knowledge.errors import KnowledgeError
from knowledge.reading import parse


Words = Annotated[str, Meta(min_length=1)]
T = TypeVar("T")


class CodesError(Exception):
    """A set of code files is refused whole; `problems` names file, place and reason of each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """One code: what its system calls it, and where that was seen."""

    code: Words
    display: Words
    evidence: Words
    system: str = ""
    subcutaneous: bool = False
    at_least: int = 0
    at_most: int = 0
    contradictory: bool = False
    why: str = ""


class Group(Struct, frozen=True, forbid_unknown_fields=True):
    """Codes of one system that are one fact, or that are not used and why."""

    fact: Words
    system: Words
    codes: list[Entry]
    use: Literal["include", "exclude"] = "include"
    why: str = ""


class Tier(Struct, frozen=True, forbid_unknown_fields=True):
    """Oxygen devices of one tier: whole texts, and codes of one system."""

    tier: Words
    texts: list[Words] = []
    system: str = ""
    codes: list[Entry] = []


class DrugItem(Struct, frozen=True, forbid_unknown_fields=True):
    """One ingredient: names, codes, and codes that name it where it acts only locally."""

    ingredient: Words
    kind: DrugKind | None = None
    names: list[Words] = []
    codes: list[Entry] = []
    excluded: list[Entry] = []
    subcutaneous_words: list[Words] = []


class Regimen(Struct, frozen=True, forbid_unknown_fields=True):
    """Several ingredients a site orders or charts together: names and codes of its own."""

    ingredients: Annotated[list[Words], Meta(min_length=2)]
    names: list[Words] = []
    codes: list[Entry] = []


class Never(Struct, frozen=True, forbid_unknown_fields=True):
    """Names that must never be taken for a drug of these files."""

    names: list[Words]
    why: Words


class Route(Struct, frozen=True, forbid_unknown_fields=True):
    """One route: words and codes of one system."""

    route: RouteWord
    words: list[Words] = []
    system: str = ""
    codes: list[Entry] = []


class Allowed(Struct, frozen=True, forbid_unknown_fields=True):
    """The answers a fact of the project CodeSystem can have."""

    fact: Words
    values: list[Words]


class Value(Struct, frozen=True, forbid_unknown_fields=True):
    """A site's own words and codes for one of these answers."""

    fact: Words
    value: Words
    texts: list[Words] = []
    system: str = ""
    codes: list[Entry] = []


class Condition(Struct, frozen=True, forbid_unknown_fields=True):
    """Whole texts, and codes of one system, for a kind of condition shown beside a grade."""

    fact: BackgroundKind
    why: Words
    texts: list[Words] = []
    system: str = ""
    codes: list[Entry] = []


class Sedatives(Struct, frozen=True, forbid_unknown_fields=True):
    """Words by which a sedative is known."""

    names: list[Words]


class Meaning(Struct, frozen=True, forbid_unknown_fields=True):
    """Diagnoses that are one circumstance: whole texts, and codes of one system."""

    fact: Words
    texts: list[Words] = []
    system: str = ""
    codes: list[Entry] = []


class Item(Struct, frozen=True):
    """One item of a file and where it stands."""

    at: str
    value: Any


Shapes = dict[str, dict[str, Any]]  # by file: its top-level keys, and the shape of their items
SHAPES: Shapes = {
    "systems.yaml": {"systems": dict[str, list[Words]]},
    "observations.yaml": {"sets": Group},
    "oxygen.yaml": {"tiers": Tier},
    "procedures.yaml": {"sets": Group},
    "drugs.yaml": {"drugs": DrugItem, "regimens": Regimen, "never": Never},
    "routes.yaml": {"routes": Route},
    "diagnoses.yaml": {"sets": Group},
    "conditions.yaml": {"conditions": Meaning},
    "neurology.yaml": {"conditions": Condition, "sedatives": Sedatives},
    "values.yaml": {"allowed": Allowed, "values": Value},
}
# A site maps to facts, drugs and answers; it adds none. Diagnoses are history for good: ours alone.
_OURS_ALONE = {
    "diagnoses.yaml": {"sets"},
    "drugs.yaml": {"never"},
    "values.yaml": {"allowed"},
    "neurology.yaml": {"conditions", "sedatives"},
}
SITE_SHAPES: Shapes = {
    name: site_keys
    for name, keys in SHAPES.items()
    if (site_keys := {k: v for k, v in keys.items() if k not in _OURS_ALONE.get(name, ())})
}
Files = dict[tuple[str, str], list[Item]]  # (file, key) -> its items


def read_files(folder: Path, shapes: Shapes) -> tuple[Files, list[str]]:
    """Every item of the YAML files in `folder`, and what is wrong; `shapes`: what may be there."""
    found: Files = {}
    problems: list[str] = []
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        return found, [f"{folder}: {error.strerror}"]
    paths = [path for path in paths if path.suffix in {".yaml", ".yml"}]
    if not paths:
        problems.append(f"{folder}: no YAML file in it")
    for path in paths:
        if path.name not in shapes:
            problems.append(f"{path.name}: unknown file; known files: {', '.join(sorted(shapes))}")
            continue
        try:
            document = parse(path.read_bytes(), path.name)
        except KnowledgeError as error:
            problems.append(str(error))
        except (OSError, yaml.YAMLError) as error:
            problems.append(f"{path.name}: {' '.join(str(error).split())}")
        else:
            _read_document(document, path.name, shapes[path.name], found, problems)
    return found, problems


def _read_document(
    document: Any, name: str, shapes: dict[str, Any], found: Files, problems: list[str]
) -> None:
    if not isinstance(document, dict) or not document:
        problems.append(f"{name}: whole file: a table with the key {' or '.join(shapes)}")
        return
    for key, body in document.items():
        if key not in shapes:
            problems.append(f"{name}: {key}: unknown key; known keys: {', '.join(shapes)}")
        elif key == "systems":
            found[name, key] = list(_converted(name, key, [("", body)], shapes[key], problems))
        elif not isinstance(body, list):
            problems.append(f"{name}: {key}: must be a list")
        else:
            places = [(f"[{index}]", one) for index, one in enumerate(body)]
            found[name, key] = list(_converted(name, key, places, shapes[key], problems))


def _converted(
    name: str, key: str, places: list[tuple[str, Any]], shape: type[T], problems: list[str]
) -> Iterator[Item]:
    for place, body in places:
        at = f"{name}: {key}{place}"
        try:
            yield Item(at, msgspec.convert(body, shape))
        except msgspec.ValidationError as error:
            text, _, inner = str(error).partition(" - at `$")
            problems.append(f"{at}{inner.strip('`')}: {text}")
