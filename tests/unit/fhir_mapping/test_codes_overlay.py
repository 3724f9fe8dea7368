"""A site's own code files: as strictly checked as ours, every problem told with file and place."""

from pathlib import Path

import pytest

from fhir_mapping.codes import CodesError, CodeSets, load_codes
from fhir_mapping.codes.model import Concept, Drug
from tests.unit.fhir_mapping.mapped import CODES


ROW = "urn:oid:1.2.840.114350.1.13.99.2.7.2.707679"
SYSTEMS = f'systems:\n  ROW: ["{ROW}"]\n  MED: ["urn:oid:1.2.840.114350.1.13.99.2.7.2.698288"]\n'
TEMPERATURE = '{code: "6", display: "Temp", evidence: "build of October 2026"}'


def write(folder: Path, **files: str) -> Path:
    """The files by their names without `.yaml`, and the systems of the site."""
    for name, text in {"systems": SYSTEMS, **files}.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def problems(folder: Path, **files: str) -> tuple[str, ...]:
    with pytest.raises(CodesError) as caught:
        load_codes(write(folder, **files))
    return caught.value.problems


def sets(body: str) -> str:
    return f"sets:\n  - {body}\n"


def observation(fact: str = "temperature", system: str = "ROW", codes: str = TEMPERATURE) -> str:
    return sets(f"{{fact: {fact}, system: {system}, codes: [{codes}]}}")


def drugs(body: str) -> str:
    return f"drugs:\n  - {{ingredient: teclistamab, {body}}}\n"


def loaded(folder: Path, **files: str) -> CodeSets:
    return load_codes(write(folder, **files))


def test_local_flowsheet_ids_become_facts(tmp_path: Path) -> None:
    codes = loaded(tmp_path, observations=observation())
    assert codes.observations[ROW, "6"] == Concept("temperature", "6", display="Temp")
    assert codes.has_overlay
    assert codes.observations.items() > CODES.observations.items()


def test_local_flowsheet_ids_become_facts_of_the_project(tmp_path: Path) -> None:
    codes = loaded(tmp_path, observations=observation("ice-total"))
    assert codes.observations[ROW, "6"] == Concept("ice-total", "6", display="Temp")


def test_a_site_excludes_its_own_codes_and_says_why(tmp_path: Path) -> None:
    why = "use: exclude, why: skin probe"
    text = sets(f"{{fact: temperature, {why}, system: ROW, codes: [{TEMPERATURE}]}}")
    codes = loaded(tmp_path, observations=text)
    assert codes.observations[ROW, "6"].excluded == "skin probe"


def test_device_strings_and_codes_become_tiers(tmp_path: Path) -> None:
    text = f'tiers:\n  - {{tier: mask, texts: ["Mask  CH"], system: ROW, codes: [{TEMPERATURE}]}}\n'
    codes = loaded(tmp_path, oxygen=text)
    assert codes.device_texts["mask ch"] == "mask"
    assert codes.devices[ROW, "6"] == "mask"


def test_local_drug_codes_and_names_become_ingredients(tmp_path: Path) -> None:
    code = '{code: "4711", display: "TEC-INJ", evidence: "formulary", system: MED}'
    text = drugs(f'names: ["TEC-INJ 153 mg/1.7"], codes: [{code}]')
    codes = loaded(tmp_path, drugs=text)
    teclistamab = Drug("teclistamab", "btce")
    assert codes.drugs["urn:oid:1.2.840.114350.1.13.99.2.7.2.698288", "4711"] == teclistamab
    assert codes.drug_texts == {"tec inj 153 mg 1 7": teclistamab}
    assert codes.drug_names == CODES.drug_names


REGIMEN = '{code: "7", display: "TEC C1D1", evidence: "treatment plan", system: MED}'


def regimens(body: str) -> str:
    return f"regimens:\n  - {{{body}}}\n"


