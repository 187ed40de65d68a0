"""A feature that contains the label is suspected, whatever its form; a merely useful one is not."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.checks.model_checks import TargetLeakageCheck
from ml_assets.core.profiling.target_leakage import (
    PredictivePower,
    feature_profiles,
    is_suspected,
    measure_ranking_power,
    measure_single_features,
)
from ml_assets.core.tables.schemas import feature_profile_schema
from ml_assets_tests.core.features.feature_cases import spec_with
from ml_assets_tests.support.changed_spec import with_task

SPEC = spec_with({"kind": "column", "columns": ["amount"]}, {"kind": "categorical", "columns": ["shop"]})
RANDOM = np.random.default_rng(1)
LABELS = (RANDOM.random(1000) < 0.05).astype(int)


def power(**columns) -> dict[str, PredictivePower]:
    frame = pd.DataFrame({"amount": RANDOM.normal(size=1000), "shop": ["a"] * 1000, "label": LABELS} | columns)
    return measure_single_features(SPEC, frame)


def suspected(**columns) -> list[str]:
    return [name for name, measured in power(**columns).items() if is_suspected(measured, TargetLeakageCheck())]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=1, max_size=40))
def test_the_figures_are_those_of_scikit_learn(rows):
    from sklearn.metrics import average_precision_score, roc_auc_score

    scores, labels = np.array(rows).T
    measured = measure_ranking_power(scores.astype(float), labels)
    if len(set(labels)) < 2:
        assert measured is None
    else:
        assert measured == pytest.approx((roc_auc_score(labels, scores), average_precision_score(labels, scores)))


@pytest.mark.parametrize(
    "values",
    [
        LABELS * 2.0 + 3,
        -LABELS.astype(float),
        np.where(LABELS == 1, np.nan, RANDOM.normal(size=1000)),
        np.where(LABELS == 0, np.nan, RANDOM.normal(size=1000)),
        np.where(LABELS == 1, np.inf, RANDOM.normal(size=1000)),
        LABELS + RANDOM.random(1000) * 0.9,
    ],
    ids=["upwards", "downwards", "missing for positives", "missing for negatives", "infinite", "noisy"],
)
def test_the_label_in_another_form_is_suspected(values):
    assert suspected(amount=values) == ["amount"]


def test_a_category_that_contains_the_label_is_suspected_on_rows_it_was_not_fitted_on():
    assert suspected(shop=np.where(LABELS == 1, "fraud", "fine")) == ["shop"]
    assert suspected(shop=np.where(LABELS == 1, None, "fine")) == ["shop"]
    # With a category for each row, a fit on the same rows would be perfect.
    assert suspected(shop=[f"shop {number}" for number in range(1000)]) == []


def test_useful_features_are_not_suspected():
    assert suspected(amount=LABELS + RANDOM.normal(size=1000)) == []
    assert power()["amount"].roc_auc < 0.65


def test_rows_without_a_label_and_days_of_one_class():
    labels = pd.Series(LABELS, dtype="Int64").where(np.arange(1000) % 2 == 0)
    measured = power(label=labels)["amount"]
    assert (measured.positives, measured.negatives) == (LABELS[::2].sum(), 500 - LABELS[::2].sum())
    assert power(label=0)["amount"] == PredictivePower(None, None, 0, 1000)


def test_nothing_is_measured_if_labels_come_in_files_of_their_own():
    separate_labels = spec_with(
        {"kind": "column", "columns": ["amount"]}, labels={"files": "labels/{day}.csv", "key": ["id"]}
    )
    frame = pd.DataFrame({"amount": [1.0, 2.0]})
    stored = feature_profiles(separate_labels, pa.Table.from_pandas(frame), frame)
    assert stored.schema == feature_profile_schema(SPEC)
    assert stored.select(["name", "rows", "roc_auc", "positives"]).to_pylist() == [
        {"name": "amount", "rows": 2, "roc_auc": None, "positives": None}
    ]


def test_a_day_without_rows_has_no_profiles():
    frame = pd.DataFrame({"amount": np.empty(0), "shop": np.empty(0, object), "label": np.empty(0, np.int64)})
    table = pa.table({"amount": pa.array([], pa.float64()), "shop": pa.array([], pa.string())})
    assert feature_profiles(SPEC, table, frame).equals(feature_profile_schema(SPEC).empty_table())


@pytest.fixture
def measure(small):
    """Return a function that measures the features of a task with a target and values."""

    def run(task: str, target: list, **values) -> dict[str, PredictivePower]:
        kind = "number" if task == "regression" else "string"
        classes = {} if task == "regression" else {"classes": [str(label) for label in sorted(set(target))]}
        small["columns"] |= {"label": {"type": kind}, "shop": {"type": "string"}}
        small["features"] = [{"kind": "column", "columns": ["amount"]}, {"kind": "categorical", "columns": ["shop"]}]
        spec = ModelSpec.model_validate(with_task(small, task, **classes))
        frame = pd.DataFrame({"amount": RANDOM.normal(size=len(target)), "shop": "a", "label": target} | values)
        return measure_single_features(spec, frame)

    return run


def test_the_rank_of_an_amount_in_another_form_is_suspected(measure):
    target = RANDOM.exponential(size=200)
    copied = measure("regression", target, amount=-np.exp(target), shop=[f"shop {value:.9f}" for value in target])
    assert copied["amount"].rank_correlation == pytest.approx(-1)
    assert is_suspected(copied["amount"], TargetLeakageCheck())
    useful = measure("regression", target, amount=target + RANDOM.normal(0, 1, 200))["amount"]
    assert 0.3 < (useful.rank_correlation or 0) < 0.995
    assert not is_suspected(useful, TargetLeakageCheck())
    by_shop = measure("regression", np.repeat([1.0, 5.0], 100), shop=np.repeat(["a", "b"], 100))["shop"]
    assert is_suspected(by_shop, TargetLeakageCheck())
    assert not measure("regression", target, amount=1.0)["amount"].strength


def test_a_feature_that_gives_one_class_away_is_suspected(measure):
    target = RANDOM.choice(["x", "y", "z"], 300)
    power = measure("multiclass", target.tolist(), amount=(target == "y").astype(float))["amount"]
    assert (power.of_class, power.roc_auc) == ("y", 1.0)
    assert is_suspected(power, TargetLeakageCheck())
    assert not is_suspected(measure("multiclass", target.tolist())["amount"], TargetLeakageCheck())


@pytest.mark.parametrize(("rows", "amount_of_another", "suspected"), [(6, 5.5, False), (6, 0, True), (30, 5.5, True)])
def test_a_class_of_few_rows_is_suspected_only_if_the_feature_makes_no_error(
    measure, rows, amount_of_another, suspected
):
    target = ["x"] * 50 + ["y"] * 50 + ["z"] * rows
    amounts = [amount_of_another, *[0.0] * 99, *range(5, 5 + rows)]
    power = measure("multiclass", target, amount=amounts)["amount"]
    assert power.of_class == "z"
    assert (power.roc_auc or 0) > 0.99
    assert is_suspected(power, TargetLeakageCheck()) == suspected
