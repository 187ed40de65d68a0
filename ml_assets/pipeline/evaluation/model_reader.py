"""Models read from the lake as scorers."""

from typing import TYPE_CHECKING

from ml_assets.core.model.files import MODEL, PREPROCESSING
from ml_assets.resources.lake.lake import Lake

if TYPE_CHECKING:
    from ml_assets.core.model.scorer import Scorer


def read_scorer(lake: Lake, artifacts: str) -> "Scorer":
    """Read the model whose files are in the folder `artifacts` of the lake.

    Raises:
        FileNotFoundError: when a file is missing.
        ValueError: when the files are not those of a readable model.
    """
    from ml_assets.core.model.scorer import Scorer

    return Scorer.from_bytes(lake.files.read(f"{artifacts}/{MODEL}"), lake.files.read(f"{artifacts}/{PREPROCESSING}"))
