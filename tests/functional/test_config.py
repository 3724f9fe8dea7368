"""The configuration file: every problem at once, and no service without authentication abroad."""

from decimal import Decimal
from pathlib import Path

import pytest

from cds.config import ConfigError, load, same_base
from knowledge.library import Library


GOOD = """
bind = "127.0.0.1:8080"
public_url = "http://localhost:8080/"
auth = "off"
default_site = "demo"
origins = ["http://127.0.0.1:3000"]

[sites.demo]
fhir_base = "http://[::1]:8081/fhir/"
protocol = "nhs-waht"
time_zone = "Europe/London"
rules = { oxygen_absent_means = "room-air", systolic_below = 92.5, ice_hours = 8 }
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "btce.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text), environ)
    return caught.value.problems


def test_a_good_file_is_read(tmp_path: Path, library: Library) -> None:
    settings = load(write(tmp_path, GOOD), {})
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.public_url == "http://localhost:8080"
    assert settings.site.mode == "live"
    assert settings.site.fhir_base == "http://[::1]:8081/fhir"
    assert settings.site.zone.key == "Europe/London"
    rules = settings.site.site_rules(library.rules)
    assert rules.systolic_below == Decimal("92.5")
    assert (rules.ice_hours, rules.oxygen_absent_means) == (8, "room-air")
    assert rules.bolus_hours == library.rules.bolus_hours


def test_the_environment_replaces_single_settings(tmp_path: Path) -> None:
    assert load(write(tmp_path, GOOD), {"BTCE_BIND": "[::1]:9090"}).host == "::1"


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ('bind = "127.0.0.1:8080"', 'bind = "0.0.0.0:8080"', "bind"),
        ("http://localhost:8080/", "https://cds.example.org", "public_url"),
        ("http://[::1]:8081/fhir/", "https://ehr.example.org/fhir", "sites.demo.fhir_base"),
    ],
)
def test_auth_off_is_for_loopback_only(tmp_path: Path, old: str, new: str, name: str) -> None:
    found = problems(tmp_path, GOOD.replace(old, new))
    assert found == (f'{name}: auth = "off" is for loopback addresses only',)


def test_all_problems_are_reported_together(tmp_path: Path) -> None:
    text = """
bind = "8080"
auth = "none"
default_site = "other"
colour = "red"
[sites.demo]
fhir_base = "file:///fhir"
protocol = 7
time_zone = "Mars/Olympus"
mode = "loud"
rules = { systolic_below = "ninety", fever_cel = 38 }
"""
    found = {problem.partition(":")[0] for problem in problems(tmp_path, text)}
    assert found == {
        "bind",
        "public_url",
        "auth",
        "default_site",
        "colour",
        "sites.demo.fhir_base",
        "sites.demo.protocol",
        "sites.demo.time_zone",
        "sites.demo.mode",
        "sites.demo.rules.systolic_below",
        "sites.demo.rules.fever_cel",
    }


@pytest.mark.parametrize("text", ["", "sites = 1", "[sites]\ndemo = 1", "not toml", 'bind = "['])
def test_an_odd_file_is_a_list_of_problems(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text)


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml"):
        load(tmp_path / "absent.toml", {})


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("https://EHR.example.org/fhir/", True),
        ("http://ehr.example.org/fhir", False),
        ("https://ehr.example.org/fhir2", False),
        ("https://ehr.example.org@evil.example/fhir", False),
        ("https://[", False),
    ],
)
def test_the_same_fhir_base(other: str, same: bool) -> None:
    assert same_base("https://ehr.example.org/fhir", other) is same
