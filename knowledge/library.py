"""All knowledge as one frozen value, read and checked once at start; decides nothing."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import msgspec

from knowledge.checks import check
from knowledge.decision import Citation
from knowledge.dosing_model import AnakinraLimits, AntipyreticLimits, TocilizumabLimits
from knowledge.errors import KnowledgeError
from knowledge.model import Header, Reference, References, SiteRules
from knowledge.product_model import Product, Protocol, RemsProgram
from knowledge.reading import read
from knowledge.row_model import Row
from knowledge.scale_model import CrsScale, IcansScale
from knowledge.schema import KINDS


DATA = Path(__file__).parent / "data"

SINGLE = {
    "references.yaml": "references",
    "site-defaults.yaml": "site-rules",
    "scales/astct-crs-2019.yaml": "crs-scale",
    "scales/astct-icans-2019.yaml": "icans-scale",
    "dosing/tocilizumab.yaml": "tocilizumab-limits",
    "dosing/anakinra.yaml": "anakinra-limits",
    "dosing/antipyretics.yaml": "antipyretic-limits",
}
FOLDERS = {"products": "product", "protocols": "protocol", "rems": "rems-program"}

H = TypeVar("H", bound=Header)
P = TypeVar("P", Product, Protocol)


@dataclass(frozen=True, slots=True)
class Library:
    """Everything the knowledge files say.

    `products` (the newest edition), `editions` (all, oldest first) and `rems` are keyed by
    ingredient, `protocols`, `references` and `files` by id and
    file name. `sha256` covers every file; `clinically_reviewed` is true only if all files are.
    """

    products: Mapping[str, Product]
    editions: Mapping[str, tuple[Product, ...]]
    protocols: Mapping[str, Protocol]
    crs: CrsScale
    icans: IcansScale
    tocilizumab: TocilizumabLimits
    anakinra: AnakinraLimits
    antipyretics: AntipyreticLimits
    rems: Mapping[str, RemsProgram]
    references: Mapping[str, Reference]
    rules: SiteRules
    files: Mapping[str, Header]
    version: str
    sha256: str
    clinically_reviewed: bool

    def as_of(self, day: date) -> "Library":
        """The same with the edition of each product that was in force on a day."""
        if all(len(found) == 1 for found in self.editions.values()):
            return self
        in_force = {
            name: ([p for p in found if p.effective <= day] or found[:1])[-1]
            for name, found in self.editions.items()
        }
        return replace(self, products=in_force)

    def rule_id(self, header: Header, row_id: str) -> str:
        """`teclistamab-label@1#crs-2`; without a row the file alone, `us-label@1`."""
        place = f"#{row_id}" if row_id else ""
        return f"{header.id}@{header.version}{place}"

    def citation(self, header: Header, at: str, row_id: str = "", ref: str = "") -> Citation:
        """The source of one row or number: the file's own document unless `ref` names another."""
        reference = self.references[ref or header.source.ref]
        return Citation(
            rule=self.rule_id(header, row_id),
            title=reference.title,
            publisher=reference.publisher,
            published=reference.published,
            at=at,
            url=reference.url,
            reviewed_by=header.reviewed.by,
            checked_on=header.reviewed.on,
            stale_after=self.rules.knowledge_stale_days,
        )


def load(root: Path = DATA) -> Library:
    """Read and check every file under `root`. Raises `KnowledgeError` for the first problem."""
    files = read_all(root)
    check(files)
    programs = _of(files, RemsProgram)
    editions = _editions([p for p in _of(files, Product) if p.status == "active"])
    return Library(
        products=MappingProxyType({name: found[-1] for name, found in editions.items()}),
        editions=MappingProxyType(editions),
        protocols=MappingProxyType({p.id: _resolved(p) for p in _of(files, Protocol)}),
        crs=_of(files, CrsScale)[0],
        icans=_of(files, IcansScale)[0],
        tocilizumab=_of(files, TocilizumabLimits)[0],
        anakinra=_of(files, AnakinraLimits)[0],
        antipyretics=_of(files, AntipyreticLimits)[0],
        rems=MappingProxyType({name: item for item in programs for name in item.products}),
        references=MappingProxyType(_of(files, References)[0].references),
        rules=_of(files, SiteRules)[0],
        files=MappingProxyType(files),
        version=max(item.reviewed.on for item in files.values()).strftime("%Y.%m.%d"),
        sha256=_digest(root, files),
        clinically_reviewed=all(item.reviewed.by != "none" for item in files.values()),
    )


def read_all(root: Path) -> dict[str, Header]:
    """Every file under `root` by its name, each checked on its own."""
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.yaml"))
    absent = sorted(set(SINGLE) - set(names))
    if absent:
        raise KnowledgeError(absent[0], "", "this file to be there")
    return {name: read(root, name, kind, KINDS[kind]) for name in names for kind in [_kind(name)]}


def _kind(name: str) -> str:
    kind = SINGLE.get(name) or FOLDERS.get(name.rpartition("/")[0])
    if kind is None:
        folders = ", ".join(f"{folder}/" for folder in FOLDERS)
        raise KnowledgeError(name, "", f"a file in {folders} or one of {', '.join(SINGLE)}")
    return kind


def _editions(files: list[Product]) -> dict[str, tuple[Product, ...]]:
    found: dict[str, tuple[Product, ...]] = {}
    for file in sorted(files, key=lambda p: p.effective):
        found[file.ingredient] = (*found.get(file.ingredient, ()), _resolved(file))
    return found


def _resolved(file: P) -> P:
    """The file with each reference to another row replaced by what that row says."""
    by_id = {row.id: row for row in file.rows}
    rows = tuple(_taken_over(row, by_id) for row in file.rows)
    return msgspec.structs.replace(file, rows=rows)


def _taken_over(row: Row, by_id: Mapping[str, Row]) -> Row:
    if not row.then.same_as:
        return row
    said = by_id[row.then.same_as].then
    statements = (*row.then.statements, *said.statements)
    said = msgspec.structs.replace(said, statements=statements, same_as=row.then.same_as)
    return msgspec.structs.replace(row, then=said)


def _of(files: Mapping[str, Header], kind: type[H]) -> list[H]:
    return [item for item in files.values() if isinstance(item, kind)]


def _digest(root: Path, names: Mapping[str, Header]) -> str:
    whole = hashlib.sha256()
    for name in names:
        content = hashlib.sha256((root / name).read_bytes()).hexdigest()
        whole.update(f"{name} {content}\n".encode())
    return whole.hexdigest()
