"""docker/kubernetes: what the pods may do and what they are given."""

import re
from typing import Any

import pytest

from cds.config import Settings
from tests.docker.commands import refused_words
from tests.docker.dockerfile import read
from tests.docker.manifests import (
    DOCKER,
    KUBERNETES,
    MOUNTED,
    ROOT,
    Pod,
    documents,
    objects,
    of_kind,
    pods,
    selected,
)


PODS = pods()
CONTAINERS = [(pod, one) for pod in PODS for one in pod.containers]
SITE = (KUBERNETES / "site.toml").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs/deploying.md").read_text(encoding="utf-8")


def _name(value: Any) -> str:
    return value.name if isinstance(value, Pod) else value["name"]


of_pods = pytest.mark.parametrize("pod", PODS, ids=_name)
of_containers = pytest.mark.parametrize(("pod", "container"), CONTAINERS, ids=_name)


def test_every_file_of_the_folder_is_in_the_kustomization() -> None:
    (kustomization,) = documents(KUBERNETES / "kustomization.yaml")
    (generated,) = kustomization["configMapGenerator"]
    listed = [*kustomization["resources"], *generated["files"], "kustomization.yaml"]
    assert sorted(listed) == sorted(path.name for path in KUBERNETES.iterdir())


def test_labels_are_not_added_to_selectors() -> None:
    """They would be added to those for pods of other namespaces too, which then select nothing."""
    (kustomization,) = documents(KUBERNETES / "kustomization.yaml")
    assert [one.get("includeSelectors") for one in kustomization["labels"]] == [None]


def test_each_part_is_there_once() -> None:
    kinds = {pod.name.removeprefix("btce-cds-"): pod.kind for pod in PODS}
    assert kinds == {
        "migrate": "Job",
        "web": "StatefulSet",
        "worker": "Deployment",
        "canary": "CronJob",
    }


