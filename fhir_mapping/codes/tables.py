"""What the look-up tables are made with: who claimed a code, and which system a code belongs to."""

import re
from collections.abc import Hashable, Iterable, Iterator

from fhir_mapping.codes.files import Entry
from fhir_mapping.codes.model import Code


PROJECT = "TOXICITY"  # the project's own CodeSystem: a site maps to it, never adds to it
EXCLUDED = "excluded: "
_NDC = re.compile(r"([0-9]{4,5})-([0-9]{3,4})")
_WORD = re.compile(r"[a-z0-9]+")


class Claims:
    """Each code, name or text means one thing: saying it twice is a problem, whatever it means."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        self._said: dict[Hashable, str] = {}

    def take(self, key: Hashable, name: str, meaning: str, at: str) -> bool:
        """Whether it was free; if it was not, that is a problem."""
        said = self._said.get(key)
        if said is None:
            self._said[key] = meaning
        elif said == meaning:
            self.problems.append(f"{at}: {name} is there already as {said}")
        elif said.startswith(EXCLUDED):
            self.problems.append(f"{at}: {name} is {said}")
        else:
            self.problems.append(f"{at}: {name} is there already as {said}, not {meaning}")
        return said is None


class Systems:
    """Code systems by the name the files use, each with every identifier it is met under."""

    def __init__(self, claims: Claims) -> None:
        self.uris: dict[str, list[str]] = {}
        self.local = False
        self._claims = claims

    def add(self, uris: dict[str, list[str]], at: str) -> None:
        """Enter systems, or further identifiers of one that is known."""
        for name, identifiers in uris.items():
            for uri in identifiers:
                if self._claims.take(("system", uri), uri, name, f"{at}.{name}"):
                    self.uris.setdefault(name, []).append(uri)

    def keys(self, system: str, entry: Entry, at: str) -> Iterator[Code]:
        """The code under each identifier of its system; none, and a problem, if it is no code."""
        problem = ""
        if system not in self.uris:
            problem = f"no system is called {system!r}; known: {listed(self.uris)}"
        elif self.local and system == PROJECT:
            problem = "the project's own codes are fixed: map a code of the site's system"
        elif system == "LOINC" and not is_loinc(entry.code):
            problem = f"{entry.code} is no LOINC number: wrong check digit"
        if problem:
            self._claims.problems.append(f"{at}: {problem}")
            return
        for uri in self.uris[system]:
            yield uri, entry.code


def is_loinc(code: str) -> bool:
    """Whether the number ends in LOINC's mod-10 check digit."""
    number, _, digit = code.partition("-")
    if not (number + digit).isascii() or not (number.isdigit() and digit.isdigit()):
        return False
    total = 0
    for index, figure in enumerate(reversed(number)):
        value = int(figure) * (2 if index % 2 == 0 else 1)
        total += value // 10 + value % 10
    return (10 - total % 10) % 10 == int(digit)


def ndc_product(code: str) -> str | None:
    """Labeller and product in nine digits, from `57894-449`; None if it is not written so."""
    parts = _NDC.fullmatch(code)
    return None if parts is None else parts[1].zfill(5) + parts[2].zfill(4)


def one_text(text: str) -> str:
    """Lower case, letters and digits, single spaces: the form in which names are compared."""
    return " ".join(_WORD.findall(text.lower()))


def spaced(text: str) -> str:
    """Lower case, single spaces: the form in which other texts are compared."""
    return " ".join(text.lower().split())


def listed(names: Iterable[str]) -> str:
    """Known names, for a reason."""
    return ", ".join(sorted(names))
