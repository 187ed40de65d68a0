"""Models read from the lake as scorers, and whether their predictions are those of a specification."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ml_assets.core.model.files import MODEL, PREPROCESSING
from ml_assets.core.model_spec import ModelSpec
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import parse_artifacts_key, read_model_files

if TYPE_CHECKING:
    from ml_assets.core.model.scorer import Scorer


def read_scorer(lake: Lake, artifacts: str) -> "Scorer":
    """Read the model whose files are in the folder `artifacts` of the lake. XGBoost parses them only if they have the
    digest that names the folder.

    Raises:
        ModelFilesUnusable: when a file is missing, or the files do not have the digest.
        ValueError: when the files are not those of a readable model.
    """
    from ml_assets.core.model.scorer import Scorer

    model, digest = parse_artifacts_key(artifacts)
    files = read_model_files(lake, model, digest, (MODEL, PREPROCESSING))
    return Scorer.from_bytes(files[MODEL], files[PREPROCESSING])


def read_preprocessing(lake: Lake, artifacts: str) -> Mapping:
    """Read the inputs and outputs of the model whose files are in the folder `artifacts` of the lake, without XGBoost.

    Returns:
        The content of `preprocessing.json`, see `Scorer`.

    Raises:
        ModelFilesUnusable: when a file is missing, or the files do not have the digest.
        ValueError: when it is not JSON.
    """
    model, digest = parse_artifacts_key(artifacts)
    return json.loads(read_model_files(lake, model, digest, (MODEL, PREPROCESSING))[PREPROCESSING])


def threshold_of(scorer: "Scorer | None") -> float | None:
    """Return the lowest score of a positive decision of a model; None unless its task is binary. A model that cannot
    score decides nothing as positive.
    """
    return 1.0 if scorer is None else scorer.preprocessing.get("threshold")


def explain_other_task(spec: ModelSpec, preprocessing: Mapping) -> str | None:
    """Return why the predictions of a model are not those of the specification; None if they are."""
    remedy = "restore its task, classes and quantiles, or set `champion: null` until a model with the new ones is live"
    difference = spec.outputs.explain_difference(preprocessing)
    return difference and f"{difference}; {remedy}"
