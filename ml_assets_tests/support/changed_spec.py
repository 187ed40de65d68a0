"""Specifications with one field changed, and the assertion that they are refused."""

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec import ModelSpec


def change(attributes: dict, path: str, value: object) -> dict:
    """Set the field at a dotted path, in which numbers are positions in a list, and return the attributes."""
    *parents, last = path.split(".")
    part = attributes
    for parent in parents:
        part = part[int(parent)] if parent.isdigit() else part.setdefault(parent, {})
    part[int(last) if last.isdigit() else last] = value
    return attributes


def assert_refused(attributes: dict, path: str, value: object, reason: str) -> None:
    """Assert that a specification with a changed field is refused; `reason` is a regex except for `(` and `{`."""
    with pytest.raises(ValidationError, match=reason.replace("(", r"\(").replace("{", r"\{")):
        ModelSpec.model_validate(change(attributes, path, value))


def with_task(attributes: dict, task: str, **changes: object) -> dict:
    """Return the attributes of a specification of another task: with a gate of this task, and without settings of
    evaluation that only a binary model has.
    """
    evaluation = {name: value for name, value in attributes["evaluation"].items() if name != "top_k"}
    gates = {"rmse": {"maximum": 1e6}} if task == "regression" else {"log_loss": {"maximum": 1e6}}
    return {**attributes, "task": task, "evaluation": evaluation, "gates": gates, **changes}
