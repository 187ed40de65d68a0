"""The runs whose counts are bounded: a backfill of three days, one new day, and the same day again."""

from pathlib import Path

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets_tests.conftest import ASSETS, CHECKED
from ml_assets_tests.pipeline.counts.counters import count
from ml_assets_tests.pipeline.world import World, day, rows_of

FIRST = 10
"""The day of the first model: training, validation and holdout look back nine days."""
RUNS = {
    "a backfill of 3 days": (FIRST + 1, FIRST + 3),
    "a new day": (FIRST + 4, None),
    "the same day again": (FIRST + 4, None),
}


def measure(root: Path) -> dict[str, dict[str, int]]:
    """Run the pipeline of the small model with all of its checks; return counts by run and by what is counted.

    Args:
        root: an empty folder for landing, lake, MLflow's store and deploy target.
    """
    world = World(root, ModelSpec.model_validate(CHECKED))
    for number in range(1, FIRST + 5):
        world.land(day(number), rows_of(day(number)))
    # Tables, the store and the registered model are created by runs that do not count.
    world.run(list(LANDED_TO_FEATURES), day(1), day(FIRST - 1))
    world.run(list(ASSETS), day(FIRST))
    counts = {}
    for name, (first, last) in RUNS.items():
        with count(world) as counter:
            world.run(list(ASSETS), day(first), last and day(last))
        counts[name] = dict(counter)
    return counts
