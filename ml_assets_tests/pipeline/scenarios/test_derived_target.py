"""A target that is derived from a landed column, from files to predictions."""

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL_ASSETS, RELEASE_ASSETS, VALIDATED
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day, rows_of
from ml_assets_tests.pipeline.worlds import world_with_features

COLUMNS = {name: column for name, column in SMALL["columns"].items() if name != "label"}
LATE = {"kind": "window", "key": "card", "value": "delay", "aggregates": ["mean"], "windows": ["1d"], "delay": "1d"}


@pytest.mark.slow
def test_a_label_that_is_made_from_a_landed_column_gives_the_model_of_that_label(tmp_path):
    labelled = world_with_features(tmp_path / "labelled")
    labelled.run(list(MODEL_ASSETS), day(10))
    spec = {
        **SMALL,
        "columns": {**COLUMNS, "delay": {"type": "number", "nullable": True, "known_after": "1d"}},
        "target": {"column": "delay", "above": 30},
    }
    derived = World(tmp_path / "derived", ModelSpec.model_validate(spec))
    for number in range(1, 11):
        rows = rows_of(day(number))
        derived.land(day(number), rows.drop(columns="label").assign(delay=rows["label"] * 45.0))
    derived.run(list(LANDED_TO_FEATURES), day(1), day(10))
    derived.run([*MODEL_ASSETS, *RELEASE_ASSETS], day(10))
    digests = [world.stages().training.row(day(10))["model_digest"] for world in (labelled, derived)]
    assert digests[0] == digests[1]
    stages = derived.stages()
    assert stages.predictions.why_not_scored(day(10)) is None
    validated = stages.validation.tables[VALIDATED].read([day(3)]).to_pandas()
    assert validated["label"].astype(int).tolist() == (validated["delay"] > 30).astype(int).tolist()
    # Another bound makes other labels, and windows may see the column once it is known.
    derived.spec = ModelSpec.model_validate(
        {**spec, "target": {"column": "delay", "below": 10}, "features": [*SMALL["features"], LATE]}
    )
    derived.run(list(LANDED_TO_FEATURES), day(1), day(10))
    derived.run(list(MODEL_ASSETS), day(10))
    assert derived.stages().training.row(day(10))["model_digest"] not in (None, digests[0])
    assert derived.stages().validation.tables[VALIDATED].read([day(3)]).to_pandas()["label"].mean() > 0.5
