"""What settings must be together: who may sign, which site a token means, TLS, and live mode."""

from pathlib import Path

import pytest

from cds.config import Settings, off_rules, unfit, unsound
from knowledge.library import Library
from tests.unit.cds.config.files import SECOND, SIGNED, read, refused


NO_ISSUER = SIGNED.partition("[[sites.north.issuers]]")[0]
DIGEST = "ab" * 32


def test_signed_calls_need_no_default_site(tmp_path: Path) -> None:
    assert unsound(read(tmp_path, SIGNED)) == []


def test_without_authentication_the_default_site_is_required(tmp_path: Path) -> None:
    text = NO_ISSUER.replace('auth = "jwt"', 'auth = "off"')
    names = [problem.partition(":")[0] for problem in refused(tmp_path, text)]
    assert names == ["default_site", "public_url", "sites.north.fhir_base"]


def test_each_site_needs_an_issuer_where_calls_are_signed(tmp_path: Path) -> None:
    assert refused(tmp_path, NO_ISSUER) == ('sites.north.issuers: auth = "jwt" needs at least one',)


@pytest.mark.parametrize(
    ("old", "name"),
    [
        ("https://cds.example.org", "public_url"),
        ("https://ehr.example.org/fhir", "sites.north.fhir_base"),
        ("https://ehr.example.org/keys", "sites.north.issuers[0].jwks_url"),
    ],
)
def test_nothing_crosses_a_network_without_tls(tmp_path: Path, old: str, name: str) -> None:
    plain = old.replace("https", "http")
    assert refused(tmp_path, SIGNED.replace(f'"{old}"', f'"{plain}"')) == (
        f"{name}: must be https, unless the host is a loopback address",
    )
    on_this_machine = plain.replace("cds.example.org", "127.0.0.1:8090")
    on_this_machine = on_this_machine.replace("ehr.example.org", "[::1]:8090")
    loaded = read(tmp_path, SIGNED.replace(f'"{old}"', f'"{on_this_machine}"'))
    assert unsound(loaded) == []


def test_live_needs_the_approved_knowledge_once_anything_is_reached_over_a_network(
    tmp_path: Path,
) -> None:
    live = SIGNED.replace('mode = "silent"', 'mode = "live"')
    (problem,) = refused(tmp_path, live)
    assert problem.startswith('sites.north.approved_knowledge: mode = "live" needs the digest')
    approved = live.replace('mode = "live"', f'mode = "live"\napproved_knowledge = "{DIGEST}"')
    assert read(tmp_path, approved).sites["north"].approved_knowledge == DIGEST
    at_home = live.replace("https://cds.example.org", "http://127.0.0.1:8090")
    at_home = at_home.replace("https://ehr.example.org/fhir", "http://localhost:8081/fhir")
    assert read(tmp_path, at_home).sites["north"].mode == "live"


@pytest.mark.parametrize(
    ("north", "south", "problem"),
    [
        ("[]", "[]", "sites.north.issuers[0] has the same iss, so both need tenants"),
        ('["a"]', "[]", "sites.north.issuers[0] has the same iss, so both need tenants"),
        ("[]", '["b"]', "sites.north.issuers[0] has the same iss, so both need tenants"),
        ('["a", "b"]', '["b", "c"]', "b already belongs to site north"),
    ],
)
def test_a_token_means_one_site_only(tmp_path: Path, north: str, south: str, problem: str) -> None:
    text = f"{SIGNED}tenants = {north}\n{SECOND}tenants = {south}\n"
    assert refused(tmp_path, text) == (f"sites.south.issuers[0].tenants: {problem}",)


def test_sites_may_share_an_issuer_that_names_its_tenants(tmp_path: Path) -> None:
    settings = read(tmp_path, f'{SIGNED}tenants = ["a"]\n{SECOND}tenants = ["b"]\n')
    assert set(settings.sites) == {"north", "south"}


def test_two_issuers_of_one_site_may_not_mean_the_same_token(tmp_path: Path) -> None:
    again = SIGNED.partition("[[sites.north.issuers]]")[2]
    (problem,) = refused(tmp_path, f"{SIGNED}[[sites.north.issuers]]{again}")
    assert problem.startswith("sites.north.issuers[1].tenants: ")


def switching_off(folder: Path, *rules: str) -> Settings:
    listed = ", ".join(f'"{rule}"' for rule in rules)
    own = f'mode = "silent"\noff_rules = [{listed}]'
    return read(folder, SIGNED.replace('mode = "silent"', own))


def test_a_switched_off_rule_has_to_exist(tmp_path: Path, library: Library) -> None:
    """A misspelt switch would leave the rule on without anybody noticing."""
    product = library.products["teclistamab"]
    known = library.rule_id(product, product.rows[0].id)
    settings = switching_off(tmp_path, known, "teclistamab-label#no-such", "x#y")
    assert unfit(settings, library) == [
        "sites.north.off_rules: no rule is called teclistamab-label#no-such",
        "sites.north.off_rules: no rule is called x#y",
    ]


def test_a_rule_is_off_in_one_version_or_in_every_one(tmp_path: Path, library: Library) -> None:
    product = library.products["teclistamab"]
    first, second = (library.rule_id(product, row.id) for row in product.rows[:2])
    every = second.replace(f"@{product.version}", "")
    settings = switching_off(tmp_path, first, every)
    assert unfit(settings, library) == []
    assert off_rules(settings.sites["north"], library) == {first, second}
    older = switching_off(tmp_path, first.replace(f"@{product.version}", "@999"))
    assert off_rules(older.sites["north"], library) == frozenset()


def test_the_protocol_has_to_exist(tmp_path: Path, library: Library) -> None:
    settings = read(tmp_path, SIGNED.replace("nhs-waht", "no-such"))
    assert unfit(settings, library) == ["sites.north.protocol: no protocol is called no-such"]
