"""MLflow's global tracking URI and active experiment.

Reason: dagster-mlflow sets both for the whole process, and MLflow can set an experiment but not unset it. If they
stayed set, everything that the process logs next would go to this store.
Public API that would replace it: a way to unset the active experiment, or a dagster-mlflow that uses `MlflowClient`.
"""

from collections.abc import Callable


def remember_global_state() -> Callable[[], None]:
    """Return a function that restores MLflow's current global tracking URI and experiment."""
    import mlflow
    from mlflow.environment_variables import MLFLOW_EXPERIMENT_ID
    from mlflow.tracking import fluent

    uri = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    experiment, configured = fluent._active_experiment_id, MLFLOW_EXPERIMENT_ID.get()

    def restore() -> None:
        mlflow.set_tracking_uri(uri)  # type: ignore[arg-type]
        fluent._active_experiment_id = experiment
        if configured is None:
            MLFLOW_EXPERIMENT_ID.unset()
        else:
            MLFLOW_EXPERIMENT_ID.set(configured)

    return restore
