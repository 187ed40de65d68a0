"""The record of a model of which only the files are left: its evaluation is no longer in the lake."""

from collections.abc import Mapping
from datetime import date

from ml_assets.core.model.files import MODEL, PREPROCESSING
from ml_assets.resources.mlflow.model_record import ModelRecord


def record_of_files(
    name: str, day: date, digest: str, files: Mapping[str, bytes], lake: str, folder: str
) -> ModelRecord:
    """Return a record without metrics and plots; the example, from which MLflow reads the signature, is a row of zeros.

    Args:
        name: name of the model.
        day: the day of the model.
        digest: its digest.
        files: content of its files by name.
        lake: URI of the lake.
        folder: folder of the files, relative to the lake.
    """
    import pandas as pd

    from ml_assets.core.model.scorer import Scorer

    preprocessing = Scorer.from_bytes(files[MODEL], files[PREPROCESSING]).preprocessing
    features, is_binary = preprocessing["features"], "threshold" in preprocessing
    row = {feature["name"]: 0.0 if feature["kind"] == "number" else "" for feature in features}
    return ModelRecord(
        name=name,
        day=day,
        digest=digest,
        artifacts=files,
        example=pd.DataFrame([row]),
        params={"threshold": preprocessing["threshold"]} if is_binary else {},
        metrics={},
        tags={"restored": "true", **({} if is_binary else {"task": preprocessing["task"]})},
        lake=lake,
        lake_folder=folder,
    )
