"""Drift of the scores of the holdout against those of the training window, through Dagster."""

from pathlib import Path

import dagster as dg
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.graph.checks import evaluation_checks
from ml_assets_tests.conftest import CHECKED
from ml_assets_tests.pipeline.world import World, check, day, rows_of

ALL = ["raw_data", "validated_data", "quarantined_data", "features", "trained_model", "evaluation"]
SPEC = {**CHECKED, "training": {**CHECKED["training"], "window": "5d"}}
# Holdout: days 11 and 12. Training window: days 4 to 8.
LAST = 14


def make_world(root: Path, spec: dict = SPEC, **shifted: float) -> World:
    world = World(root, ModelSpec.model_validate(spec))
    for number in range(1, LAST + 1):
        rows = rows_of(day(number), 400)
        world.land(day(number), rows.assign(amount=rows["amount"] * shifted.get(f"day{number}", 1.0)))
    world.run(ALL[:4], day(1), day(LAST))
    return world


@pytest.mark.slow
def test_scores_like_those_of_the_training_window_pass(tmp_path):
    evaluation = check(make_world(tmp_path).run(ALL[4:], day(LAST)), "score_drift")
    assert evaluation.passed
    assert evaluation.metadata["days_evaluated"].value == 1


def test_a_holdout_day_whose_scores_drifted_is_named_with_a_plot(tmp_path):
    evaluation = check(make_world(tmp_path, day12=4.0).run(ALL[4:], day(LAST), succeed=True), "score_drift")
    assert not evaluation.passed
    assert evaluation.severity.value == "WARN"
    assert f"scores of {day(12)} drifted" in (evaluation.description or "")
    assert evaluation.metadata["details"].records[0].data["column"] == f"scores of {day(12)}"
    assert "data:image/svg+xml" in evaluation.metadata["plot"].value


@pytest.mark.slow
def test_new_bounds_evaluate_again_without_making_the_day_again(tmp_path):
    world = make_world(tmp_path, day12=4.0)
    world.run(ALL[4:], day(LAST))
    before = world.commits()
    wide = World(
        tmp_path,
        ModelSpec.model_validate(
            {**SPEC, "checks": {"score_drift": {"severity": "warn", "psi": 50, "ks": 1, "missing": 1}}}
        ),
    )
    assert check(wide.run(ALL[4:], day(LAST)), "score_drift").passed
    assert wide.commits() == before


def test_the_check_can_be_disabled():
    spec = ModelSpec.model_validate({**SPEC, "checks": {"score_drift": None}})
    assert "score_drift" not in {check.name for check in evaluation_checks(spec, dg.AssetKey(["small", "evaluation"]))}
