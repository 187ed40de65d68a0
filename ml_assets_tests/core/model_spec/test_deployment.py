"""The steps of a canary grow from a shadow, or 1 percent or more, to 100."""

import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.support.changed_spec import assert_refused, change


@pytest.mark.parametrize("steps", [[], [0], [-1, 100], [0, 0, 100], [5, 25], [25, 5, 100], [5, 5, 100], [100, 200]])
def test_steps_that_do_not_grow_to_all_entities_are_refused(small, steps):
    assert_refused(small, "deployment.canary", {"steps": steps}, "must grow from 0 .* to 100|equal to 0|equal to 1")


@pytest.mark.parametrize("steps", [[100], [0, 100], [1, 100], [0, 5, 25, 100]])
def test_steps_that_grow_to_all_entities_are_accepted(small, steps):
    spec = ModelSpec.model_validate(change(small, "deployment.canary", {"steps": steps}))
    assert spec.deployment.canary is not None
    assert spec.deployment.canary.steps == steps


def test_only_steps_that_divide_the_entities_need_an_entity(small):
    without = change({**small, "evaluation": {}}, "entity", None)
    assert_refused(without, "deployment.canary", {"steps": [0, 5, 100]}, "its steps can be .0, 100.")
    spec = ModelSpec.model_validate(change(without, "deployment.canary", {"steps": [0, 100]}))
    assert spec.deployment.canary is not None
    assert not spec.deployment.canary.divides_entities
