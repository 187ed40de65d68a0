"""A model's files in the lake: where they lie, and reading them whole."""

import json
from collections import Counter

from ml_assets.core.model.digest import model_digest
from ml_assets.core.model.files import ARTIFACTS, MODEL, PREPROCESSING
from ml_assets.resources.lake.lake import Lake

LEARNING_CURVE = "learning_curve.json"


class ModelFilesUnusable(Exception):
    """Files of a model are not in the lake, or are not those of its digest; the message says which and what to do."""


def artifacts_key(model: str, digest: str) -> str:
    """The folder of a model's files, relative to the lake."""
    return f"{model}/models/{digest}"


def read_model_files(lake: Lake, model: str, digest: str) -> dict[str, bytes]:
    """model.ubj, preprocessing.json and passport.json of a model.

    Raises:
        ModelFilesUnusable: when one is not there, or they are not those of the digest.
    """
    folder = artifacts_key(model, digest)
    again = f"Put them back (the version's artifacts in MLflow hold a copy), or materialise the day of the model in {model}/trained_model again."
    try:
        files = {name: lake.files.read(f"{folder}/{name}") for name in ARTIFACTS}
    except FileNotFoundError as error:
        raise ModelFilesUnusable(
            f"the files of model {digest} are not all under {folder} in the lake ({error}). {again}"
        ) from error
    if (found := model_digest(files[MODEL], files[PREPROCESSING])) != digest:
        raise ModelFilesUnusable(
            f"the files under {folder} in the lake are those of another model, {found}. Remove them first. {again}"
        )
    return files


def whole_models(lake: Lake, model: str) -> set[str]:
    """The digests of the models whose files are all in the lake, none of them empty: by one listing, without a look
    into them.
    """
    root = artifacts_key(model, "")
    files = [file.key.removeprefix(root).split("/") for file in lake.files.sizes(root) if file.size]
    found = Counter(digest for digest, *name in files if name in [[artifact] for artifact in ARTIFACTS])
    return {digest for digest, number in found.items() if number == len(ARTIFACTS)}


def learning_curve(lake: Lake, artifacts: str) -> dict[str, list[float]]:
    """The metrics of the validation part by round of the model in a folder of the lake; none where it was trained
    before they were kept.
    """
    try:
        return json.loads(lake.files.read(f"{artifacts}/{LEARNING_CURVE}"))
    except FileNotFoundError:
        return {}
