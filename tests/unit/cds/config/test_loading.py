"""What a configuration file may hold, and that each problem is named with its path."""

from decimal import Decimal
from pathlib import Path

import pytest

from cds.config import ConfigError, load
from cds.config.issuer_table import ISSUER
from cds.config.site_table import SITE
from cds.config.table import SETTINGS
from tests.unit.cds.config.files import SIGNED, read, refused


EXAMPLES = Path(__file__).parents[4] / "docs" / "examples"


def test_a_file_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "site.toml", {})
    said = f"{tmp_path / 'site.toml'}: cannot be read: No such file or directory"
    assert caught.value.problems == (said,)


def test_what_is_not_set_has_the_documented_default(tmp_path: Path) -> None:
    settings = read(tmp_path, SIGNED)
    site = settings.sites["north"]
    (issuer,) = site.issuers
    assert settings.default_site == ""
    assert settings.store == f"sqlite:///{tmp_path / 'btce-cds.sqlite'}"
    assert settings.spool == tmp_path / "btce-cds-spool"
    assert settings.deadline_seconds == 2
    assert (site.fetch, site.off_topics, site.off_rules) == (True, frozenset(), frozenset())
    assert issuer.algorithms == ("ES384", "RS384")
    assert (issuer.leeway_seconds, issuer.longest_seconds) == (60, 3600)
    assert issuer.tenants == issuer.jku == issuer.audience == issuer.subjects == frozenset()


def test_every_setting_of_an_issuer_is_read_as_written(tmp_path: Path) -> None:
    """`iss`, `jku` and `audience` are compared character by character: nothing is trimmed."""
    more = """
tenants = ["a", "b"]
jku = ["https://ehr.example.org/keys/"]
algorithms = ["PS256", "ES512"]
audience = ["sand_man", "https://cds.example.org/"]
subjects = ["client-1"]
leeway_seconds = 5
longest_seconds = 900
"""
    (issuer,) = read(tmp_path, SIGNED + more).sites["north"].issuers
    assert issuer.iss == "https://ehr.example.org"
    assert issuer.jwks_url == "https://ehr.example.org/keys"
    assert issuer.tenants == {"a", "b"}
    assert issuer.jku == {"https://ehr.example.org/keys/"}
    assert issuer.algorithms == ("PS256", "ES512")
    assert issuer.audience == {"sand_man", "https://cds.example.org/"}
    assert issuer.subjects == {"client-1"}
    assert (issuer.leeway_seconds, issuer.longest_seconds) == (5, 900)


def test_a_site_may_switch_off_cards_rules_and_fetching(tmp_path: Path) -> None:
    own = """mode = "silent"
off_topics = ["CRSG1"]
off_rules = ["teclistamab-label@1#crs-2", "us-label#crs-principle"]
fetch = false"""
    site = read(tmp_path, SIGNED.replace('mode = "silent"', own)).sites["north"]
    assert site.off_topics == {"CRSG1"}
    assert site.off_rules == {"teclistamab-label@1#crs-2", "us-label#crs-principle"}
    assert site.fetch is False


@pytest.mark.parametrize(
    ("store", "kept"),
    [
        ("sqlite:////var/lib/btce.sqlite", "sqlite:////var/lib/btce.sqlite"),
        ("postgresql+psycopg://u:secret@db/btce", "postgresql+psycopg://u:secret@db/btce"),
    ],
)
def test_the_environment_may_name_the_database(tmp_path: Path, store: str, kept: str) -> None:
    assert read(tmp_path, SIGNED, BTCE_STORE=store).store == kept


@pytest.mark.parametrize(
    "store",
    ["sqlite://", "sqlite:///:memory:", "mysql://u:secret@db/x", "postgresql://u:secret@db"],
)
def test_another_database_is_refused_without_repeating_its_password(
    tmp_path: Path, store: str
) -> None:
    (problem,) = refused(tmp_path, SIGNED, BTCE_STORE=store)
    assert problem.startswith("store: must be sqlite:///FILE or postgresql+psycopg://")
    assert "secret" not in problem


AT_TOP = 'auth = "jwt"'
IN_SITE = 'mode = "silent"'
IN_ISSUER = 'iss = "https://ehr.example.org"'


