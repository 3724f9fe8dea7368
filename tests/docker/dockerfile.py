"""Reads a Dockerfile as far as those of this project go; builds nothing."""

import json
import re
from pathlib import Path
from typing import NamedTuple


class Instruction(NamedTuple):
    """One instruction: its name in capitals, its options (`--from=build`) and the rest."""

    name: str
    options: dict[str, str]
    rest: str

    @property
    def words(self) -> list[str]:
        """The words of the exec form (a JSON list), or those between spaces."""
        return json.loads(self.rest) if self.rest.startswith("[") else self.rest.split()

    @property
    def exec_form(self) -> bool:
        """Whether it runs without a shell."""
        return self.rest.startswith("[")


class Stage(NamedTuple):
    """From one FROM to the next."""

    base: str
    name: str
    instructions: list[Instruction]

    def all(self, name: str) -> list[Instruction]:
        """The instructions of one name, in order."""
        return [one for one in self.instructions if one.name == name]

    def last(self, name: str) -> Instruction:
        """The one that holds; raises `IndexError` where there is none."""
        return self.all(name)[-1]

    def environment(self) -> dict[str, str]:
        """What ENV sets, in the form NAME=value."""
        return dict(word.split("=", 1) for env in self.all("ENV") for word in env.words)


def read(file: Path) -> tuple[dict[str, str], list[Stage]]:
    """The arguments before the first FROM with their defaults, and the stages."""
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for instruction in _instructions(file.read_text(encoding="utf-8")):
        if instruction.name == "FROM":
            base, *named = instruction.words
            stages.append(Stage(base, named[1] if named else "", []))
        elif stages:
            stages[-1].instructions.append(instruction)
        else:
            assert instruction.name == "ARG", instruction
            name, _, default = instruction.rest.partition("=")
            arguments[name] = default
    return arguments, stages


def _instructions(text: str) -> list[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = []
    for line in filter(str.strip, joined.splitlines()):
        name, rest = line.split(maxsplit=1)
        options = {}
        while option := re.match(r"--([a-z-]+)=(\S+)\s+", rest):
            options[option[1]] = option[2]
            rest = rest[option.end() :]
        found.append(Instruction(name.upper(), options, rest.strip()))
    return found
