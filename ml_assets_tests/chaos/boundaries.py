"""Named boundaries of a run: the moments before and after each change that is stored."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from inspect import getattr_static
from typing import Any
from unittest.mock import patch

MLFLOW = (
    "create_run",
    "create_logged_model",
    "log_batch",
    "log_artifacts",
    "log_model_artifacts",
    "log_outputs",
    "finalize_logged_model",
    "create_registered_model",
    "create_model_version",
    "set_logged_model_tags",
    "set_terminated",
    "set_model_version_tag",
    "set_registered_model_alias",
    "delete_registered_model_alias",
    "set_registered_model_tag",
)
Cross = Callable[[str], None]


def _kind_of(key: str) -> str:
    parts = key.split("/")
    return f"write {parts[1] if len(parts) > 2 else parts[0]}"


@contextmanager
def watched(cross: Cross) -> Iterator[None]:
    """Call `cross` with the name of each boundary, `before ...` or `after ...`, when this process reaches it."""
    from dagster import DagsterInstance
    from deltalake import DeltaTable
    from mlflow import MlflowClient

    from ml_assets.pipeline.evaluation import stage as evaluation
    from ml_assets.pipeline.features import stage as features
    from ml_assets.pipeline.ingestion import stage as ingestion
    from ml_assets.pipeline.release import deployment_stage as deployment
    from ml_assets.pipeline.release import predictions_stage as predictions
    from ml_assets.pipeline.release import registration_stage as registry
    from ml_assets.pipeline.training import stage as training
    from ml_assets.pipeline.validation import stage as validation
    from ml_assets.resources.lake.table import Table
    from ml_assets.resources.release.deploy_target import DeployTarget
    from ml_assets.resources.release.ledger import Ledger
    from ml_assets.resources.storage.bucket import Bucket
    from ml_assets.resources.storage.directory import Directory

    def around(owner: type, name: str, label: Callable[..., str | None]) -> Any:
        raw = getattr_static(owner, name)
        inner = raw.__func__ if isinstance(raw, classmethod) else raw

        def crossing(*args: Any, **kwargs: Any) -> Any:
            if (named := label(*args)) is None:
                return inner(*args, **kwargs)
            cross(f"before {named}")
            result = inner(*args, **kwargs)
            cross(f"after {named}")
            return result

        return patch.object(owner, name, classmethod(crossing) if isinstance(raw, classmethod) else crossing)

    stages = (
        ingestion.Ingestion,
        validation.Validation,
        features.FeatureEngineering,
        training.ModelTraining,
        evaluation.ModelEvaluation,
        registry.ModelRegistration,
        deployment.ModelDeployment,
        predictions.DailyPredictions,
    )
    with ExitStack() as patches:
        for stage in stages:
            patches.enter_context(around(stage, "make", lambda self, *_: f"make {self.name}"))
        patches.enter_context(around(Table, "commit", lambda self, *_: f"commit {self.uri.rsplit('/', 1)[-1]}"))
        patches.enter_context(
            around(DeltaTable, "create", lambda cls, uri, *_: f"create {str(uri).rsplit('/', 1)[-1]}")
        )
        patches.enter_context(around(Ledger, "_commit", lambda *_: "commit release_ledger"))
        patches.enter_context(around(DeployTarget, "publish", lambda *_: "publish"))
        for files in (Directory, Bucket):
            patches.enter_context(around(files, "write", lambda self, key, *_: _kind_of(key)))
            patches.enter_context(around(files, "delete", lambda self, key: f"delete {_kind_of(key)}"))
        for name in MLFLOW:
            patches.enter_context(around(MlflowClient, name, lambda *_, name=name: f"mlflow {name}"))
        patches.enter_context(around(DagsterInstance, "handle_new_event", _event))
        yield


def _event(instance: object, event: Any) -> str | None:
    kind = event.dagster_event_type.value if event.dagster_event_type else ""
    return (
        f"event {kind} of {event.step_key}"
        if kind in ("ASSET_MATERIALIZATION", "STEP_START", "STEP_SUCCESS", "RUN_SUCCESS")
        else None
    )
