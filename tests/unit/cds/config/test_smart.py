"""A site that offers the bedside app: registered, able to prove itself, framed by its EHR alone."""

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cds.config import Site, Smart
from cds.config.smart_soundness import smart_problems
from tests.unit.cds.config.files import EC, SIGNED, read, refused


SMART = """
[sites.north.smart]
client_id = "bedside"
"""
AT = "sites.north.smart"
SOUTH = """
[sites.south]
fhir_base = "https://EHR.example.org/fhir/"
protocol = "nhs-waht"
time_zone = "Europe/London"
mode = "silent"

[[sites.south.issuers]]
iss = "https://south.example.org"
jwks_url = "https://south.example.org/keys"

[sites.south.smart]
client_id = "bedside"
"""


def test_a_site_without_the_table_offers_no_app(tmp_path: Path) -> None:
    assert read(tmp_path, SIGNED).sites["north"].smart is None


def test_what_is_not_set_is_the_careful_choice(tmp_path: Path) -> None:
    smart = read(tmp_path, SIGNED + SMART).sites["north"].smart
    assert smart == Smart(client_id="bedside")
    assert smart is not None
    assert (smart.auth, smart.ehr_origins, smart.idle_minutes) == ("public", frozenset(), 15)
    assert "user/" not in smart.scope  # no other patient than the one of the launch


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('auth = "private_key_jwt"', "key_file: is required for private_key_jwt"),
        ('auth = "client_secret_basic"', "secret_file: is required for client_secret_basic"),
        (
            'auth = "client_secret_basic"\nsecret_file = "none"',
            "secret_file: cannot be read as plain text",
        ),
        (
            'ehr_origins = ["http://ehr.example.org"]',
            "ehr_origins: must be https, unless the host is a loopback address",
        ),
        ("idle_minutes = 0", "idle_minutes: must be 1 to 240 min"),
    ],
)
def test_what_cannot_be_launched_safely_is_refused(
    tmp_path: Path, table: str, problem: str
) -> None:
    assert refused(tmp_path, f"{SIGNED}{SMART}{table}\n") == (f"{AT}.{problem}",)


def test_a_public_key_signs_nothing(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text(json.dumps(EC.as_dict(private=False)))
    text = f'{SIGNED}{SMART}auth = "private_key_jwt"\nkey_file = "key.json"\n'
    assert refused(tmp_path, text) == (f"{AT}.key_file: is a public key: the private one signs",)


def test_an_app_without_a_fhir_base_could_not_be_launched() -> None:
    nowhere = Site(
        id="north",
        fhir_base=None,
        protocol="nhs-waht",
        zone=ZoneInfo("UTC"),
        smart=Smart(client_id="bedside"),
    )
    assert list(smart_problems(nowhere)) == [f"{AT}: needs the fhir_base it is launched from"]


def test_two_sites_that_a_launch_could_not_tell_apart_are_refused(tmp_path: Path) -> None:
    found = refused(tmp_path, SIGNED + SMART + SOUTH)
    assert found == ("sites.south.smart: sites.north has the same fhir_base",)
