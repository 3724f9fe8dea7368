"""One YAML file to one checked value: parsing and shape, never a rule across files."""

import re
from collections.abc import Hashable, Iterable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from knowledge.errors import KnowledgeError
from knowledge.model import Header
from knowledge.schema import schema_of


if TYPE_CHECKING:
    from yaml import SafeLoader as _Base
else:  # the C parser where PyYAML was built with it; same behaviour, ten times faster
    _Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

H = TypeVar("H", bound=Header)


class _Loader(_Base):
    """YAML 1.2 scalars only: `on` and `no` are words, dates are text, decimals stay exact."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the parser's own class attribute


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", "n~"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?[0-9]+\.[0-9]+", "-+0123456789"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), [*_first]
    )


def _decimal(loader: _Loader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(str(loader.construct_scalar(node)))


def _unique_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} appears twice", key_node.start_mark
            )
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)
_Loader.add_constructor("tag:yaml.org,2002:map", _unique_mapping)


def read(root: Path, name: str, kind: str, model: type[H]) -> H:
    """Read `name` under `root` as one value of `model`.

    Raises `KnowledgeError` for text that is not YAML, repeated keys, unknown keys and wrong types.
    """
    try:
        document = parse((root / name).read_bytes(), name)
    except yaml.YAMLError as error:  # bytes that are no text, said in the first of its lines
        raise KnowledgeError(name, "", str(error).partition("\n")[0]) from None
    problem = best_match(_validator(kind).iter_errors(document))
    if problem is not None:
        raise KnowledgeError(name, _place(problem.absolute_path), _expected(problem))
    try:
        return msgspec.convert(document, model, strict=True)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$")
        raise KnowledgeError(name, place.strip("`").lstrip("."), text) from error


def parse(data: bytes, name: str) -> Any:
    """The document as plain values; decimals are `Decimal`, dates stay text.

    Raises `KnowledgeError`, and `yaml.YAMLError` for bytes that are no text.
    """
    try:
        return yaml.load(data, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise KnowledgeError(name, f"line {line}", error.problem or "valid YAML") from error
    except TypeError:
        raise KnowledgeError(name, "", "words for keys") from None


@cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(schema_of(kind))


def _place(parts: Iterable[str | int]) -> str:
    """`rows[2].then.until`, the way an author would point at it."""
    place = ""
    for part in parts:
        place += f"[{part}]" if isinstance(part, int) else f".{part}"
    return place.lstrip(".")


def _expected(problem: ValidationError) -> str:
    """What the author has to write instead, in words."""
    wanted: Any = problem.validator_value
    given: Any = problem.instance
    if problem.validator == "additionalProperties":
        schema: Any = problem.schema
        known = sorted(schema.get("properties", {}))
        wrong = sorted(set(given) - set(known))
        return f"no key {', '.join(wrong)}; known keys: {', '.join(known)}"
    if problem.validator == "required":
        return f"the key {', '.join(sorted(set(wanted) - set(given)))}"
    if problem.validator == "enum":
        return f"one of {', '.join(str(value) for value in wanted)}, not {given!r}"
    return f"{wanted}, not {given!r}" if problem.validator == "type" else problem.message
