"""The only file that reads the environment: where things are, and how steps are executed, locally and in production."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import dagster as dg

from ml_assets.defs.variables import pushes_metrics, read_log_format, read_notify_targets, secret_values, value_or_file
from ml_assets.pipeline.notifications.sensors import notifications_sensor, releases_sensor
from ml_assets.resources.databases.postgresql_uri import is_postgresql, store_beside_dagster, with_driver
from ml_assets.resources.databases.uri_secrets import hide
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.mlflow.tracking import ExperimentTracking
from ml_assets.resources.notifications.notifier import Notifier
from ml_assets.resources.notifications.outbox import Outbox
from ml_assets.resources.observability.json_logs import log_as_json
from ml_assets.resources.observability.telemetry import switch_telemetry
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.storage.landing import Landing

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = REPOSITORY / "data"
ENVIRONMENTS = ("local", "production")


@dataclass(frozen=True)
class Settings:
    """Where things are. Each field is one environment variable; see `read_settings` for names and defaults."""

    environment: str
    landing: str
    lake: str
    mlflow: str
    dagster_home: str
    deploy: str
    s3: Mapping[str, str]
    ui: str = ""
    database: str | None = None
    artifacts: str | None = None
    dagster_home_is_stated: bool = True


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Settings from environment variables.

    ML_ASSETS_ENV (local or production; local), ML_ASSETS_LANDING, ML_ASSETS_LAKE and ML_ASSETS_DEPLOY (a directory or
    s3://bucket/prefix), MLFLOW_TRACKING_URI and DAGSTER_HOME. Locally each has a default under the ignored directory
    `data` of the repository; in production each must be set. For s3:// AWS_ENDPOINT_URL and AWS_REGION count
    (credentials: wherever boto3 finds them). ML_ASSETS_UI is the address of Dagster's webserver, for links to it; there
    are none without it.

    With ML_ASSETS_DATABASE (postgresql://user@host/database) Dagster keeps its state there, and so does MLflow unless
    MLFLOW_TRACKING_URI names another place. Where MLflow's store is in PostgreSQL, MLFLOW_DEFAULT_ARTIFACT_ROOT (a
    directory or s3://bucket/prefix) says where artifacts go.

    Raises:
        ValueError: for an unknown ML_ASSETS_ENV, a variable that production lacks, or an ML_ASSETS_DATABASE that is not
            one of PostgreSQL.
    """
    environment = variables.get("ML_ASSETS_ENV", "local")
    if environment not in ENVIRONMENTS:
        raise ValueError(f"ML_ASSETS_ENV is {environment!r}; it must be one of {', '.join(ENVIRONMENTS)}")
    database = variables.get("ML_ASSETS_DATABASE") or None
    beside_dagster = store_beside_dagster(database) if database else None
    defaults = {
        "ML_ASSETS_LANDING": str(DATA / "landing"),
        "ML_ASSETS_LAKE": str(DATA / "lake"),
        "MLFLOW_TRACKING_URI": beside_dagster or f"sqlite:///{DATA / 'mlflow.db'}",
        "DAGSTER_HOME": str(DATA / "dagster"),
        "ML_ASSETS_DEPLOY": str(DATA / "production"),
    }
    lacking = [name for name in defaults if not variables.get(name)]
    if environment == "production" and lacking:
        raise ValueError(f"ML_ASSETS_ENV is production, which needs {', '.join(lacking)} to be set")
    found = {name: variables.get(name) or default for name, default in defaults.items()}
    s3 = {
        "endpoint_url": variables.get("AWS_ENDPOINT_URL"),
        "region_name": variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION"),
    }
    return Settings(
        environment,
        landing=found["ML_ASSETS_LANDING"],
        lake=found["ML_ASSETS_LAKE"],
        mlflow=with_driver(found["MLFLOW_TRACKING_URI"]),
        dagster_home=found["DAGSTER_HOME"],
        deploy=found["ML_ASSETS_DEPLOY"],
        s3={name: value for name, value in s3.items() if value},
        ui=variables.get("ML_ASSETS_UI", "").rstrip("/"),
        database=database,
        artifacts=_artifacts(variables, environment) if is_postgresql(found["MLFLOW_TRACKING_URI"]) else None,
        dagster_home_is_stated=bool(variables.get("DAGSTER_HOME")),
    )


