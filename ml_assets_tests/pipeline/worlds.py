"""The world that many tests begin with, made once per process and copied, because its run takes seconds."""

from pathlib import Path
from tempfile import TemporaryDirectory

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL_ASSETS
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day, rows_of

# Parts of a specification that the features of days made once do not depend on.
MODEL_FIELDS = {"training", "evaluation", "gates", "champion", "deployment", "retention", "late_data"}
_worlds: dict[tuple[str, int], TemporaryDirectory] = {}


def world_with_features(root: Path, spec: ModelSpec | None = None, last: int = 13) -> World:
    """Copy a world in which days 1 to `last` have landed and their features are made to `root`; without a specification
    it has the small one.
    """
    spec = spec or ModelSpec.model_validate(SMALL)
    features_key = spec.model_dump_json(exclude=MODEL_FIELDS), last
    if features_key not in _worlds:
        _worlds[features_key] = TemporaryDirectory()
        world = World(Path(_worlds[features_key].name), spec)
        for number in range(1, last + 1):
            world.land(day(number), rows_of(day(number)))
        world.run(list(LANDED_TO_FEATURES), day(1), day(last))
    return World(Path(_worlds[features_key].name), spec).copy(root)


def world_with_model(root: Path) -> World:
    """Make a world with the model of day 12 in `root`."""
    world = world_with_features(root)
    world.run(list(MODEL_ASSETS), day(12))
    return world


def world_with_two_days(root: Path) -> World:
    """Make a world in `root` in which days 1 and 2 have landed."""
    world = World(root, ModelSpec.model_validate(SMALL))
    for number in (1, 2):
        world.land(day(number), rows_of(day(number)))
    return world
