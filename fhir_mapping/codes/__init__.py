"""The code sets, read once at start from the YAML files beside this module; it maps nothing."""

from functools import cache
from pathlib import Path

from fhir_mapping.codes.build import build
from fhir_mapping.codes.files import SHAPES, SITE_SHAPES, CodesError, Files, read_files
from fhir_mapping.codes.model import (
    Code,
    CodedDiagnosis,
    CodeSets,
    Concept,
    Drug,
    DrugKind,
    RouteWord,
)


__all__ = [
    "HERE",
    "Code",
    "CodeSets",
    "CodedDiagnosis",
    "CodesError",
    "Concept",
    "Drug",
    "DrugKind",
    "RouteWord",
    "load_codes",
]
HERE = Path(__file__).parent


def load_codes(overlay: Path | None = None) -> CodeSets:
    """All code sets, with those of a site's folder if one is named; raises `CodesError`."""
    ours, problems = _ours()
    site, refused = read_files(overlay, SITE_SHAPES) if overlay is not None else (None, [])
    codes, clashes = build(ours, site)
    if problems or refused or clashes:
        raise CodesError((*problems, *refused, *clashes))
    return codes


@cache
def _ours() -> tuple[Files, list[str]]:
    return read_files(HERE, SHAPES)
