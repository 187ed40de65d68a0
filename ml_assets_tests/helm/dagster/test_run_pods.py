"""The jobs that Dagster's run launcher makes of our values, for runs and for steps, built with dagster-k8s' own
functions.
"""

from pathlib import Path
from typing import Any

import kubernetes
import pytest
import yaml
from dagster import DagsterRun
from dagster_k8s import K8sRunLauncher
from dagster_k8s.container_context import K8sContainerContext
from dagster_k8s.job import UserDefinedDagsterK8sConfig, construct_dagster_k8s_job

from ml_assets_tests.helm.charts import PLACES, Manifest, dagster_values, validate
from ml_assets_tests.helm.dagster.dagster_chart import instance_config
from ml_assets_tests.helm.pod_security import violations

IMAGE = "ml-assets:0.1.0"
# What tags of ops say about /tmp. Dagster puts lists one after the other and keeps equal entries once; two volumes of a
# name would be refused.
STEP = {
    "container_config": {
        "volume_mounts": [{"name": "tmp", "mount_path": "/tmp"}],
        "resources": {"limits": {"cpu": "2", "memory": "2Gi"}},
    },
    "pod_spec_config": {"volumes": [{"name": "tmp", "empty_dir": {}}], "priority_class_name": "ml-assets-training"},
}


def kubeconfig(folder: Path) -> str:
    """The path of a file that names a cluster which nobody asks anything."""
    cluster = {
        "clusters": [{"name": "none", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "none", "user": {}}],
    }
    context = {
        "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
        "current-context": "none",
    }
    (folder / "kubeconfig").write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **cluster, **context}))
    return str(folder / "kubeconfig")


@pytest.fixture(params=PLACES)
def launcher(request: pytest.FixtureRequest, tmp_path: Path) -> K8sRunLauncher:
    """The run launcher of a place."""
    config = instance_config(dagster_values(request.param))["run_launcher"]["config"]
    return K8sRunLauncher(**{**config, "load_incluster_config": False, "kubeconfig_file": kubeconfig(tmp_path)})


def job(launcher: K8sRunLauncher, component: str, tags: dict[str, Any] | None = None) -> Manifest:
    context = K8sContainerContext.create_for_run(
        DagsterRun(job_name="fraud_detection_daily"), launcher, include_run_tags=True
    )
    if tags:
        context = context.merge(K8sContainerContext(run_k8s_config=UserDefinedDagsterK8sConfig.from_dict(tags)))
    made = construct_dagster_k8s_job(
        job_config=context.get_k8s_job_config(IMAGE, launcher),
        args=["dagster", "api", "execute_run"],
        job_name=f"dagster-{component.replace('_', '-')}-1",
        component=component,
        user_defined_k8s_config=context.run_k8s_config,
    )
    return kubernetes.client.ApiClient().sanitize_for_serialization(made)


@pytest.mark.parametrize(("component", "tags"), [("run_worker", None), ("step_worker", STEP)])
def test_pods_of_runs_and_steps_are_restricted_valid_and_found_by_the_network_policies(launcher, component, tags):
    made = job(launcher, component, tags)
    validate(made, "1.37")
    template = made["spec"]["template"]
    assert violations(template) == []
    assert template["metadata"]["labels"]["ml-assets/part"] == "run"
    spec = template["spec"]
    [container] = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    names = [volume["name"] for volume in spec["volumes"]]
    assert sorted(names) == sorted(set(names))
    places = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert sorted(places) == sorted(set(places))
    # The instance comes with the command, so dagster.yaml need not be there; the directory must.
    assert {"/tmp", "/opt/dagster/dagster_home"} <= set(places)
    assert set(container["resources"]["limits"]) == {"cpu", "memory"}


def test_runs_have_an_account_and_a_priority_of_their_own_and_are_not_tried_again_by_kubernetes(launcher):
    made = job(launcher, "run_worker")
    spec = made["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == "ml-assets"
    assert spec["priorityClassName"] == "ml-assets-runs"
    assert spec["enableServiceLinks"] is False
    assert made["spec"]["backoffLimit"] == 0
    assert made["spec"]["ttlSecondsAfterFinished"] > 0
    assert made["spec"]["template"]["metadata"]["annotations"]["karpenter.sh/do-not-disrupt"] == "true"
    assert {"configMapRef": {"name": "ml-assets-environment"}} in spec["containers"][0]["envFrom"]


def test_a_step_says_itself_what_it_needs(launcher):
    spec = job(launcher, "step_worker", STEP)["spec"]["template"]["spec"]
    assert spec["priorityClassName"] == "ml-assets-training"
    assert spec["containers"][0]["resources"]["limits"] == {"cpu": "2", "memory": "2Gi"}
