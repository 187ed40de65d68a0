"""Overrides are validated like the specification, and change nothing else."""

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.overrides import with_training
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.support.changed_spec import with_task


def test_parameters_and_other_settings_are_replaced_and_the_rest_stays(make_spec):
    spec = make_spec()
    other = with_training(spec, {"eta": 0.3, "max_depth": 2, "rounds": 7})
    assert (other.training.parameters.eta, other.training.parameters.max_depth, other.training.rounds) == (0.3, 2, 7)
    assert other.training.parameters.max_bin == spec.training.parameters.max_bin
    assert other.training.window == spec.training.window
    assert other.model_copy(update={"training": spec.training}) == spec
    assert with_training(spec, {}) == spec


def test_all_invalid_values_are_named_with_what_is_allowed(make_spec):
    with pytest.raises(
        ValueError, match=r"training\.rounds: .* equal to 1, not 0.*training\.parameters\.eta: .* equal to 1, not 2"
    ):
        with_training(make_spec(), {"eta": 2.0, "rounds": 0})
    with pytest.raises(ValueError, match=r"training\.eeta: Extra inputs"):
        with_training(make_spec(), {"eeta": 2.0})


@pytest.mark.parametrize(
    ("task", "setting"),
    [
        ("multiclass", {"base_score": 0.5}),
        ("multiclass", {"scale_pos_weight": 2.0}),
        ("binary", {"base_score": 3.0}),
        ("regression", {"huber_slope": 1.0}),
    ],
)
def test_a_value_that_does_not_fit_the_task_is_refused_with_its_field(task, setting):
    spec = ModelSpec.model_validate(with_task(SMALL, task))
    with pytest.raises(ValueError, match=f"small: training.parameters.{next(iter(setting))}: "):
        with_training(spec, setting)
