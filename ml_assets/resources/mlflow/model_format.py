"""A trained model in MLflow's format, self-contained and without pickle, and its logging to a run."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ml_assets.core.model.files import MODEL, PREPROCESSING
from ml_assets.core.model_spec.types.task import REGRESSION
from ml_assets.resources.mlflow.model_record import ModelRecord
from ml_assets.resources.mlflow.run_log import RunLog
from ml_assets.resources.mlflow_internals.artifact_upload import upload
from ml_assets.resources.mlflow_internals.model_folder import write_model_folder

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import LoggedModel
    from mlflow.models import Model

REQUIREMENTS = ("numpy", "pandas", "xgboost")
MODEL_CODE = Path(__file__).with_name("pyfunc.py")


def log_model(run_log: RunLog, experiment_id: str, record: ModelRecord) -> "LoggedModel":
    """Log parameters, metrics, plots, documents and the model itself to a run.

    MLflow's active run is not used.

    Returns:
        MLflow's logged model, with the location of its files.
    """
    from mlflow.entities import LoggedModelOutput

    is_regression = record.all_tags().get("task") == REGRESSION
    client, run_id = run_log.client, run_log.run_id
    logged = client.create_logged_model(
        experiment_id,
        record.name,
        run_id,
        record.version_tags(),
        record.param_texts(),
        model_type="regressor" if is_regression else "classifier",
    )
    log_evaluation(run_log, record, logged.model_id)
    with TemporaryDirectory() as directory:
        folder = Path(directory, "model")
        write_mlflow_model(folder, record.artifacts, record.example, describe_model(logged, record))
        upload(folder, logged.artifact_location, client.tracking_uri)
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return client.finalize_logged_model(logged.model_id, "READY")


def describe_model(logged: "LoggedModel", record: ModelRecord) -> "Model":
    """Return MLflow's description of a logged model, to which `write_mlflow_model` adds signature and files."""
    from mlflow.models import Model

    return Model(
        artifact_path=logged.artifact_location,
        run_id=logged.source_run_id,
        model_uuid=logged.model_id,
        model_id=logged.model_id,
        metadata={"name": record.name, "day": record.day.isoformat(), "model_digest": record.digest},
    )


def log_evaluation(run_log: RunLog, record: ModelRecord, model_id: str | None = None) -> None:
    """Log parameters, metrics, curves, plots and documents of a model to a run, and metrics to its logged model."""
    run_log.log(record.params, record.metrics, record.curves, model_id=model_id)
    run_log.log_files({**{f"plots/{name}": plot for name, plot in record.plots.items()}, **record.documents})


def write_mlflow_model(
    folder: Path, artifacts: Mapping[str, bytes], example: "pd.DataFrame", description: "Model"
) -> None:
    """Write the folder of an MLflow pyfunc model that `mlflow.pyfunc.load_model` loads without this project.

    It holds the artifacts, the source of the scorer and of `pyfunc.py` (a model from code, so nothing is pickled), the
    signature, the example, and the installed versions of the scorer's imports as requirements. The example is scored,
    so a model that cannot score is never registered.

    Args:
        folder: a folder that does not exist yet.
        artifacts: the content of each file in ARTIFACTS.
        example: a few rows of features, as the scorer expects them.
        description: MLflow's description of the model; signature and files are added to it.
    """
    import pandas as pd
    from mlflow.models import infer_signature

    from ml_assets.core.model import scorer as scorer_module

    # MLflow's signatures have no categorical type; categories passed as text score the same.
    example = example.astype({name: object for name in example.select_dtypes("category")})
    scorer = scorer_module.Scorer.from_bytes(artifacts[MODEL], artifacts[PREPROCESSING])
    scorer.use_threads(1)
    description.signature = infer_signature(example, pd.DataFrame(scorer.predict(example)))
    write_model_folder(
        folder, description, MODEL_CODE, artifacts, Path(scorer_module.__file__), example, _requirements()
    )


@cache
def _requirements() -> tuple[str, ...]:
    """Return the installed versions without local build labels such as 2.0+cpu, which a public index does not have."""
    return tuple(f"{name}=={version(name).partition('+')[0]}" for name in REQUIREMENTS)
