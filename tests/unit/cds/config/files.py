"""Configuration files for the tests: one deployment with signed calls, and parts to add to it."""

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from cds.config import ConfigError, Settings, load


SIGNED = """
bind = "127.0.0.1:8090"
public_url = "https://cds.example.org"
auth = "jwt"

[sites.north]
fhir_base = "https://ehr.example.org/fhir"
protocol = "nhs-waht"
time_zone = "Europe/London"
mode = "silent"

[[sites.north.issuers]]
iss = "https://ehr.example.org"
jwks_url = "https://ehr.example.org/keys"
"""
SECOND = """
[sites.south]
fhir_base = "https://other.example.org/fhir"
protocol = "nhs-waht"
time_zone = "Europe/London"
mode = "silent"

[[sites.south.issuers]]
iss = "https://ehr.example.org"
jwks_url = "https://ehr.example.org/keys"
"""
EC = ECKey.generate_key("P-384", {"kid": "ec-1"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1"})


def read(folder: Path, text: str, **environ: str) -> Settings:
    path = folder / "btce.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ)


def refused(folder: Path, text: str, **environ: str) -> tuple[str, ...]:
    """Every problem of a file that has to have some."""
    with pytest.raises(ConfigError) as caught:
        read(folder, text, **environ)
    return caught.value.problems


def pinned(folder: Path, content: Any) -> str:
    """SIGNED with its keys in a file of this content instead of at a URL."""
    data = content if isinstance(content, str) else json.dumps(content)
    (folder / "keys.json").write_text(data, encoding="utf-8")
    return SIGNED.replace('jwks_url = "https://ehr.example.org/keys"', 'jwks_file = "keys.json"')
