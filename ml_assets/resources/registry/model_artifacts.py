"""The files of a model among the artifacts of its version in MLflow."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ml_assets.core.model.files import ARTIFACTS
from ml_assets.resources.mlflow.connection import quiet_mlflow

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


def read_artifacts(client: "MlflowClient", version: "ModelVersion") -> dict[str, bytes] | None:
    """Return the files of a version from its artifacts; None if they are not all there."""
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    uri = client.get_model_version_download_uri(version.name, version.version)
    with quiet_mlflow(), TemporaryDirectory() as directory:
        try:
            folder = Path(download_artifacts(uri, dst_path=directory, tracking_uri=client.tracking_uri))
        except (MlflowException, OSError):
            return None
        files = {name: next(folder.rglob(name), None) for name in ARTIFACTS}
        return {name: path.read_bytes() for name, path in files.items() if path} if all(files.values()) else None
