"""docker/compose.yaml: what is published, who runs it, and that its parts know each other."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cds.config import Settings, load
from tests.docker.commands import refused_words, routes
from tests.docker.dockerfile import read
from tests.docker.manifests import DOCKER, Json, compose


SERVICES: Json = compose()["services"]
OURS = [name for name, one in SERVICES.items() if one["image"].startswith("btce-cds:")]
SECRETS = DOCKER / "compose/secrets"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder filled as the first comment of the file says."""
    folder = tmp_path_factory.mktemp("compose") / "secrets"
    prepare = [sys.executable, str(DOCKER / "prepare.py"), str(folder)]
    assert subprocess.run(prepare, check=False).returncode == 0  # noqa: S603 - our own script
    return folder


def settings(prepared: Path, folder: Path, **environ: str) -> Settings:
    """The site file, its secrets where `prepared` has them."""
    text = (DOCKER / "compose/site.toml").read_text(encoding="utf-8")
    file = folder / "site.toml"
    file.write_text(text.replace("/run/secrets/", f"{prepared}/"), encoding="utf-8")
    return load(file, environ)


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_the_loopback_address_alone(name: str) -> None:
    ports = SERVICES[name].get("ports", [])
    assert [port for port in ports if not str(port).startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_it_may_do_nothing_but_run(name: str) -> None:
    one = SERVICES[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in one


@pytest.mark.parametrize("name", SERVICES)
def test_it_does_not_run_as_root(name: str) -> None:
    one = SERVICES[name]
    if "build" in one:
        context = DOCKER / one["build"]["context"]
        file = context / one["build"].get("dockerfile", "Dockerfile")
        user = read(file)[1][-1].last("USER").rest
    else:
        user = one["user"]
    assert int(user.split(":")[0]) > 0


@pytest.mark.parametrize("name", SERVICES)
def test_its_image_has_a_tag_or_a_digest(name: str) -> None:
    image = re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", SERVICES[name]["image"])
    assert re.fullmatch(r"[a-z/.-]+(:(?!latest)[\w.-]+)?(@sha256:[0-9a-f]{64})?", image), image
    assert ":" in image


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_is_written_into_it(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    words = [word for word in environment if re.search(r"PASSW|SECRET|TOKEN|_STORE", word)]
    assert [word for word in words if not word.endswith("_FILE")] == []
    assert "://" not in " ".join(map(str, environment.values()))


@pytest.mark.parametrize("name", SERVICES)
def test_each_secret_it_names_is_given_to_it_and_made_by_the_script(
    name: str, prepared: Path
) -> None:
    given = set(SERVICES[name].get("secrets", []))
    files = compose()["secrets"]
    assert given <= files.keys()
    for secret in given:
        file = DOCKER / files[secret]["file"]
        assert file == SECRETS / secret
        assert (prepared / secret).read_bytes().strip()
    named = " ".join(map(str, SERVICES[name].get("environment", {}).values()))
    assert set(re.findall(r"/run/secrets/([\w.-]+)", named)) <= given


@pytest.mark.parametrize("name", [name for name in OURS if name != "grants"])
def test_whoever_reads_the_site_file_is_given_every_secret_it_names(name: str) -> None:
    text = (DOCKER / "compose/site.toml").read_text(encoding="utf-8")
    wanted = set(re.findall(r'"/run/secrets/([\w.-]+)"', text))
    assert wanted
    assert wanted <= set(SERVICES[name]["secrets"])


def test_only_the_migration_has_the_account_that_owns_the_tables() -> None:
    owners = [name for name, one in SERVICES.items() if "store-owner" in one.get("secrets", [])]
    assert owners == ["migrate", "grants"]


def test_secrets_are_for_their_owner_and_never_overwritten(prepared: Path) -> None:
    assert prepared.stat().st_mode & 0o777 == 0o700
    assert (prepared / "client-key.json").stat().st_mode & 0o777 == 0o600
    before = {file.name: file.read_bytes() for file in prepared.iterdir()}
    again = [sys.executable, str(DOCKER / "prepare.py"), str(prepared)]
    done = subprocess.run(again, check=False, capture_output=True)  # noqa: S603 - our own script
    assert done.returncode == 2
    assert {file.name: file.read_bytes() for file in prepared.iterdir()} == before
    assert "/secrets/" in (SECRETS.parent / ".gitignore").read_text(encoding="utf-8").split()


@pytest.mark.parametrize("name", [name for name in OURS if name != "grants"])
def test_its_command_is_one_the_program_has(name: str) -> None:
    image = read(DOCKER / "Dockerfile")[1][-1]
    words = SERVICES[name].get("command") or image.last("CMD").words
    assert refused_words(words) == []


def test_programs_it_calls_beside_the_command_line_are_in_the_image() -> None:
    words = [word for name in OURS for word in SERVICES[name].get("entrypoint", [])]
    words += [word for name in OURS for word in SERVICES[name]["healthcheck"].get("test", [])]
    scripts = {Path(word).name for word in words if word.endswith(".py")}
    assert scripts == {"grants.py", "healthcheck.py"}
    assert [name for name in scripts if not (DOCKER / "image" / name).exists()] == []


@pytest.mark.parametrize("name", ["web-1", "web-2"])
def test_its_health_is_a_path_of_the_service(name: str, prepared: Path, tmp_path: Path) -> None:
    path = SERVICES[name]["healthcheck"]["test"][-1]
    assert path in routes(settings(prepared, tmp_path))


def test_the_site_file_is_sound_and_everything_in_it_is_this_machine(
    prepared: Path, tmp_path: Path
) -> None:
    found = settings(prepared, tmp_path, BTCE_BIND="127.0.0.1:8082")
    assert found.auth == "jwt"
    assert [site.fhir_base for site in found.sites.values()] == ["http://127.0.0.1:8103/fhir"]


@pytest.mark.parametrize("name", [name for name in OURS if name != "grants"])
def test_the_site_file_is_sound_with_the_variables_its_container_has(
    name: str, prepared: Path, tmp_path: Path
) -> None:
    image = read(DOCKER / "Dockerfile")[1][-1].environment()
    own = SERVICES[name]["environment"]
    given = {key: str(value) for key, value in (image | own).items() if not key.endswith("_FILE")}
    found = settings(prepared, tmp_path, **given)
    assert {site.mode for site in found.sites.values()} == {"live"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_folder_in_memory_belongs_to_the_user_who_writes_there(name: str) -> None:
    # Over a folder of the image, runc before 1.1.8 keeps that folder's mode, whatever is asked.
    # /tmp may be written by everybody in any image.
    folders = dict(one.split(":", 1) for one in SERVICES[name].get("tmpfs", []))
    for folder in folders.keys() - {"/tmp"}:  # noqa: S108 - of the container
        user, group = SERVICES[name]["user"].split(":")
        assert {f"uid={user}", f"gid={group}"} <= set(folders[folder].split(","))


@pytest.mark.parametrize("name", [name for name, one in SERVICES.items() if one["restart"] != "no"])
def test_whoever_waits_for_it_has_a_check_to_wait_for(name: str) -> None:
    # `docker compose up --wait` fails at a container that stays and whose check is switched off.
    check = SERVICES[name].get("healthcheck")
    if "build" in SERVICES[name] and check is None:
        context = DOCKER / SERVICES[name]["build"]["context"]
        file = context / SERVICES[name]["build"].get("dockerfile", "Dockerfile")
        assert read(file)[1][-1].all("HEALTHCHECK")
    else:
        assert check
        assert "disable" not in check


def test_proxy_replicas_and_published_ports_agree(prepared: Path, tmp_path: Path) -> None:
    found = settings(prepared, tmp_path)
    proxy = SERVICES["proxy"]
    binds = [SERVICES[name]["environment"]["BTCE_BIND"] for name in ("web-1", "web-2")]
    assert proxy["environment"]["BTCE_SERVICE"].split() == binds
    assert f"{found.host}:{found.port}" in binds
    ports = SERVICES["loopback"]["ports"]
    inside = [port.split(":")[2] for port in ports]
    assert inside == [proxy["environment"]["BTCE_LISTEN"].split(":")[1], "8103"]
    assert found.public_url == f"https://localhost:{ports[0].split(':')[1]}"
    hapi = read(DOCKER / "hapi/Dockerfile")[1][-1]
    assert f"-Dport={inside[1]}" in hapi.last("ENTRYPOINT").words
    sharing = [name for name, one in SERVICES.items() if "network_mode" in one]
    assert sorted(sharing) == ["hapi", "proxy", "web-1", "web-2", "worker"]
    assert {SERVICES[name]["network_mode"] for name in sharing} == {"service:loopback"}


def test_the_container_that_holds_the_shared_network_does_nothing_else() -> None:
    # Who ends takes its network along: those that share it are cut off until they are restarted.
    modes = [one["network_mode"] for one in SERVICES.values() if "network_mode" in one]
    (owner,) = {mode.removeprefix("service:") for mode in modes}
    assert SERVICES[owner]["entrypoint"] == ["sleep", "infinity"]
    assert not {"secrets", "volumes", "environment", "depends_on"} & SERVICES[owner].keys()


def test_the_database_is_on_no_network_but_its_own() -> None:
    assert SERVICES["postgres"]["networks"] == ["store"]
    assert compose()["networks"]["store"]["internal"] is True
    assert "ports" not in SERVICES["postgres"]


def test_nothing_is_served_before_the_tables_and_the_rights_are_there() -> None:
    done = "service_completed_successfully"
    assert SERVICES["grants"]["depends_on"]["migrate"]["condition"] == done
    for name in ("web-1", "web-2", "worker"):
        assert SERVICES[name]["depends_on"]["grants"]["condition"] == done
        assert SERVICES[name]["depends_on"]["postgres"]["condition"] == "service_healthy"


def test_each_replica_keeps_what_waits_in_a_volume_of_its_own() -> None:
    mounts = [SERVICES[name]["volumes"] for name in ("web-1", "web-2", "worker")]
    volumes = [one.split(":")[0] for (one,) in mounts]
    assert len(set(volumes)) == 3
    assert set(volumes) <= compose()["volumes"].keys()
    assert {one.split(":")[1] for (one,) in mounts} == {"/var/lib/btce-cds"}


def test_every_file_that_is_mounted_exists() -> None:
    mounted = [one for service in SERVICES.values() for one in service.get("volumes", [])]
    files = [one.split(":")[0] for one in mounted if one.startswith(".")]
    files += [one["file"] for one in compose()["configs"].values()]
    assert [name for name in files if not (DOCKER / name).is_file()] == []


def test_a_replica_is_given_the_time_it_needs_to_end() -> None:
    words = read(DOCKER / "Dockerfile")[1][-1].last("CMD").words
    drain = int(words[words.index("--drain-seconds") + 1])
    for name in ("web-1", "web-2"):
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= drain + 10
