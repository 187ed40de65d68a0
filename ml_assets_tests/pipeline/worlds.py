"""A world that many tests begin with; made once a process and copied, because its run takes seconds."""

from pathlib import Path
from tempfile import TemporaryDirectory

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day, rows_of

# What features are not made from.
OF_MODELS = {"training", "evaluation", "gates", "champion", "deployment", "retention"}
_made: dict[tuple[str, int], TemporaryDirectory] = {}


def world_with_features(root: Path, spec: ModelSpec | None = None, last: int = 13) -> World:
    """A world at `root` in which days 1 to `last` have landed and their features are made; of the small specification
    when none is given.
    """
    spec = spec or ModelSpec.model_validate(SMALL)
    made_from = spec.model_dump_json(exclude=OF_MODELS), last
    if made_from not in _made:
        _made[made_from] = TemporaryDirectory()
        world = World(Path(_made[made_from].name), spec)
        for number in range(1, last + 1):
            world.land(day(number), rows_of(day(number)))
        world.run(list(LANDED_TO_FEATURES), day(1), day(last))
    return World(Path(_made[made_from].name), spec).copy(root)
