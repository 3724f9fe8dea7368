"""Rules across the knowledge files that a schema cannot state; each break names file and place."""

from collections.abc import Iterator, Mapping
from datetime import date

from msgspec import Struct

from knowledge.dosing_model import AnakinraLimits, AntipyreticLimits, TocilizumabLimits
from knowledge.errors import KnowledgeError
from knowledge.model import Header, References, SourceRef
from knowledge.product_model import Duty, Product, Protocol
from knowledge.row_checks import check_rows, words


def check(files: Mapping[str, Header]) -> None:
    """Check all files together, by file name. Raises `KnowledgeError` at the first break."""
    _unique_ids(files)
    _editions(files)
    known = {
        ref for file in files.values() if isinstance(file, References) for ref in file.references
    }
    protocols = {file.id for file in files.values() if isinstance(file, Protocol)}
    for name, file in files.items():
        _sources(name, file, known)
        if isinstance(file, Product | Protocol):
            check_rows(name, file.id, file.rows)
        if isinstance(file, Protocol) and file.falls_back_to not in {None, *protocols}:
            raise KnowledgeError(name, "fallsBackTo", "the id of a protocol file")
        if isinstance(file, TocilizumabLimits):
            _limits(name, file, protocols)
        if isinstance(file, AnakinraLimits):
            _known(name, "statedBy", {file.stated_by}, protocols)
            _known(name, "silent", set(file.silent), protocols)
        if isinstance(file, AntipyreticLimits):
            _known(name, "spacing", set(file.spacing), protocols)
            _known(name, "daily.statedBy", {file.daily.stated_by}, protocols)


def _known(name: str, place: str, named: set[str], protocols: set[str]) -> None:
    if not named <= protocols:
        raise KnowledgeError(name, place, f"protocol ids, not {words(named - protocols)}")


def _editions(files: Mapping[str, Header]) -> None:
    """Of one product several editions may be active, each from a day of its own."""
    seen: dict[tuple[str, date], str] = {}
    for name, file in files.items():
        if not isinstance(file, Product) or file.status != "active":
            continue
        key = file.ingredient, file.effective
        if key in seen:
            wanted = f"a day of its own: {seen[key]} speaks for {file.ingredient} from it too"
            raise KnowledgeError(name, "effective", wanted)
        seen[key] = name
        for number, change in enumerate(file.changes):
            if change.on < file.effective:
                wanted = f"a day from {file.effective} on"
                raise KnowledgeError(name, f"changes[{number}].on", wanted)


def _unique_ids(files: Mapping[str, Header]) -> None:
    seen: dict[str, str] = {}
    for name, file in files.items():
        if file.id in seen:
            raise KnowledgeError(name, "id", f"an id of its own: {file.id} is in {seen[file.id]}")
        seen[file.id] = name


def _sources(name: str, file: Header, known: set[str]) -> None:
    for place, value in _walk(file, ""):
        if isinstance(value, SourceRef | Duty) and value.ref not in {None, *known}:
            raise KnowledgeError(name, f"{place}.ref", f"an id in references.yaml: {value.ref}")
        if not str(getattr(value, "at", "a place")).strip():
            raise KnowledgeError(name, f"{place}.at", "the place in the source, in words")


def _walk(value: object, place: str) -> Iterator[tuple[str, object]]:
    """Every value inside a file with its place, spelled with the keys authors write."""
    if isinstance(value, Struct):
        yield place, value
        keys = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
        for field, key in keys:
            yield from _walk(getattr(value, field), f"{place}.{key}".lstrip("."))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _walk(item, f"{place}.{key}")
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _walk(item, f"{place}[{number}]")


def _limits(name: str, file: TocilizumabLimits, protocols: set[str]) -> None:
    for place, keys in (
        ("mgPerKg", set(file.mg_per_kg)),
        ("counts", set(file.counts)),
        ("silent", set(file.silent)),
    ):
        if not keys <= protocols:
            raise KnowledgeError(name, place, f"protocol ids, not {words(keys - protocols)}")
    if file.silent.keys() & file.counts.keys():
        raise KnowledgeError(name, "silent", "no protocol that also has counts")
    unsaid = protocols - file.silent.keys() - file.counts.keys()
    if unsaid:
        raise KnowledgeError(name, "counts", f"counts or silence for {words(unsaid)}")
