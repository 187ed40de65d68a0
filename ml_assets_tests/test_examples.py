"""The second example is a model that needed YAML only: it loads, and goes from landed files to the registry."""

import importlib.util
import sys
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

from ml_assets.definitions import DEFS
from ml_assets.pipeline.assets import LANDED_TO_FEATURES, MODEL_ASSETS
from ml_assets.pipeline.spec_files import read_spec
from ml_assets_tests.pipeline.world import World, check, computed

EXAMPLE = DEFS.parents[1] / "examples" / "pump_failures"
DAYS = 45


def simulator() -> ModuleType:
    found = importlib.util.spec_from_file_location("pump_failures_simulate", EXAMPLE / "simulate.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


def test_pump_failures_goes_from_files_to_a_registered_model(tmp_path: Path):
    spec = read_spec(EXAMPLE / "defs.yaml")
    world = World(tmp_path, spec)
    simulator().write(tmp_path / "landing", spec.source.start, DAYS, 11)
    newest = spec.source.start + timedelta(days=DAYS - 1)
    assert world.landing.days(spec.source)[-1] == newest
    result = world.run(list(LANDED_TO_FEATURES), spec.source.start, newest)
    assert len(computed(result, "features")) == DAYS
    assert check(result, "every_day_accepted").passed
    result = world.run(list(MODEL_ASSETS), newest)
    assert {metric: check(result, f"gate_{metric}").passed for metric in spec.gates} == dict.fromkeys(spec.gates, True)
    entry = world.stages().registration.entry(newest)
    assert entry is not None
    assert entry["alias_moved"]


def test_a_simulated_day_is_the_same_however_many_days_are_simulated():
    simulate = simulator().simulate
    few, many = (list(simulate(date(2025, 2, 1), days, 11)) for days in (2, 4))
    for (day, site, frame), (same_day, same_site, same) in zip(few, many[: len(few)], strict=True):
        assert (day, site) == (same_day, same_site)
        assert frame.equals(same)
