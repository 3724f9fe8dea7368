"""The image holds what it needs and no more, and runs without root, shell or network of its own."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.docker.dockerfile import read
from tests.docker.manifests import DOCKER, ROOT


FILE = DOCKER / "Dockerfile"
# Such as python:${PYTHON_TAG}${PYTHON_DIGEST:+@${PYTHON_DIGEST}}
BASE = re.compile(r"[a-z-]+:\$\{(\w+)_TAG\}\$\{(\w+)_DIGEST:\+@\$\{\2_DIGEST\}\}")
BOTH = [FILE, DOCKER / "hapi/Dockerfile"]


@pytest.mark.parametrize("file", BOTH, ids=["service", "hapi"])
def test_every_base_is_named_by_a_tag_and_by_the_digest_that_is_given(file: Path) -> None:
    arguments, stages = read(file)
    for stage in stages:
        found = re.fullmatch(
            r"[a-z-]+:\$\{(\w+)_TAG\}\$\{(\w+)_DIGEST:\+@\$\{\2_DIGEST\}\}", stage.base
        )
        assert found, stage.base
        assert found[1] == found[2]
        assert arguments[f"{found[1]}_TAG"] not in {"", "latest"}
        assert arguments[f"{found[1]}_DIGEST"] == ""


@pytest.mark.parametrize("file", BOTH, ids=["service", "hapi"])
def test_it_runs_as_a_fixed_number_that_is_not_root(file: Path) -> None:
    user, group = read(file)[1][-1].last("USER").rest.split(":")
    assert int(user) >= 10000
    assert int(group) >= 10000


@pytest.mark.parametrize("name", ["ENTRYPOINT", "CMD"])
def test_no_shell_stands_between_the_engine_and_the_service(name: str) -> None:
    instruction = read(FILE)[1][-1].last(name)
    assert instruction.exec_form
    assert not {"sh", "/bin/sh", "bash"} & set(instruction.words)


def test_the_health_check_needs_no_shell_and_asks_the_path_for_being_alive() -> None:
    rest = read(FILE)[1][-1].last("HEALTHCHECK").rest
    assert rest.startswith('CMD ["/opt/btce-cds/bin/python"')
    assert rest.endswith('"/livez"]')


def test_libraries_come_from_the_lock_with_hashes_and_as_wheels() -> None:
    build = read(FILE)[1][0]
    installs = [one.rest for one in build.all("RUN") if "pip install" in one.rest]
    with_index = [one for one in installs if "--no-index" not in one]
    assert any("--requirement requirements.lock" in one for one in with_index)
    for one in with_index:
        assert "--require-hashes" in one
        assert "--only-binary=:all:" in one


def test_the_package_is_built_and_installed_without_an_index() -> None:
    build = read(FILE)[1][0]
    (made,) = [one.rest for one in build.all("RUN") if "pip wheel" in one.rest]
    (put,) = [one.rest for one in build.all("RUN") if "wheel/*.whl" in one.rest]
    assert {"--no-index", "--no-deps", "--no-build-isolation"} <= set(made.split())
    assert {"--no-index", "--no-deps"} <= set(put.split())


def test_the_last_stage_installs_nothing_and_takes_files_from_the_build_alone() -> None:
    last = read(FILE)[1][-1]
    assert [one.rest for one in last.all("RUN") if not one.exec_form] == []
    assert all(one.options.get("from") == "build" for one in last.all("COPY"))
    assert last.all("ADD") == []


def test_no_secret_is_an_argument_or_a_variable_of_the_image() -> None:
    arguments, stages = read(FILE)
    names = {*arguments, *(one.rest for stage in stages for one in stage.all("ARG"))}
    names |= {name for stage in stages for name in stage.environment()}
    assert [one for one in names if re.search(r"PASSW|SECRET|TOKEN|KEY|BTCE_STORE", one)] == []


def test_what_it_writes_lies_in_the_folder_of_its_user() -> None:
    last = read(FILE)[1][-1]
    (install,) = [one.words for one in last.all("RUN")]
    user = last.last("USER").rest.split(":")[0]
    assert install[:3] == ["install", "-d", "-o"]
    assert install[3] == user
    folder = install[-1]
    environment = last.environment()
    assert environment["BTCE_SPOOL"].startswith(f"{folder}/")
    assert environment["HOME"] == last.last("WORKDIR").rest == folder


def test_the_port_is_the_one_it_listens_on() -> None:
    last = read(FILE)[1][-1]
    assert last.environment()["BTCE_BIND"].endswith(f":{last.last('EXPOSE').rest}")


def _admitted(path: str) -> bool:
    """By .dockerignore, whose last matching line decides; a folder admits what is in it."""
    taken = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!").removeprefix("**/")
        parts = [str(one) for one in (Path(path), *Path(path).parents)]
        named = [Path(one).name for one in parts] if "**/" in line else parts
        if any(fnmatch(one, pattern) for one in named):
            taken = line.startswith("!")
    return taken


def test_every_file_that_is_copied_exists_and_enters_the_build() -> None:
    copies = [one for one in read(FILE)[1][0].all("COPY") if "from" not in one.options]
    sources = [word for one in copies for word in one.words[:-1]]
    assert sources
    assert [one for one in sources if not (ROOT / one).exists() or not _admitted(one)] == []


CONFIDENTIAL = [".git/config", ".env", "site/site.toml", "docker/compose/secrets/store-owner"]
LEFT_OVER = ["tests/conftest.py", "cds/COMMIT", "btce-cds.sqlite", "cds/a.sqlite", "cds/a.pyc"]


@pytest.mark.parametrize("path", [*CONFIDENTIAL, *LEFT_OVER])
def test_what_is_confidential_or_left_over_never_enters_a_build(path: str) -> None:
    assert not _admitted(path)
