"""A site's own codes: flowsheet rows, device strings and drug codes of an Epic-like site."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from cds.app import create_app
from cds.cli import main
from cds.config import ConfigError, Settings, Site, load
from fhir_mapping.codes import load_codes
from tests.conftest import CheckedClient, State, clock
from tests.functional.bodies import Json, at, bundle, draft, given, order_sign, subject, vital
from tests.functional.test_config import GOOD, write


EXTENSION = "org.btce-cds.assessment"
# The shape of Epic's identifiers, of an institution that does not exist.
ROWS = "urn:oid:1.2.840.114350.1.13.99999.2.7.2.707679"
MEDICINES = "urn:oid:1.2.840.114350.1.13.99999.2.7.2.698288"
FILES = {
    "systems.yaml": f"systems:\n  ROWS: ['{ROWS}']\n  MEDICINES: ['{MEDICINES}']\n",
    "observations.yaml": """
sets:
  - fact: temperature
    system: ROWS
    codes: [{code: "6", display: "Temp", evidence: "flowsheet build, October 2026"}]
  - fact: oxygen-device
    system: ROWS
    codes: [{code: "301570", display: "O2 Device", evidence: "flowsheet build, October 2026"}]
""",
    "oxygen.yaml": """
tiers:
  - tier: mask
    texts: ["Mask CHW 40%"]
""",
    "drugs.yaml": """
drugs:
  - ingredient: teclistamab
    names: ["TEC STEP-UP 1 (ONC)"]
    codes:
      - {code: "998877", display: "TEC-INJ", evidence: "formulary, 2026", system: MEDICINES}
regimens:
  - ingredients: [teclistamab, dexamethasone]
    names: ["TEC C1D1 PLAN (ONC)"]
    codes:
      - {code: "776655", display: "TEC C1D1", evidence: "treatment plan, 2026", system: MEDICINES}
