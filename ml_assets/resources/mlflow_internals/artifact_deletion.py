"""Deletion of the files of a logged model.

Reason: MLflow's client marks a logged model as deleted and leaves its files to `mlflow gc`, which needs access to the
database of the server.
Public API that would replace it: a method of `MlflowClient` that deletes the artifacts of a logged model.
"""


def delete_artifacts(location: str, tracking_uri: str) -> None:
    """Delete all files under an artifact location, as `mlflow gc` does."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    get_artifact_repository(location, tracking_uri=tracking_uri).delete_artifacts()
