"""A further model costs one day of features, two matrices and one write of each of its files."""

from collections import Counter

import pytest
import xgboost as xgb

from ml_assets.core.model.files import ARTIFACTS
from ml_assets.core.model_spec import ModelSpec
from ml_assets.resources.lake.model_files import LEARNING_CURVE
from ml_assets.resources.storage.directory import Directory
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import day
from ml_assets_tests.pipeline.worlds import world_with_features

SPEC = ModelSpec.model_validate({**SMALL, "training": {**SMALL["training"], "refit": False}})


@pytest.fixture
def operations(monkeypatch):
    """Counts of files that are read or written and of matrices that are built."""
    counts: Counter[str] = Counter()

    def count(kind, name, label):
        plain = getattr(kind, name)

        def counted(self, *arguments, **settings):
            counts[label(arguments)] += 1
            return plain(self, *arguments, **settings)

        monkeypatch.setattr(kind, name, counted)

    def in_words(verb):
        return lambda arguments: f"{verb} {'/'.join(arguments[0].split('/')[1:2])}"

    count(Directory, "read", in_words("read"))
    count(Directory, "write", in_words("write"))
    for kind in (xgb.DMatrix, xgb.QuantileDMatrix):
        count(kind, "__init__", lambda arguments, kind=kind: kind.__name__)
    return counts


def test_what_a_further_model_reads_builds_and_writes(tmp_path, operations):
    training = world_with_features(tmp_path, SPEC).stages().training
    list(training.make([day(12)], False))
    operations.clear()
    [output] = training.make([day(13)], False)
    assert output.problem is None
    # Each file of the model is written once; its provenance names the landed objects of one more day.
    expected = {"read features": 1, "read landed_objects": 1, "write models": len({*ARTIFACTS, LEARNING_CURVE})}
    assert operations == {**expected, "DMatrix": 1, "QuantileDMatrix": 1}
