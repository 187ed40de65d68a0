"""A search goes on when its trials cannot be logged."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from ml_assets.pipeline.training.trial_log import OptionalTrialLog


class Log:
    """A log that fails from a trial on."""

    def __init__(self, last: int = 100):
        self.last, self.numbers = last, []

    def log_trial(self, trial):
        if trial.number > self.last:
            raise ConnectionError("no answer")
        self.numbers.append(trial.number)


def search(open_log, fails: bool = False) -> list[str]:
    """Log three trials; return the warnings."""
    warnings = []
    with OptionalTrialLog(open_log, warnings.append, "small 2025-01-01") as log:
        for number in range(3):
            log.log_trial(SimpleNamespace(number=number))
        if fails:
            raise ValueError("the search failed")
    return warnings


@contextmanager
def opened(log, error_at_the_end=None):
    yield log
    if error_at_the_end:
        raise error_at_the_end


def test_trials_are_logged_until_the_log_fails_and_there_is_one_warning():
    whole, half = Log(), Log(last=0)
    assert search(lambda: opened(whole)) == []
    assert whole.numbers == [0, 1, 2]
    warning = "small 2025-01-01: trials cannot be logged to MLflow (no answer); the search continues"
    assert search(lambda: opened(half)) == [warning]
    assert half.numbers == [0]


def test_a_log_that_does_not_open_or_close_is_a_warning():
    def deleted():
        raise RuntimeError("the MLflow experiment small (ID 1) was deleted")

    assert "was deleted" in search(deleted)[0]
    assert "gone" in search(lambda: opened(Log(), ConnectionError("gone")))[0]


def test_the_error_of_the_search_is_not_replaced():
    with pytest.raises(ValueError, match="the search failed"):
        search(lambda: opened(Log()), fails=True)
