"""Nodes with GPUs are for training: every other pod stays off them, by preference where there may be no others, for
certain on EKS.
"""

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
        one["preference"]
        for one in pod["affinity"]["nodeAffinity"].get("preferredDuringSchedulingIgnoredDuringExecution", [])
    ]


def required(pod: Manifest) -> list[Manifest]:
    return (
        pod["affinity"]["nodeAffinity"]
        .get("requiredDuringSchedulingIgnoredDuringExecution", {})
        .get("nodeSelectorTerms", [])
    )


@pytest.mark.parametrize(("place", "pod"), EVERY_POD)
def test_pods_that_serve_stay_off_nodes_with_gpus(place, pod):
    if place == "production":
        assert required(pod) == NO_GPU_NODE
    else:
        assert (preferred(pod), required(pod)) == (NO_GPU_NODE, [])
    assert "tolerations" not in pod


@pytest.mark.parametrize("place", PLACES)
def test_pods_of_runs_that_are_no_job_of_a_model_only_prefer_it_because_training_has_the_same_settings(place):
    run = dagster_values(place)["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]["podSpecConfig"]
    assert (preferred(run), required(run)) == (NO_GPU_NODE, [])


def test_a_laptop_with_nodes_to_spare_can_require_it():
    for _, pod in pods(render(our_values("laptop", avoidGpuNodes="require"))):
        assert (preferred(pod["spec"]), required(pod["spec"])) == ([], NO_GPU_NODE)


@pytest.mark.parametrize("place", PLACES)
def test_work_makes_no_room_by_stopping_what_serves(place):
    classes = {one["metadata"]["name"]: one for one in of_kind(rendered(place), "PriorityClass")}
    values = {name.removeprefix("ml-assets-"): one["value"] for name, one in classes.items()}
    # The pods of Dagster's chart have no class, so their priority is 0. What is below -10 is not worth a node to the
    # cluster autoscaler.
    assert not any("priorityClassName" in pod["spec"] for pod in chart_pods(dagster_values(place)).values())
    assert values.pop("serving") > 0
    assert all(-10 <= value < 0 for value in values.values())
    assert values["training"] < values["data"] == values["runs"]
    assert {pod["spec"]["priorityClassName"] for _, pod in pods(rendered(place))} == {"ml-assets-serving"}
