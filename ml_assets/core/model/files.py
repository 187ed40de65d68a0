"""Names of the files of a model."""

MODEL = "model.ubj"
PREPROCESSING = "preprocessing.json"
PROVENANCE = "passport.json"
ARTIFACTS = (MODEL, PREPROCESSING, PROVENANCE)
