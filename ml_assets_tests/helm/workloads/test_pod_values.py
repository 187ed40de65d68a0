"""Values that each workload of the chart takes: where its pods run, and what is added to them."""

import json
from typing import Any

import pytest

from ml_assets.core.model_spec.model import ModelSpec
from ml_assets_tests.helm.charts import (
    CHART,
    EVERYTHING,
    POD_VALUES,
    Manifest,
    containers,
    of_kind,
    our_values,
    pods,
    render,
)
from ml_assets_tests.helm.pod_security import violations

MANIFESTS = render(our_values("production", **EVERYTHING))
PODS = [pytest.param(pod, id=name) for name, pod in pods(MANIFESTS)]
SCHEMA = json.loads((CHART / "values.schema.json").read_text())


def images(**changes: Any) -> dict[str, str]:
    """Return the image of each workload's last container by part."""
    return {
        pod["metadata"]["labels"]["ml-assets/part"]: pod["spec"]["containers"][-1]["image"]
        for _, pod in pods(render(our_values("laptop", **changes)))
    }


@pytest.mark.parametrize("pod", PODS)
def test_placement_of_the_values_is_that_of_the_pod(pod: Manifest):
    spec = pod["spec"]
    assert spec["nodeSelector"] == POD_VALUES["nodeSelector"]
    assert spec["tolerations"] == POD_VALUES["tolerations"]
    assert spec["priorityClassName"] == "important"
    own = {"podAntiAffinity"} if pod["metadata"]["labels"]["ml-assets/part"] == "scoring" else set()
    assert spec["affinity"].keys() == {"nodeAffinity", "podAffinity", *own}


@pytest.mark.parametrize("pod", PODS)
def test_labels_and_annotations_are_added_and_replace_none_that_a_selector_needs(pod: Manifest):
    metadata = pod["metadata"]
    assert metadata["labels"]["team"] == "fraud"
    assert metadata["labels"]["ml-assets/part"] in ("mlflow", "scoring")
    # A new version of the chart alone restarts no pod.
    assert "helm.sh/chart" not in metadata["labels"]
    assert metadata["annotations"].keys() == {"checksum/environment", *POD_VALUES["podAnnotations"]}


@pytest.mark.parametrize("pod", PODS)
def test_variables_and_volumes_reach_every_container(pod: Manifest):
    """A certificate for sslmode=verify-full is needed by the migration of the database, too."""
    assert POD_VALUES["extraVolumes"][0] in pod["spec"]["volumes"]
    for container in containers(pod):
        assert POD_VALUES["extraEnv"][0] in container["env"]
        assert POD_VALUES["extraVolumeMounts"][0] in container["volumeMounts"]


def test_a_cluster_that_chooses_users_gets_pods_without_one():
    removed = dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup"))
    for _, pod in pods(render({**our_values("laptop"), "podSecurityContext": removed})):
        assert pod["spec"]["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        assert violations(pod) == []


def test_quantities_may_be_numbers_and_are_rendered_as_strings():
    [mlflow] = [pod for name, pod in pods(MANIFESTS) if name == "ml-assets-mlflow"]
    assert mlflow["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "1", "memory": "805306368"},
        "limits": {"cpu": "1.5", "memory": "1Gi"},
    }
    [quota] = of_kind(MANIFESTS, "ResourceQuota")
    assert {quota["spec"]["hard"][name] for name in ("requests.cpu", "pods")} == {"32", "100"}


def test_a_digest_counts_instead_of_the_tag_that_it_belongs_to():
    digest = "sha256:" + "a" * 64
    assert images() == dict.fromkeys(("mlflow", "scoring"), "ml-assets:0.1.0")
    assert images(image={"digest": digest}) == dict.fromkeys(("mlflow", "scoring"), f"ml-assets@{digest}")
    own = {"repository": "serving", "tag": "0.2.0"}
    assert images(image={"digest": digest}, scoring={"image": own})["scoring"] == "serving:0.2.0"
    assert images(scoring={"image": {**own, "digest": digest}})["scoring"] == f"serving@{digest}"


@pytest.mark.parametrize(
    ("release", "overrides", "prefix"),
    [
        ("ml-assets", {}, "ml-assets"),
        ("prod", {}, "prod-ml-assets"),
        ("prod", {"fullnameOverride": "ml-assets"}, "ml-assets"),
        ("prod", {"nameOverride": "fraud"}, "prod-fraud"),
        ("r" * 53, {}, "r" * 40),
    ],
)
def test_every_name_in_the_namespace_begins_with_that_of_the_release(release, overrides, prefix):
    manifests = render({**our_values("laptop"), **overrides}, release)
    cluster_wide = ("PriorityClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    for manifest in manifests:
        name = manifest["metadata"]["name"]
        if manifest["kind"] not in cluster_wide and (manifest["kind"], name) != ("ServiceAccount", "dagster"):
            assert len(name) <= 63
            assert name == prefix or name.startswith(f"{prefix}-"), (manifest["kind"], name)
    sources = {source["configMapRef"]["name"] for _, pod in pods(manifests) for container in pod["spec"]["containers"]
               for source in container["envFrom"] if "configMapRef" in source}  # fmt: skip
    assert sources == {f"{prefix}-environment"}


@pytest.mark.parametrize("part", ["dagster", "code", "runs", "mlflow", "scoring"])
def test_an_account_of_your_own_is_used_and_not_created(part):
    manifests = render(our_values("laptop", serviceAccounts={part: {"create": False, "name": "ours"}}))
    assert len(of_kind(manifests, "ServiceAccount")) == 4
    assert "ours" not in {account["metadata"]["name"] for account in of_kind(manifests, "ServiceAccount")}
    if part in ("dagster", "runs"):
        bindings = [binding["subjects"][0]["name"] for binding in of_kind(manifests, "RoleBinding")]
        assert bindings.count("ours") == 1
        [policy] = of_kind(manifests, "ValidatingAdmissionPolicy")
        assert "system:serviceaccount:ml-assets:ours'" in policy["spec"]["matchConditions"][0]["expression"]
    elif part != "code":
        assert "ours" in {pod["spec"]["serviceAccountName"] for _, pod in pods(manifests)}


def test_a_node_is_drained_of_pods_that_are_not_ready():
    """Without a champion no pod is ready, and a budget would otherwise keep them on their node for ever."""
    for budget in of_kind(MANIFESTS, "PodDisruptionBudget"):
        assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_model_names_have_one_pattern_in_the_specification_and_in_the_chart():
    name = ModelSpec.model_json_schema()["properties"]["name"]
    served = SCHEMA["properties"]["scoring"]["properties"]["models"]["items"]
    assert (served["pattern"], served["maxLength"]) == (name["pattern"], name["maxLength"])


def test_the_longest_model_names_stay_apart():
    models = ["m" * 59 + "a", "m" * 59 + "b", "m" * 40]
    names = [name for name, _ in pods(render(our_values("laptop", scoring={"models": models}))) if "scoring" in name]
    assert len(set(names)) == 3
    assert all(len(name) <= 63 for name in names)


def test_mlflow_starts_no_job_runner():
    [mlflow] = [pod for name, pod in pods(MANIFESTS) if name == "ml-assets-mlflow"]
    switch = {"name": "MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "value": "false"}
    assert switch in mlflow["spec"]["containers"][0]["env"]
    from mlflow.environment_variables import MLFLOW_SERVER_ENABLE_JOB_EXECUTION

    assert MLFLOW_SERVER_ENABLE_JOB_EXECUTION.name == switch["name"]
