"""What the code sets mean, as values: look-up tables the mapping asks; it reads no file."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from knowledge.facts import ToxicityName


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
BackgroundKind = Literal[
    "haemorrhage", "stroke", "speech", "seizure-disorder", "functional-seizure"
]
Code = tuple[str | None, str | None]  # (system URI, code), as a FHIR Coding gives them


class Concept(Struct, frozen=True):
    """What an Observation code means: the fact it is, or why it is not used."""

    fact: str
    code: str
    excluded: str = ""
    display: str = ""


class Drug(Struct, frozen=True):
    """One drug by its ingredient; `subcutaneous`: a product only for use under the skin.

    `by_name`: known from words alone, not from a code.
    """

    ingredient: str
    kind: DrugKind
    subcutaneous: bool = False
    by_name: bool = False


class CodedDiagnosis(Struct, frozen=True):
    """A diagnosis code of a toxicity and the grades it can mean."""

    toxicity: ToxicityName
    code: str
    at_least: int
    at_most: int
    contradictory: bool = False


class CodeSets(Struct, frozen=True):
    """Every code one site's mapping knows, ready for look-up: ours, and its overlay's.

    `excluded_drugs`: codes of an ingredient where it acts only locally, by that ingredient.
    `drug_names`: matched as whole words; `drug_texts`: a site's own names, as a whole text.
    `regimens`, `regimen_texts`: codes and names of a site for several drugs at once.
    `local_observations`: codes a site added, with what they mean; those it excludes left out.
    `values`, `value_texts`: a site's own answers to a fact of the project CodeSystem.
    """

    observations: Mapping[Code, Concept]
    devices: Mapping[Code, str]
    device_texts: Mapping[str, str]
    procedures: Mapping[Code, str]
    drugs: Mapping[Code, Drug]
    excluded_drugs: Mapping[Code, str]
    ndc: Mapping[str, Drug]
    ndc_systems: frozenset[str]
    standard_systems: frozenset[str | None]
    drug_names: Mapping[str, Drug]
    drug_texts: Mapping[str, Drug]
    regimens: Mapping[Code, tuple[Drug, ...]]
    regimen_texts: Mapping[str, tuple[Drug, ...]]
    subcutaneous_words: Mapping[str, frozenset[str]]
    diagnoses: Mapping[Code, CodedDiagnosis]
    conditions: Mapping[Code, str]
    condition_texts: Mapping[str, str]
    route_codes: Mapping[Code, RouteWord]
    route_words: Mapping[str, RouteWord]
    project_facts: frozenset[str]
    values: Mapping[tuple[str, Code], str]
    value_texts: Mapping[tuple[str, str], str]
    background: Mapping[Code, BackgroundKind]
    background_texts: Mapping[str, BackgroundKind]
    sedatives: frozenset[str]
    local_observations: Mapping[Code, str] = {}
    has_overlay: bool = False
