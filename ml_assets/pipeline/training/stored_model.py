"""The files of a trained model in the lake, and its row of trained_model."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ml_assets.core.model.files import ARTIFACTS
from ml_assets.core.training.time_split import Split
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import LEARNING_CURVE, artifacts_key

if TYPE_CHECKING:
    import pyarrow as pa

    from ml_assets.core.training.train import TrainedModel


def store_model(lake: Lake, name: str, split: Split, model: "TrainedModel", provenance: bytes) -> dict[str, Any]:
    """Write the files of a model into the lake, under its digest, and return the row of trained_model.

    Args:
        lake: the lake.
        name: name of the model in the specification.
        split: its time split.
        model: the model.
        provenance: its provenance, as JSON.
    """
    folder = artifacts_key(name, model.digest)
    curve = json.dumps(model.learning_curve, sort_keys=True).encode()
    files = dict(zip(ARTIFACTS, (model.model, model.preprocessing, provenance), strict=True))
    for file, content in {**files, LEARNING_CURVE: curve}.items():
        lake.files.write(f"{folder}/{file}", content)
    return {
        "model_digest": model.digest,
        "artifacts": folder,
        "rounds": model.rounds,
        "threshold": model.threshold,
        "rows": model.rows,
        "positives": model.positives,
        "fit_first": split.fit[0],
        "validation_first": split.validation[0],
        "validation_last": split.validation[-1],
    }


def to_table(row: Mapping[str, Any]) -> "pa.Table":
    """Convert a row of trained_model, in which columns may be missing, to a table."""
    import pyarrow as pa

    from ml_assets.core.tables.schemas import TRAINED_MODEL_SCHEMA

    return pa.Table.from_pylist([dict(row)], schema=TRAINED_MODEL_SCHEMA)
