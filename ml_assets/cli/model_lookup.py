"""The models there are, by the name that somebody typed."""

import sys

from ml_assets.cli.spec_files import read_spec
from ml_assets.core.model_spec import ModelSpec
from ml_assets.definitions import DEFS


def spec_of(model: str) -> ModelSpec:
    """The specification of a model.

    Raises:
        SystemExit: with a message, when there is no such model or its specification is not valid.
    """
    path = DEFS / model / "defs.yaml"
    if not path.is_file():
        models = ", ".join(sorted(found.parent.name for found in DEFS.glob("*/defs.yaml")))
        sys.exit(f"there is no model {model!r}: {path} does not exist; the models are {models}")
    try:
        return read_spec(path)
    except ValueError as error:
        sys.exit(str(error))
