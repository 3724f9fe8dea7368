"""What the knowledge package raises: one error, aimed at the person who wrote the file."""


class KnowledgeError(Exception):
    """A knowledge file that must not be used: which file, which place in it, what is expected."""

    def __init__(self, file: str, path: str, expected: str) -> None:
        super().__init__(f"{file}: {path or 'whole file'}: {expected}")
        self.file = file
        self.path = path
        self.expected = expected
