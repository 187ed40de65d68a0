"""Every metric has an interval, slices and counts, whatever the order of the rows."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_assets.core.evaluation.holdout_metrics import measure_holdout
from ml_assets.core.metrics.bootstrap import day_interval, row_intervals
from ml_assets.core.metrics.classification import RowMetrics, point_metrics
from ml_assets.core.metrics.precision_at_k import daily_entity_precision_at_k, daily_precision_at_k

DAY = date(2025, 2, 1)
OVERALL = [
    "roc_auc", "average_precision", "precision", "recall", "f1", "precision_at_k", "entity_precision_at_k",
    "log_loss", "brier_score", "calibration_ratio", "calibration_error",
]  # fmt: skip
WITHOUT_DAY = [name for name in OVERALL if not name.endswith("_at_k")]
# make_spec only builds a value, so that examples can share it.
BOUNDED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def _day(offset):
    return DAY + timedelta(days=offset)


def _scored(rows=60, seed=0):
    random = np.random.default_rng(seed)
    scores = random.random(rows)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "event_time": pd.Timestamp("2025-02-01", tz="UTC"),
            "card": random.choice(["x", "y", "z", "w"], rows),
            "label": (random.random(rows) < scores).astype(int),
            "amount": random.choice([1.0, 2.0, 5.0], rows),
            "day": [_day(int(offset)) for offset in random.integers(0, 3, rows)],
            "score": scores,
        }
    )


@pytest.fixture
def spec(make_spec):
    return make_spec(evaluation={"holdout": "3d", "top_k": 2, "bootstrap_samples": 20, "slices": ["card"]})


def _value(measured, metric, column="", text=""):
    return measured.set_index(["metric", "slice_column", "slice_value"]).loc[(metric, column, text), "value"]


def test_overall_metrics_are_those_that_gates_can_name_with_intervals_and_counts(spec):
    scored = _scored()
    measured = measure_holdout(spec, scored, 0.5)
    overall = measured[measured["slice_column"] == ""]
    assert overall["metric"].tolist() == OVERALL
    assert (overall["slice_value"] == "").all()
    assert (overall["rows"] == 60).all()
    assert (overall["positives"] == scored["label"].sum()).all()
    assert list(measured.columns) == [
        "metric",
        "slice_column",
        "slice_value",
        "value",
        "low",
        "high",
        "rows",
        "positives",
    ]
    for name, value in point_metrics(scored["label"], scored["score"], 0.5).items():
        assert _value(measured, name) == value
    at_k = [scored["label"], scored["score"], 2]
    assert _value(measured, "precision_at_k") == daily_precision_at_k(scored["day"], *at_k).mean()
    by_entity = daily_entity_precision_at_k(scored["day"], scored["card"], *at_k)
    assert _value(measured, "entity_precision_at_k") == by_entity.mean()


def test_intervals_come_from_the_spec(make_spec):
    scored = _scored()
    spec = make_spec(
        evaluation={"top_k": 2, "bootstrap_samples": 30, "confidence": 0.5},
        training={"window": "4d", "validation": "1d", "seed": 7},
    )
    measured = measure_holdout(spec, scored, 0.5).set_index("metric")
    assert (
        tuple(measured.loc["f1", ["low", "high"]])
        == row_intervals(RowMetrics(scored["label"], scored["score"], 0.5), 30, 0.5, 7)["f1"]
    )
    daily = daily_precision_at_k(scored["day"], scored["label"], scored["score"], 2)
    assert tuple(measured.loc["precision_at_k", ["low", "high"]]) == day_interval(daily, 30, 0.5, 7)


def test_a_slice_has_the_metrics_of_only_its_rows(spec):
    scored = _scored()
    measured = measure_holdout(spec, scored, 0.5)
    slice_rows = scored[scored["card"] == "y"]
    of_y = measured[(measured["slice_column"] == "card") & (measured["slice_value"] == "y")]
    assert of_y["metric"].tolist() == WITHOUT_DAY
    assert dict(zip(of_y["metric"], of_y["value"], strict=True)) == point_metrics(
        slice_rows["label"], slice_rows["score"], 0.5
    )
    assert of_y["rows"].tolist() == [len(slice_rows)] * 9
    assert of_y["low"].notna().all()


def test_without_an_entity_there_are_no_entity_metrics(make_spec):
    measured = measure_holdout(make_spec(entity=None), _scored(), 0.5)
    assert "entity_precision_at_k" not in set(measured["metric"])
    assert "precision_at_k" in set(measured["metric"])


def test_only_the_20_most_frequent_values_are_slices_ties_in_order_of_their_text(spec):
    scored = _scored(53).assign(card=[f"c{n:02d}" for n in range(25)] * 2 + ["c24"] * 3)
    measured = measure_holdout(spec, scored, 0.5)
    slices = measured.loc[measured["slice_column"] == "card", "slice_value"].unique().tolist()
    assert slices == ["c24", *[f"c{n:02d}" for n in range(19)]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", None], {"a", None}),
        (pd.array([7, None], dtype="Int64"), {"7", None}),
        (pd.Categorical(["a", "b"], ["a", "b", "c"]), {"a", "b"}),
    ],
)
def test_rows_without_a_value_are_a_slice_without_a_value(spec, values, expected):
    measured = measure_holdout(spec, _scored(2).assign(card=values), 0.5)
    assert set(measured.loc[measured["slice_column"] == "card", "slice_value"]) == expected


def test_rows_without_a_label_are_left_out(spec):
    scored = _scored()
    unlabelled = scored.assign(label=scored["label"].astype("Int64").mask(scored["id"] < 20))
    pd.testing.assert_frame_equal(
        measure_holdout(spec, unlabelled, 0.5), measure_holdout(spec, scored[scored["id"] >= 20], 0.5)
    )


@pytest.mark.parametrize("dtype", ["boolean", "bool", "object"])
def test_labels_may_be_booleans(spec, dtype):
    scored = _scored()
    pd.testing.assert_frame_equal(
        measure_holdout(spec, scored.assign(label=scored["label"].astype(bool).astype(dtype)), 0.5),
        measure_holdout(spec, scored, 0.5),
    )


@pytest.mark.parametrize("label", [0, None], ids=["one class", "no labelled row"])
def test_a_holdout_without_both_classes_has_nan_metrics(spec, label):
    measured = measure_holdout(spec, _scored(5).assign(label=pd.array([label] * 5, dtype="Int64")), 0.5)
    assert np.isnan(_value(measured, "roc_auc"))
    assert np.isnan(_value(measured, "average_precision"))
    assert measured["positives"].max() == 0


@BOUNDED
@given(st.permutations(range(25)))
def test_order_and_index_of_rows_do_not_change_a_single_bit(spec, order):
    scored = _scored(25).round({"score": 1})
    pd.testing.assert_frame_equal(
        measure_holdout(spec, scored.iloc[order], 0.5), measure_holdout(spec, scored, 0.5), check_exact=True
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": [0.1, None]}, "1 of 2 labelled rows have no score"),
        ({"score": [0.1, 1.5]}, "1 of 2 labelled rows have no score"),
        ({"label": [0, 2]}, "the target label must be 0 or 1"),
    ],
)
def test_invalid_values_are_refused(spec, change, message):
    with pytest.raises(ValueError, match=message):
        measure_holdout(spec, _scored(2).assign(**change), 0.5)


def test_missing_columns_are_named(spec):
    with pytest.raises(ValueError, match="no column score, card in the scored holdout"):
        measure_holdout(spec, _scored().drop(columns=["card", "score"]), 0.5)


def test_threshold_must_be_a_number(spec):
    with pytest.raises(ValueError, match="the threshold must be a number, not nan"):
        measure_holdout(spec, _scored(), float("nan"))
