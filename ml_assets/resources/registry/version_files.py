"""The files of registered versions in MLflow's artifact store, which `mlflow gc` or a person may have removed."""

import logging
import re
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ml_assets.core.model.files import ARTIFACTS
from ml_assets.resources.mlflow.connection import quiet_mlflow
from ml_assets.resources.mlflow.model_format import describe_model, write_mlflow_model
from ml_assets.resources.mlflow.model_record import ModelRecord
from ml_assets.resources.mlflow_internals.artifact_upload import upload

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger("ml_assets.registry")
DESCRIPTION = "MLmodel"
# The location of a logged model; MLflow's client does not return the ID of the model of a version.
LOGGED_MODEL = re.compile(r"/models/(m-[0-9a-f]+)/artifacts/?$")


def lacks_files(source: str, tracking_uri: str) -> bool:
    """Return whether files of a version are gone from MLflow's artifact store.

    Versions that other code registered have other files and are not checked. A store that cannot be listed counts as
    complete; the doctor's check `artifacts` reports it.

    Args:
        source: the location of the files of the version.
        tracking_uri: URI of the store.
    """
    if LOGGED_MODEL.search(source) is None:
        return False
    try:
        names = _list(source, tracking_uri)
        return DESCRIPTION not in names or not set(ARTIFACTS) <= _list(f"{source}/artifacts", tracking_uri)
    # Each kind of store raises its own exceptions.
    except Exception as error:
        log.debug("the files of %s cannot be listed: %s", source, error)
        return False


def _list(uri: str, tracking_uri: str) -> set[str]:
    if uri.startswith("file:///"):
        # It loads Python's HTTP client, too.
        from urllib.request import url2pathname

        # MLflow's own listing of a folder returns the same names, but takes a second to import.
        folder = Path(url2pathname(urlsplit(uri).path))
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    from mlflow.artifacts import list_artifacts

    with quiet_mlflow():
        return {PurePosixPath(file.path).name for file in list_artifacts(uri, tracking_uri=tracking_uri)}


def store_files_again(client: "MlflowClient", name: str, number: int, record: ModelRecord) -> bool:
    """Write the files of a version again; return False if `mlflow gc` removed the model that the version belongs to, so
    that the version cannot have files.
    """
    from mlflow.exceptions import MlflowException

    logged_model = LOGGED_MODEL.search(client.get_model_version(name, str(number)).source or "")
    if logged_model is None:
        return False
    try:
        logged = client.get_logged_model(logged_model[1])
        with quiet_mlflow(), TemporaryDirectory() as directory:
            folder = Path(directory, "model")
            write_mlflow_model(folder, record.artifacts, record.example, describe_model(logged, record))
            upload(folder, logged.artifact_location, client.tracking_uri)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return False
    return True
