"""The pod of a step follows from `compute`."""

import pytest
from pydantic import ValidationError

from ml_assets.core.kubernetes.pod_spec import (
    GPU_NODE_LABELS,
    cost_labels,
    data_pod,
    plain_pod,
    resources,
    run_pod,
    training_pod,
)
from ml_assets.core.model_spec.compute import Compute, MemoryRule


def compute(make_spec, **fields):
    return make_spec(compute=fields)


def test_data_stages_have_their_own_requests_and_nodes(make_spec):
    spec = compute(
        make_spec,
        cpu=8,
        gpu=1,
        node_selector={"zone": "a"},
        data={"cpu": 0.25, "memory": "512Mi", "node_selector": {"pool": "small"}},
    )
    config = data_pod(spec, "features")
    assert config["container_config"]["resources"] == {
        "requests": {"cpu": "0.125", "memory": "512Mi"},
        "limits": {"cpu": "0.25", "memory": "512Mi"},
    }
    assert config["pod_spec_config"]["node_selector"] == {"pool": "small"}
    assert "tolerations" not in config["pod_spec_config"]


def test_training_without_gpus_requests_none_and_tolerates_no_taint(make_spec):
    config = training_pod(compute(make_spec, cpu=2), "trained_model")
    assert config["container_config"]["resources"]["limits"] == {"cpu": "2", "memory": "4Gi"}
    assert not {"node_selector", "tolerations"} & set(config["pod_spec_config"])


def terms(config, firmly=False):
    affinity = config["pod_spec_config"]["affinity"]["node_affinity"]
    if firmly:
        result = affinity.pop("required_during_scheduling_ignored_during_execution")["node_selector_terms"]
    else:
        result = [
            weighted["preference"] for weighted in affinity.pop("preferred_during_scheduling_ignored_during_execution")
        ]
    assert affinity == {}
    return [
        [(match["key"], match["operator"], *match.get("values", [])) for match in term["match_expressions"]]
        for term in result
    ]


NO_GPU_LABEL = [(label, "DoesNotExist") for label in GPU_NODE_LABELS]


def test_pods_without_gpus_stay_off_nodes_that_have_them(make_spec):
    spec = compute(make_spec)
    for config in (data_pod(spec, "features"), run_pod(spec), training_pod(spec, "trained_model")):
        assert terms(config) == [NO_GPU_LABEL]
    assert "affinity" not in training_pod(compute(make_spec, gpu=1), "trained_model")["pod_spec_config"]


def test_pods_without_gpus_wait_when_other_nodes_are_required(make_spec):
    spec = compute(make_spec, data={"avoid_gpu_nodes": "require"})
    for config in (data_pod(spec, "features"), run_pod(spec), training_pod(spec, "trained_model")):
        assert terms(config, firmly=True) == [NO_GPU_LABEL]


@pytest.mark.parametrize(
    ("fields", "others"),
    [
        ({"gpu": 1, "node_selector": {"pool": "big"}}, [("pool", "NotIn", "big")]),
        (
            {"gpu": 1, "node_selector": {"pool": "big", "disk": "fast"}},
            [("pool", "NotIn", "big"), ("disk", "NotIn", "fast")],
        ),
        ({"gpu": 1, "gpu_type": "NVIDIA-L4"}, [("nvidia.com/gpu.product", "NotIn", "NVIDIA-L4")]),
        # Data may be made in the zone where models are trained, and on nodes of the same processor.
        ({"gpu": 1, "node_selector": {"topology.kubernetes.io/zone": "a", "kubernetes.io/arch": "amd64"}}, []),
        # Known already.
        ({"gpu": 1, "node_selector": {"accelerator": "a100"}}, []),
        # Nodes of training without GPUs may be those of data.
        ({"gpu": 0, "node_selector": {"pool": "big"}}, []),
    ],
)
def test_other_pods_avoid_the_labels_by_which_training_selects_gpu_nodes(make_spec, fields, others):
    result = terms(data_pod(compute(make_spec, **fields), "features"))
    assert result == ([[*NO_GPU_LABEL, match] for match in others] or [NO_GPU_LABEL])


def test_only_training_that_creates_a_dask_cluster_has_a_token(make_spec):
    on_kubernetes = {"engine": "dask", "dask": {"kubernetes": {"image": "ml-assets:1"}}}
    training = make_spec().model_dump(mode="json", by_alias=True)["training"]
    spec = make_spec(training={**training, **on_kubernetes})
    assert training_pod(spec, "trained_model")["pod_spec_config"]["automount_service_account_token"] is True
    assert data_pod(spec, "features")["pod_spec_config"]["automount_service_account_token"] is False
    assert training_pod(make_spec(), "trained_model")["pod_spec_config"]["automount_service_account_token"] is False


