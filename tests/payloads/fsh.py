"""FHIR Shorthand instances to FHIR JSON: only the grammar that the MIMIC-IV examples use.

Which elements repeat or are coded is asked of the R4B models. What a profile alone fixes (often
the status) is in none of the files and stays absent. What is not understood raises.
"""

import json
import re
from pathlib import Path
from typing import Any, get_args

from fhir.resources.R4B import get_fhir_model_class

from tests.functional.bodies import Json


STANDARD = {
    "$LNC": "http://loinc.org",
    "$SCT": "http://snomed.info/sct",
    "$NDC": "http://hl7.org/fhir/sid/ndc",
    "$HL7ActCode": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
}
LOCAL = "urn:alias:"  # with its name, for every other alias: no file says what it stands for
# The name of a profile begins, after `Mimic`, with the type it restricts.
_TYPE = re.compile(
    r"(?m)^Instance:\s+(\w+)\nInstanceOf:\s+Mimic(Condition|Encounter|Location|Observation|Patient"
    r"|Organization|Procedure|Specimen|Medication(?:Administration|Dispense|Request|Statement)?)"
)
_HEAD = re.compile(r'(Instance|InstanceOf|Title|Description|Usage):\s+(\S+|".*")\s*')
_RULE = re.compile(r'\*\s+(\S+)\s+=\s+((?:"[^"]*"|[^"])*?)(?:\s+//.*)?\s*')
_STEP = re.compile(r"(\w+)(?:\[(0|\+|=|[A-Za-z]\w*)\])?")
_PLAIN = re.compile(r'"[^"]*"|true|false|-?\d+(?:\.\d+)?')
_REFERENCE = re.compile(r"Reference\((\w+)\)")
_CODED = re.compile(r'(\$\w+|[a-z]+:[^\s#]+)?#("[^"]*"|[^\s"]+)(?:\s+"([^"]*)")?')
_QUANTITY = re.compile(r"(-?\d+(?:\.\d+)?)\s+('[^']+'|\S+#\S+)(?:\s+\"([^\"]*)\")?")
_AS_IT_IS = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?|(https?|urn):[^\s#]+|\$\w+")


def read_folder(folder: Path) -> dict[str, Json]:
    """Every instance by its name; raises `ValueError` on what is not understood."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.fsh"))]
    types = {match[1]: match[2] for text in texts for match in _TYPE.finditer(text)}
    return {name: read(name, text, types) for name, text in zip(types, texts, strict=True)}


def read(name: str, text: str, types: dict[str, str]) -> Json:
    """One instance; `types`: what the instances that it may refer to are."""
    made: Json = {"resourceType": types[name], "id": name}
    slices: dict[str, int] = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("//") or _HEAD.fullmatch(line):
            continue
        rule = _RULE.fullmatch(line)
        if rule is None or "\\" in line:
            raise ValueError(f"not understood: {line}")
        _put(made, rule[1], _value(rule[2], types), slices)
    return made


def _value(text: str, types: dict[str, str]) -> Any:
    if _PLAIN.fullmatch(text):
        return json.loads(text)
    if match := _REFERENCE.fullmatch(text):
        return {"reference": f"{types[match[1]]}/{match[1]}"}
    if match := _CODED.fullmatch(text):
        parts = {"system": match[1] and _value(match[1], types), "display": match[3]}
        return {"code": match[2].strip('"'), **{key: one for key, one in parts.items() if one}}
    if match := _QUANTITY.fullmatch(text):
        coded = match[2].replace("'", "http://unitsofmeasure.org#", 1).strip("'")
        return {"value": json.loads(match[1]), "unit": match[3] or "", **_value(coded, types)}
    if not _AS_IT_IS.fullmatch(text):
        raise ValueError(f"not understood: {text}")
    return STANDARD.get(text, LOCAL + text[1:]) if text.startswith("$") else text


def _put(here: Any, path: str, value: Any, slices: dict[str, int]) -> None:
    model = get_fhir_model_class(here["resourceType"])
    steps = path.split(".")
    for number, step in enumerate(steps, 1):
        match, last = _STEP.fullmatch(step), number == len(steps)
        known = {field.alias: field.annotation for field in model.model_fields.values()}
        if match is None or match[1] not in known:
            raise ValueError(f"not understood: {path}")
        name = match[1] if last or _model(known[match[1]]) else f"_{match[1]}"  # its extensions
        model = _model(known[name])
        many = "List[" in str(known[name])
        items = here.setdefault(name, []) if many else [here[name]] if name in here else []
        at = {None: 0, "0": 0, "+": len(items), "=": len(items) - 1}.get(match[2])
        if at is None:
            at = slices.setdefault(".".join(steps[:number]), len(items))
        if not 0 <= at <= len(items) or (last and at < len(items)):
            raise ValueError(f"set twice, or out of order: {path}")
        items.extend([_shaped(value, model) if last else {}] * (at == len(items)))
        here[name] = items if many else items[0]
        here = items[at]


def _model(annotation: Any) -> Any:
    """The model of an element's type; None for a primitive."""
    if hasattr(annotation, "get_model_klass"):
        return annotation.get_model_klass()
    return next((found for part in get_args(annotation) if (found := _model(part))), None)


def _shaped(value: Any, model: Any) -> Any:
    """A code as the element wants it: a concept, a coding or the code alone."""
    kind = "" if model is None else model.get_resource_type()
    if not isinstance(value, dict) or next(iter(value)) != "code" or kind == "Coding":
        return value
    return {"coding": [value]} if kind == "CodeableConcept" else value["code"]
