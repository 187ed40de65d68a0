"""Resources, notification sensors and the executor of this process; the only module that reads the environment.

Importing it reads and changes nothing: the environment is read when definitions are built or a command starts.
"""

import gc
import os
import re
import sys
import warnings
from functools import cache, partial
from pathlib import Path

import dagster as dg

from ml_assets.defs.project import PROJECT, find_project, project_root
from ml_assets.defs.settings import Settings, data_folder, read_settings
from ml_assets.defs.variables import (
    BETA_WARNING,
    LIBRARY_DEFAULTS,
    WAITED_FOR,
    has_kubernetes_variables,
    lineage_namespace,
    pushes_metrics,
    read_api_key,
    read_capture_key,
    read_log_format,
    read_notify_targets,
    read_request_rate,
    read_trusted_proxies,
    read_umask,
    secret_values,
    split_mlflow_credentials,
)
from ml_assets.pipeline.notifications.sensors import notifications_sensor, releases_sensor
from ml_assets.resources.dagster_internals.serialized_errors import rewrite_stored_errors
from ml_assets.resources.databases.postgresql_uri import with_driver
from ml_assets.resources.databases.uri_secrets import hide
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.mlflow.tracking import ExperimentTracking
from ml_assets.resources.notifications.notifier import Notifier
from ml_assets.resources.notifications.open_notifications import show_notifications
from ml_assets.resources.notifications.outbox import Outbox
from ml_assets.resources.observability.json_logs import log_as_json
from ml_assets.resources.observability.lineage import enable_lineage
from ml_assets.resources.observability.redaction import redact_process, redact_text
from ml_assets.resources.observability.telemetry import enable_telemetry
from ml_assets.resources.observability.usage import set_pod
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.storage.landing import Landing

# New objects between two garbage collections; Python's default is 700. With it, a run scanned its long-lived objects
# ten times while it loaded MLflow and XGBoost.
OBJECTS_PER_COLLECTION = 5_000

PRIVATE = 0o077
"""The umask with which only the owner can read new files."""


def activate_environment() -> None:
    """Prepare the environment for a command that replaces this process, without needless warnings of `dg` about an
    inactive virtual environment and a beta parameter that Dagster itself uses.
    """
    os.environ.setdefault("VIRTUAL_ENV", sys.prefix)
    filters = [os.environ.get("PYTHONWARNINGS"), f"ignore:{BETA_WARNING}"]
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, filters))


def load_settings() -> Settings:
    """Prepare this process and read its settings; see `configure_process` and `read_settings` for errors."""
    configure_process()
    return read_settings(os.environ)


@cache
def configure_process() -> None:
    """Set the libraries' environment defaults, metrics, the log format, the rate of garbage collection and the umask,
    once in a process, and hide its secrets and a warning that no user can act on.

    The libraries that read these defaults are imported later, by the functions that use them. Processes that this one
    starts inherit the umask.

    Raises:
        ValueError: when ML_ASSETS_LOG or ML_ASSETS_UMASK is not valid.
    """
    protect_new_files()
    gc.set_threshold(OBJECTS_PER_COLLECTION)
    warnings.filterwarnings("ignore", re.escape(BETA_WARNING))
    os.environ |= split_mlflow_credentials(os.environ)
    redact_process(secret_values(os.environ))
    rewrite_stored_errors(redact_text)
    for name, value in LIBRARY_DEFAULTS.items():
        os.environ.setdefault(name, value)
    enable_telemetry(pushes_metrics(os.environ))
    enable_lineage(lineage_namespace(os.environ))
    set_pod(has_kubernetes_variables(os.environ))
    if read_log_format(os.environ) == "json":
        log_as_json(secret_values(os.environ))


def answer_soon() -> None:
    """Let MLflow's client give up after seconds, in a command for whose answer a person waits."""
    for name, value in WAITED_FOR.items():
        os.environ.setdefault(name, value)


def current_project_root() -> Path:
    """Return the root of the project that this process works on, see `project_root`."""
    return project_root(os.environ)


def select_project_root(root: Path) -> None:
    """Set the project that this process and its child processes work on."""
    os.environ[PROJECT] = str(root)


def local_data_folder() -> Path:
    """Return the folder of the local state of the project that this process works on."""
    return data_folder(os.environ)


def read_dotenv() -> None:
    """Set the variables in the file `.env` of the project that are not set, as `dg` does."""
    file = current_project_root() / ".env"
    if not file.is_file():
        return
    from dotenv import dotenv_values

    for name, value in dotenv_values(file).items():
        if value is not None:
            os.environ.setdefault(name, value)


def use_home(home: Path) -> None:
    """Set DAGSTER_HOME for this process and its child processes unless the variable is set."""
    os.environ.setdefault("DAGSTER_HOME", str(home))