def read_api_key(variables: Mapping[str, str]) -> str | None:
    """The key that the scoring service asks for: ML_ASSETS_API_KEY, or the content of the file ML_ASSETS_API_KEY_FILE;
    None without either.

    Raises:
        ValueError: when both are set, the file cannot be read, or the key is empty: nobody means to leave a service
            open in this way.
    """
    return value_or_file(variables, "ML_ASSETS_API_KEY", "a service without a key")


def read_request_rate(variables: Mapping[str, str]) -> float | None:
    """The requests a second that one client of the scoring service may make: ML_ASSETS_REQUESTS_PER_SECOND, or 5,000;
    None for `unlimited`.

    Raises:
        ValueError: for anything but a number above 0 or `unlimited`.
    """
    stated = variables.get("ML_ASSETS_REQUESTS_PER_SECOND") or "5000"
    if stated == "unlimited":
        return None
    try:
        rate = float(stated)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise ValueError(f"ML_ASSETS_REQUESTS_PER_SECOND is {stated!r}; it must be a number above 0, or `unlimited`")
    return rate


def request_rate() -> float | None:
    """`read_request_rate` of this process."""
    return read_request_rate(os.environ)


def api_key() -> str | None:
    """`read_api_key` of this process; read only when it is asked for, so that nothing else holds the key."""
    return read_api_key(os.environ)


def notifier() -> Notifier:
    """Who is told, by the variables of this process as they are now; the targets' URLs are kept nowhere else."""
    return Notifier(read_notify_targets(os.environ), secret_values(os.environ))


def outbox(settings: Settings) -> Outbox:
    """The database of notifications: ML_ASSETS_DATABASE, else an SQLite file in DAGSTER_HOME."""
    beside_dagster = f"sqlite:///{Path(settings.dagster_home).absolute() / 'notifications.db'}"
    return Outbox(with_driver(settings.database) if settings.database else beside_dagster, secret_values(os.environ))


def _artifacts(variables: Mapping[str, str], environment: str) -> str:
    """The URI of the place of MLflow's artifacts."""
    stated = variables.get("MLFLOW_DEFAULT_ARTIFACT_ROOT")
    if environment == "production" and not stated:
        raise ValueError(
            "ML_ASSETS_ENV is production and MLflow's store is PostgreSQL, which needs MLFLOW_DEFAULT_ARTIFACT_ROOT to be set"
        )
    place = stated or str(DATA / "mlartifacts")
    return place if "://" in place else Path(place).absolute().as_uri()


def build_environment(settings: Settings) -> dg.Definitions:
    """Resources, the sensors that tell people, and the executor.

    Steps are executed in process locally, each as a Kubernetes job in production, with the resources that `compute`
    asks for.
    """
    landing, lake = Landing(uri=settings.landing, s3=dict(settings.s3)), Lake(uri=settings.lake, s3=dict(settings.s3))
    resources = {
        "landing": landing,
        "lake": lake,
        "registry": ModelRegistry(tracking_uri=hide(settings.mlflow), dagster_ui=settings.ui),
        "tracking": ExperimentTracking(tracking_uri=hide(settings.mlflow), artifact_root=settings.artifacts),
        "deploy_target": DeployTarget(uri=settings.deploy, s3=dict(settings.s3)),
    }
    open_outbox = partial(outbox, settings)
    sensors = [notifications_sensor(open_outbox, notifier, settings.ui), releases_sensor(open_outbox, notifier)]
    return dg.Definitions(resources=resources, sensors=sensors, executor=_executor(settings.environment, landing, lake))


def _executor(environment: str, landing: Landing, lake: Lake) -> dg.ExecutorDefinition:
    if environment == "local":
        return dg.in_process_executor
    from ml_assets.pipeline.steps.input_size import input_bytes
    from ml_assets.resources.kubernetes.step_executor import step_executor

    return step_executor(lambda context: input_bytes(context, lake, landing))


# Defaults of what libraries read for themselves when they load: threads of XGBoost that wait do not take the processor
# from others, and MLflow does not report its use; Dagster stores the events of a range of days a few hundred at a time;
# a step waits three seconds for whoever takes its metrics.
for _name, _value in {
    "OMP_WAIT_POLICY": "passive",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DAGSTER_EVENT_BATCH_SIZE": "400",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
}.items():
    os.environ.setdefault(_name, _value)

switch_telemetry(pushes_metrics(os.environ))
if read_log_format(os.environ) == "json":
    log_as_json(secret_values(os.environ))

SETTINGS = read_settings(os.environ)
environment = build_environment(SETTINGS)