def test_a_local_regimen_becomes_each_of_its_ingredients(tmp_path: Path) -> None:
    listed = "ingredients: [dexamethasone, teclistamab]"
    text = regimens(f'{listed}, names: ["TEC-C1D1 (ONC)"], codes: [{REGIMEN}]')
    codes = loaded(tmp_path, drugs=text)
    both = (Drug("dexamethasone", "corticosteroid"), Drug("teclistamab", "btce"))
    assert codes.regimens == {("urn:oid:1.2.840.114350.1.13.99.2.7.2.698288", "7"): both}
    assert codes.regimen_texts == {"tec c1d1 onc": both}
    assert (CODES.regimens, CODES.regimen_texts) == ({}, {})


def test_a_site_adds_a_product_for_under_the_skin_by_its_ndc(tmp_path: Path) -> None:
    code = '{code: "99999-123", display: "x", evidence: "label", system: NDC, subcutaneous: true}'
    text = f"drugs:\n  - {{ingredient: tocilizumab, kind: tocilizumab, codes: [{code}]}}\n"
    codes = loaded(tmp_path, drugs=text)
    assert codes.ndc["999990123"] == Drug("tocilizumab", "tocilizumab", subcutaneous=True)


def test_a_further_identifier_of_a_known_system_finds_all_its_codes(tmp_path: Path) -> None:
    alias = "urn:oid:1.2.246.537.6.999"
    (tmp_path / "systems.yaml").write_text(f'systems: {{LOINC: ["{alias}"]}}', encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not read", encoding="utf-8")
    codes = load_codes(tmp_path)
    assert codes.observations[alias, "8310-5"].fact == "temperature"
    assert alias in codes.standard_systems
    assert ROW not in codes.standard_systems


def test_local_answers_become_answers_of_the_project(tmp_path: Path) -> None:
    text = (
        "values:\n  - {fact: arousal, value: voice, texts: [Rouses to  voice], system: ROW,"
        ' codes: [{code: "3", display: "Rouses", evidence: "build"}]}\n'
    )
    codes = loaded(tmp_path, values=text)
    assert codes.values == {("arousal", (ROW, "3")): "voice"}
    assert codes.value_texts == {("arousal", "rouses to voice"): "voice"}


def test_local_procedures_conditions_and_routes(tmp_path: Path) -> None:
    route = '{code: "9", display: "Subcut", evidence: "build"}'
    codes = loaded(
        tmp_path,
        procedures=observation("positive-pressure"),
        conditions=f"conditions: [{{fact: chronic-oxygen, system: ROW, codes: [{TEMPERATURE}]}}]",
        routes=f"routes: [{{route: sc, words: [skn], system: ROW, codes: [{route}]}}]",
    )
    assert codes.procedures[ROW, "6"] == "positive-pressure"
    assert codes.conditions[ROW, "6"] == "chronic-oxygen"
    assert codes.route_codes[ROW, "9"] == "sc"
    assert codes.route_words["skn"] == "sc"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("observations", observation("temprature"), "sets[0]: no fact is called temprature"),
        ("observations", observation("assessment"), "sets[0]: no fact is called assessment"),
        ("observations", observation(system="RAW"), "codes[0]: no system is called 'RAW'"),
        ("observations", observation(system="TOXICITY"), "codes[0]: the project's own codes"),
        (
            "observations",
            observation(codes=f"{TEMPERATURE}, {TEMPERATURE}"),
            "codes[1]: ROW 6 is there already as temperature",
        ),
        (
            "observations",
            observation() + observation("weight").partition("\n")[2],
            "sets[1].codes[0]: ROW 6 is there already as temperature, not weight",
        ),
        (
            "observations",
            observation(
                system="LOINC", codes='{code: "60830-7", display: "Finger", evidence: "x"}'
            ),
            "LOINC 60830-7 is excluded: surface or peripheral site",
        ),
        (
            "observations",
            observation(system="LOINC", codes='{code: "8310-5", display: "T", evidence: "x"}'),
            "LOINC 8310-5 is there already as temperature",
        ),
        (
            "observations",
            observation(system="LOINC", codes='{code: "3150-6", display: "F", evidence: "x"}'),
            "3150-6 is no LOINC number: wrong check digit",
        ),
        (
            "observations",
            sets(f"{{fact: weight, use: exclude, system: ROW, codes: [{TEMPERATURE}]}}"),
            "sets[0]: excluded codes need their `why`",
        ),
        ("observations", observation(codes='{code: "6", display: "T"}'), "`evidence`"),
        ("observations", observation(codes='{code: "6", display: "", evidence: "x"}'), ".display"),
        ("observations", observation(codes='{code: 6, display: "T", evidence: "x"}'), ".code"),
        ("observations", sets("{fact: weight, sytem: ROW, codes: []}"), "unknown field `sytem`"),
        ("observations", "set: []", "set: unknown key; known keys: sets"),
        ("observations", "sets: 7", "sets: must be a list"),
        ("observations", "- 1", "a table with the key sets"),
        ("observations", "sets: []\nsets: []", "key 'sets' appears twice"),
        ("observations", "sets: [", "line"),
        ("observations", "sets: ['\x07']", "observations.yaml: unacceptable character"),
        ("diagnoses", "sets: []", "diagnoses.yaml: unknown file"),
        ("flowsheets", "sets: []", "flowsheets.yaml: unknown file"),
        ("systems", "systems: {ROW: [7]}", "systems.yaml: systems[...][0]: Expected `str`"),
        (
            "systems",
            'systems: {ROW: ["http://loinc.org"]}',
            "systems.ROW: http://loinc.org is there already as LOINC, not ROW",
        ),
        ("oxygen", "tiers: [{tier: masks}]", "tiers[0]: no tier is called masks"),
        (
            "oxygen",
            'tiers: [{tier: mask, texts: ["Nasal Cannula"]}]',
            "tiers[0].texts[0]: Nasal Cannula is there already as cannula, not mask",
        ),
        ("oxygen", 'tiers: [{tier: mask, texts: [""]}]', ".texts[0]"),
        ("procedures", observation("dialysis"), "no procedure is called dialysis"),
        ("conditions", "conditions: [{fact: cold}]", "no condition is called cold"),
        ("routes", "routes: [{route: iv, words: [PO]}]", "PO is there already as po, not iv"),
        ("routes", "routes: [{route: rocket}]", "routes[0].route"),
        ("values", "values: [{fact: mood, value: x}]", "no assessment is called mood"),
        ("values", "values: [{fact: arousal, value: x}]", "no answer to arousal is called x"),
        ("values", "allowed: [{fact: mood, values: [x]}]", "allowed: unknown key"),
        (
            "values",
            "values: [{fact: motor, value: none, texts: [ok, OK]}]",
            "texts[1]: OK is there already as none",
        ),
        ("drugs", "drugs: [{ingredient: odronextamab}]", "no ingredient is called odronextamab"),
        ("drugs", drugs("kind: tocilizumab"), "teclistamab is of the kind btce, not tocilizumab"),
        ("drugs", drugs('names: ["--"]'), "names[0]: '--' has neither letter nor digit"),
        (
            "drugs",
            drugs("names: [Actemra]"),
            "Actemra is there already as tocilizumab, not teclistamab",
        ),
        (
            "drugs",
            drugs('names: ["Emicizumab 30 mg"]'),
            "Emicizumab 30 mg is excluded: bispecific, but not a T-cell engager",
        ),
        ("drugs", regimens("ingredients: [teclistamab]"), "regimens[0].ingredients"),
        ("drugs", regimens("ingredient: [teclistamab]"), "unknown field `ingredient`"),
        (
            "drugs",
            regimens("ingredients: [teclistamab, odronextamab]"),
            "regimens[0]: no ingredient is called odronextamab",
        ),
        (
            "drugs",
            regimens("ingredients: [teclistamab, sodium chloride]"),
            "regimens[0]: sodium chloride is a fluid",
        ),
        (
            "drugs",
            regimens("ingredients: [teclistamab, teclistamab]"),
            "regimens[0]: teclistamab is there twice",
        ),
        (
            "drugs",
            regimens("ingredients: [teclistamab, dexamethasone], names: [Decadron]"),
            "names[0]: Decadron is there already as dexamethasone, not teclistamab and dexa",
        ),
        (
            "drugs",
            regimens("ingredients: [teclistamab, dexamethasone], names: [Hemlibra plan]"),
            "Hemlibra plan is excluded: bispecific, but not a T-cell engager",
        ),
        (
            "drugs",
            regimens(
                "ingredients: [teclistamab, dexamethasone], codes: "
                '[{code: "99999-123", display: x, evidence: y, system: NDC}]'
            ),
            "codes[0]: NDC 99999-123 is a product of one drug, no regimen",
        ),
        (
            "drugs",
            regimens(
                "ingredients: [teclistamab, dexamethasone], codes: "
                '[{code: "1", display: x, evidence: y, system: MED, subcutaneous: true}]'
            ),
            "codes[0]: MED 1 is a product of one drug, no regimen",
        ),
        (
            "drugs",
            regimens(
                "ingredients: [teclistamab, dexamethasone], codes: "
                '[{code: "612865", display: x, evidence: y, system: RxNorm}]'
            ),
            "RxNorm 612865 is there already as tocilizumab, not teclistamab and dexamethasone",
        ),
        ("drugs", "never: [{names: [x], why: y}]", "never: unknown key; known keys: drugs"),
        (
            "drugs",
            drugs('codes: [{code: "57894449", display: x, evidence: y, system: NDC}]'),
            "57894449 is no labeller and product",
        ),
        (
            "drugs",
            drugs('codes: [{code: "57894-449", display: x, evidence: y, system: NDC}]'),
            "NDC 578940449 is there already as teclistamab",
        ),
        (
            "drugs",
            drugs('codes: [{code: "612865", display: x, evidence: y, system: RxNorm}]'),
            "RxNorm 612865 is there already as tocilizumab, not teclistamab",
        ),
        (
            "drugs",
            drugs('codes: [{code: "S01EA01", display: x, evidence: y, system: ATC}]'),
            "ATC S01EA01 is excluded: for the eye",
        ),
        (
            "drugs",
            drugs('excluded: [{code: "1", display: x, evidence: y, system: MED}]'),
            "excluded[0]: an excluded code needs its `why`",
        ),
        (
            "drugs",
            drugs('excluded: [{code: "612865", display: x, evidence: y, system: RxNorm, why: z}]'),
            "RxNorm 612865 is there already as tocilizumab, not excluded: z",
        ),
    ],
)
def test_what_is_refused_and_where(tmp_path: Path, name: str, text: str, said: str) -> None:
    found = problems(tmp_path, **{name: text})
    assert any(said in problem for problem in found), found
    assert all(problem.startswith(f"{name}.yaml") for problem in found)


def test_a_code_that_is_refused_is_named_once(tmp_path: Path) -> None:
    """A system is met under several identifiers; the author wrote the code once."""
    text = observation(system="LOINC", codes='{code: "8310-5", display: "T", evidence: "x"}')
    assert len(problems(tmp_path, observations=text)) == 1


def test_all_problems_are_told_together(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        observations=observation("temprature"),
        oxygen="tiers: [{tier: masks}]",
        drugs="drugs: [{ingredient: x}, {ingredient: ''}, 7]",
    )
    files = sorted(problem.partition(":")[0] for problem in found)
    assert files == ["drugs.yaml"] * 3 + ["observations.yaml", "oxygen.yaml"]


def test_a_folder_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CodesError, match="no YAML file"):
        load_codes(tmp_path)
    (tmp_path / "codes.yml").write_text("sets: []", encoding="utf-8")
    with pytest.raises(CodesError, match=r"codes\.yml: unknown file"):
        load_codes(tmp_path)


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "drugs.yaml").mkdir()
    with pytest.raises(CodesError, match=r"drugs\.yaml: .*directory"):
        load_codes(tmp_path)
