"""A small model with a search, and days of rows that are the same each time."""

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training.time_split import split_days
from ml_assets_tests.core.training.test_train import AS_OF, _spec

SPACE = {
    "eta": {"low": 0.05, "high": 0.5, "log": True},
    "max_depth": {"low": 1, "high": 6},
    "subsample": {"values": [0.5, 1]},
}
WINDOW = 6


def search_spec(window: str = f"{WINDOW}d", training: dict | None = None, **search) -> ModelSpec:
    """The specification of the tests of training with a search of eight trials on two folds."""
    return _spec(window=window, search={"trials": 8, "folds": 2, "space": SPACE, **search}, **(training or {}))


def window_of(spec: ModelSpec):
    """The training window of the model of one day."""
    return split_days(spec, AS_OF).window
