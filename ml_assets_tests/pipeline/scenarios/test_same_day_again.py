"""The same day again, with nothing to do: what is loaded, and that removed state of the registry is noticed."""

import json
import subprocess
import sys

import pytest
from deltalake import DeltaTable

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets_tests.conftest import ASSETS, CHECKED
from ml_assets_tests.pipeline.world import World, day, rows_of

pytestmark = pytest.mark.plots

LAST = 10
NEEDLESS = {"mlflow", "pandas", "pandera", "xgboost", "sklearn", "scipy", "matplotlib", "shap", "jinja2", "optuna"}


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    """A day with a model that is live, in tables with a checkpoint, as they have after some days."""
    world = World(tmp_path_factory.mktemp("again"), ModelSpec.model_validate(CHECKED))
    for number in range(1, LAST + 1):
        world.land(day(number), rows_of(day(number)))
    world.run(list(LANDED_TO_FEATURES), day(1), day(LAST - 1))
    world.run(list(ASSETS), day(LAST))
    for log in (world.root / "lake").glob("*/*/_delta_log"):
        DeltaTable(log.parent).create_checkpoint()
    return world


def run_again(world: World) -> tuple[list[str], set[str]]:
    """Run the day in a new process; return the outcomes of its assets, and the libraries that it loaded."""
    command = [sys.executable, "-W", "ignore", "-m", "ml_assets_tests.pipeline.scenarios.same_day_again"]
    arguments = [str(world.root), str(day(LAST)), json.dumps(CHECKED)]
    process = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    success, assets, outcomes, loaded = json.loads(process.stdout.splitlines()[-1])
    assert success
    assert assets == len(ASSETS)
    return outcomes, set(loaded)


@pytest.mark.slow
def test_a_day_with_nothing_to_do_loads_no_library_that_makes_evaluates_or_draws_something(world):
    outcomes, loaded = run_again(world)
    assert outcomes == ["unchanged"]
    assert loaded & NEEDLESS == set()


# How versions are registered again is in resources/release/test_restoration.py.
@pytest.mark.slow
def test_a_version_that_was_deleted_is_registered_again(world):
    client = world.registry.client
    (version,) = client.search_model_versions("name = 'small'")
    for alias in client.get_registered_model("small").aliases:
        client.delete_registered_model_alias("small", alias)
    client.delete_model_version("small", version.version)
    outcomes, loaded = run_again(world)
    assert "computed" in outcomes
    assert "mlflow" in loaded
    (again,) = client.search_model_versions("name = 'small'")
    assert again.version != version.version
    assert again.tags["model_digest"] == version.tags["model_digest"]
