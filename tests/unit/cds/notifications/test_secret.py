"""Secrets: who proves to be which site, and that the comparison takes the same time for all."""

import hmac
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cds.config import Settings, Site
from cds.config.model import Events
from cds.notifications.secret import proven, read_secrets


ONE, OTHER = "a" * 32, "b" * 40


def settings(folder: Path, **secrets: str) -> Settings:
    sites = {}
    for name, secret in secrets.items():
        file = folder / name
        file.write_text(secret, encoding="ascii")
        events = Events(secret_file=file) if secret else None
        sites[name] = Site(
            id=name,
            fhir_base="http://127.0.0.1/fhir",
            protocol="us-label",
            zone=ZoneInfo("UTC"),
            events=events,
        )
    return Settings(host="127.0.0.1", port=1, public_url="http://x", auth="off", sites=sites)


def test_only_sites_that_receive_events_have_a_secret(tmp_path: Path) -> None:
    assert set(read_secrets(settings(tmp_path, north=ONE, south=OTHER, deaf=""))) == {
        "north",
        "south",
    }


def test_a_line_end_in_the_file_is_not_part_of_the_secret(tmp_path: Path) -> None:
    secrets = read_secrets(settings(tmp_path, north=f"{ONE}\n"))
    assert proven(f"Bearer {ONE}", secrets) == {"north"}


def test_the_secret_itself_is_not_kept(tmp_path: Path) -> None:
    assert ONE not in repr(read_secrets(settings(tmp_path, north=ONE)))


def test_a_secret_proves_its_own_site(tmp_path: Path) -> None:
    secrets = read_secrets(settings(tmp_path, north=ONE, south=OTHER))
    assert proven(f"Bearer {ONE}", secrets) == {"north"}
    assert proven(f"bearer  {OTHER}", secrets) == {"south"}


def test_two_sites_may_share_one_secret(tmp_path: Path) -> None:
    secrets = read_secrets(settings(tmp_path, north=ONE, south=ONE))
    assert proven(f"Bearer {ONE}", secrets) == {"north", "south"}


@pytest.mark.parametrize("header", [None, "", f"Bearer {ONE}", f"Bearer {OTHER}", "Basic eA=="])
def test_every_secret_is_compared_in_constant_time_whatever_came(
    header: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = read_secrets(settings(tmp_path, north=ONE, south=OTHER, west="c" * 32))
    compared = []
    real = hmac.compare_digest

    def watched(a: bytes, b: bytes) -> bool:
        compared.append((len(a), len(b)))
        return real(a, b)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    proven(header, secrets)
    assert compared == [(32, 32)] * 3  # digests: not even the length of a secret shows


def test_without_sites_nobody_is_proven() -> None:
    assert proven(f"Bearer {ONE}", {}) == frozenset()
