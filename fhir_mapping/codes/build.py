"""Code files to one `CodeSets`: ours first, then a site's, which only map to what ours know."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from fhir_mapping.codes.drug_tables import DrugTables
from fhir_mapping.codes.files import (
    Allowed,
    Condition,
    Entry,
    Files,
    Group,
    Meaning,
    Route,
    Sedatives,
    Tier,
    Value,
)
from fhir_mapping.codes.model import (
    BackgroundKind,
    Code,
    CodedDiagnosis,
    CodeSets,
    Concept,
    RouteWord,
)
from fhir_mapping.codes.tables import EXCLUDED, PROJECT, Claims, Systems, listed, spaced
from knowledge.facts import ToxicityName


_Coded: TypeAlias = Group | Tier | Meaning | Route | Value | Condition
_TOXICITIES: dict[str, ToxicityName] = {"crs": "crs", "icans": "icans"}


def build(ours: Files, site: Files | None = None) -> tuple[CodeSets, list[str]]:
    """The tables, and every problem once, in the order of the files."""
    builder = _Builder()
    builder.add_systems(ours)
    own = set(builder.systems.uris)
    # Before any code: a site's further identifier of a known system finds all our codes of it.
    builder.add_systems(site or {})
    builder.add(ours)
    if site is not None:
        builder.systems.local = True
        builder.add(site)
    return builder.code_sets(own), list(dict.fromkeys(builder.problems))


class _Builder:
    """Tables filled from one set of files after another."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.claims = Claims(self.problems)
        self.systems = Systems(self.claims)
        self.drugs = DrugTables(self.systems, self.claims)
        self.observations: dict[Code, Concept] = {}
        self.local_observations: dict[Code, str] = {}
        self.devices: dict[Code, str] = {}
        self.device_texts: dict[str, str] = {}
        self.procedures: dict[Code, str] = {}
        self.diagnoses: dict[Code, CodedDiagnosis] = {}
        self.conditions: dict[Code, str] = {}
        self.condition_texts: dict[str, str] = {}
        self.route_codes: dict[Code, RouteWord] = {}
        self.route_words: dict[str, RouteWord] = {}
        self.values: dict[tuple[str, Code], str] = {}
        self.value_texts: dict[tuple[str, str], str] = {}
        self.background: dict[Code, BackgroundKind] = {}
        self.background_texts: dict[str, BackgroundKind] = {}
        self.sedatives: set[str] = set()
        self.known: dict[str, set[str]] = {}

    def add_systems(self, files: Files) -> None:
        """The systems of one set of files."""
        for item in files.get(("systems.yaml", "systems"), ()):
            self.systems.add(item.value, item.at)

    def add(self, files: Files) -> None:
        """One set of files. The first says which facts, tiers, drugs and answers there are."""
        readers: dict[tuple[str, str], Callable[[Any, str], None]] = {
            ("observations.yaml", "sets"): self._observation,
            ("oxygen.yaml", "tiers"): self._tier,
            ("procedures.yaml", "sets"): self._procedure,
            ("drugs.yaml", "never"): self.drugs.add_never,
            ("drugs.yaml", "drugs"): self.drugs.add,
            ("drugs.yaml", "regimens"): self.drugs.add_regimen,
            ("routes.yaml", "routes"): self._route,
            ("diagnoses.yaml", "sets"): self._diagnosis,
            ("neurology.yaml", "conditions"): self._condition,
            ("neurology.yaml", "sedatives"): self._sedative,
            ("conditions.yaml", "conditions"): self._meaning,
            ("values.yaml", "allowed"): self._allow,
            ("values.yaml", "values"): self._value,
        }
        for name, read in readers.items():
            for item in files.get(name, ()):
                read(item.value, item.at)

    def _is_known(self, kind: str, name: str, at: str) -> bool:
        """Ours say what there is; a site's name must be among these."""
        known = self.known.setdefault(kind, set())
        if not self.systems.local:
            known.add(name)
        elif name not in known:
            self.problems.append(f"{at}: no {kind} is called {name}; known: {listed(known)}")
        return name in known

    def _entered(
        self, kind: str, group: _Coded, meaning: str, at: str
    ) -> Iterator[tuple[Entry, Code]]:
        """Each code of the group that was free, under each identifier of its system."""
        for index, entry in enumerate(group.codes):
            place = f"{at}.codes[{index}]"
            name = f"{group.system} {entry.code}"
            said = entry.code if group.system == PROJECT else meaning
            for key in self.systems.keys(group.system, entry, place):
                if self.claims.take((kind, key), name, said, place):
                    yield entry, key

    def _texts(self, kind: str, texts: list[str], meaning: str, at: str) -> Iterator[str]:
        """Each text that was free, in the form in which texts are compared."""
        for index, text in enumerate(texts):
            if self.claims.take((kind, spaced(text)), text, meaning, f"{at}[{index}]"):
                yield spaced(text)

    def _observation(self, group: Group, at: str) -> None:
        excluded = group.use == "exclude"
        if excluded and not group.why:
            self.problems.append(f"{at}: excluded codes need their `why`")
        project = group.system == PROJECT
        if project and not self.systems.local:
            self.known.setdefault("fact", set()).update(entry.code for entry in group.codes)
            self.known.setdefault("assessment", set()).update(e.code for e in group.codes)
        elif not self._is_known("fact", group.fact, at):
            return
        meaning = f"{EXCLUDED}{group.why}" if excluded else group.fact
        for entry, key in self._entered("observation", group, meaning, at):
            fact = entry.code if project else group.fact
            why = group.why if excluded else ""
            self.observations[key] = Concept(fact, entry.code, why, entry.display)
            if self.systems.local and not excluded:
                self.local_observations[key] = fact

    def _tier(self, tier: Tier, at: str) -> None:
        if self._is_known("tier", tier.tier, at):
            for text in self._texts("device", tier.texts, tier.tier, f"{at}.texts"):
                self.device_texts[text] = tier.tier
            for _, key in self._entered("device code", tier, tier.tier, at):
                self.devices[key] = tier.tier

    def _procedure(self, group: Group, at: str) -> None:
        if self._is_known("procedure", group.fact, at):
            for _, key in self._entered("procedure", group, group.fact, at):
                self.procedures[key] = group.fact

    def _diagnosis(self, group: Group, at: str) -> None:
        toxicity = _TOXICITIES[group.fact]
        for entry, (uri, code) in self._entered("diagnosis", group, group.fact, at):
            diagnosis = CodedDiagnosis(
                toxicity, entry.code, entry.at_least, entry.at_most, entry.contradictory
            )
            self.diagnoses[uri, code] = diagnosis
            self.diagnoses[uri, entry.code.replace(".", "")] = diagnosis  # some drop the dot

    def _meaning(self, group: Meaning, at: str) -> None:
        if self._is_known("condition", group.fact, at):
            for text in self._texts("condition", group.texts, group.fact, f"{at}.texts"):
                self.condition_texts[text] = group.fact
            for _, key in self._entered("condition code", group, group.fact, at):
                self.conditions[key] = group.fact

    def _route(self, route: Route, at: str) -> None:
        for word in self._texts("route", route.words, route.route, f"{at}.words"):
            self.route_words[word] = route.route
        for _, key in self._entered("route code", route, route.route, at):
            self.route_codes[key] = route.route

    def _condition(self, group: Condition, at: str) -> None:
        for text in self._texts("neurology", group.texts, group.fact, f"{at}.texts"):
            self.background_texts[text] = group.fact
        for _, key in self._entered("condition", group, group.fact, at):
            self.background[key] = group.fact

    def _sedative(self, item: Sedatives, at: str) -> None:
        self.sedatives.update(self._texts("sedative", item.names, "sedative", f"{at}.names"))

    def _allow(self, allowed: Allowed, _: str) -> None:
        self.known[f"answer to {allowed.fact}"] = set(allowed.values)

    def _value(self, value: Value, at: str) -> None:
        kind = f"answer to {value.fact}"
        if self._is_known("assessment", value.fact, at) and self._is_known(kind, value.value, at):
            for text in self._texts(kind, value.texts, value.value, f"{at}.texts"):
                self.value_texts[value.fact, text] = value.value
            for _, key in self._entered(f"{kind} code", value, value.value, at):
                self.values[value.fact, key] = value.value

    def code_sets(self, own: set[str]) -> CodeSets:
        """Everything so far; `own`: the systems of ours, under whichever identifier."""
        uris = self.systems.uris
        return CodeSets(
            observations=self.observations,
            devices=self.devices,
            device_texts=self.device_texts,
            procedures=self.procedures,
            drugs=self.drugs.codes,
            excluded_drugs=self.drugs.excluded,
            ndc=self.drugs.ndc,
            ndc_systems=frozenset(uris.get("NDC", ())),
            standard_systems=frozenset(uri for name in own for uri in uris[name]),
            drug_names=self.drugs.names,
            drug_texts=self.drugs.texts,
            regimens=self.drugs.regimens,
            regimen_texts=self.drugs.regimen_texts,
            subcutaneous_words=self.drugs.narrow_words,
            diagnoses=self.diagnoses,
            conditions=self.conditions,
            condition_texts=self.condition_texts,
            route_codes=self.route_codes,
            route_words=self.route_words,
            project_facts=frozenset(self.known.get("assessment", ())),
            values=self.values,
            value_texts=self.value_texts,
            background=self.background,
            background_texts=self.background_texts,
            sedatives=frozenset(self.sedatives),
            local_observations=self.local_observations,
            has_overlay=self.systems.local,
        )
