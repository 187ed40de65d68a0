"""The example pump_failures is a model in YAML only: it loads, and goes from landed files to the registry."""

import importlib.util
import sys
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from ml_assets.core.model_spec.defs_yaml.reader import read_spec
from ml_assets.definitions import DEFS
from ml_assets.defs.settings import read_settings
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL_ASSETS
from ml_assets_tests.pipeline.world import World, check, computed

EXAMPLES = DEFS.parents[1] / "examples"
EXAMPLE = EXAMPLES / "pump_failures"
DAYS = 45


def load_module(path: str) -> ModuleType:
    """Import a script of an example."""
    module_spec = importlib.util.spec_from_file_location(path.replace("/", "_").removesuffix(".py"), EXAMPLES / path)
    assert module_spec is not None
    assert module_spec.loader is not None
    loaded = importlib.util.module_from_spec(module_spec)
    sys.modules[module_spec.name] = loaded
    module_spec.loader.exec_module(loaded)
    return loaded


@pytest.mark.slow
def test_pump_failures_goes_from_files_to_a_registered_model(tmp_path: Path):
    spec = read_spec(EXAMPLE / "defs.yaml")
    world = World(tmp_path, spec)
    load_module("pump_failures/simulate.py").write(tmp_path / "landing", spec.source.start, DAYS, 11)
    newest = spec.source.start + timedelta(days=DAYS - 1)
    assert world.landing.days(spec.source)[-1] == newest
    result = world.run(list(LANDED_TO_FEATURES), spec.source.start, newest)
    assert len(computed(result, "features")) == DAYS
    assert check(result, "every_day_accepted").passed
    result = world.run(list(MODEL_ASSETS), newest)
    gates = {
        evaluation.check_name: evaluation.passed
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.check_name.startswith("gate_")
    }
    assert {f"gate_{metric}" for metric in spec.gates} | {
        "gate_average_precision_slices",
        "gate_champion",
    } <= gates.keys()
    assert all(gates.values()), gates
    entry = world.stages().registration.entry(newest)
    assert entry is not None
    assert entry["gates_passed"]


def test_the_example_on_s3_uses_a_bucket_of_its_own_server_and_no_credentials_of_the_user(tmp_path: Path):
    present = {"PATH": "/bin", "AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "secret", "ML_ASSETS_LAKE": "s3://mine/lake"}
    environment = load_module("s3/run.py").variables("http://127.0.0.1:1", tmp_path, present)
    settings = read_settings(environment)
    assert (settings.landing, settings.lake) == ("s3://ml-assets/landing", "s3://ml-assets/lake")
    assert settings.s3 == {"endpoint_url": "http://127.0.0.1:1", "region_name": "us-east-1"}
    assert str(tmp_path) in settings.mlflow
    assert environment["PATH"] == "/bin"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN"} & set(environment)


def test_a_simulated_day_does_not_depend_on_the_number_of_simulated_days():
    simulate = load_module("pump_failures/simulate.py").simulate
    few, many = (list(simulate(date(2025, 2, 1), days, 11)) for days in (2, 4))
    for (day, site, frame), (other_day, other_site, other_frame) in zip(few, many[: len(few)], strict=True):
        assert (day, site) == (other_day, other_site)
        assert frame.equals(other_frame)
