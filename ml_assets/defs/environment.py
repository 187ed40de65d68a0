"""The only file that reads the environment: where things are, and how steps are executed, locally and in production."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from ml_assets.resources.lake import Lake
from ml_assets.resources.landing import Landing
from ml_assets.resources.registry import ModelRegistry
from ml_assets.resources.tracking import ExperimentTracking

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
    s3: Mapping[str, str]


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Settings from environment variables.

    ML_ASSETS_ENV (local or production; local), ML_ASSETS_LANDING and ML_ASSETS_LAKE (a directory or s3://bucket/prefix), MLFLOW_TRACKING_URI
    and DAGSTER_HOME. Locally each has a default under the ignored directory `data` of the repository; in production each must be set. For s3://
    AWS_ENDPOINT_URL and AWS_REGION count (credentials: wherever boto3 finds them).

    Raises:
        ValueError: for an unknown ML_ASSETS_ENV, or a variable that production lacks.
    """
    environment = variables.get("ML_ASSETS_ENV", "local")
    if environment not in ENVIRONMENTS:
        raise ValueError(f"ML_ASSETS_ENV is {environment!r}; it must be one of {', '.join(ENVIRONMENTS)}")
    defaults = {
        "ML_ASSETS_LANDING": str(DATA / "landing"),
        "ML_ASSETS_LAKE": str(DATA / "lake"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{DATA / 'mlflow.db'}",
        "DAGSTER_HOME": str(DATA / "dagster"),
    }
    lacking = [name for name in defaults if not variables.get(name)]
    if environment == "production" and lacking:
        raise ValueError(f"ML_ASSETS_ENV is production, which needs {', '.join(lacking)} to be set")
    found = {name: variables.get(name) or default for name, default in defaults.items()}
    s3 = {"endpoint_url": variables.get("AWS_ENDPOINT_URL"), "region_name": variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION")}
    return Settings(
        environment,
        landing=found["ML_ASSETS_LANDING"],
        lake=found["ML_ASSETS_LAKE"],
        mlflow=found["MLFLOW_TRACKING_URI"],
        dagster_home=found["DAGSTER_HOME"],
        s3={name: value for name, value in s3.items() if value},
    )


def build_environment(settings: Settings) -> dg.Definitions:
    """Resources and executor: in process locally, a Kubernetes job for each step in production, with the resources that `compute` asks for."""
    landing, lake = Landing(uri=settings.landing, s3=dict(settings.s3)), Lake(uri=settings.lake, s3=dict(settings.s3))
    resources = {
        "landing": landing,
        "lake": lake,
        "registry": ModelRegistry(tracking_uri=settings.mlflow),
        "tracking": ExperimentTracking(tracking_uri=settings.mlflow),
    }
    return dg.Definitions(resources=resources, executor=_executor(settings.environment, landing, lake))


def _executor(environment: str, landing: Landing, lake: Lake) -> dg.ExecutorDefinition:
    if environment == "local":
        return dg.in_process_executor
    from ml_assets.pipeline.input_bytes import input_bytes
    from ml_assets.resources.step_executor import step_executor

    return step_executor(lambda context: input_bytes(context, lake, landing))


# Defaults of what libraries read for themselves when they load: threads of XGBoost that wait do not take the processor from others, and MLflow does
# not report its use; Dagster stores the events of a range of days a few hundred at a time.
for _name, _value in {"OMP_WAIT_POLICY": "passive", "MLFLOW_DISABLE_TELEMETRY": "true", "DAGSTER_EVENT_BATCH_SIZE": "400"}.items():
    os.environ.setdefault(_name, _value)

SETTINGS = read_settings(os.environ)
environment = build_environment(SETTINGS)
