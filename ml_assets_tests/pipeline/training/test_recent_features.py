"""Days of features are read once for consecutive models, and again when they were made again."""

import pandas as pd
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets.pipeline.training.recent_features import RecentFeatures
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import day, rows_of
from ml_assets_tests.pipeline.worlds import world_with_features

SPEC = ModelSpec.model_validate(SMALL)
COLUMNS = [SPEC.target, *SPEC.feature_names()]
AS_OF = day(12)


@pytest.fixture
def world(tmp_path):
    return world_with_features(tmp_path, SPEC, 5)


@pytest.fixture
def features(world):
    stages = world.stages()
    return RecentFeatures(SPEC, stages.training.lake, stages.training._rows.landing)


@pytest.fixture
def reads(features, monkeypatch):
    read_days, plain = [], features.table.read
    monkeypatch.setattr(
        features.table, "read", lambda days, names: read_days.extend(days) or plain(days, names), raising=True
    )
    return read_days


def test_a_day_is_read_once_and_gives_the_rows_of_the_table(features, reads):
    first, again = features.read(day(3), AS_OF, COLUMNS), features.read(day(3), AS_OF, COLUMNS)
    assert reads == [day(3)]
    pd.testing.assert_frame_equal(first, again)
    assert list(features.read(day(3), AS_OF, COLUMNS[:2]).columns) == COLUMNS[:2]
    assert reads == [day(3)]


def test_further_columns_are_read_with_those_of_before(features, reads):
    features.read(day(3), AS_OF, COLUMNS[:1])
    features.read(day(3), AS_OF, COLUMNS[1:])
    features.read(day(3), AS_OF, COLUMNS)
    assert reads == [day(3), day(3)]


def test_a_day_that_was_made_again_is_read_again(world, features, reads):
    assert len(features.read(day(3), AS_OF, COLUMNS)) == 60
    world.land(day(3), rows_of(day(3), 70))
    world.run(list(LANDED_TO_FEATURES), day(1), day(5))
    features.refresh()
    assert len(features.read(day(3), AS_OF, COLUMNS)) == 70
    assert reads == [day(3), day(3)]


def test_the_newest_days_are_kept_within_one_batch_of_rows(features, reads):
    features.spec = ModelSpec.model_validate({**SMALL, "training": {**SMALL["training"], "batch_rows": 150}})
    for number in (1, 2, 3, 4, 4, 3, 2):
        features.read(day(number), AS_OF, COLUMNS)
    assert reads == [day(1), day(2), day(3), day(4), day(2)]


def test_a_day_that_was_never_made_has_no_rows_and_is_not_kept(features, reads):
    for _ in range(2):
        assert features.read(day(9), AS_OF, COLUMNS).empty
    assert reads == [day(9), day(9)]
