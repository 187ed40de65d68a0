"""Nodes with GPUs are for training: other pods avoid them, by preference on a laptop and by requirement on EKS."""

import pytest

from ml_assets.core.kubernetes.pod_spec import GPU_NODE_LABELS
from ml_assets_tests.helm.charts import PLACES, Manifest, dagster_values, of_kind, our_values, pods, render, rendered
from ml_assets_tests.helm.dagster.dagster_chart import chart_pods

EVERY_POD = [
    pytest.param(place, pod["spec"], id=f"{place}-{name}")
    for place in PLACES
    for name, pod in [*pods(rendered(place)), *chart_pods(dagster_values(place)).items()]
]
NO_GPU_NODE = [{"matchExpressions": [{"key": label, "operator": "DoesNotExist"} for label in GPU_NODE_LABELS]}]


def preferred(pod: Manifest) -> list[Manifest]:
    return [
        term["preference"]
        for term in pod["affinity"]["nodeAffinity"].get("preferredDuringSchedulingIgnoredDuringExecution", [])
    ]


def required(pod: Manifest) -> list[Manifest]:
    return (
        pod["affinity"]["nodeAffinity"]
        .get("requiredDuringSchedulingIgnoredDuringExecution", {})
        .get("nodeSelectorTerms", [])
    )


@pytest.mark.parametrize(("place", "pod"), EVERY_POD)
def test_serving_pods_avoid_nodes_with_gpus(place, pod):
    if place == "production":
        assert required(pod) == NO_GPU_NODE
    else:
        assert (preferred(pod), required(pod)) == (NO_GPU_NODE, [])
    assert "tolerations" not in pod


@pytest.mark.parametrize("place", PLACES)
def test_run_pods_only_prefer_other_nodes_because_training_shares_their_settings(place):
    run = dagster_values(place)["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]["podSpecConfig"]
    assert (preferred(run), required(run)) == (NO_GPU_NODE, [])


def test_a_laptop_can_require_nodes_without_gpus():
    for _, pod in pods(render(our_values("laptop", avoidGpuNodes="require"))):
        assert (preferred(pod["spec"]), required(pod["spec"])) == ([], NO_GPU_NODE)


@pytest.mark.parametrize("place", PLACES)
def test_runs_never_preempt_serving_pods(place):
    classes = {
        priority_class["metadata"]["name"]: priority_class
        for priority_class in of_kind(rendered(place), "PriorityClass")
    }
    values = {name.removeprefix("ml-assets-"): priority_class["value"] for name, priority_class in classes.items()}
    # The pods of Dagster's chart have no class, so their priority is 0. For a priority below -10 the cluster autoscaler
    # adds no node.
    assert not any("priorityClassName" in pod["spec"] for pod in chart_pods(dagster_values(place)).values())
    assert values.pop("serving") > 0
    assert all(-10 <= value < 0 for value in values.values())
    assert values["training"] < values["data"] == values["runs"]
    assert {pod["spec"]["priorityClassName"] for _, pod in pods(rendered(place))} == {"ml-assets-serving"}
