"""The files of a model in the lake: their location, and how they are read with a check of their digest."""

import json
from collections import Counter
from collections.abc import Sequence

from ml_assets.core.model.digest import model_digest
from ml_assets.core.model.files import ARTIFACTS, MODEL, PREPROCESSING
from ml_assets.resources.lake.errors import is_damage
from ml_assets.resources.lake.lake import Lake

_MODELS = "models"
LEARNING_CURVE = "learning_curve.json"


class ModelFilesUnusable(Exception):
    """Files of a model are missing in the lake, or do not have its digest. The message says which and what to do."""


def artifacts_key(model: str, digest: str) -> str:
    """Return the folder of the files of a model, relative to the lake."""
    return f"{model}/{_MODELS}/{digest}"


def parse_artifacts_key(artifacts: str) -> tuple[str, str]:
    """Return the model and the digest of a folder of files of a model."""
    model, _, digest = artifacts.rpartition(f"/{_MODELS}/")
    return model, digest


def read_model_files(lake: Lake, model: str, digest: str, names: Sequence[str] = ARTIFACTS) -> dict[str, bytes]:
    """Return files of a model, after a comparison of their digest with the one that names their folder.

    Args:
        lake: the lake.
        model: name of the model.
        digest: digest of the model.
        names: names of the files, model.ubj and preprocessing.json among them.

    Raises:
        ModelFilesUnusable: when one is missing or cannot be read, or they do not have the digest.
    """
    folder = artifacts_key(model, digest)
    remedy = (
        f"`ml-assets restore {model}` copies them from the deploy target or from MLflow; the day of the model in "
        f"{model}/trained_model can also be materialized again."
    )
    try:
        files = {name: lake.files.read(f"{folder}/{name}") for name in names}
    except OSError as error:
        if not is_damage(error):
            raise
        raise ModelFilesUnusable(
            f"the files of model {digest} are not all under {folder} in the lake ({error}). {remedy}"
        ) from error
    if (actual := model_digest(files[MODEL], files[PREPROCESSING])) != digest:
        raise ModelFilesUnusable(
            f"the files under {folder} in the lake are damaged, or those of another model: they have the digest "
            f"{actual}. {remedy}"
        )
    return files


def complete_models(lake: Lake, model: str) -> set[str]:
    """Return the digests of the models whose files are all in the lake and not empty, from a single listing."""
    root = artifacts_key(model, "")
    files = [file.key.removeprefix(root).split("/") for file in lake.files.sizes(root) if file.size]
    counts = Counter(digest for digest, *name in files if name in [[artifact] for artifact in ARTIFACTS])
    return {digest for digest, number in counts.items() if number == len(ARTIFACTS)}


def learning_curve(lake: Lake, artifacts: str) -> dict[str, list[float]]:
    """Return the metrics of the validation part by round of the model in a folder of the lake; none for a model that
    was trained before they were stored.
    """
    try:
        return json.loads(lake.files.read(f"{artifacts}/{LEARNING_CURVE}"))
    except FileNotFoundError:
        return {}
