"""The code sets, read once at start from the YAML files beside this module; it maps nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import yaml
from msgspec import Struct

from knowledge.facts import ToxicityName


HERE = Path(__file__).parent
DrugKind = Literal[
    "btce",
    "tocilizumab",
    "anakinra",
    "siltuximab",
    "corticosteroid",
    "antipyretic",
    "vasopressor",
    "vasopressin",
    "inotrope",
    "not-counted",
    "fluid",
]
RouteWord = Literal["iv", "sc", "po", "other", "local"]
Code = tuple[str | None, str | None]  # (system URI, code), as a FHIR Coding gives them
T = TypeVar("T")


class Concept(Struct, frozen=True):
    """What an Observation code means: the fact it is, or why it is not used."""

    fact: str
    code: str
    excluded: str = ""


class Drug(Struct, frozen=True):
    """One drug by its ingredient; `subcutaneous`: a product only for use under the skin."""

    ingredient: str
    kind: DrugKind
    subcutaneous: bool = False


class CodedDiagnosis(Struct, frozen=True):
    """A diagnosis code of a toxicity and the grades it can mean."""

    toxicity: ToxicityName
    code: str
    at_least: int
    at_most: int
    contradictory: bool = False


class CodeSets(Struct, frozen=True):
    """Every code this package knows, ready for look-up."""

    observations: Mapping[Code, Concept]
    devices: Mapping[Code, str]
    device_texts: Mapping[str, str]
    procedures: Mapping[Code, str]
    drugs: Mapping[Code, Drug]
    ndc: Mapping[str, Drug]
    ndc_systems: frozenset[str]
    standard_systems: frozenset[str | None]
    drug_names: Mapping[str, Drug]
    diagnoses: Mapping[Code, CodedDiagnosis]
    route_codes: Mapping[Code, RouteWord]
    route_words: Mapping[str, RouteWord]


class _Entry(Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    display: str
    evidence: str
    system: str = ""
    subcutaneous: bool = False
    at_least: int = 0
    at_most: int = 0
    contradictory: bool = False


class _Set(Struct, frozen=True, forbid_unknown_fields=True):
    fact: str
    system: str
    codes: list[_Entry]
    use: Literal["include", "exclude"] = "include"
    why: str = ""


class _Tier(Struct, frozen=True, forbid_unknown_fields=True):
    tier: str
    texts: list[str]
    system: str
    codes: list[_Entry]


class _Drug(Struct, frozen=True, forbid_unknown_fields=True):
    ingredient: str
    kind: DrugKind
    names: list[str]
    codes: list[_Entry]


class _Route(Struct, frozen=True, forbid_unknown_fields=True):
    route: RouteWord
    codes: list[str]
    words: list[str]


def _read(name: str, key: str, shape: type[T]) -> T:
    # The C loader reads these files ten times faster; both are the safe one.
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with (HERE / name).open(encoding="utf-8") as file:
        data = yaml.load(file, Loader=loader)  # noqa: S506 -- a safe loader, chosen above
    return msgspec.convert(data[key], shape)


def load_codes() -> CodeSets:
    """All code sets; raises `msgspec.ValidationError` on a file that is not as described."""
    systems = _read("systems.yaml", "systems", dict[str, list[str]])
    observations: dict[Code, Concept] = {}
    for group in _read("observations.yaml", "sets", list[_Set]):
        local = group.system == "TOXICITY"
        for entry in group.codes:
            excluded = group.why if group.use == "exclude" else ""
            fact = entry.code if local else group.fact
            concept = Concept(fact, entry.code, excluded)
            observations.update(_each(systems, group.system, entry.code, concept))
    devices: dict[Code, str] = {}
    device_texts: dict[str, str] = {}
    for tier in _read("oxygen.yaml", "tiers", list[_Tier]):
        device_texts.update(dict.fromkeys(tier.texts, tier.tier))
        for entry in tier.codes:
            devices.update(_each(systems, tier.system, entry.code, tier.tier))
    procedures: dict[Code, str] = {}
    for group in _read("procedures.yaml", "sets", list[_Set]):
        for entry in group.codes:
            procedures.update(_each(systems, group.system, entry.code, group.fact))
    drugs, ndc, names = _drugs(systems)
    route_codes, route_words = _routes(systems)
    return CodeSets(
        observations=observations,
        devices=devices,
        device_texts=device_texts,
        procedures=procedures,
        drugs=drugs,
        ndc=ndc,
        ndc_systems=frozenset(systems["NDC"]),
        standard_systems=frozenset(uri for uris in systems.values() for uri in uris),
        drug_names=names,
        diagnoses=_diagnoses(systems),
        route_codes=route_codes,
        route_words=route_words,
    )


def _each(systems: dict[str, list[str]], system: str, code: str, value: T) -> dict[Code, T]:
    return {(uri, code): value for uri in systems[system]}


def _drugs(
    systems: dict[str, list[str]],
) -> tuple[dict[Code, Drug], dict[str, Drug], dict[str, Drug]]:
    codes: dict[Code, Drug] = {}
    ndc: dict[str, Drug] = {}
    names: dict[str, Drug] = {}
    for item in _read("drugs.yaml", "drugs", list[_Drug]):
        drug = Drug(item.ingredient, item.kind)
        names.update(dict.fromkeys(item.names, drug))
        for entry in item.codes:
            coded = Drug(item.ingredient, item.kind, entry.subcutaneous)
            if entry.system == "NDC":
                labeler, product = entry.code.split("-")
                ndc[labeler.zfill(5) + product.zfill(4)] = coded
            else:
                codes.update(_each(systems, entry.system, entry.code, coded))
    return codes, ndc, names


def _diagnoses(systems: dict[str, list[str]]) -> dict[Code, CodedDiagnosis]:
    found: dict[Code, CodedDiagnosis] = {}
    for group in _read("diagnoses.yaml", "sets", list[_Set]):
        toxicity: ToxicityName = "crs" if group.fact == "crs" else "icans"
        for entry in group.codes:
            diagnosis = CodedDiagnosis(
                toxicity, entry.code, entry.at_least, entry.at_most, entry.contradictory
            )
            found.update(_each(systems, group.system, entry.code, diagnosis))
            # Some exports drop the dot.
            found.update(_each(systems, group.system, entry.code.replace(".", ""), diagnosis))
    return found


def _routes(
    systems: dict[str, list[str]],
) -> tuple[dict[Code, RouteWord], dict[str, RouteWord]]:
    codes: dict[Code, RouteWord] = {}
    words: dict[str, RouteWord] = {}
    for route in _read("routes.yaml", "routes", list[_Route]):
        words.update(dict.fromkeys(route.words, route.route))
        for code in route.codes:
            codes.update(_each(systems, "SNOMED", code, route.route))
    return codes, words
