"""Names of the files of a model."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


MODEL = "model.ubj"
PREPROCESSING = "preprocessing.json"
PROVENANCE = "passport.json"


ARTIFACTS = (MODEL, PREPROCESSING, PROVENANCE)
