"""The main job makes the model of the last day on which one was due, and says so of the newest day."""

import io

from rich.console import Console

from ml_assets.cli.console.summary import print_summary
from ml_assets.cli.json_output.builders import build_run_report
from ml_assets.cli.needed_days import days_needed
from ml_assets.core.model_spec import ModelSpec
from ml_assets.defs.settings import read_settings
from ml_assets.pipeline.asset_names import MODEL_ASSETS, RELEASE_ASSETS
from ml_assets.pipeline.graph.stages import open_stages
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import day
from ml_assets_tests.pipeline.worlds import world_with_features


def test_the_model_of_the_last_due_day_is_needed_and_described(tmp_path):
    world = world_with_features(tmp_path / "world")
    world.spec = ModelSpec.model_validate({**SMALL, "training": {**SMALL["training"], "every": "3d"}})
    before = days_needed(world.spec, day(11), world.stages())
    assert (before.due, before.to_do, before.featured[0]) == (day(10), True, day(1))
    for number in (10, 11):
        world.run([*MODEL_ASSETS, *RELEASE_ASSETS], day(number))
    stages = world.stages()
    needed = days_needed(world.spec, day(11), stages)
    assert (needed.due, needed.to_do, needed.model_day(stages)) == (day(10), False, day(10))
    assert days_needed(world.spec, day(13), stages).due is None
    asking = open_stages(world.spec, world.lake, world.landing, world.registry, train=True)
    requested = days_needed(world.spec, day(11), asking)
    assert (requested.due, requested.to_do) == (None, True)
    printed = io.StringIO()
    arguments = (world.spec, needed, stages, {"trained_model": 1.0}, 2.0, read_settings({}), ["a difference"])
    print_summary(Console(file=printed, width=200), *arguments)
    assert f"Trained       {day(10)}; no model is due until {day(13)}, by training.every 3d" in printed.getvalue()
    assert "roc_auc" in printed.getvalue()
    report = build_run_report(world.spec, needed, stages, {}, 2.0, [])
    assert (report.day, report.model_day, report.registered_version) == (day(11), day(10), 1)
    assert report.metrics
