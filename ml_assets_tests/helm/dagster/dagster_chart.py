"""A model of the official Dagster chart for our values: the dagster.yaml and the pods that it makes of them.

Written after the templates of the chart, so that the values can be checked without it. If the chart is available,
test_official_chart.py compares.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from ml_assets_tests.helm.charts import Manifest

Values = Mapping[str, Any]


def snake(value: Any) -> Any:
    """Convert keys to the snake case of dagster.yaml."""
    if isinstance(value, dict):
        return {
            "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name): snake(inner)
            for name, inner in value.items()
        }
    return value


def instance_config(values: Values) -> dict[str, Any]:
    """Build the dagster.yaml that the chart writes."""
    launcher, daemon = values["runLauncher"]["config"]["k8sRunLauncher"], values["dagsterDaemon"]
    database = {
        "postgres_db": {
            "username": values["postgresql"]["postgresqlUsername"],
            "password": {"env": "DAGSTER_PG_PASSWORD"},
            "hostname": values["postgresql"]["postgresqlHost"],
            "db_name": values["postgresql"]["postgresqlDatabase"],
            "port": values["postgresql"]["service"]["port"],
            "params": values["postgresql"]["postgresqlParams"],
            "scheme": values["postgresql"]["postgresqlScheme"],
        }
    }
    return {
        "scheduler": {
            "module": "dagster.core.scheduler",
            "class": "DagsterDaemonScheduler",
            "config": snake(values["scheduler"]["config"]["daemonScheduler"]),
        },
        **{
            name: {"module": f"dagster_postgres.{module}", "class": class_name, "config": database}
            for name, module, class_name in (
                ("run_storage", "run_storage", "PostgresRunStorage"),
                ("event_log_storage", "event_log", "PostgresEventLogStorage"),
                ("schedule_storage", "schedule_storage", "PostgresScheduleStorage"),
            )
        },
        "run_launcher": {
            "module": "dagster_k8s",
            "class": "K8sRunLauncher",
            "config": {
                "load_incluster_config": launcher["loadInclusterConfig"],
                "job_namespace": "ml-assets",
                "image_pull_policy": launcher["imagePullPolicy"],
                "service_account_name": values["serviceAccount"]["name"],
                "dagster_home": values["global"]["dagsterHome"],
                "instance_config_map": "dagster-instance",
                "postgres_password_secret": values["global"]["postgresqlSecretName"],
                "env_config_maps": [source["name"] for source in launcher["envConfigMaps"]],
                **(
                    {"env_secrets": [source["name"] for source in launcher["envSecrets"]]}
                    if launcher["envSecrets"]
                    else {}
                ),
                **({"env_vars": launcher["envVars"]} if launcher["envVars"] else {}),
                "volumes": launcher["volumes"],
                "volume_mounts": launcher["volumeMounts"],
                "labels": launcher["labels"],
                "resources": launcher["resources"],
                "security_context": launcher["securityContext"],
                **({"fail_pod_on_run_failure": True} if launcher["failPodOnRunFailure"] else {}),
                "run_k8s_config": {_first_level(name): value for name, value in launcher["runK8sConfig"].items()},
            },
        },
        "run_coordinator": {
            "module": "dagster.core.run_coordinator",
            "class": daemon["runCoordinator"]["type"],
            "config": snake(daemon["runCoordinator"]["config"]["queuedRunCoordinator"]),
        },
        "compute_logs": {
            "module": "dagster_aws.s3.compute_log_manager",
            "class": values["computeLogManager"]["type"],
            "config": {"verify": True, **snake(values["computeLogManager"]["config"]["s3ComputeLogManager"])},
        },
        "python_logs": {name: value for name, value in snake(values["pythonLogs"]).items() if value},
        "run_monitoring": snake(daemon["runMonitoring"]),
        "run_retries": snake(daemon["runRetries"]),
        "sensors": snake(daemon["sensors"]),
        "schedules": snake(daemon["schedules"]),
        "backfills": snake(daemon["backfills"]),
        "telemetry": values["telemetry"],
        "retention": {name: snake(value) for name, value in values["retention"].items() if name != "enabled" and value},
        "concurrency": {
            "pools": snake(values["concurrency"]["pools"]),
            # Dagster itself spells applyLimitPerUniqueValue like this.
            "runs": {
                "max_concurrent_runs": values["concurrency"]["runs"]["maxConcurrentRuns"],
                "tag_concurrency_limits": values["concurrency"]["runs"]["tagConcurrencyLimits"],
            },
        },
        **values["additionalInstanceConfig"],
    }


def _first_level(name: str) -> str:
    return next(iter(snake({name: None})))


def chart_pods(values: Values) -> dict[str, Manifest]:
    """Build the pods of code servers, daemon and webservers, by name."""
    deployments, daemon, webserver = (
        values["dagster-user-deployments"]["deployments"],
        values["dagsterDaemon"],
        values["dagsterWebserver"],
    )
    init_containers = [
        {
            "name": f"init-user-deployment-{deployment['name']}",
            "image": f"{values['busybox']['image']['repository']}:{values['busybox']['image']['tag']}",
            "command": [
                "sh",
                "-c",
                f"until nslookup {deployment['name']}; do echo waiting for user service; sleep 2; done",
            ],
        }
        for deployment in deployments
    ]
    pods_by_name = {}
    for deployment in deployments:
        labels = {
            "app.kubernetes.io/name": "dagster-user-deployments",
            "component": "user-deployments",
            "deployment": deployment["name"],
        }
        args = [
            "dagster",
            "code-server",
            "start",
            "-h",
            "0.0.0.0",
            "-p",
            str(deployment["port"]),
            *deployment["codeServerArgs"],
        ]
        health_check = {"exec": {"command": ["dagster", "api", "grpc-health-check", "-p", str(deployment["port"])]}}
        settings = {
            name: {**health_check, **_without_enabled(deployment[name])}
            for name in ("startupProbe", "readinessProbe", "livenessProbe")
        }
        settings |= {"name": "dagster-user-deployments", "args": args}
        pods_by_name[deployment["name"]] = _pod(
            deployment, labels, values["dagster-user-deployments"]["serviceAccount"]["name"], values, **settings
        )
    account = values["serviceAccount"]["name"]
    home = {
        "name": "dagster-instance",
        "mountPath": f"{values['global']['dagsterHome']}/dagster.yaml",
        "subPath": "dagster.yaml",
    }
    for name, part in (("daemon", daemon), ("webserver", webserver), ("webserver-read-only", webserver)):
        pods_by_name[name] = _pod(
            part, {"app.kubernetes.io/name": "dagster", "component": f"dagster-{name}"}, account, values
        )
        spec = pods_by_name[name]["spec"]
        spec["volumes"].append({"name": "dagster-instance", "configMap": {"name": "dagster-instance"}})
        spec["containers"][0]["volumeMounts"] = [home, *part["volumeMounts"]]
        settings_of_init = {"securityContext": part["securityContext"], "resources": part["initContainerResources"]}
        spec["initContainers"] = [
            *part.get("extraPrependedInitContainers", []),
            *[{**container, **settings_of_init} for container in init_containers],
        ]
    return pods_by_name


def _pod(part: Mapping[str, Any], labels: dict[str, str], account: str, values: Values, **main: Any) -> Manifest:
    image = part["image"]
    secret = {"secretKeyRef": {"name": values["global"]["postgresqlSecretName"], "key": "postgresql-password"}}
    container = {
        "name": "dagster",
        "image": f"{image['repository']}:{image['tag']}",
        "imagePullPolicy": image["pullPolicy"],
        "securityContext": part["securityContext"],
        "resources": part["resources"],
        "volumeMounts": part["volumeMounts"],
        "env": [{"name": "DAGSTER_PG_PASSWORD", "valueFrom": secret}, *part.get("env", [])],
        "envFrom": [
            *[{"configMapRef": source} for source in part["envConfigMaps"]],
            *[{"secretRef": source} for source in part["envSecrets"]],
        ],
        **{
            name: _without_enabled(part[name])
            for name in ("startupProbe", "readinessProbe", "livenessProbe")
            if part.get(name)
        },
        **main,
    }
    return {
        "metadata": {"labels": {**labels, "app.kubernetes.io/instance": "dagster", **part["labels"]}},
        "spec": {
            "serviceAccountName": account,
            "automountServiceAccountToken": True,
            "securityContext": part["podSecurityContext"],
            "containers": [container],
            "affinity": part["affinity"],
            "volumes": list(part["volumes"]),
        },
    }


def _without_enabled(probe: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in probe.items() if name != "enabled"}


def dagster_yaml(values: Values) -> str:
    return yaml.safe_dump(instance_config(values))