@of_pods
def test_no_pod_is_root_or_talks_to_the_cluster(pod: Pod) -> None:
    context = pod.spec["securityContext"]
    user, group = read(DOCKER / "Dockerfile")[1][-1].last("USER").rest.split(":")
    assert context["runAsNonRoot"] is True
    assert (context["runAsUser"], context["fsGroup"]) == (int(user), int(group))
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod.spec["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.spec.keys()


@of_containers
def test_no_container_gains_a_right_or_writes_outside_its_volumes(pod: Pod, container: Any) -> None:
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    writable = {one["mountPath"] for one in container["volumeMounts"] if "readOnly" not in one}
    assert writable <= {"/tmp", "/var/lib/btce-cds"}  # noqa: S108 - a path of the container
    assert "/tmp" in writable  # noqa: S108


@of_containers
def test_it_says_what_it_needs_and_its_memory_ends_somewhere(pod: Pod, container: Any) -> None:
    assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
    assert "memory" in container["resources"]["limits"]


@of_containers
def test_its_image_is_the_one_that_the_kustomization_names(pod: Pod, container: Any) -> None:
    (kustomization,) = documents(KUBERNETES / "kustomization.yaml")
    (image,) = kustomization["images"]
    assert container["image"] == image["name"]
    assert image.get("digest", image.get("newTag")) not in {None, "", "latest"}


def test_no_manifest_holds_a_secret() -> None:
    assert [one["metadata"]["name"] for one in objects() if one["kind"] == "Secret"] == []
    for file in KUBERNETES.iterdir():
        text = file.read_text(encoding="utf-8")
        assert re.search(r"postgresql(\+psycopg)?://|BEGIN [A-Z ]*PRIVATE|\"d\":", text) is None, (
            file
        )
    for _, container in CONTAINERS:
        assert [one["name"] for one in container.get("env", [])] in ([], ["BTCE_STORE_FILE"])


@of_pods
def test_every_secret_it_refers_to_is_in_the_guide_and_not_for_everybody_to_read(pod: Pod) -> None:
    secrets = [one["secret"] for one in pod.spec["volumes"] if "secret" in one]
    assert secrets
    assert [one["secretName"] for one in secrets if f"`{one['secretName']}`" not in GUIDE] == []
    assert {one["defaultMode"] for one in secrets} == {0o440}


@of_pods
def test_every_volume_is_used_and_every_mount_has_one(pod: Pod) -> None:
    claimed = [
        one["metadata"]["name"]
        for workload in of_kind("StatefulSet")
        for one in workload["spec"]["volumeClaimTemplates"]
        if workload["metadata"]["name"] == pod.name
    ]
    volumes = {*claimed, *(one["name"] for one in pod.spec["volumes"])}
    mounts = {one["name"] for container in pod.containers for one in container["volumeMounts"]}
    assert volumes == mounts


@of_pods
def test_its_configuration_is_the_map_that_is_made_from_the_site_file(pod: Pod) -> None:
    (kustomization,) = documents(KUBERNETES / "kustomization.yaml")
    (generated,) = kustomization["configMapGenerator"]
    maps = [one["configMap"]["name"] for one in pod.spec["volumes"] if "configMap" in one]
    assert maps == [generated["name"]]
    for words in pod.words():
        if "--config" in words:
            file = words[words.index("--config") + 1]
            assert file == f"/etc/btce-cds/{generated['files'][0]}"


@of_containers
def test_every_file_of_a_secret_that_it_reads_is_mounted_and_in_the_guide(
    pod: Pod, container: Any
) -> None:
    words = [*container.get("args", []), *(one["value"] for one in container.get("env", []))]
    named = [word for word in words if str(word).startswith(MOUNTED)]
    if "--config" in words:
        named += re.findall(rf'"({MOUNTED}[^"]+)"', SITE)
    mounts = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
    volumes = {one["name"]: one.get("secret", {}).get("secretName") for one in pod.spec["volumes"]}
    assert named
    for file in named:
        folder, _, key = str(file).rpartition("/")
        secret = volumes[mounts[folder]]
        row = next(line for line in GUIDE.splitlines() if line.startswith(f"| `{secret}`"))
        assert f"`{key}`" in row


def test_only_the_migration_has_the_account_that_owns_the_tables() -> None:
    owners = [pod.name for pod in PODS if "btce-cds-store-owner" in str(pod.spec["volumes"])]
    assert owners == ["btce-cds-migrate"]


def test_the_site_file_is_sound_and_shows_nothing_before_somebody_approves(
    settings: Settings,
) -> None:
    assert settings.auth == "jwt"
    assert {site.mode for site in settings.sites.values()} == {"silent"}


COMMANDS = [container["args"] for _, container in CONTAINERS if "command" not in container]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_its_command_is_one_the_program_has(words: list[str]) -> None:
    assert refused_words(words) == []


def test_the_only_other_program_is_in_the_image() -> None:
    others = [one["command"] for _, one in CONTAINERS if "command" in one]
    assert others == [["/opt/btce-cds/bin/python", "/opt/btce-cds/image/grants.py"]]
    assert (DOCKER / "image/grants.py").is_file()


def test_replicas_are_two_apart_and_not_taken_away_together() -> None:
    (web,) = of_kind("StatefulSet")
    assert web["spec"]["replicas"] == 2
    labels = web["spec"]["template"]["metadata"]["labels"]
    spread = web["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert {one["topologyKey"] for one in spread} >= {"kubernetes.io/hostname"}
    assert all(selected(one["labelSelector"], labels) for one in spread)
    budgets = [one["spec"] for one in of_kind("PodDisruptionBudget")]
    assert [one["maxUnavailable"] for one in budgets if selected(one["selector"], labels)] == [1]


def test_what_waits_for_the_database_outlives_the_pod(settings: Settings) -> None:
    (web,) = of_kind("StatefulSet")
    (claim,) = web["spec"]["volumeClaimTemplates"]
    (serve,) = web["spec"]["template"]["spec"]["containers"]
    mounts = {one["name"]: one["mountPath"] for one in serve["volumeMounts"]}
    assert settings.spool.is_relative_to(mounts[claim["metadata"]["name"]])


def test_a_replica_is_given_the_time_it_needs_to_end() -> None:
    (web,) = of_kind("StatefulSet")
    spec = web["spec"]["template"]["spec"]
    words = spec["containers"][0]["args"]
    drain = int(words[words.index("--drain-seconds") + 1])
    probe = spec["containers"][0]["readinessProbe"]
    assert spec["terminationGracePeriodSeconds"] >= drain + 10
    assert probe["periodSeconds"] * probe["failureThreshold"] < drain


def test_a_canary_that_fails_is_not_run_again_to_hide_it() -> None:
    (canary,) = of_kind("CronJob")
    assert canary["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert canary["spec"]["concurrencyPolicy"] == "Forbid"
    (site,) = re.findall(r"^\[sites\.([\w-]+)\]$", SITE, re.MULTILINE)
    words = canary["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert words[words.index("--site") + 1] == site
    assert f'iss = "{words[words.index("--issuer") + 1]}"' in SITE
