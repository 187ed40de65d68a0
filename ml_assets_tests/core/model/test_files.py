"""The files of a model have the names that readers of its artifacts know."""

from ml_assets.core.model.files import ARTIFACTS


def test_the_files_of_a_model_keep_their_names():
    assert ARTIFACTS == ("model.ubj", "preprocessing.json", "passport.json")
