"""A trained model in MLflow's format, without pickle and complete in itself, and how it is logged to a run."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ml_assets.core.model.files import ARTIFACTS, MODEL, PREPROCESSING
from ml_assets.resources.mlflow.learning_curve import log_curve

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.models import Model

REQUIREMENTS = ("numpy", "pandas", "xgboost")
ITEMS_PER_REQUEST = 100


@dataclass(frozen=True)
class ModelRecord:
    """A trained model with everything that the registry keeps of it.

    Raises ValueError when an artifact is missing or unknown, the example has no rows, or the name of a picture or
    document is a path.
    """

    name: str
    """Name of the model: letters, digits, `_` and `-`."""
    day: date
    """The day that the model is of."""
    digest: str
    """Digest of the model: letters, digits, `_`, `:` and `-`."""
    artifacts: Mapping[str, bytes]
    """Content of model.ubj, preprocessing.json and passport.json."""
    example: "pd.DataFrame"
    """A few rows of features, as the scorer takes them."""
    params: Mapping[str, object]
    """Parameters of the training."""
    metrics: Mapping[str, float]
    """Figures of the evaluation; those that are not finite are not logged, but named in the tag
    `metrics_not_finite`.
    """
    plots: Mapping[str, bytes] = field(default_factory=dict)
    """PNG images by file name."""
    documents: Mapping[str, bytes] = field(default_factory=dict)
    """Files for people by file name, such as the report of the day."""
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Values by round of boosting, the steps of the metric."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Further tags of run and version."""
    lake: str = ""
    """URI of the lake."""
    lake_folder: str = ""
    """Where the model's files lie, relative to the lake."""

    def __post_init__(self):
        if set(self.artifacts) != set(ARTIFACTS):
            raise ValueError(
                f"artifacts of {self.name}: must be {', '.join(ARTIFACTS)}, not {', '.join(sorted(self.artifacts)) or 'none'}"
            )
        if self.example.empty:
            raise ValueError(
                f"example of {self.name}: must have a row or more; the signature of the model is read from it"
            )
        for kind, files in [("plots", self.plots), ("documents", self.documents)]:
            for name in files:
                if Path(name).name != name:
                    raise ValueError(f"{kind} of {self.name}: {name!r} must be a file name without a folder")

    def all_tags(self) -> dict[str, str]:
        """The tags of run and version: those given, `day`, `model_digest`, and the names of metrics that are not
        finite, where there are any.
        """
        missing = sorted(set(self.metrics) - set(self.finite_metrics()))
        named = {"metrics_not_finite": ", ".join(missing)} if missing else {}
        return {**self.tags, **named, "day": self.day.isoformat(), "model_digest": self.digest}

    def finite_metrics(self) -> dict[str, float]:
        """The metrics that MLflow can hold: stores differ in what they make of NaN and infinity."""
        return {name: float(value) for name, value in self.metrics.items() if math.isfinite(value)}


def log_model(client: "MlflowClient", experiment_id: str, run_id: str, record: ModelRecord) -> "LoggedModel":
    """Log parameters, metrics, pictures, documents and the model itself to a run that exists.

    Returns MLflow's entry of the model, with the place of its files. Nothing here uses MLflow's active run.
    """
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    params = {name: str(value) for name, value in record.params.items()}
    logged = client.create_logged_model(
        experiment_id, record.name, run_id, record.all_tags(), params, model_type="classifier"
    )
    log_figures(client, run_id, record, logged.model_id)
    with TemporaryDirectory() as place:
        folder = Path(place, "model")
        description = Model(
            artifact_path=logged.artifact_location,
            run_id=run_id,
            model_uuid=logged.model_id,
            model_id=logged.model_id,
            metadata={"name": record.name, "day": record.day.isoformat(), "model_digest": record.digest},
        )
        write_mlflow_model(folder, record.artifacts, record.example, description)
        client.log_model_artifacts(logged.model_id, str(folder))
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return client.finalize_logged_model(logged.model_id, "READY")


def log_figures(client: "MlflowClient", run_id: str, record: ModelRecord, model_id: str | None = None) -> None:
    """Log parameters, metrics, curves, pictures and documents to a run that exists; metrics also to MLflow's entry of
    the model, if any.
    """
    from mlflow.entities import Metric, Param
    from mlflow.utils.time import get_current_time_millis

    now = get_current_time_millis()
    for part in _parts({name: str(value) for name, value in record.params.items()}):
        client.log_batch(run_id, params=[Param(name, value) for name, value in part.items()])
    for part in _parts(record.finite_metrics()):
        client.log_batch(
            run_id, metrics=[Metric(name, value, now, 0, model_id=model_id) for name, value in part.items()]
        )
    log_curve(client, run_id, record.curves)
    for folder, contents in [("plots", record.plots), (None, record.documents)]:
        if contents:
            with TemporaryDirectory() as place:
                _write(files := Path(place, "files"), contents)
                client.log_artifacts(run_id, str(files), folder)


def write_mlflow_model(
    folder: Path, artifacts: Mapping[str, bytes], example: "pd.DataFrame", description: "Model"
) -> None:
    """Write the folder of an MLflow pyfunc model that `mlflow.pyfunc.load_model` loads without this project.

    It holds the artifacts, the source of the scorer and of `pyfunc.py` (a model from code, so nothing is pickled), the
    signature, the example, and the installed versions of what the scorer imports as requirements. The example is
    scored, so a model that cannot score is never registered.

    Args:
        folder: a folder that does not exist yet; its name with `_files` added must not exist either.
        artifacts: the content of each file in ARTIFACTS.
        example: a few rows of features, as the scorer takes them.
        description: MLflow's description of the model; gets signature and files.
    """
    import mlflow.pyfunc
    import numpy as np
    import pandas as pd
    from mlflow.models import infer_signature

    from ml_assets.core.model import scorer as scorer_module

    # MLflow's signatures have no categories; as text they score the same.
    example = example.astype({name: object for name in example.select_dtypes("category")})
    scorer = scorer_module.Scorer.from_bytes(artifacts[MODEL], artifacts[PREPROCESSING])
    scores = np.asarray(scorer.score(example))
    files = folder.with_name(f"{folder.name}_files")
    _write(files, artifacts)
    mlflow.pyfunc.save_model(
        path=str(folder),
        mlflow_model=description,
        python_model=str(Path(__file__).with_name("pyfunc.py")),
        artifacts={name: str(files / name) for name in artifacts},
        code_paths=[scorer_module.__file__],
        signature=infer_signature(example, pd.DataFrame({"score": scores, "decision": scores >= scorer.threshold})),
        input_example=example,
        # A public index does not have local builds such as 2.0+cpu.
        pip_requirements=[f"{name}=={version(name).partition('+')[0]}" for name in REQUIREMENTS],
        # Without this MLflow copies pyproject.toml and uv.lock from whatever directory the process runs in.
        uv_project_path=files,
    )


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def _parts(items: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What fits into one request to MLflow."""
    names = list(items)
    for start in range(0, len(names), ITEMS_PER_REQUEST):
        yield {name: items[name] for name in names[start : start + ITEMS_PER_REQUEST]}
