"""The YAML files of docker/, read strictly, and what is asked of them more than once."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml


ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
KUBERNETES = DOCKER / "kubernetes"
MOUNTED = "/run/secrets/"  # where secrets are in a container

Json = dict[str, Any]


class _Strict(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping; PyYAML keeps the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        own = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        twice = {name for name in own if own.count(name) > 1}
        if twice and not getattr(node, "flat", False):
            raise yaml.constructor.ConstructorError(None, None, f"twice: {twice}", node.start_mark)
        node.flat = True  # type: ignore[attr-defined]  # merged keys may now stand twice
        return super().construct_mapping(node, deep)


def documents(file: Path) -> list[Json]:
    """Every document of a file."""
    with file.open(encoding="utf-8") as stream:
        return list(yaml.load_all(stream, Loader=_Strict))


class Pod(NamedTuple):
    """What runs: the object that makes the pods, their labels and their specification."""

    kind: str
    name: str
    labels: Mapping[str, str]
    spec: Json

    @property
    def containers(self) -> list[Json]:
        """Those that prepare and those that stay."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    def words(self) -> Iterator[list[str]]:
        """The arguments of every container."""
        for one in self.containers:
            yield [*one.get("command", []), *one.get("args", [])]


def objects() -> list[Json]:
    """All objects that kustomization.yaml lists."""
    listed = documents(KUBERNETES / "kustomization.yaml")[0]["resources"]
    return [one for name in listed for one in documents(KUBERNETES / name)]


def of_kind(kind: str) -> list[Json]:
    """The objects of one kind; there is at least one."""
    found = [one for one in objects() if one["kind"] == kind]
    assert found, kind
    return found


def pods() -> list[Pod]:
    """Every pod that will run."""
    found = []
    for one in objects():
        spec = one.get("spec", {})
        template = spec.get("template") or spec.get("jobTemplate", {}).get("spec", {}).get(
            "template"
        )
        if template:
            labels = template["metadata"]["labels"]
            found.append(Pod(one["kind"], one["metadata"]["name"], labels, template["spec"]))
    assert found
    return found


def selected(selector: Json, labels: Mapping[str, str]) -> bool:
    """Whether a Kubernetes label selector takes these labels; an empty one takes all."""
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In", expression
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()


def compose() -> Json:
    """docker/compose.yaml."""
    (found,) = documents(DOCKER / "compose.yaml")
    return found
