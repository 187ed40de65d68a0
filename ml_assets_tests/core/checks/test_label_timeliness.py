"""Few missing or late labels pass, many fail, and what does not apply is not evaluated."""

from datetime import date

import pytest

from ml_assets.core.checks.label_timeliness import LabelTimes, evaluate_label_timeliness
from ml_assets.core.model_spec.checks.data_checks import LabelTimelinessCheck

DAY = date(2025, 3, 1)


@pytest.mark.parametrize(
    ("times", "passed"),
    [
        (LabelTimes((0, 100), (0, 100)), True),
        (LabelTimes((5, 100), (5, 100)), True),
        (LabelTimes((6, 100), (0, 100)), False),
        (LabelTimes((0, 100), (6, 100)), False),
        (LabelTimes(None, (6, 100)), False),
        (LabelTimes((6, 100), None), False),
        (LabelTimes((0, 0), None), None),
        (LabelTimes((0, 100), (0, 0)), True),
    ],
)
def test_more_missing_or_late_labels_than_the_settings_allow_fail(times, passed):
    outcome = evaluate_label_timeliness(LabelTimelinessCheck(), DAY, times)
    assert (outcome.passed, outcome.severity) == (passed, "warn")


def test_the_reason_has_the_figures():
    outcome = evaluate_label_timeliness(LabelTimelinessCheck(max_late_share=0.5), DAY, LabelTimes((1, 200), (30, 100)))
    assert outcome.passed
    assert "1 of 200 rows of the holdout have no label (0.50%, at most 5.00% pass)" in outcome.reason
    assert (
        "30 of 100 labels of training window and holdout became known after label_delay (30.00%, at most 50.00% pass)"
        in outcome.reason
    )
