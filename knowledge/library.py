"""All knowledge as one frozen value, read and checked once at start; decides nothing."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from knowledge.checks import check
from knowledge.decision import Citation
from knowledge.errors import KnowledgeError
from knowledge.model import (
    CrsScale,
    Header,
    IcansScale,
    Product,
    Protocol,
    Reference,
    References,
    RemsProgram,
    SiteRules,
    TocilizumabLimits,
)
from knowledge.reading import read
from knowledge.schema import KINDS


DATA = Path(__file__).parent / "data"

SINGLE = {
    "references.yaml": "references",
    "site-defaults.yaml": "site-rules",
    "scales/astct-crs-2019.yaml": "crs-scale",
    "scales/astct-icans-2019.yaml": "icans-scale",
    "dosing/tocilizumab.yaml": "tocilizumab-limits",
}
FOLDERS = {"products": "product", "protocols": "protocol", "rems": "rems-program"}

H = TypeVar("H", bound=Header)


@dataclass(frozen=True, slots=True)
class Library:
    """Everything the knowledge files say.

    `products` and `rems` are keyed by ingredient, `protocols`, `references` and `files` by id and
    file name. `sha256` covers every file; `clinically_reviewed` is true only if all files are.
    """

    products: Mapping[str, Product]
    protocols: Mapping[str, Protocol]
    crs: CrsScale
    icans: IcansScale
    tocilizumab: TocilizumabLimits
    rems: Mapping[str, RemsProgram]
    references: Mapping[str, Reference]
    rules: SiteRules
    files: Mapping[str, Header]
    version: str
    sha256: str
    clinically_reviewed: bool

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
        )


def load(root: Path = DATA) -> Library:
    """Read and check every file under `root`. Raises `KnowledgeError` for the first problem."""
    files = read_all(root)
    check(files)
    programs = _of(files, RemsProgram)
    return Library(
        products=MappingProxyType({item.ingredient: item for item in _of(files, Product)}),
        protocols=MappingProxyType({item.id: item for item in _of(files, Protocol)}),
        crs=_of(files, CrsScale)[0],
        icans=_of(files, IcansScale)[0],
        tocilizumab=_of(files, TocilizumabLimits)[0],
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


def _of(files: Mapping[str, Header], kind: type[H]) -> list[H]:
    return [item for item in files.values() if isinstance(item, kind)]


def _digest(root: Path, names: Mapping[str, Header]) -> str:
    whole = hashlib.sha256()
    for name in names:
        content = hashlib.sha256((root / name).read_bytes()).hexdigest()
        whole.update(f"{name} {content}\n".encode())
    return whole.hexdigest()
