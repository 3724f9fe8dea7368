"""The site file of docker/kubernetes, as a pod would read it."""

import json
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from cds.config import Settings, load
from tests.docker.manifests import KUBERNETES, MOUNTED


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """site.toml with a key and a secret where it expects them."""
    site = tmp_path / "site"
    site.mkdir()
    key = ECKey.generate_key("P-384", parameters={"kid": "one"})
    (site / "backend-key.json").write_text(json.dumps(key.as_dict(private=True)))
    (site / "canary-jwks.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    (site / "events-secret").write_text("x" * 40)
    file = tmp_path / "site.toml"
    text = (KUBERNETES / "site.toml").read_text("utf-8").replace(MOUNTED, f"{tmp_path}/")
    file.write_text(text, encoding="utf-8")
    return load(file, {})
