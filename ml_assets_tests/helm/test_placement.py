"""Nodes with GPUs are for training: other pods avoid them, by preference on a laptop and by requirement on EKS."""

import pytest

from ml_assets.core.kubernetes.memory_sizing import UNITS, to_bytes
from ml_assets.core.kubernetes.pod_spec import GPU_NODE_LABELS, run_pod, training_pod
from ml_assets_tests.helm.charts import (
    HELM,
    LAPTOP,
    PLACES,
    Manifest,
    dagster_values,
    of_kind,
    our_values,
    pods,
    read,
    render,
    rendered,
)
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


@pytest.mark.parametrize("policy", ["PreemptLowerPriority", "Never"])
def test_a_shared_cluster_can_keep_serving_pods_from_stopping_others(policy):
    serving = {"value": 500, "preemptionPolicy": policy}
    classes = of_kind(render(our_values("laptop", priorityClasses={"serving": serving})), "PriorityClass")
    [rendered_class] = [
        priority_class for priority_class in classes if priority_class["metadata"]["name"] == "ml-assets-serving"
    ]
    assert {name: rendered_class[name] for name in serving} == serving


def test_scoring_pods_prefer_nodes_and_zones_of_their_own_among_the_nodes_that_they_may_use():
    [pod] = [pod["spec"] for name, pod in pods(rendered("production")) if "scoring" in name]
    [preference] = pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    [constraint] = pod["topologySpreadConstraints"]
    assert preference["podAffinityTerm"]["topologyKey"] == "topology.kubernetes.io/zone"
    assert constraint["topologyKey"] == "kubernetes.io/hostname"
    assert preference["podAffinityTerm"]["labelSelector"] == constraint["labelSelector"]
    assert required(pod) == NO_GPU_NODE


def requested(pod: Manifest) -> tuple[float, int]:
    """Return the processors, and the MiB of memory, that the containers of a pod request."""
    amounts = [container["resources"]["requests"] for container in pod["containers"]]
    processors = [str(amount["cpu"]) for amount in amounts]
    return (
        sum(float(cpu.removesuffix("m")) / (1000 if cpu.endswith("m") else 1) for cpu in processors),
        sum(to_bytes(amount["memory"]) for amount in amounts) // UNITS["Mi"],
    )


def test_the_laptop_of_the_guide_has_room_for_a_day(make_spec):
    spec = make_spec()
    replicas = read("ml-assets/values.yaml")["scoring"]["minReplicas"]
    templates = [
        *[pod for name, pod in pods(rendered("laptop")) for _ in range(replicas if "scoring" in name else 1)],
        *chart_pods(dagster_values("laptop")).values(),
        *[pod for name, pod in pods(LAPTOP) if name != "landing"],
    ]
    steps = [config["container_config"] for config in (run_pod(spec), training_pod(spec, "trained_model"))]
    amounts = [requested(pod) for pod in [*(template["spec"] for template in templates), {"containers": steps}]]
    # What kind's own pods request, on a node that also has the control plane.
    processors, memory = 0.95, 390
    assert sum(amount[0] for amount in amounts) + processors <= 4
    assert sum(amount[1] for amount in amounts) + memory <= 14e9 / UNITS["Mi"]
    assert "4 CPUs and 14 GB of memory for the cluster" in (HELM / "README.md").read_text()


def test_production_requests_more_than_a_laptop():
    def services(place: str) -> dict[str, tuple[float, int]]:
        templates = [*pods(rendered(place)), *chart_pods(dagster_values(place)).items()]
        return {name: requested(template["spec"]) for name, template in templates}

    laptop, production = services("laptop"), services("production")
    assert set(laptop) == set(production)
    assert all(production[name][0] > laptop[name][0] and production[name][1] >= laptop[name][1] for name in production)
