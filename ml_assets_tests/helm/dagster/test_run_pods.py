"""The jobs of Dagster's run launcher for runs and steps with our values, built by functions of dagster-k8s."""

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
# Settings of /tmp in the tags of ops. Dagster concatenates lists and keeps equal entries once; Kubernetes would refuse
# two volumes with the same name.
STEP = {
    "container_config": {
        "volume_mounts": [{"name": "tmp", "mount_path": "/tmp"}],
        "resources": {"limits": {"cpu": "2", "memory": "2Gi"}},
    },
    "pod_spec_config": {"volumes": [{"name": "tmp", "empty_dir": {}}], "priority_class_name": "ml-assets-training"},
}


def kubeconfig(folder: Path) -> str:
    """Write a kubeconfig for a cluster that does not exist, and return its path."""
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
    """Build the run launcher of a place."""
    config = instance_config(dagster_values(request.param))["run_launcher"]["config"]
    return K8sRunLauncher(**{**config, "load_incluster_config": False, "kubeconfig_file": kubeconfig(tmp_path)})


def job(launcher: K8sRunLauncher, component: str, tags: dict[str, Any] | None = None) -> Manifest:
    context = K8sContainerContext.create_for_run(
        DagsterRun(job_name="fraud_detection_daily"), launcher, include_run_tags=True
    )
    if tags:
        context = context.merge(K8sContainerContext(run_k8s_config=UserDefinedDagsterK8sConfig.from_dict(tags)))
    kubernetes_job = construct_dagster_k8s_job(
        job_config=context.get_k8s_job_config(IMAGE, launcher),
        args=["dagster", "api", "execute_run"],
        job_name=f"dagster-{component.replace('_', '-')}-1",
        component=component,
        user_defined_k8s_config=context.run_k8s_config,
    )
    return kubernetes.client.ApiClient().sanitize_for_serialization(kubernetes_job)


@pytest.mark.parametrize(("component", "tags"), [("run_worker", None), ("step_worker", STEP)])
def test_pods_of_runs_and_steps_are_valid_restricted_and_labelled_for_network_policies(launcher, component, tags):
    manifest = job(launcher, component, tags)
    validate(manifest, "1.37")
    template = manifest["spec"]["template"]
    assert violations(template) == []
    assert template["metadata"]["labels"]["ml-assets/part"] == "run"
    spec = template["spec"]
    [container] = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    names = [volume["name"] for volume in spec["volumes"]]
    assert sorted(names) == sorted(set(names))
    places = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert sorted(places) == sorted(set(places))
    # The command contains the instance, so dagster.yaml is not needed; the directory is.
    assert {"/tmp", "/opt/dagster/dagster_home"} <= set(places)
    assert set(container["resources"]["limits"]) == {"cpu", "memory"}


def test_runs_have_their_own_account_and_priority_and_kubernetes_does_not_retry_them(launcher):
    manifest = job(launcher, "run_worker")
    spec = manifest["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == "ml-assets"
    assert spec["priorityClassName"] == "ml-assets-runs"
    assert spec["enableServiceLinks"] is False
    assert manifest["spec"]["backoffLimit"] == 0
    assert manifest["spec"]["ttlSecondsAfterFinished"] > 0
    assert manifest["spec"]["template"]["metadata"]["annotations"]["karpenter.sh/do-not-disrupt"] == "true"
    assert {"configMapRef": {"name": "ml-assets-environment"}} in spec["containers"][0]["envFrom"]


def test_the_tags_of_a_step_set_its_priority_and_resources(launcher):
    spec = job(launcher, "step_worker", STEP)["spec"]["template"]["spec"]
    assert spec["priorityClassName"] == "ml-assets-training"
    assert spec["containers"][0]["resources"]["limits"] == {"cpu": "2", "memory": "2Gi"}
