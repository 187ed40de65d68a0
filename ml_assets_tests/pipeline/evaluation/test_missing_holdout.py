"""A day with a model whose holdout has not been made."""

from datetime import date
from pathlib import Path

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets.pipeline.evaluation.report import evaluation_parts
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, check, computed, day, rows_of

# The model of day 16 is trained on days up to 10, and evaluated on days 13 and 14.
LAST = 13
TO_REGISTRY = ["trained_model", "evaluation", "model_registry_entry"]


def test_a_model_whose_holdout_lacks_a_day_stops_no_other_day(tmp_path: Path):
    world = World(tmp_path, ModelSpec.model_validate(SMALL))
    for number in range(1, LAST + 1):
        world.land(day(number), rows_of(day(number)))
    world.run([*LANDED_TO_FEATURES], day(1), day(LAST))
    world.land(day(LAST + 1), rows_of(day(LAST + 1)))
    result = world.run(TO_REGISTRY, day(15), day(16))
    made: dict[str, list[date]] = {name: computed(result, name) for name in TO_REGISTRY}
    assert made == {
        "trained_model": [day(15), day(16)],
        "evaluation": [day(15)],
        "model_registry_entry": [day(15)],
    }
    assert check(result, "gate_roc_auc").passed
    (part,) = evaluation_parts(world.stages().evaluation, [day(16)])
    assert part.state == "no model"
