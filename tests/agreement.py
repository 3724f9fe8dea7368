"""Agreement of the software with the worked cases, and of the two transcriptions of the sources.

Counts for the safety file; what disagrees fails a test of tests/knowledge by name.
"""

from msgspec import UNSET
from msgspec.structs import asdict

from knowledge.case_model import Case, read_cases
from knowledge.library import Library
from tests.knowledge.cases import CASES, differences, run
from tests.knowledge.differences import differences as apart
from tests.knowledge.test_transcription import PRODUCTS, PROTOCOLS, first, second, values


Figure = tuple[str, int, int]  # what was compared, how many, how many of them agree


def figures(library: Library) -> list[Figure]:
    """One for each kind of comparison."""
    return [*_cases(library), _transcriptions(library)]


def _cases(library: Library) -> list[Figure]:
    files = read_cases(CASES)
    every = [(name, case) for name, cases in files.items() for case in cases]
    wrong = [differences(case, name, run(case, name, library), library) for name, case in every]
    stated = sum(_expectations(case) for _, case in every)
    return [
        ("worked cases: everything they expect comes out", len(every), wrong.count([])),
        (
            "single expectations of those cases: row, action, condition, medicine, sentence",
            stated,
            stated - sum(len(lines) for lines in wrong),
        ),
    ]


def _expectations(case: Case) -> int:
    """The row, and every key of `expect`, each sentence of a list by itself."""
    found = 1
    for value in asdict(case.expect).values():
        listed = isinstance(value, tuple)
        found += len(value) if listed else value is not UNSET
    return found


def _transcriptions(library: Library) -> Figure:
    """Values of the second, and how many of them the first says, in these or other words."""
    compared, differing = 0, 0
    for name in (*PRODUCTS, *PROTOCOLS):
        items = second(name)
        compared += sum(1 for item in items for _ in values(item))
        found = apart(name, first(library, name), items)
        differing += sum(1 for one in found if not one.rendering)
    return (
        "values of the second transcription that the first says too",
        compared,
        (compared - differing),
    )
