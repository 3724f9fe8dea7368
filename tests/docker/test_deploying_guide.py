"""What docs/deploying.md and docker/README.md name is there, and their numbers are those in use."""

import re
from pathlib import Path

import pytest

from cds.config.setting import Setting
from cds.config.table import SETTINGS
from tests.docker.dockerfile import read
from tests.docker.manifests import DOCKER, KUBERNETES, ROOT


GUIDE = (ROOT / "docs/deploying.md").read_text(encoding="utf-8")
IMAGE = read(DOCKER / "Dockerfile")[1][-1]


@pytest.mark.parametrize("name", ["docs/deploying.md", "docker/README.md"])
def test_every_relative_link_leads_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    assert links
    assert [link for link in links if not (ROOT / name).parent.joinpath(link).exists()] == []


def test_every_file_of_the_folder_is_in_its_table() -> None:
    table = (DOCKER / "README.md").read_text(encoding="utf-8")
    for path in sorted(DOCKER.iterdir()):
        if path.name not in {"README.md", "__pycache__"}:
            name = f"{path.name}/" if path.is_dir() else path.name
            assert f"`{name}" in table, name


def test_the_variables_in_its_table_are_those_of_the_image() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `?([^`|]+?)`? \|", GUIDE, re.MULTILINE))
    given = {name: value for name, value in IMAGE.environment().items() if name[:5] == "BTCE_"}
    assert given.items() <= rows.items()
    assert {value for name, value in rows.items() if name not in given} == {"not set"}
    known = {one.environ for one in SETTINGS if isinstance(one, Setting) and one.environ}
    assert {name.removesuffix("_FILE") for name in rows} - {"SSL_CERT"} <= known


def test_the_user_and_the_command_it_names_are_those_of_the_image() -> None:
    user = IMAGE.last("USER").rest.split(":")[0]
    assert f"user and group {user}" in GUIDE
    assert f"`{' '.join(IMAGE.last('CMD').words)}`" in GUIDE


def test_the_labels_it_asks_for_are_those_the_policies_look_for() -> None:
    policies = (KUBERNETES / "network-policies.yaml").read_text(encoding="utf-8")
    asked = set(re.findall(r"kubectl label namespace \S+ (\S+)=(\S+)", GUIDE))
    assert asked == set(re.findall(r"(btce-cds\.org/role): (\w+)", policies))


def test_the_paths_for_outside_are_those_of_the_ingress() -> None:
    ingress = (KUBERNETES / "ingress.yaml").read_text(encoding="utf-8")
    open_paths = set(re.findall(r"path: (/\w[\w-]*)", ingress))
    table = GUIDE.split("| path | who may reach it |")[1].split("\n\n")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `/")]
    named = {path for line in rows for path in re.findall(r"`(/[\w-]+)`", line)}
    assert named == open_paths | {"/metrics"}


@pytest.mark.parametrize("path", sorted(DOCKER.glob("**/*.py")), ids=lambda path: path.name)
def test_programs_of_the_folder_say_what_they_are_for(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith('#!/usr/bin/env python3\n"""')
