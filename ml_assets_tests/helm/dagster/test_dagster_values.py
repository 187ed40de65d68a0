"""Our values of the official Dagster chart, validated by Dagster and, if it is available, by the chart's schema."""

import json
import os
import warnings
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from dagster._config import process_config, resolve_to_config_type
from dagster._core.errors import DagsterInvalidConfigError
from dagster._core.instance.config import dagster_instance_config
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster_aws.s3 import S3ComputeLogManager
from dagster_k8s import K8sRunLauncher

from ml_assets_tests.helm.charts import (
    CHART,
    PLACES,
    containers,
    dagster_values,
    merged,
    of_kind,
    read,
    rendered,
    validate,
)
from ml_assets_tests.helm.dagster.dagster_chart import chart_pods, dagster_yaml, instance_config
from ml_assets_tests.helm.watched import paths, watched

# A path to the chart's values.schema.json, with the Kubernetes definitions in it or reachable.
SCHEMA = os.environ.get("DAGSTER_CHART_SCHEMA")
# Values that the chart knows and its schema does not name.
NOT_IN_SCHEMA = {"rbacEnabled", "ingressClassName"}


def not_required(schema: Any) -> Any:
    """Relax a schema for values that Helm merges into those of the chart: no field is required, no other is allowed."""
    if isinstance(schema, list):
        return [not_required(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    optional = {
        name: not_required(value)
        for name, value in schema.items()
        if not (name == "required" and isinstance(value, list))
    }
    if (
        isinstance(optional.get("properties"), dict)
        and optional.get("type") == "object"
        and not optional.get("additionalProperties")
    ):
        optional["additionalProperties"] = False
    return optional


def schema_errors(schema: dict[str, Any], values: Any) -> list[str]:
    top_level = {name: value for name, value in not_required(schema).items() if name not in ("$defs", "definitions")}
    definitions = {
        name: definition if name == "kubernetes" else not_required(definition)
        for name, definition in schema["$defs"].items()
    }
    validator = jsonschema.Draft202012Validator({**top_level, "additionalProperties": False, "$defs": definitions})
    return [f"{'.'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(values)]


def without_unnamed(values: Any) -> Any:
    if isinstance(values, list):
        return [without_unnamed(item) for item in values]
    if not isinstance(values, dict):
        return values
    return {name: without_unnamed(value) for name, value in values.items() if name not in NOT_IN_SCHEMA}


@pytest.mark.parametrize("place", PLACES)
def test_values_follow_the_schema_of_the_official_chart(place):
    if SCHEMA is None:
        warnings.warn(
            "DAGSTER_CHART_SCHEMA is not set: the values were validated by Dagster, and not by the schema of the chart",
            stacklevel=1,
        )
        return
    schema = json.loads(Path(SCHEMA).read_text())
    values = without_unnamed(dagster_values(place))
    account = values["dagster-user-deployments"].pop("serviceAccount")
    assert schema_errors(schema, values) == []
    assert account == {"create": False, "name": "ml-assets-code"}
    assert schema_errors(schema, merged(values, {"dagsterDaemon": {"runMonitorring": {}}})) != []
    assert schema_errors(schema, merged(values, {"concurrency": {"pools": {"default": 1}}})) != []


# Values that neither pods nor dagster.yaml contain.
ELSEWHERE = {
    "rbacEnabled", "serviceAccount.create", "postgresql.enabled", "generatePostgresqlPasswordSecret",
    "global.serviceAccountName", "runLauncher.type", "busybox.image.pullPolicy", "dagster-user-deployments.enabled",
    "dagster-user-deployments.enableSubchart", "dagster-user-deployments.rbacEnabled",
    "dagster-user-deployments.serviceAccount.create",
    "dagster-user-deployments.deployments[].includeConfigInLaunchedRuns",
    "dagster-user-deployments.deployments[].deploymentStrategy", "dagsterDaemon.enabled",
    "dagsterDaemon.heartbeatTolerance", "dagsterDaemon.logFormat", "dagsterDaemon.runCoordinator.enabled",
    "dagsterDaemon.checkDbReadyInitContainer", "scheduler.type", "retention.enabled", "concurrency.enabled",
    "dagsterWebserver.replicaCount", "dagsterWebserver.nameOverride", "dagsterWebserver.enableReadOnly",
    "dagsterWebserver.service", "dagsterWebserver.dbStatementTimeout", "dagsterWebserver.dbPoolRecycle",
    "dagsterWebserver.logLevel", "dagsterWebserver.logFormat", "dagsterWebserver.checkDbReadyInitContainer",
    "ingress",
}  # fmt: skip

# Values that are copied into pods or dagster.yaml, where the schemas of Kubernetes and Dagster check their fields.
WHOLE = {
    "securityContext", "podSecurityContext", "volumes", "volumeMounts", "resources", "initContainerResources",
    "labels", "env", "envSecrets", "envConfigMaps", "startupProbe", "readinessProbe", "livenessProbe", "runK8sConfig",
    "extraPrependedInitContainers", "postgresqlParams", "additionalInstanceConfig", "tagConcurrencyLimits",
    "telemetry", "affinity",
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_every_value_is_used(place):
    """Find misspelt values, which a cluster would silently ignore, without the schema of the chart.

    Dagster itself checks the names of what it receives.
    """
    read_paths: set[str] = set()
    values = watched(dagster_values(place), "", read_paths)
    config = instance_config(values)
    assert config
    chart_pods(values)
    unused = {
        path for path in paths(dagster_values(place)) - read_paths if not WHOLE & set(path.replace("[]", "").split("."))
    }
    assert {
        path for path in unused if not any(path == known or path.startswith(f"{known}.") for known in ELSEWHERE)
    } == set()


@pytest.mark.parametrize("place", PLACES)
def test_dagster_accepts_the_instance_that_the_values_describe(place, tmp_path):
    (tmp_path / "dagster.yaml").write_text(dagster_yaml(dagster_values(place)))
    config, custom_class = dagster_instance_config(str(tmp_path))
    assert custom_class is None
    for part, component in (
        ("run_launcher", K8sRunLauncher),
        ("compute_logs", S3ComputeLogManager),
        ("run_coordinator", QueuedRunCoordinator),
    ):
        result = process_config(resolve_to_config_type(component.config_type()), config[part]["config"])
        assert result.success, result.errors


def test_dagster_refuses_run_limits_in_two_places(tmp_path):
    values = merged(
        dagster_values("laptop"),
        {"dagsterDaemon": {"runCoordinator": {"config": {"queuedRunCoordinator": {"maxConcurrentRuns": 5}}}}},
    )
    (tmp_path / "dagster.yaml").write_text(dagster_yaml(values))
    with pytest.raises(DagsterInvalidConfigError, match="max_concurrent_runs"):
        dagster_instance_config(str(tmp_path))


def test_production_has_the_run_settings_of_the_laptop():
    production, laptop = instance_config(dagster_values("production")), instance_config(dagster_values("laptop"))
    same = (
        "run_monitoring",
        "run_retries",
        "concurrency",
        "retention",
        "scheduler",
        "run_coordinator",
        "freshness",
        "telemetry",
        "nux",
    )
    assert {name: production[name] for name in same} == {name: laptop[name] for name in same}


def test_only_the_code_server_gets_the_secret_of_notifications():
    for place, rest in (("laptop", ["ml-assets-s3"]), ("production", [])):
        values = dagster_values(place)
        [code_server] = values["dagster-user-deployments"]["deployments"]
        assert [secret["name"] for secret in code_server["envSecrets"]] == [*rest, "ml-assets-notifications"]
        launcher, daemon, webserver = (
            values["runLauncher"]["config"]["k8sRunLauncher"],
            values["dagsterDaemon"],
            values["dagsterWebserver"],
        )
        assert [[secret["name"] for secret in part["envSecrets"]] for part in (launcher, daemon, webserver)] == [
            rest
        ] * 3


def test_lists_that_production_repeats_differ_only_in_the_fields_that_it_changes():
    [laptop] = read("values.yaml")["dagster-user-deployments"]["deployments"]
    [production] = read("values-production.yaml")["dagster-user-deployments"]["deployments"]
    assert {name for name in laptop if laptop[name] != production[name]} == {
        "image",
        "envSecrets",
        "resources",
        "affinity",
    }
    assert set(laptop) == set(production)
    [laptop_init], [production_init] = (
        read(name)["dagsterDaemon"]["extraPrependedInitContainers"]
        for name in ("values.yaml", "values-production.yaml")
    )
    assert {name for name in laptop_init if laptop_init[name] != production_init[name]} == {"image", "args"}


@pytest.mark.parametrize("place", PLACES)
def test_all_pods_use_one_image(place):
    images = {container["image"] for pod in chart_pods(dagster_values(place)).values() for container in containers(pod)}
    our_images = {
        container["image"]
        for deployment in of_kind(rendered(place), "Deployment")
        for container in deployment["spec"]["template"]["spec"]["containers"]
    }
    assert images == our_images
    assert len(images) == 1


@pytest.mark.parametrize("place", PLACES)
def test_our_chart_creates_the_resources_that_the_values_name(place):
    values, manifests = dagster_values(place), rendered(place)
    accounts = {entry["metadata"]["name"] for entry in of_kind(manifests, "ServiceAccount")}
    run = values["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]["podSpecConfig"]
    assert {
        values["serviceAccount"]["name"],
        values["dagster-user-deployments"]["serviceAccount"]["name"],
        run["serviceAccountName"],
    } <= accounts
    assert run["priorityClassName"] in {entry["metadata"]["name"] for entry in of_kind(manifests, "PriorityClass")}
    pods = chart_pods(values).values()
    sources = [source for pod in pods for container in pod["spec"]["containers"] for source in container["envFrom"]]
    assert {"configMapRef": {"name": "ml-assets-environment"}} in sources
    assert "ml-assets-environment" in {entry["metadata"]["name"] for entry in of_kind(manifests, "ConfigMap")}
    chart_values = yaml.safe_load((CHART / "values.yaml").read_text())["dagster"]
    assert [entry["port"] for entry in values["dagster-user-deployments"]["deployments"]] == [
        chart_values["codeServerPort"]
    ]
    assert values["dagsterWebserver"]["service"]["port"] == chart_values["webserverPort"]


@pytest.mark.parametrize("place", PLACES)
def test_pods_of_the_chart_are_valid_for_kubernetes(place):
    for name, pod in chart_pods(dagster_values(place)).items():
        validate(
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **pod["metadata"]}, "spec": pod["spec"]},
            "1.37",
        )


@pytest.mark.parametrize("place", PLACES)
def test_viewers_have_a_read_only_webserver(place):
    assert dagster_values(place)["dagsterWebserver"]["enableReadOnly"] is True


def test_pool_limits_of_each_model_and_of_gpus_are_set_before_the_daemon_starts():
    models = [path.parent.name for path in (CHART.parents[1] / "ml_assets" / "defs").glob("*/defs.yaml")]
    for place in PLACES:
        [container] = dagster_values(place)["dagsterDaemon"]["extraPrependedInitContainers"]
        pools = {line.split()[-2]: int(line.split()[-1]) for line in container["args"][0].splitlines()}
        assert pools.pop("gpu") >= 1
        assert pools == dict.fromkeys(models, 1)
