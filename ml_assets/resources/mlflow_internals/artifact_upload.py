"""Upload of a folder to a known artifact location.

Reason: `MlflowClient.log_artifacts` and `log_model_artifacts` read the whole run or logged model from the store to
learn a location that was already returned when it was created.
Public API that would replace it: `log_artifacts` with a location instead of an ID.
"""

from pathlib import Path


def upload(folder: Path, location: str, tracking_uri: str) -> None:
    """Copy everything in a folder to an artifact location of the store at `tracking_uri`."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    get_artifact_repository(location, tracking_uri=tracking_uri).log_artifacts(str(folder))
