"""Metrics of several classes equal scikit-learn's, with and without weights, and undefined metrics are NaN."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.metrics.bootstrap import row_intervals
from ml_assets.core.metrics.multiclass import MulticlassMetrics
from ml_assets.core.metrics.resampled import evaluate, point_values

NAN = float("nan")
NAMES = ["a", "b", "c"]
PARTS = st.tuples(*[st.integers(0, 4)] * 3).filter(any)
ROWS = st.lists(st.tuples(st.integers(0, 2), PARTS, st.integers(1, 8)), min_size=1, max_size=25)


def _arrays(rows):
    classes, parts, eighths = zip(*rows, strict=True)
    shares = np.array(parts, dtype=float)
    return np.array(classes), shares / shares.sum(axis=1, keepdims=True), np.array(eighths) / 8


def _scikit_learn(classes, probabilities, weights):
    from sklearn import metrics

    predicted, weighted = probabilities.argmax(axis=1), {"sample_weight": weights}
    occurring = set(classes)
    expected = {
        "log_loss": metrics.log_loss(classes, probabilities, labels=[0, 1, 2], **weighted),
        "accuracy": metrics.accuracy_score(classes, predicted, **weighted),
        "balanced_accuracy": metrics.balanced_accuracy_score(classes, predicted, **weighted),
        **{
            f"f1_{average}": metrics.f1_score(classes, predicted, average=average, **weighted)
            for average in ("macro", "micro", "weighted")
        },
        "roc_auc_ovr": np.mean(
            [metrics.roc_auc_score(classes == c, probabilities[:, c], **weighted) for c in sorted(occurring)]
        )
        if len(occurring) > 1
        else NAN,
        "top_k_accuracy": metrics.top_k_accuracy_score(classes, probabilities, k=2, labels=[0, 1, 2], **weighted),
    }
    if len(occurring) == 3:
        expected["roc_auc_ovr"] = metrics.roc_auc_score(
            classes, probabilities, multi_class="ovr", average="macro", **weighted
        )
    of_class = {"labels": [0, 1, 2], "average": None, "zero_division": NAN, **weighted}
    for name, score in [("precision", metrics.precision_score), ("recall", metrics.recall_score)]:
        expected |= {
            f"{name}_{c}": value for c, value in zip(NAMES, score(classes, predicted, **of_class), strict=True)
        }
    return expected


@given(ROWS, st.booleans())
def test_metrics_equal_scikit_learn(rows, has_weights):
    classes, probabilities, weights = _arrays(rows)
    measured = point_values(MulticlassMetrics(classes, probabilities, NAMES, 2, weights if has_weights else None))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = _scikit_learn(classes, probabilities, weights if has_weights else np.ones(len(rows)))
    assert measured == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


@given(ROWS, st.randoms(use_true_random=False))
def test_metrics_of_resampled_rows_equal_scikit_learn_with_weights(rows, random):
    classes, probabilities, weights = _arrays(rows)
    metrics = MulticlassMetrics(classes, probabilities, NAMES, 2, weights)
    counts = np.array([[random.randint(0, 3) for _ in rows] for _ in range(3)], dtype=int).reshape(3, len(rows))
    measured = evaluate(metrics, counts)
    for position in range(3):
        times = counts[position] > 0
        if not times.any():
            assert np.isnan([values[position] for values in measured.values()]).all()
            continue
        given_rows = metrics.order[times]
        resampled = (weights[metrics.order] * counts[position])[times]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = _scikit_learn(classes[given_rows], probabilities[given_rows], resampled)
        assert {name: values[position] for name, values in measured.items()} == pytest.approx(
            expected, rel=1e-9, abs=1e-12, nan_ok=True
        )


def test_many_distinct_probabilities_equal_scikit_learn():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet([1, 2, 3], 3_000)
    classes = np.array([random.choice(3, p=row) for row in probabilities])
    assert point_values(MulticlassMetrics(classes, probabilities, NAMES)) == pytest.approx(
        _scikit_learn(classes, probabilities, np.ones(3_000)), rel=1e-9
    )


def test_a_class_without_rows_has_no_recall_and_is_left_out_of_the_means():
    measured = point_values(MulticlassMetrics([0, 0, 1], np.eye(3)[[0, 1, 1]], NAMES))
    assert np.isnan(measured["recall_c"])
    assert np.isnan(measured["precision_c"])
    assert measured["balanced_accuracy"] == 0.75
    assert measured["roc_auc_ovr"] == 0.75


def test_with_one_class_only_the_area_is_undefined():
    metrics = MulticlassMetrics([1, 1], np.eye(3)[[1, 2]], NAMES)
    assert np.isnan(point_values(metrics)["roc_auc_ovr"])
    assert np.isnan(row_intervals(metrics, 20, 0.9, 0)["roc_auc_ovr"]).all()


def test_without_rows_every_metric_is_undefined():
    metrics = MulticlassMetrics([], np.empty((0, 3)), NAMES)
    assert np.isnan(list(point_values(metrics).values())).all()
    assert np.isnan(list(row_intervals(metrics, 20, 0.9, 0).values())).all()


def test_results_do_not_depend_on_the_order_of_the_rows():
    random = np.random.default_rng(3)
    classes, probabilities = random.integers(0, 3, 101), random.dirichlet([1, 1, 1], 101).round(1)
    probabilities[:, 0] = 1 - probabilities[:, 1:].sum(axis=1).clip(max=1)
    weights, order = random.random(101) + 0.1, random.permutation(101)

    def measure(rows):
        metrics = MulticlassMetrics(classes[rows], probabilities[rows].clip(0, 1), NAMES, 2, weights[rows])
        return [point_values(metrics), row_intervals(metrics, 30, 0.9, 1)]

    assert measure(order) == measure(np.arange(101))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (([0, 1], np.ones((2, 2))), "3 classes need probabilities of shape"),
        (([0, 3], np.ones((2, 3))), "positions from 0 to 2"),
        (([0], np.full((1, 3), NAN)), "1 of 1 rows have a probability that is missing"),
    ],
)
def test_rows_that_cannot_be_measured_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        MulticlassMetrics(*rows, NAMES)
