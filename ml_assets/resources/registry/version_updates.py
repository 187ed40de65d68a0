"""Changes of an existing version: its tags, metrics and description, and the link to its logged model."""

import json
import logging
from typing import TYPE_CHECKING

from ml_assets.resources.mlflow.experiments import store_of_command
from ml_assets.resources.mlflow.model_record import GATE, ModelRecord
from ml_assets.resources.mlflow.run_log import FINISHED
from ml_assets.resources.mlflow.tracking import RUN_TAG
from ml_assets.resources.registry.version_description import COMMIT_TAG, NOTE_TAG, description, title

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

log = logging.getLogger("ml_assets.registry")


def update_version(client: "MlflowClient", version: "ModelVersion", record: ModelRecord, dagster_ui: str) -> None:
    """Update tags, metrics and description of a version. They may change while the bytes of the model do not: other
    gates, a repaired label in the holdout.

    A version whose MLflow run somebody deleted keeps its model; only the run is not updated.
    """
    for name, value in record.version_tags().items():
        if version.tags.get(name) != value:
            client.set_model_version_tag(record.name, version.version, name, value)
    # Earlier versions of this package wrote a tag for each gate.
    for name in version.tags:
        if name.startswith(GATE):
            client.delete_model_version_tag(record.name, version.version, name)
    run = _active_run(client, version)
    if run is not None:
        _update_run(client, version, record, run)
    commit = run.data.tags.get(COMMIT_TAG) if run is not None else None
    dagster_run_id = version.tags.get(RUN_TAG, "")
    note = description(record, dagster_run_id, dagster_ui, commit, version.run_id)
    if run is not None and (version.description or "").startswith(title(record)) and version.description != note:
        client.update_model_version(record.name, version.version, note)
        client.set_tag(run.info.run_id, NOTE_TAG, description(record, dagster_run_id, dagster_ui, commit))


def link_model_to_version(client: "MlflowClient", model_id: str, version: "ModelVersion") -> None:
    """Tag a logged model with its version, as MLflow servers do; a store that is used directly as a database
    does not.
    """
    client.set_logged_model_tags(
        model_id, {"mlflow.modelVersions": json.dumps([{"name": version.name, "version": int(version.version)}])}
    )


def _active_run(client: "MlflowClient", version: "ModelVersion") -> "Run | None":
    """Return the run of a version; None, with a warning that names the remedy, if somebody deleted it."""
    from mlflow.exceptions import MlflowException

    if not version.run_id:
        return None
    subject = f"the MLflow run {version.run_id} of version {version.version} of {version.name}"
    try:
        run = client.get_run(version.run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        log.warning("%s was deleted for good; the version itself is complete", subject)
        return None
    if run.info.lifecycle_stage == "deleted":
        restore = f"{store_of_command(client.tracking_uri)}mlflow runs restore --run-id {version.run_id}"
        log.warning("%s was deleted and is not updated: `%s` restores it", subject, restore)
        return None
    return run


def _update_run(client: "MlflowClient", version: "ModelVersion", record: ModelRecord, run: "Run") -> None:
    if run.info.status != FINISHED:
        log.warning(
            "version %s of %s was created by a process that died right after; its MLflow run is ended",
            version.version,
            record.name,
        )
        for output in run.outputs.model_outputs if run.outputs else []:
            link_model_to_version(client, output.model_id, version)
        client.set_terminated(run.info.run_id, FINISHED)
    for name, value in record.finite_metrics().items():
        if run.data.metrics.get(name) != value:
            client.log_metric(run.info.run_id, name, value)
