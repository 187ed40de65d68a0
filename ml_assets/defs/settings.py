"""The settings of a process, read from environment variables: places, databases, and the environment it runs in."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ml_assets.defs.project import REPOSITORY, project_root
from ml_assets.resources.databases.postgresql_uri import store_beside_dagster, with_driver
from ml_assets.resources.databases.uri_secrets import without_user
from ml_assets.resources.lake.lake import check_lake_path
from ml_assets.resources.mlflow.connection import absolute_sqlite_uri, check_store, is_database, sqlite_path
from ml_assets.resources.storage.open_store import check_place

__all__ = ["REPOSITORY", "Settings", "data_folder", "read_settings"]

ENVIRONMENTS = ("local", "production")


@dataclass(frozen=True)
class Settings:
    """The places that a process works with; see `read_settings` for the variables and their defaults."""

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

    @property
    def is_production(self) -> bool:
        """Return whether this is the production environment."""
        return self.environment == "production"


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables.

    ML_ASSETS_ENV (local or production; local), ML_ASSETS_LANDING, ML_ASSETS_LAKE and ML_ASSETS_DEPLOY (a directory or
    s3://bucket/prefix), MLFLOW_TRACKING_URI and DAGSTER_HOME. Locally each has a default under the ignored directory
    `data` of the project; in production each must be set. For s3://, AWS_ENDPOINT_URL and AWS_REGION are used
    (boto3 finds the credentials in its usual places). ML_ASSETS_UI is the address of Dagster's webserver; messages
    link to it when it is set.

    With ML_ASSETS_DATABASE (postgresql://user@host/database) Dagster keeps its state there, and so does MLflow unless
    MLFLOW_TRACKING_URI names another store. When MLflow's store is in PostgreSQL, MLFLOW_DEFAULT_ARTIFACT_ROOT (a
    directory or s3://bucket/prefix) is where artifacts are stored.

    Raises:
        ValueError: for an unknown ML_ASSETS_ENV, a variable that production needs and lacks, a place or store of an
            unknown kind, a lake under a path that Delta tables cannot have, or an ML_ASSETS_DATABASE that is not a
            PostgreSQL URI.
    """
    environment = variables.get("ML_ASSETS_ENV", "local")
    if environment not in ENVIRONMENTS:
        raise ValueError(f"ML_ASSETS_ENV is {environment!r}; it must be one of {', '.join(ENVIRONMENTS)}")
    database = variables.get("ML_ASSETS_DATABASE") or None
    mlflow_in_database = store_beside_dagster(database) if database else None
    data = data_folder(variables)
    defaults = {
        "ML_ASSETS_LANDING": str(data / "landing"),
        "ML_ASSETS_LAKE": str(data / "lake"),
        "MLFLOW_TRACKING_URI": mlflow_in_database or f"sqlite:///{data / 'mlflow.db'}",
        "DAGSTER_HOME": str(data / "dagster"),
        "ML_ASSETS_DEPLOY": str(data / "production"),
    }
    missing = [name for name in defaults if not variables.get(name)]
    if environment == "production" and missing:
        raise ValueError(f"ML_ASSETS_ENV is production, which needs {', '.join(missing)} to be set")
    values = {name: variables.get(name) or default for name, default in defaults.items()}
    for name in ("ML_ASSETS_LANDING", "ML_ASSETS_LAKE", "ML_ASSETS_DEPLOY"):
        check_place(values[name], name)
        values[name] = _absolute_place(values[name], data.parent)
    check_lake_path(values["ML_ASSETS_LAKE"], "ML_ASSETS_LAKE")
    check_store(values["MLFLOW_TRACKING_URI"], "MLFLOW_TRACKING_URI")
    values["MLFLOW_TRACKING_URI"] = absolute_sqlite_uri(values["MLFLOW_TRACKING_URI"], data.parent)
    s3 = {
        # boto3 takes its keys from other places; user and password in this URL have no effect.
        "endpoint_url": without_user(variables.get("AWS_ENDPOINT_URL", "")),
        "region_name": variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION"),
    }
    return Settings(
        environment,
        landing=values["ML_ASSETS_LANDING"],
        lake=values["ML_ASSETS_LAKE"],
        mlflow=with_driver(values["MLFLOW_TRACKING_URI"]),
        dagster_home=values["DAGSTER_HOME"],
        deploy=values["ML_ASSETS_DEPLOY"],
        s3={name: value for name, value in s3.items() if value},
        ui=without_user(variables.get("ML_ASSETS_UI", "").rstrip("/")),
        database=database,
        artifacts=_artifact_root(variables, environment, data) if _needs_root(values["MLFLOW_TRACKING_URI"]) else None,
        dagster_home_is_stated=bool(variables.get("DAGSTER_HOME")),
    )


def _absolute_place(place: str, root: Path) -> str:
    """Return a directory with an absolute path, a URI unchanged. A relative path is below the project, so that it does
    not depend on the folder of the process; `~` is the home of the user, which a shell does not replace in `.env`.
    """
    if "://" in place:
        return place
    path = Path(place)
    return str(root.absolute() / (path.expanduser() if path.parts[:1] == ("~",) else path))


def data_folder(variables: Mapping[str, str]) -> Path:
    """Return the folder of local state: `data` in the project that the process works on, see `project_root`."""
    return project_root(variables) / "data"


def _needs_root(mlflow: str) -> bool:
    """Return whether the store is a database on a server, so that the location of artifacts must be set separately."""
    return is_database(mlflow) and sqlite_path(mlflow) is None


def _artifact_root(variables: Mapping[str, str], environment: str, data: Path) -> str:
    """Return the URI under which MLflow's artifacts are stored."""
    configured_root = variables.get("MLFLOW_DEFAULT_ARTIFACT_ROOT")
    if environment == "production" and not configured_root:
        raise ValueError(
            "ML_ASSETS_ENV is production and MLflow's store is a database, "
            "which needs MLFLOW_DEFAULT_ARTIFACT_ROOT to be set"
        )
    root = configured_root or str(data / "mlartifacts")
    return root if "://" in root else Path(_absolute_place(root, data.parent)).as_uri()
