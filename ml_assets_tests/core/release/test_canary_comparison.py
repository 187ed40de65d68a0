"""Only known labels count, both models are compared on the same rows, and each is measured where it was live."""

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.metrics.classification import point_metrics
from ml_assets.core.metrics.paired_comparison import COMPARED_METRICS
from ml_assets.core.metrics.scored_rows import TaskMetrics
from ml_assets.core.model_spec.deployment import Canary
from ml_assets.core.model_spec.types.task import Outputs
from ml_assets.core.release.canary_comparison import (
    CHALLENGER_SCOPE,
    CHAMPION_SCOPE,
    COLUMNS,
    PAIRED,
    measure_canary,
)
from ml_assets.core.release.canary_evidence import figures_of

CANARY = Canary.model_validate({"metric": "roc_auc", "bootstrap_samples": 40})
BINARY = TaskMetrics(Outputs(), "label", lambda labels: labels.to_numpy())
BEGIN, STEP, THROUGH = date(2025, 3, 1), date(2025, 3, 4), date(2025, 3, 6)


def rows_of(days: int = 8, count: int = 100, noise: float = 0.0) -> pd.DataFrame:
    """Rows of some days; half of them are the challenger's, which scores like the champion with some noise added."""
    draw, total = np.random.default_rng(3), days * count
    label = (draw.random(total) < 0.3).astype(float)
    champion = np.clip(0.3 * label + draw.random(total) * 0.6, 0, 1)
    challengers = np.arange(total) % 2 == 0
    challenger = np.where(challengers, np.clip(champion + noise * draw.normal(size=total), 0, 1), np.nan)
    day = pd.Timestamp(BEGIN) + pd.to_timedelta(np.repeat(np.arange(days), count), unit="D")
    return pd.DataFrame(
        {
            "day": day,
            "label": label,
            "challengers": challengers,
            "compared": challengers,
            "champion_score": champion,
            "challenger_score": challenger,
        }
    )


def measure(rows: pd.DataFrame, thresholds=(0.5, 0.5), problem=None):
    return measure_canary(CANARY, BINARY, rows, thresholds, STEP, THROUGH, 7, problem)


def of(result, scope: str) -> pd.DataFrame:
    return result.comparison[result.comparison["scope"] == scope].set_index("metric")


def test_only_days_whose_labels_are_known_are_compared():
    rows = rows_of()
    evidence = measure(rows).evidence
    known = rows[rows["challengers"] & (rows["day"] <= pd.Timestamp(THROUGH))]
    assert (evidence.step_days, evidence.step_rows) == (3, 150)
    assert evidence.positives == known["label"].sum()
    # Labels that came early count as little as those that have not come.
    late = rows.assign(label=rows["label"].where(rows["day"] <= pd.Timestamp(THROUGH)))
    pd.testing.assert_frame_equal(measure(late).comparison, measure(rows).comparison)


def test_rows_without_a_label_are_scored_but_not_compared():
    rows = rows_of()
    evidence = measure(rows.assign(label=np.nan)).evidence
    assert (evidence.step_days, evidence.step_rows, evidence.positives) == (0, 0, 0)
    assert all(math.isnan(compared.difference) for compared in evidence.metrics.values())
    assert math.isnan(evidence.errors.difference)
    assert evidence.predictions.challenger == (rows.loc[rows["challengers"], "champion_score"] >= 0.5).mean()


def test_both_models_are_measured_on_the_rows_of_the_challenger():
    rows = rows_of(noise=1.0)
    result, paired = measure(rows, (0.6, 0.5)), of(measure(rows, (0.6, 0.5)), PAIRED)
    known = rows[rows["challengers"] & (rows["day"] <= pd.Timestamp(THROUGH))]
    labels = known["label"].astype(int)
    for column, score, threshold in [("value", "challenger_score", 0.6), ("champion_value", "champion_score", 0.5)]:
        expected = point_metrics(labels, known[score], threshold)
        assert all(paired.loc[metric, column] == pytest.approx(expected[metric]) for metric in COMPARED_METRICS)
        wrong = (known[score] >= threshold) != (labels == 1)
        assert paired.loc["wrong_decisions", column] == pytest.approx(wrong.mean())
    assert paired.loc["roc_auc", "high"] < 0
    assert result.evidence.metrics["roc_auc"].difference == paired.loc["roc_auc", "difference"]
    assert result.evidence.errors.low > 0


def test_equal_scores_have_no_difference():
    evidence = measure(rows_of()).evidence
    assert (evidence.metrics["roc_auc"].low, evidence.metrics["roc_auc"].high) == (0, 0)
    assert evidence.predictions.difference == 1


def test_each_model_is_measured_on_its_own_entities_since_the_step_began():
    rows = rows_of(noise=0.3)
    result = measure(rows)
    step = rows[rows["day"] >= pd.Timestamp(STEP)]
    for scope, mask, score in [
        (CHALLENGER_SCOPE, step["challengers"], "challenger_score"),
        (CHAMPION_SCOPE, ~step["challengers"], "champion_score"),
    ]:
        side, live = of(result, scope), step[mask]
        known = live[live["day"] <= pd.Timestamp(THROUGH)]
        expected = point_metrics(known["label"].astype(int), known[score], 0.5)
        assert side.loc["roc_auc", "value"] == pytest.approx(expected["roc_auc"])
        assert side.loc["roc_auc", "low"] < side.loc["roc_auc", "value"] < side.loc["roc_auc", "high"]
        assert side.loc["mean_score", "value"] == pytest.approx(live[score].mean())
        assert side.loc["mean_score", "low"] < live[score].mean() < side.loc["mean_score", "high"]
        assert side.loc["score_quantile_0.9", "value"] == pytest.approx(live[score].quantile(0.9))
        assert (side.loc["positive_decisions", "rows"], side.loc["roc_auc", "rows"]) == (len(live), len(known))


def test_a_challenger_that_cannot_score_is_not_compared_but_its_problem_is_reported():
    result = measure(rows_of().assign(challenger_score=np.nan), problem="no feature")
    assert result.evidence.problem == "no feature"
    assert (result.evidence.step_rows, len(of(result, CHALLENGER_SCOPE))) == (0, 0)
    assert of(result, CHAMPION_SCOPE).loc["mean_score", "rows"] == 250


def test_a_canary_without_rows_has_empty_evidence():
    result = measure(rows_of().iloc[:0])
    assert (result.evidence.step_days, result.evidence.positives) == (0, 0)
    assert result.comparison.columns.tolist() == COLUMNS
    assert figures_of(CANARY, result.evidence) == {"step_days": 0, "step_rows": 0, "positives": 0}


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(random):
    rows = rows_of(4, 40, 0.2)
    order = list(range(len(rows)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(measure(rows.iloc[order]).comparison, measure(rows).comparison, check_exact=True)


def test_a_challenger_in_shadow_is_compared_on_all_rows_and_live_for_none():
    rows = rows_of().assign(challengers=False, compared=True, challenger_score=lambda frame: frame["champion_score"])
    result = measure(rows)
    assert (result.evidence.step_days, result.evidence.step_rows) == (3, 300)
    assert (of(result, CHALLENGER_SCOPE)["rows"] == 0).all()
    assert of(result, CHAMPION_SCOPE).loc["mean_score", "rows"] == len(rows[rows["day"] >= pd.Timestamp(STEP)])
