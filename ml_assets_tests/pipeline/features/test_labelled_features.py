"""A reader of training rows can be sent to another process, and reads the same days there."""

import pandas as pd
import pytest
from distributed.protocol import deserialize, serialize

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets.pipeline.engine.stage import InputChanged
from ml_assets.pipeline.features.labelled_features import TrainingRows
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day, rows_of
from ml_assets_tests.pipeline.worlds import world_with_features

SPEC = ModelSpec.model_validate(SMALL)
AS_OF, USED = day(12), day(4)


@pytest.fixture
def world(tmp_path):
    return world_with_features(tmp_path, SPEC, 8)


def reader_of(world: World) -> TrainingRows:
    training = world.stages().training
    return training.reader(AS_OF)


def send_to_worker(reader: TrainingRows) -> TrainingRows:
    """Return the reader as a Dask worker receives it."""
    return deserialize(*serialize(reader))


def test_a_worker_reads_the_same_rows(world):
    here, there = reader_of(world), send_to_worker(reader_of(world))
    assert list(here(USED).columns) == [SPEC.target, *SPEC.feature_names()]
    pd.testing.assert_frame_equal(there(USED), here(USED))


def test_a_day_that_was_made_again_meanwhile_is_refused_by_a_worker(world):
    reader = reader_of(world)
    world.land(USED, rows_of(USED, 70))
    world.run(list(LANDED_TO_FEATURES), day(1), day(8))
    there = send_to_worker(reader)
    with pytest.raises(InputChanged, match=f"the features of {USED} were made again while they were used for {AS_OF}"):
        there(USED)
    assert len(reader(USED)) == 60
