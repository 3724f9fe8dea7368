"""docker/kubernetes: who reaches the pods, and whom they reach."""

import re

import pytest

from cds.config import Settings
from tests.docker.commands import routes
from tests.docker.manifests import KUBERNETES, ROOT, Pod, of_kind, pods, selected


PODS = pods()
CONTAINERS = [one for pod in PODS for one in pod.containers]
POLICIES = of_kind("NetworkPolicy")
GUIDE = (ROOT / "docs/deploying.md").read_text(encoding="utf-8")

of_pods = pytest.mark.parametrize("pod", PODS, ids=lambda pod: pod.name)


def test_probes_ask_paths_the_service_has_on_the_port_it_listens_on(settings: Settings) -> None:
    (serve,) = [one for one in CONTAINERS if one["name"] == "serve"]
    probes = {name: one["httpGet"] for name, one in serve.items() if name.endswith("Probe")}
    assert {name: one["path"] for name, one in probes.items()} == {
        "startupProbe": "/livez",
        "livenessProbe": "/livez",
        "readinessProbe": "/readyz",
    }
    assert {one["path"] for one in probes.values()} <= routes(settings)
    (port,) = serve["ports"]
    assert {one["port"] for one in probes.values()} == {port["name"]}
    assert port["containerPort"] == settings.port == 8080


def test_services_lead_to_the_replicas_and_only_from_inside() -> None:
    web = next(pod for pod in PODS if pod.name == "btce-cds-web")
    for service in of_kind("Service"):
        assert selected({"matchLabels": service["spec"]["selector"]}, web.labels)
        assert service["spec"].get("type", "ClusterIP") == "ClusterIP"
        (port,) = service["spec"]["ports"]
        assert (port["port"], port["targetPort"]) == (8080, "http")
    (stateful,) = of_kind("StatefulSet")
    assert stateful["spec"]["serviceName"] in {s["metadata"]["name"] for s in of_kind("Service")}


def test_from_outside_nobody_reaches_the_metrics(settings: Settings) -> None:
    (ingress,) = of_kind("Ingress")
    (rule,) = ingress["spec"]["rules"]
    paths = {one["path"]: one["pathType"] for one in rule["http"]["paths"]}
    known = routes(settings)
    assert [one for one in paths if one != "/smart" and not _leads(one, known)] == []
    assert [one for one in paths if "/metrics".startswith(one)] == []
    assert f"https://{rule['host']}" == settings.public_url
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]
    assert f"`{ingress['spec']['tls'][0]['secretName']}`" in GUIDE


def _leads(path: str, known: set[str]) -> bool:
    return any(one == path or one.startswith(f"{path}/") for one in known)


@of_pods
def test_what_no_policy_names_is_closed_to_every_pod(pod: Pod) -> None:
    closed = [
        one["spec"]
        for one in POLICIES
        if not one["spec"].get("ingress") and not one["spec"].get("egress")
    ]
    covering = [one for one in closed if selected(one["podSelector"], pod.labels)]
    assert {kind for one in covering for kind in one["policyTypes"]} == {"Ingress", "Egress"}


REACHES = {
    "btce-cds-web": {53, 5432, 443},
    "btce-cds-worker": {53, 5432, 443},
    "btce-cds-migrate": {53, 5432},
    "btce-cds-canary": {53, 443},
}


@of_pods
def test_a_pod_reaches_what_it_needs_and_only_replicas_are_reached(pod: Pod) -> None:
    policies = [one["spec"] for one in POLICIES if selected(one["spec"]["podSelector"], pod.labels)]
    out = [rule for one in policies for rule in one.get("egress", [])]
    into = [rule for one in policies for rule in one.get("ingress", [])]
    assert {port["port"] for rule in out for port in rule["ports"]} == REACHES[pod.name]
    assert all(rule["to"] for rule in out)
    assert all(rule["from"] for rule in into)
    reached = {port["port"] for rule in into for port in rule["ports"]}
    assert reached == ({8080} if pod.name == "btce-cds-web" else set())


def test_an_address_that_nobody_put_in_leads_nowhere() -> None:
    """RFC 5737: the three blocks for documentation."""
    blocks = re.findall(r"cidr: (\S+?)\.\d+/32", (KUBERNETES / "network-policies.yaml").read_text())
    assert sorted(blocks) == ["192.0.2", "198.51.100", "203.0.113"]
