"""Each kind of evidence rolls a challenger back, and what is lacking keeps it where it is, for every task."""

import re
from dataclasses import replace
from datetime import date

import pytest

from ml_assets.core.metrics.paired_proportions import PairedEstimate
from ml_assets.core.model_spec.deployment import Canary
from ml_assets.core.release.canary_evidence import Evidence, explain_failure, explain_missing_evidence, figures_of

STEP = date(2025, 3, 10)
CANARY = Canary.model_validate({"metric": "rmse", "margin": 0.02, "minimum_rows": 100})
EQUAL = PairedEstimate(10, 10, 0, -0.05, 0.05)
NEAR = PairedEstimate(10, 10, 0.05, 0, 0.1)
GOOD = Evidence(
    step_days=3,
    step_rows=100,
    positives=None,
    metrics={"rmse": EQUAL},
    errors=PairedEstimate(10, 10, 0, -0.01, 0.01),
    predictions=NEAR,
    labels_through=STEP,
    rows=100,
    errors_name="error_increase",
    predictions_name="prediction_distance",
)
WORSE = PairedEstimate(11, 10, -1, -1.5, -0.5)
CLASSES = replace(GOOD, errors_name="wrong_classes", errors=PairedEstimate(0.3, 0.2, 0.1, 0.05, 0.15))


def test_a_challenger_that_is_as_good_passes():
    assert explain_failure(CANARY, GOOD) is None
    assert explain_missing_evidence(CANARY, GOOD, STEP) is None


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (replace(GOOD, problem="it has no feature x"), "it has no feature x"),
        (replace(GOOD, metrics={"rmse": WORSE}), "worse by more than 0.02 of the champion's rmse"),
        (
            replace(GOOD, errors=PairedEstimate(12, 10, 0.2, 0.1, 0.3)),
            "mean absolute error is 12, the champion's on the same rows 10; increase 0.2 .* above 0.01",
        ),
        (
            replace(GOOD, predictions=PairedEstimate(600, 10, 0.9, 0.8, 1), step_rows=0),
            "predictions of the same rows differ .* mean 600 against 10; distance 0.9 .* above 0.3",
        ),
        (CLASSES, "30.00% of its classes are wrong, of the champion's on the same rows 20.00%"),
        (
            replace(CLASSES, predictions=PairedEstimate(float("nan"), float("nan"), 0.6, 0.5, 0.7)),
            "differ from the champion's; distance 0.6",
        ),
    ],
)
def test_a_challenger_that_is_worse_is_rolled_back(evidence, reason):
    failure = explain_failure(CANARY, evidence)
    assert failure is not None
    assert re.search(reason, failure)


@pytest.mark.parametrize("name", ["metrics", "errors"])
def test_a_few_rows_roll_nothing_back(name):
    worse = {"metrics": {"rmse": WORSE}, "errors": PairedEstimate(12, 10, 0.2, 0.1, 0.3)}[name]
    assert explain_failure(CANARY, replace(GOOD, rows=9, **{name: worse})) is None


def test_within_the_margin_is_a_share_of_the_value_of_the_champion():
    slightly = PairedEstimate(10.1, 10, -0.1, -0.15, -0.05)
    assert explain_failure(CANARY, replace(GOOD, metrics={"rmse": slightly})) is None
    assert explain_missing_evidence(CANARY, replace(GOOD, metrics={"rmse": slightly}), STEP) is None


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (replace(GOOD, step_rows=99), "99 of 100 labelled rows"),
        (replace(GOOD, step_days=2), "2 of 3 days with known labels"),
        (replace(GOOD, positives=3), "3 of 10 positives"),
        (replace(GOOD, metrics={"rmse": PairedEstimate(*[float("nan")] * 5)}), "rmse is undefined"),
        (
            replace(GOOD, metrics={"rmse": PairedEstimate(11, 10, -1, -2.5, 0.5)}),
            "not shown to be within 0.02 of the champion's rmse, nor to be worse",
        ),
    ],
)
def test_a_challenger_without_evidence_waits(evidence, reason):
    assert reason in (explain_missing_evidence(CANARY, evidence, STEP) or "")


def test_figures_are_named_after_what_they_are():
    figures = figures_of(CANARY, GOOD)
    assert {"rmse_difference", "error_increase_high", "prediction_distance_difference", "step_rows"} <= figures.keys()
    assert "positives" not in figures
