"""Overrides are validated like the specification, and change nothing else."""

import pytest

from ml_assets.core.training.overrides import with_training


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
