"""Counts what the long run checked and writes it down for the safety file; it judges nothing."""

from pathlib import Path

from knowledge.library import Library


REPORT = Path(__file__).parents[2] / "docs" / "safety" / "VALIDATION.md"
_HEAD = """# Validation figures

Written by `make validation`: the property tests of `tests/properties` and the killed processes of
`tests/crash` with their long counts, then agreement, hostile input and mutation. Every example of
the first table held; one that does not hold fails the run and leaves this page as it was. The
examples are generated: they show that the software does what its design says for synthetic records,
not that the design is right for patients.

"""


class Figures:
    """Examples by the sentence they are about."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def add(self, sentence: str, examples: int = 1) -> None:
        """So many more examples held."""
        self.counts[sentence] = self.counts.get(sentence, 0) + examples

    def report(self, library: Library, commit: str) -> str:
        """The page; `commit`: of the source that was run."""
        rows = [f"| {name} | {count:,} |" for name, count in sorted(self.counts.items())]
        head = ["| what held | examples |", "|---|---:|"]
        digest = library.sha256[:12]
        knowledge = (
            f"Knowledge version {library.version}, digest `{digest}`. Source commit `{commit}`.\n\n"
        )
        return _HEAD + knowledge + "\n".join([*head, *rows]) + "\n"
