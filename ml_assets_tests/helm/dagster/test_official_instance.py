"""The dagster.yaml of the official Dagster chart with our values, opened by Dagster; DAGSTER_CHART names the chart."""

from pathlib import Path
from typing import Any

import dagster as dg
import helm_python
import pytest
import yaml
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster._core.scheduler import DagsterDaemonScheduler
from dagster_aws.s3 import S3ComputeLogManager
from dagster_k8s import K8sRunLauncher

from ml_assets.resources.probes import instance_probe
from ml_assets_tests.helm.charts import PLACES, Manifest, dagster_values, merged, of_kind, validate
from ml_assets_tests.helm.dagster.dagster_chart import instance_config
from ml_assets_tests.helm.dagster.official_chart import if_chart_is_available, official, render
from ml_assets_tests.helm.dagster.test_run_pods import STEP, job, kubeconfig
from ml_assets_tests.helm.pod_security import violations
from ml_assets_tests.support.postgresql import PASSWORD, USER


def file_of(manifests: list[Manifest], name: str) -> str:
    # The one for the environment of the code server is empty.
    [content] = [
        config_map["data"][name] for config_map in of_kind(manifests, "ConfigMap") if name in (config_map["data"] or {})
    ]
    return content


@if_chart_is_available
@pytest.mark.parametrize("place", PLACES)
def test_it_equals_the_dagster_yaml_of_the_model_of_the_chart(place):
    assert yaml.safe_load(file_of(official(place), "dagster.yaml")) == instance_config(dagster_values(place))


@if_chart_is_available
@pytest.mark.parametrize("place", PLACES)
def test_dagster_opens_it_on_a_real_server_and_launches_restricted_pods(place, request, tmp_path: Path, monkeypatch):
    server = request.getfixturevalue("postgresql")
    database = {
        "postgresqlHost": "127.0.0.1",
        "postgresqlUsername": USER,
        "postgresqlDatabase": server.new_database().rpartition("/")[2],
    }
    # The server of the tests has no certificate, and there is no cluster.
    changes: dict[str, Any] = {
        "postgresql": {**database, "postgresqlParams": {"sslmode": "disable"}, "service": {"port": server.port}},
        "runLauncher": {
            "config": {"k8sRunLauncher": {"loadInclusterConfig": False, "kubeconfigFile": kubeconfig(tmp_path)}}
        },
    }
    (tmp_path / "dagster.yaml").write_text(file_of(render(merged(dagster_values(place), changes)), "dagster.yaml"))
    monkeypatch.setenv("DAGSTER_PG_PASSWORD", PASSWORD)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance_probe.read_storage_kind(instance) == "postgresql"
        assert instance.get_runs_count() == 0
        assert isinstance(instance.compute_log_manager, S3ComputeLogManager)
        assert isinstance(instance.run_coordinator, QueuedRunCoordinator)
        assert isinstance(instance.scheduler, DagsterDaemonScheduler)
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.max_concurrent_runs == 10
        launcher = instance.run_launcher
        assert isinstance(launcher, K8sRunLauncher)
        for component, tags in (("run_worker", None), ("step_worker", STEP)):
            manifest = job(launcher, component, tags)
            validate(manifest, "1.37")
            assert violations(manifest["spec"]["template"]) == []
            assert manifest["spec"]["template"]["metadata"]["labels"]["ml-assets/part"] == "run"


@if_chart_is_available
@pytest.mark.parametrize("place", PLACES)
def test_the_code_server_is_found_by_the_name_of_its_service(place):
    [location] = yaml.safe_load(file_of(official(place), "workspace.yaml"))["load_from"]
    services = {
        service["metadata"]["name"]: service["spec"]["ports"][0]["port"]
        for service in of_kind(official(place), "Service")
    }
    assert services[location["grpc_server"]["host"]] == location["grpc_server"]["port"]


@if_chart_is_available
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dagsterDaemon": {"runMonitorring": {}}}, "runMonitorring"),
        (
            {"dagsterDaemon": {"runCoordinator": {"config": {"queuedRunCoordinator": {"maxConcurrentRuns": 5}}}}},
            "Cannot set both",
        ),
    ],
)
def test_the_chart_refuses_a_misspelt_value_and_run_limits_in_two_places(change, message):
    with pytest.raises(helm_python.HelmError, match=message):
        render(merged(dagster_values("laptop"), change))
