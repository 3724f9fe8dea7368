"""Drug files to look-up tables: codes, products, names; and names that are never one of ours."""

from collections.abc import Iterator

from fhir_mapping.codes.files import DrugItem, Entry, Never, Regimen
from fhir_mapping.codes.model import Code, Drug, DrugKind
from fhir_mapping.codes.tables import EXCLUDED, Claims, Systems, listed, ndc_product, one_text


class DrugTables:
    """Every drug by code, product and name; a site names only ingredients that are known."""

    def __init__(self, systems: Systems, claims: Claims) -> None:
        self.codes: dict[Code, Drug] = {}
        self.excluded: dict[Code, str] = {}
        self.ndc: dict[str, Drug] = {}
        self.names: dict[str, Drug] = {}
        self.texts: dict[str, Drug] = {}
        self.regimens: dict[Code, tuple[Drug, ...]] = {}
        self.regimen_texts: dict[str, tuple[Drug, ...]] = {}
        self.narrow_words: dict[str, frozenset[str]] = {}
        self._kinds: dict[str, DrugKind] = {}
        self._never: dict[str, str] = {}
        self._systems = systems
        self._claims = claims

    def add_never(self, never: Never, _: str) -> None:
        """Names of other drugs."""
        self._never.update((one_text(name), never.why) for name in never.names)

    def add(self, item: DrugItem, at: str) -> None:
        """One ingredient with everything that names it."""
        kind = self._kind(item, at)
        if kind is None:
            return
        drug = Drug(item.ingredient, kind)
        for index, name in enumerate(item.names):
            self._name(name, drug, f"{at}.names[{index}]")
        for index, entry in enumerate(item.codes):
            self._code(entry, drug, f"{at}.codes[{index}]")
        for index, entry in enumerate(item.excluded):
            self._exclude(entry, drug, f"{at}.excluded[{index}]")
        words = frozenset(item.subcutaneous_words)
        self.narrow_words[drug.ingredient] = self.narrow_words.get(drug.ingredient, words) | words

    def add_regimen(self, item: Regimen, at: str) -> None:
        """Several ingredients that one code or name of a site stands for."""
        problems = [*self._no_regimen(item)]
        self._claims.problems += [f"{at}: {problem}" for problem in problems]
        if problems:
            return
        drugs = tuple(Drug(name, self._kinds[name]) for name in item.ingredients)
        meaning = " and ".join(item.ingredients)
        for index, name in enumerate(item.names):
            key = self._free_name(name, meaning, f"{at}.names[{index}]")
            self.regimen_texts.update({key: drugs} if key else {})
        for index, entry in enumerate(item.codes):
            place, name = f"{at}.codes[{index}]", f"{entry.system} {entry.code}"
            if entry.system == "NDC" or entry.subcutaneous:
                text = f"{place}: {name} is a product of one drug, no regimen"
                self._claims.problems.append(text)
                continue
            for code in self._systems.keys(entry.system, entry, place):
                if self._claims.take(("drug", *code), name, meaning, place):
                    self.regimens[code] = drugs

    def _no_regimen(self, item: Regimen) -> Iterator[str]:
        """What is wrong with its ingredients."""
        for name in sorted(set(item.ingredients)):
            if name not in self._kinds:
                yield f"no ingredient is called {name}; known: {listed(self._kinds)}"
            elif self._kinds[name] == "fluid":
                yield f"{name} is a fluid: it dilutes a drug, it is none of a regimen"
            elif item.ingredients.count(name) > 1:
                yield f"{name} is there twice"

    def _kind(self, item: DrugItem, at: str) -> DrugKind | None:
        known = self._kinds.get(item.ingredient)
        if item.kind is not None and not self._systems.local:
            return self._kinds.setdefault(item.ingredient, item.kind)
        problem = ""
        if known is None:
            problem = f"no ingredient is called {item.ingredient}; known: {listed(self._kinds)}"
        elif item.kind not in {None, known}:
            problem = f"{item.ingredient} is of the kind {known}, not {item.kind}"
        if problem:
            self._claims.problems.append(f"{at}: {problem}")
        return None if problem else known

    def _name(self, name: str, drug: Drug, at: str) -> None:
        key = self._free_name(name, drug.ingredient, at)
        if key:
            (self.texts if self._systems.local else self.names)[key] = drug

    def _free_name(self, name: str, meaning: str, at: str) -> str:
        """The form in which the name is compared; empty, and a problem, if it may not be used."""
        key = one_text(name)
        why = next((self._never[word] for word in key.split() if word in self._never), "")
        if not key:
            self._claims.problems.append(f"{at}: {name!r} has neither letter nor digit")
        elif why:
            self._claims.problems.append(f"{at}: {name} is {EXCLUDED}{why}")
        elif self._claims.take(("drug name", key), name, meaning, at):
            return key
        return ""

    def _code(self, entry: Entry, drug: Drug, at: str) -> None:
        coded = Drug(drug.ingredient, drug.kind, entry.subcutaneous)
        product = ndc_product(entry.code) if entry.system == "NDC" else ""
        if product is None:
            text = f"{at}: {entry.code} is no labeller and product, such as 57894-449"
            self._claims.problems.append(text)
            return
        name = f"{entry.system} {product or entry.code}"
        for key in self._systems.keys(entry.system, entry, at):
            claimed = (key[0], product) if product else key
            if self._claims.take(("drug", *claimed), name, drug.ingredient, at):
                self.ndc.update({product: coded} if product else {})
                self.codes.update({} if product else {key: coded})

    def _exclude(self, entry: Entry, drug: Drug, at: str) -> None:
        if not entry.why:
            self._claims.problems.append(f"{at}: an excluded code needs its `why`")
        name, meaning = f"{entry.system} {entry.code}", f"{EXCLUDED}{entry.why}"
        for key in self._systems.keys(entry.system, entry, at):
            if self._claims.take(("drug", *key), name, meaning, at):
                self.excluded[key] = drug.ingredient