def test_a_gpu_type_is_a_node_label(make_spec):
    config = training_pod(compute(make_spec, gpu=2, gpu_type="NVIDIA-L4"), "trained_model")
    assert config["pod_spec_config"]["node_selector"] == {"nvidia.com/gpu.product": "NVIDIA-L4"}
    assert config["container_config"]["resources"]["limits"]["nvidia.com/gpu"] == "2"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, {"cpu": "1.5", "memory": "3072Mi"}),
        ({"cpu": 2, "memory": "3Gi"}, {"cpu": "2.5", "memory": "4096Mi"}),
        ({"share_pod": False, "cpu": 2}, {"cpu": "0.5", "memory": "1024Mi"}),
        ({"memory": {"base": "1Gi", "per_input_byte": 1, "maximum": "2Gi"}}, {"cpu": "0.5", "memory": "1024Mi"}),
    ],
)
def test_a_run_pod_has_resources_for_one_step_only_where_steps_share_it(make_spec, data, expected):
    assert run_pod(compute(make_spec, data=data))["container_config"]["resources"]["limits"] == expected


def test_a_run_pod_is_where_the_steps_that_share_it_belong(make_spec):
    data = {"node_selector": {"pool": "small"}, "tolerations": [{"key": "data", "operator": "Exists"}]}
    shared, own = (
        run_pod(compute(make_spec, data={**data, "share_pod": shares}))["pod_spec_config"] for shares in (True, False)
    )
    assert shared["node_selector"] == {"pool": "small"}
    assert shared["tolerations"] == [{"key": "data", "operator": "Exists"}]
    assert shared["priority_class_name"] == "ml-assets-data"
    assert not {"node_selector", "tolerations", "priority_class_name"} & set(own)


def test_the_maximum_run_time_counts_from_when_the_pod_is_on_a_node(make_spec):
    spec = compute(make_spec, max_runtime="2h", data={"max_runtime": "5m"})
    assert training_pod(spec, "trained_model")["pod_spec_config"]["active_deadline_seconds"] == 7200
    assert data_pod(spec, "features")["pod_spec_config"]["active_deadline_seconds"] == 300
    assert "active_deadline_seconds" not in training_pod(spec, "trained_model")["job_spec_config"]


def test_priority_classes_depend_on_the_stage_and_are_optional(make_spec):
    assert (
        training_pod(compute(make_spec), "trained_model")["pod_spec_config"]["priority_class_name"]
        == "ml-assets-training"
    )
    assert data_pod(compute(make_spec), "features")["pod_spec_config"]["priority_class_name"] == "ml-assets-data"
    assert (
        "priority_class_name"
        not in data_pod(compute(make_spec, data={"priority_class": None}), "features")["pod_spec_config"]
    )


def test_memory_by_a_rule_begins_with_its_base():
    rule = MemoryRule(base="1Gi", per_input_byte=3, maximum="8Gi")
    assert resources(1, rule)["limits"]["memory"] == "1Gi"


def test_a_cost_label_ends_with_a_letter_or_digit():
    assert cost_labels("model_", "features") == {"ml-assets/model": "model", "ml-assets/stage": "features"}


def test_steps_without_a_stage_have_limits_and_meet_the_restricted_standard():
    config = plain_pod()
    assert config["container_config"]["resources"]["limits"] == {"cpu": "1", "memory": "2Gi"}
    assert config["container_config"]["security_context"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"gpu_type": "NVIDIA-L4"}, "gpu_type: needs gpu to be 1 or more"),
        ({"memory": "4G"}, "memory"),
        ({"memory": {"base": "1Gi", "per_input_byte": 0, "maximum": "2Gi"}}, "per_input_byte"),
        ({"tolerations": [{"key": "a"}]}, "toleration of a: operator Equal needs a value"),
        ({"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}, "operator Exists has none"),
        ({"node_selector": {"zone": "not a label"}}, "node_selector"),
        (
            {"data": {"share_pod": True, "memory": {"base": "1Gi", "per_input_byte": 1, "maximum": "2Gi"}}},
            "share_pod: the pod of the run is started",
        ),
        ({"service_account": "a", "data": {"share_pod": True}}, "have the service account of the run"),
        ({"max_runtime": "0m"}, "longer than 0"),
    ],
)
def test_contradictory_compute_settings_are_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        Compute.model_validate(fields)
