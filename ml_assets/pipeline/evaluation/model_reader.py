"""Models read from the lake as scorers."""

from typing import TYPE_CHECKING

from ml_assets.core.model.files import MODEL, PREPROCESSING
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import parse_artifacts_key, read_model_files

if TYPE_CHECKING:
    from ml_assets.core.model.scorer import Scorer


def read_scorer(lake: Lake, artifacts: str) -> "Scorer":
    """Read the model whose files are in the folder `artifacts` of the lake. XGBoost sees no byte of them unless they
    have the digest that names the folder.

    Raises:
        ModelFilesUnusable: when a file is missing, or the files do not have the digest.
        ValueError: when the files are not those of a readable model.
    """
    from ml_assets.core.model.scorer import Scorer

    model, digest = parse_artifacts_key(artifacts)
    files = read_model_files(lake, model, digest, (MODEL, PREPROCESSING))
    return Scorer.from_bytes(files[MODEL], files[PREPROCESSING])