""",
}


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    folder = tmp_path / "codes"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def row(code: str, value: Json) -> Json:
    """A flowsheet row as such a server sends it: its own code and no other."""
    return {
        "resourceType": "Observation",
        "id": f"row-{code}",
        "status": "final",
        "code": {"coding": [{"system": ROWS, "code": code}]},
        "subject": subject(),
        "effectiveDateTime": at(0.5),
        **value,
    }


def request() -> Json:
    """Fever by a local row, a mask by a local string, teclistamab by a local code."""
    local = {"coding": [{"system": MEDICINES, "code": "998877"}]}
    body = order_sign(
        row("6", {"valueQuantity": {"value": 101.3, "unit": "degF"}}),
        vital("8480-6", 118, "mm[Hg]"),
        vital("59408-5", 93, "%"),
        drafts=({**draft(), "medicationCodeableConcept": local},),
    )
    device = row("301570", {"valueString": "Mask CHW 40%"})
    body["prefetch"]["oxygen"] = bundle(device)
    dose = {**given(), "medicationCodeableConcept": {"text": "TEC Step-Up 1 (Onc)"}}
    body["prefetch"]["administrations"] = bundle(dose)
    return body


def test_local_codes_grade_and_hold_as_standard_ones_do(client_for: Any, overlay: Path) -> None:
    """101.3 degF is 38.5 Cel: fever; a facemask without hypotension is CRS grade 3 (ASTCT 2019)."""
    answer = client_for(code_overlay=overlay).call(request())
    found = answer.json["extension"][EXTENSION]
    assert found["crs"]["grade"] == {"atLeast": 3, "atMost": 3}
    assert found["crs"]["axes"]["fever"]["evidence"][0]["code"] == "6"
    assert [order["ingredient"] for order in found["orders"]] == ["teclistamab"]
    assert found["agent"]["ingredient"] == "teclistamab"
    assert found["disposition"]["action"] == "withhold"
    assert answer.json["cards"][0]["summary"].startswith("Hold")


@pytest.mark.parametrize(
    "plan",
    [
        {"coding": [{"system": MEDICINES, "code": "776655"}]},
        {"text": "Tec C1D1 plan (ONC)"},
        {"coding": [{"system": MEDICINES, "code": "1", "display": "TEC C1D1 Plan - ONC"}]},
    ],
)
def test_a_local_regimen_is_ordered_and_given_as_each_of_its_drugs(
    client_for: Any, overlay: Path, plan: Json
) -> None:
    body = request()
    body["context"]["draftOrders"]["entry"][0]["resource"]["medicationCodeableConcept"] = plan
    body["prefetch"]["administrations"] = bundle({**given(), "medicationCodeableConcept": plan})
    found = client_for(code_overlay=overlay).call(body).json["extension"][EXTENSION]
    assert [order["ingredient"] for order in found["orders"]] == ["teclistamab"]
    assert found["crs"]["grade"] == {"atLeast": 3, "atMost": 3}  # exposed: the plan was given
    said = {one["code"]: one["text"] for one in found["notices"]}
    assert "order of each: teclistamab, dexamethasone" in said["several-drugs-named"]
    assert "several medicines: teclistamab, dexamethasone" in said["several-drugs-given"]


def test_the_same_request_without_the_overlay_says_nothing_of_the_kind(client_for: Any) -> None:
    """Nobody can know the order, the dose or the fever: no bispecific and no dose of one."""
    answer = client_for().call(request())
    found = answer.json["extension"][EXTENSION]
    assert "orders" not in found
    assert (found["crs"]["assessed"], found["crs"]["reason"]) == (False, "not-exposed")
    assert answer.json["cards"] == []


def test_each_site_has_its_own_codes(
    settings: Settings, site: Site, overlay: Path, library: Any, codes: Any, state: State
) -> None:
    other = msgspec.structs.replace(site, id="other", code_overlay=overlay)
    for default, orders in (("demo", 0), ("other", 1)):
        both = msgspec.structs.replace(
            settings, sites={"demo": site, "other": other}, default_site=default
        )
        app = create_app(both, library=library, codes=codes, clock=clock, **state)
        app.test_client_class = CheckedClient
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        found = client.call(request()).json["extension"][EXTENSION]  # type: ignore[index]
        assert len(found.get("orders", ())) == orders


def config(folder: Path, overlay: str) -> Path:
    return write(folder, f"{GOOD}code_overlay = {overlay!r}\n")


def test_the_folder_is_found_beside_the_configuration(
    tmp_path: Path, overlay: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load(config(tmp_path, overlay.name), {})
    assert settings.site.code_overlay == overlay
    main(["check", "--config", str(config(tmp_path, str(overlay)))])
    assert "code_overlay" not in capsys.readouterr().err


BAD = {
    "observations.yaml": FILES["observations.yaml"].replace("temperature", "fever"),
    "oxygen.yaml": 'tiers: [{tier: mask, texts: ["nasal cannula"]}]',
    "drugs.yaml": "drugs: [{ingredient: teclistamab, names: [Vabysmo], colour: red}]",
}


def test_check_reports_every_problem_of_the_overlay_and_the_settings(
    tmp_path: Path, overlay: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in BAD.items():
        (overlay / name).write_text(text, encoding="utf-8")
    path = config(tmp_path, overlay.name)
    path.write_text(f'{path.read_text(encoding="utf-8")}mode = "loud"\n', encoding="utf-8")
    assert main(["check", "--config", str(path)]) == 1
    said = capsys.readouterr().err.splitlines()
    at_overlay = [line for line in said if line.startswith("sites.demo.code_overlay: ")]
    assert [line.split(": ")[1] for line in at_overlay] == [
        "drugs.yaml",
        "observations.yaml",
        "oxygen.yaml",
    ]
    assert "no fact is called fever" in at_overlay[1]
    assert any(line.startswith("sites.demo.mode: ") for line in said)


def test_a_bad_overlay_is_refused_at_start(tmp_path: Path, overlay: Path, client_for: Any) -> None:
    (overlay / "oxygen.yaml").write_text(BAD["oxygen.yaml"], encoding="utf-8")
    assert main(["serve", "--config", str(config(tmp_path, overlay.name))]) == 1
    with pytest.raises(ConfigError, match=r"code_overlay: oxygen\.yaml: tiers\[0\]"):
        client_for(code_overlay=overlay)
    with pytest.raises(ConfigError, match="No such file"):
        client_for(code_overlay=tmp_path / "absent")
    text = GOOD + "code_overlay = 7\n"
    with pytest.raises(ConfigError, match="code_overlay: is required and must be a string"):
        load(write(tmp_path, text), {})


def test_the_example_of_the_documentation_is_accepted(tmp_path: Path) -> None:
    """Each block of docs/overlay.md that begins with the name of a file."""
    text = (Path(__file__).parents[2] / "docs" / "overlay.md").read_text(encoding="utf-8")
    blocks = [block.partition("```")[0] for block in text.split("```yaml\n")[1:]]
    for block in blocks:
        name = block.removeprefix("# ").partition("\n")[0].partition(":")[0]
        (tmp_path / name).write_text(block, encoding="utf-8")
    assert len(blocks) == 5
    assert load_codes(tmp_path).value_texts["arousal", "rouses to voice"] == "voice"