def serve_store(uri: str) -> None:
    """Set the store of the MLflow server that this process starts; its address must not appear in the arguments."""
    os.environ |= {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_TRACKING_URI": uri}
    os.environ.setdefault("PYTHONWARNINGS", "ignore")


def protect_new_files() -> None:
    """Set the umask of this process, so that only this user, or those whom ML_ASSETS_UMASK allows, can read new files
    and folders.

    Raises:
        ValueError: when ML_ASSETS_UMASK is not valid.
    """
    stated = read_umask(os.environ)
    before = os.umask(PRIVATE)
    # Permissions that the shell withholds from the owner stay withheld.
    os.umask(stated if stated is not None else before | PRIVATE)


def shares_with_group() -> bool:
    """Return whether ML_ASSETS_UMASK lets the group of new files read them."""
    stated = read_umask(os.environ)
    return stated is not None and not stated & 0o040


def environment_variables() -> frozenset[tuple[str, str]]:
    """Return all variables of this process, so that a change can be noticed."""
    return frozenset(os.environ.items())


def is_validation() -> bool:
    """Return whether definitions are only loaded for `dg check defs` or `dagster definitions validate`."""
    return os.environ.get("DAGSTER_IS_DEFS_VALIDATION_CLI") == "1"


def request_rate() -> float | None:
    """Read the request rate of this process, see `read_request_rate`."""
    return read_request_rate(os.environ)


def trusted_proxies() -> str | None:
    """Read the proxies in front of the scoring service, see `read_trusted_proxies`."""
    return read_trusted_proxies(os.environ)


def api_key() -> str | None:
    """Read the API key of this process, see `read_api_key`; nothing else holds the key."""
    return read_api_key(os.environ)


def capture_key() -> str | None:
    """Read the key of hashed columns of this process, see `read_capture_key`; nothing else holds the key."""
    return read_capture_key(os.environ)


def notifier() -> Notifier:
    """Build the notifier from the current variables of this process; the targets' URLs are kept nowhere else."""
    return Notifier(read_notify_targets(os.environ), secret_values(os.environ))


def outbox(settings: Settings) -> Outbox:
    """Open the database of notifications: ML_ASSETS_DATABASE, else an SQLite file in DAGSTER_HOME."""
    sqlite_uri = f"sqlite:///{Path(settings.dagster_home).absolute() / 'notifications.db'}"
    return Outbox(with_driver(settings.database) if settings.database else sqlite_uri, secret_values(os.environ))


def build_environment(settings: Settings) -> dg.Definitions:
    """Build the resources, the notification sensors and the executor.

    Steps run in process locally, and as Kubernetes jobs with the resources of `compute` in production.
    """
    landing = Landing(uri=settings.landing, s3=dict(settings.s3))
    lake = Lake(uri=settings.lake, s3=dict(settings.s3))
    resources = {
        "landing": landing,
        "lake": lake,
        "registry": ModelRegistry(tracking_uri=hide(settings.mlflow), dagster_ui=settings.ui),
        "tracking": ExperimentTracking(
            tracking_uri=hide(settings.mlflow), artifact_root=settings.artifacts and hide(settings.artifacts)
        ),
        "deploy_target": DeployTarget(uri=settings.deploy, s3=dict(settings.s3)),
    }
    open_outbox = partial(outbox, settings)
    show_notifications(open_outbox)
    sensors = [notifications_sensor(open_outbox, notifier, settings.ui), releases_sensor(open_outbox, notifier)]
    return dg.Definitions(resources=resources, sensors=sensors, executor=_build_executor(settings, landing, lake))


def _build_executor(settings: Settings, landing: Landing, lake: Lake) -> dg.ExecutorDefinition:
    if not settings.is_production:
        return dg.in_process_executor
    from ml_assets.pipeline.steps.input_size import input_bytes
    from ml_assets.resources.kubernetes.step_executor import step_executor

    return step_executor(lambda context: input_bytes(context, lake, landing))


def project_environment(path_within_project: Path | None = None) -> dg.Definitions:
    """Build the resources, sensors and executor of ml_assets for a Dagster project. `dg scaffold` writes a file that
    calls it; a project that binds resources of its own replaces them there.

    Args:
        path_within_project: a path in the project, whose folder `data` has the state unless variables name other
            places; the project of the current folder by default.

    Raises:
        ValueError: when a variable is missing or not valid, see `read_settings`.
    """
    if path_within_project is not None and (root := find_project(path_within_project)) is not None:
        os.environ.setdefault(PROJECT, str(root))
    return build_environment(load_settings())


@dg.definitions
def environment() -> dg.Definitions:
    """Build the environment of this process."""
    return build_environment(load_settings())
