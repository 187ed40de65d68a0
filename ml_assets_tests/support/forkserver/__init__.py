"""Processes of tests, forked from one that has imported everything, so that they start at once and can be killed."""

import multiprocessing

CONTEXT = multiprocessing.get_context("forkserver")
# The first module of a test process that starts its server decides for all others what is imported, so they share one
# list. Modules only: a pool of threads would not survive a fork.
CONTEXT.set_forkserver_preload(
    [
        "ml_assets_tests.pipeline.world",
        "ml_assets_tests.support.forkserver.warm",
        "dagster.core.scheduler",
        "dagster._core.instance.factory",
        "dagster._core.instance.ref",
        "dagster._core.workspace.load",
        "dagster._daemon.run_coordinator",
        "dagster_aws.s3",
        "dagster_mlflow.resources",
        "deltalake",
        "mlflow.pyfunc",
        "mlflow.store.model_registry.sqlalchemy_workspace_store",
        "mlflow.store.tracking.sqlalchemy_workspace_store",
        "pandera.pandas",
        "pyarrow.dataset",
        "pyarrow.pandas_compat",
        "scipy.stats",
        "sklearn.metrics",
        "xgboost",
        "ml_assets.core.evaluation.holdout_metrics",
        "ml_assets.core.features.point_in_time",
        "ml_assets.core.operations.reports.html",
        "ml_assets.core.serving.batch_predictions",
        "ml_assets.core.training.train",
        "ml_assets.core.validation.validate_day",
        "ml_assets.resources.dagster_instance.run_launcher",
        "ml_assets.resources.dagster_internals.event_log",
        "ml_assets.resources.dagster_internals.run_queue",
        "ml_assets.resources.dagster_internals.sqlite_storages",
    ]
)