@pytest.mark.parametrize(
    ("after", "line", "problem"),
    [
        (AT_TOP, "deadline_seconds = 0", "deadline_seconds: must be 0.1 to 30 s"),
        (AT_TOP, "deadline_seconds = nan", "deadline_seconds: must be 0.1 to 30 s"),
        (AT_TOP, "deadline_seconds = true", "deadline_seconds: must be a number"),
        (AT_TOP, "spool = 7", "spool: is required and must be a string"),
        (AT_TOP, 'origins = "x"', "origins: must be a list"),
        (
            AT_TOP,
            'origins = ["https://a.example.org", "b"]',
            "origins[1]: must be an absolute http or https URL",
        ),
        (
            AT_TOP,
            'origins = ["https://a.example.org/x"]',
            "origins[0]: must be scheme, host and port alone, as a browser sends it",
        ),
        (IN_SITE, "fetch = 1", "sites.north.fetch: must be true or false"),
        (
            IN_SITE,
            'off_topics = ["CRSG1", "crs g1"]',
            "sites.north.off_topics[1]: must be capital letters and digits, as CRSG2",
        ),
        (
            IN_SITE,
            'off_rules = ["all"]',
            "sites.north.off_rules[0]: must be a rule id, as teclistamab-label@1#crs-2, or without"
            " @1 for every version",
        ),
        (
            IN_SITE,
            'approved_knowledge = "latest"',
            "sites.north.approved_knowledge: must be the 64 hexadecimal digits of /about",
        ),
        (
            IN_SITE,
            'smart_url = "https://user:pw@app.example.org"',
            "sites.north.smart_url: must not hold a user name or a password",
        ),
        (
            IN_SITE,
            "rules = { ice_hours = 0 }",
            "sites.north.rules.ice_hours: must be a number above 0",
        ),
        (
            IN_SITE,
            "rules = { systolic_below = inf }",
            "sites.north.rules.systolic_below: must be a number above 0",
        ),
        (
            IN_SITE,
            "rules = { dose_tolerance_percent = -1 }",
            "sites.north.rules.dose_tolerance_percent: must be a number 0 or more",
        ),
        (IN_SITE, "rules = 7", "sites.north.rules: must be a table"),
        (IN_ISSUER, "colour = 1", "sites.north.issuers[0].colour: unknown setting"),
        (
            IN_ISSUER,
            "leeway_seconds = 600",
            "sites.north.issuers[0].leeway_seconds: must be 0 to 60 s",
        ),
        (
            IN_ISSUER,
            "longest_seconds = 1.5",
            "sites.north.issuers[0].longest_seconds: must be a whole number",
        ),
        (
            IN_ISSUER,
            'tenants = ["a", 7]',
            "sites.north.issuers[0].tenants[1]: is required and must be a string",
        ),
        (
            IN_ISSUER,
            'jku = ["ftp://ehr.example.org/keys"]',
            "sites.north.issuers[0].jku[0]: must be an absolute http or https URL",
        ),
        (
            IN_ISSUER,
            "algorithms = []",
            "sites.north.issuers[0].algorithms: must name one at least; use ES256, ES384, ES512,"
            " RS256, RS384, RS512, PS256, PS384, PS512",
        ),
    ],
)
def test_a_problem_is_named_with_its_path(
    tmp_path: Path, after: str, line: str, problem: str
) -> None:
    assert refused(tmp_path, SIGNED.replace(after, f"{after}\n{line}", 1)) == (problem,)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("none", "none means unsigned, and anybody could call"),
        ("None", "none means unsigned, and anybody could call"),
        ("HS256", "HS256 needs a shared secret, and who can check such a token can forge one"),
        ("hs512", "hs512 needs a shared secret, and who can check such a token can forge one"),
        ("ES256K", "is no accepted signature algorithm"),
    ],
)
def test_only_asymmetric_signatures_are_accepted(tmp_path: Path, name: str, why: str) -> None:
    """CDS Hooks 2.0, "Trusting CDS Clients": neither none nor a shared secret."""
    text = f'{SIGNED}algorithms = ["RS384", "{name}"]\n'
    (problem,) = refused(tmp_path, text)
    assert problem.startswith(f"sites.north.issuers[0].algorithms[1]: {why}; use ES256")


def test_problems_of_every_level_are_reported_together(tmp_path: Path) -> None:
    text = """
bind = "nowhere"
public_url = "https://[::1"
auth = "jwt"
store = "oracle://db"
[sites."a b"]
protocol = "us-label"
time_zone = "UTC"
[[sites."a b".issuers]]
jwks_url = "keys"
algorithms = ["HS256"]
"""
    found = {problem.partition(": ")[0] for problem in refused(tmp_path, text)}
    assert found == {
        "bind",
        "public_url",
        "store",
        "sites.a b",
        "sites.a b.fhir_base",
        "sites.a b.issuers[0].iss",
        "sites.a b.issuers[0].jwks_url",
        "sites.a b.issuers[0].algorithms[0]",
    }


ODD = (
    "true",
    "-1",
    "99999999999999999999999999",
    "1e400",
    "nan",
    "2026-11-21",
    "12:00:00",
    '""',
    '" "',
    r'"\u0000"',
    r'"\uFFFF/../.."',
    '"https://[::1"',
    '"https://h:99999/"',
    "[]",
    "[[]]",
    "[{}]",
    "{}",
    "{ a = 1 }",
)
PLACES = (SETTINGS, SITE, ISSUER)


def with_odd(place: int, name: str, odd: str) -> str:
    """SIGNED with one setting of its first, second or third part set to an odd value."""
    top, site, issuer = SIGNED.partition("[sites.north]")[0], "[sites.north]", ""
    site += SIGNED.partition("[sites.north]")[2].partition("[[sites.north.issuers]]")[0]
    issuer = "[[sites.north.issuers]]" + SIGNED.partition("[[sites.north.issuers]]")[2]
    parts = [part.splitlines() for part in (top, site, issuer)]
    kept = [line for line in parts[place] if not line.startswith(f"{name} =")]
    parts[place] = [*kept, f"{name} = {odd}"]
    used = {"sites": 1, "issuers": 2}.get(name, 3)  # a table cannot be written twice
    return "\n".join(line for part in parts[:used] for line in part)


def problems(folder: Path, text: str) -> tuple[str, ...]:
    """Why a file is refused; nothing where it is read."""
    try:
        read(folder, text)
    except ConfigError as error:
        return error.problems
    return ()


@pytest.mark.parametrize("odd", ODD)
def test_no_value_of_any_setting_breaks_the_loader(tmp_path: Path, odd: str) -> None:
    """Every setting of every table, with values of every type TOML has: read, or a problem."""
    for place, settings in enumerate(PLACES):
        for one in settings:
            found = problems(tmp_path, with_odd(place, one.name, odd))
            assert not found or any(one.name in said for said in found), (one.name, found)


@pytest.mark.parametrize("example", ["site.toml", "hospital.toml"])
def test_the_examples_are_sound(example: str) -> None:
    assert load(EXAMPLES / example, {}).deadline_seconds == Decimal(2)
