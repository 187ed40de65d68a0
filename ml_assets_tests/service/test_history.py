"""The history is read with the labels known by then, and read again only after a new commit."""

from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.tables.schemas import to_pandas
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, landed_to_features
from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.read_only_lake import ReadOnlyLake
from ml_assets.service.history import HistoryCache
from ml_assets.service.scoring import Scoring
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.features.test_label_store import SPEC as WITH_LABEL_FILES
from ml_assets_tests.pipeline.features.test_label_store import labels_of
from ml_assets_tests.pipeline.world import World, day, rows_of

DAYS = 7


def cached_history(world: World) -> HistoryCache:
    return HistoryCache(world.spec, ReadOnlyLake(uri=world.lake.uri), world.landing)


def request_row(row: dict) -> dict:
    return {**row, "event_time": row["event_time"].to_pydatetime()}


@pytest.mark.slow
def test_window_features_of_labels_from_files_equal_those_of_the_batch(tmp_path):
    world = World(tmp_path, WITH_LABEL_FILES)

    def land(number: int) -> None:
        world.land(day(number), rows_of(day(number)).drop(columns="label"))
        if number > 2:
            world.land_at(f"labels/{day(number)}/labels.parquet", labels_of(number - 2))

    for number in range(1, DAYS + 1):
        land(number)
    world.run(list(landed_to_features(world.spec)), day(1), day(DAYS))
    history = cached_history(world)
    history.refresh()
    assert history.features is not None
    # Labels delivered on the day itself were not known when it began.
    land(DAYS + 1)
    world.run(list(landed_to_features(world.spec)), day(DAYS + 1))
    stages = world.stages()
    rows = to_pandas(stages.validation.tables["validated_data"].read([day(DAYS + 1)])).to_dict("records")
    committed = to_pandas(stages.features.features.read([day(DAYS + 1)])).set_index("id")
    names = world.spec.feature_names()
    features = {
        row["id"]: history.features.compute(
            request_row(row), [request_row(other) for other in rows if other is not row]
        )
        for row in rows
    }
    online = pd.DataFrame.from_dict(features, orient="index")[names]
    pd.testing.assert_frame_equal(online, committed.loc[online.index, names], check_exact=True, check_names=False)
    assert online["label_mean_by_card_2d_delay_2d"].gt(0).any()


def test_the_history_is_not_read_again_without_a_new_commit(tmp_path):
    world = World(tmp_path, ModelSpec.model_validate(SMALL))
    history = cached_history(world)
    with pytest.raises(LakeError, match="no such table yet"):
        history.refresh()
    assert "no such table yet" in (history.problem or "")
    loader = SimpleNamespace(models=object())
    assert "no such table yet" in (Scoring(world.spec, loader, history).missing() or "")
    for number in (1, 2):
        world.land(day(number), rows_of(day(number)))
    world.run(list(LANDED_TO_FEATURES), day(1), day(1))
    history.refresh()
    first = history.features
    assert first is not None
    assert first.through == day(1)
    history.refresh()
    assert history.features is first
    world.run(list(LANDED_TO_FEATURES), day(2))
    history.refresh()
    assert history.features is not None
    assert history.features.through == date(2025, 1, 2)
