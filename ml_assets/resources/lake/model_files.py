"""The files of a model in the lake: their location, and reading them with a check of their digest."""

import json
from collections import Counter

from ml_assets.core.model.digest import model_digest
from ml_assets.core.model.files import ARTIFACTS, MODEL, PREPROCESSING
from ml_assets.resources.lake.lake import Lake

LEARNING_CURVE = "learning_curve.json"


class ModelFilesUnusable(Exception):
    """Files of a model are missing in the lake, or do not have its digest. The message says which and what to do."""


def artifacts_key(model: str, digest: str) -> str:
    """Return the folder of the files of a model, relative to the lake."""
    return f"{model}/models/{digest}"


def read_model_files(lake: Lake, model: str, digest: str) -> dict[str, bytes]:
    """Return model.ubj, preprocessing.json and passport.json of a model.

    Raises:
        ModelFilesUnusable: when one is missing, or they do not have the digest.
    """
    folder = artifacts_key(model, digest)
    remedy = (
        f"`ml-assets restore {model}` copies them from the deploy target or from MLflow; the day of the model in "
        f"{model}/trained_model can also be materialised again."
    )
    try:
        files = {name: lake.files.read(f"{folder}/{name}") for name in ARTIFACTS}
    except FileNotFoundError as error:
        raise ModelFilesUnusable(
            f"the files of model {digest} are not all under {folder} in the lake ({error}). {remedy}"
        ) from error
    if (actual := model_digest(files[MODEL], files[PREPROCESSING])) != digest:
        raise ModelFilesUnusable(
            f"the files under {folder} in the lake are those of another model, {actual}. Remove them first. {remedy}"
        )
    return files


def complete_models(lake: Lake, model: str) -> set[str]:
    """Return the digests of the models whose files are all in the lake and not empty, from one listing, without reading
    them.
    """
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
