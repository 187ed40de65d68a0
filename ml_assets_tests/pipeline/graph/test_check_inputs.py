"""The days that the checks of validated rows compare a day with, and the code whose change evaluates checks again."""

from datetime import date, timedelta
from pathlib import Path

import pytest

import ml_assets.pipeline
from ml_assets.pipeline.graph import data_steps, model_steps, monitoring_steps
from ml_assets.pipeline.graph.check_inputs import days_compared
from ml_assets.pipeline.steps.stage_step import StageStep
from ml_assets_tests.conftest import SMALL

DAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("checks", "days"),
    [
        ({}, 0),
        ({"no_repeated_day": {}}, 28),
        ({"label_rate": {}}, 28),
        ({"row_count": {"weeks": 6}, "no_repeated_day": {}}, 42),
        ({"no_gaps": {"look_back": "9d"}}, 9),
        ({"column_drift": {"reference": "14d"}, "no_gaps": {"look_back": "9d"}}, 14),
    ],
)
def test_the_check_that_looks_back_furthest_decides(make_spec, checks, days):
    spec = make_spec(checks={**SMALL["checks"], **checks})
    assert days_compared(spec, DAY) == [DAY - timedelta(days=back) for back in range(days, 0, -1)]


def test_every_module_that_evaluates_kept_checks_counts_for_them():
    pipeline = Path(next(iter(ml_assets.pipeline.__path__)))
    evaluating = {
        ".".join(("ml_assets.pipeline", *path.relative_to(pipeline).with_suffix("").parts))
        for path in pipeline.rglob("*.py")
        if "CheckRun(" in path.read_text() and path.parent.name != "steps"
    }
    steps = [
        step
        for module in (data_steps, model_steps, monitoring_steps)
        for step in vars(module).values()
        if isinstance(step, type) and issubclass(step, StageStep)
    ]
    counted = {module for step in steps for module in step.check_modules}
    # The steps of training and release keep no outcomes.
    assert all(step.check_modules for step in steps if step.check_inputs is not StageStep.check_inputs)
    assert {module for module in evaluating - counted if ".release." not in module} == {
        "ml_assets.pipeline.training.metadata"
    }
