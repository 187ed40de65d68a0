"""Our chart rendered by Helm, and our values of the official Dagster chart."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
HELM = REPOSITORY / "helm"
CHART = HELM / "ml-assets"
NAMESPACE = "ml-assets"
# The values files that are used together, by the name of the place.
DAGSTER_VALUES = {"laptop": ["values.yaml"], "production": ["values.yaml", "values-production.yaml"]}
OUR_VALUES: dict[str, list[str]] = {"laptop": [], "production": ["ml-assets-production.yaml"]}
PLACES = list(DAGSTER_VALUES)

Manifest = dict[str, Any]

POD_VALUES = {
    "image": {"repository": "registry.example.com/serving", "tag": "0.2.0"},
    "priorityClassName": "important",
    "nodeSelector": {"pool": "serving"},
    "tolerations": [{"key": "serving", "operator": "Exists"}],
    "affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}},
    "podAnnotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"},
    "podLabels": {"team": "fraud", "ml-assets/part": "other"},
    "extraEnv": [{"name": "PGSSLROOTCERT", "value": "/etc/certificates/ca.crt"}],
    "extraVolumes": [{"name": "certificates", "configMap": {"name": "certificates"}}],
    "extraVolumeMounts": [{"name": "certificates", "mountPath": "/etc/certificates", "readOnly": True}],
}
# Values of our chart that set every option of its workloads.
EVERYTHING: dict[str, Any] = {
    "image": {"digest": "sha256:" + "0" * 64},
    "mlflow": {
        **POD_VALUES,
        "ingress": {"enabled": True, "className": "alb", "host": "mlflow.example.com", "tlsSecret": "mlflow-tls"},
        "httpRoute": {"enabled": True, "hostname": "mlflow.internal", "parentRefs": [{"name": "internal"}]},
        "resources": {"requests": {"cpu": 1, "memory": 805306368}, "limits": {"cpu": 1.5, "memory": "1Gi"}},
    },
    "scoring": {
        **POD_VALUES,
        "models": ["fraud_detection", "m" * 60],
        "ingress": {"enabled": True, "annotations": {"team": "fraud"}, "host": "{model}.scoring.example.com"},
        "httpRoute": {"enabled": True, "hostname": "{model}.internal", "parentRefs": [{"name": "internal"}]},
    },
    "network": {"mlflowClients": [{"podSelector": {}}]},
    "quota": {"hard": {"requests.cpu": 32, "pods": 100}},
    "dask": {"enabled": True},
}

# Without the cache it reads 8 MB of definitions for each manifest.
kubernetes_validate.utils.schema_contents = cache(kubernetes_validate.utils.schema_contents)


def merged(below: Any, above: Any) -> Any:
    """Merge values as Helm does: maps by key, everything else replaced, and null removes a key."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    both = {**below, **{name: merged(below.get(name), value) for name, value in above.items()}}
    return {name: value for name, value in both.items() if value is not None}


def read(name: str) -> Any:
    return yaml.safe_load((HELM / name).read_text())


@cache
def dagster_values(place: str) -> Mapping[str, Any]:
    values: Any = {}
    for name in DAGSTER_VALUES[place]:
        values = merged(values, read(name))
    return values


def our_values(place: str, **changes: Any) -> dict[str, Any]:
    values: Any = {}
    for name in OUR_VALUES[place]:
        values = merged(values, read(name))
    return {**values, **{name: merged(values.get(name, {}), value) for name, value in changes.items()}}


def documents(text: str) -> list[Manifest]:
    """Read the documents of a YAML text; the parser in C takes a tenth of the time."""
    return [document for document in yaml.load_all(text, yaml.CSafeLoader) if document]


def render(values: dict[str, Any], release: str = "ml-assets") -> list[Manifest]:
    """Render our chart by Helm."""
    with helm_python.Chart.load(CHART) as chart:
        rendered = chart.render(values, name=release, namespace=NAMESPACE)
    manifests = [text for name, text in rendered.items() if name.endswith(".yaml")]
    return [document for text in manifests for document in documents(text)]


@cache
def rendered(place: str) -> list[Manifest]:
    return render(our_values(place))


def plain(*paths: str) -> list[Manifest]:
    """Read manifests that are applied without Helm."""
    return [document for path in paths for document in documents((HELM / path).read_text())]


LAPTOP = plain("namespace.yaml", "laptop/postgresql.yaml", "laptop/object-store.yaml")


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Yield name and template of each pod of deployments, stateful sets and jobs."""
    for manifest in manifests:
        if "template" in manifest.get("spec", {}):
            yield manifest["metadata"]["name"], manifest["spec"]["template"]


def known_to(version: str, manifests: list[Manifest]) -> list[Manifest]:
    """Return the manifests without kinds that the chart renders only for newer versions of Kubernetes."""
    older = tuple(map(int, version.split("."))) < (1, 30)
    newer = {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"} if older else set()
    return [manifest for manifest in manifests if manifest["kind"] not in newer]


def containers(pod: Manifest) -> list[Manifest]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def validate(manifest: Manifest, version: str) -> None:
    """Validate a manifest as the API server of a version would; unknown fields are refused.

    Raises:
        kubernetes_validate.ValidationError: names the field.
    """
    _validate(json.dumps(manifest, sort_keys=True), version)


@cache
def _validate(manifest: str, version: str) -> None:
    kubernetes_validate.validate(json.loads(manifest), version, strict=True)
