"""Checks of features through Dagster: each passes on good days and names feature and day on bad ones."""

import numpy as np
import pandas as pd
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets.pipeline.engine.materialize_days import make_days
from ml_assets.pipeline.features.skew_check import evaluate_serving_skew
from ml_assets_tests.conftest import CHECKED
from ml_assets_tests.pipeline.world import ROWS, World, again, check, computed, day, rows_of

DAILY = list(LANDED_TO_FEATURES)
THIS_MODULE = "ml_assets_tests.pipeline.features.test_checks"
NAMES = [
    "no_infinities",
    "missing_share",
    "not_constant",
    "target_leakage",
    "feature_drift",
    "training_serving_skew",
    "feature_metrics",
]
LAST = 14
AVERAGE = {"name": "average_amount", "aggregate": "mean", "column": "amount", "at_least": 10, "at_most": 100}
GOOD = {
    **CHECKED,
    "training": {**CHECKED["training"], "window": "6d"},
    "metrics": [AVERAGE],
    # A dozen cards have a dozen means, which is too few to tell drift from chance.
    "checks": {"feature_drift": {"leave_out": ["amount_mean_by_card_1d"]}},
}
FAULTY = {
    "kind": "custom",
    "function": f"{THIS_MODULE}:faulty",
    "outputs": ["peeking", "infinite", "label_again", "gone"],
    "reads": "1d",
}


def faulty(rows: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Build features that read later rows of the day, are infinite, copy the label from the parity of the key, and are
    missing.
    """
    return pd.DataFrame(
        {
            "peeking": rows["amount"] - rows["amount"].mean(),
            "infinite": np.where(np.arange(len(rows)) == 0, np.inf, 1.0 + np.arange(len(rows))),
            "label_again": rows["id"] % 2,
            "gone": np.nan,
        },
        index=rows.index,
    )


def rows_on(number: int) -> pd.DataFrame:
    """Return good rows whose label depends on the parity of the key and not on the amount."""
    rows = rows_of(day(number))
    return rows.assign(label=rows["id"] % 2)


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> World:
    world = World(tmp_path_factory.mktemp("clean"), ModelSpec.model_validate(GOOD))
    for number in range(1, LAST + 1):
        world.land(day(number), rows_on(number))
    result = world.run(DAILY, day(1), day(LAST))
    assert {name: check(result, name).passed for name in NAMES} == dict.fromkeys(NAMES, True)
    # The first model of this specification is that of day 12: 6 days of training, 2 of holdout, twice 2 of label delay.
    evaluated = {name: check(result, name).metadata["days_evaluated"].value for name in NAMES}
    assert evaluated == {
        **dict.fromkeys(NAMES, LAST),
        "not_constant": 3,
        "feature_drift": 3,
        "training_serving_skew": 1,
    }
    return world


@pytest.fixture
def world(clean, tmp_path) -> World:
    return clean.copy(tmp_path)


def test_metrics_of_each_day_are_in_a_table(clean):
    rows = clean.stages().features.metrics.read([day(3)]).to_pylist()
    metrics = {row["metric"]: row["value"] for row in rows}
    assert metrics == pytest.approx(
        {
            "row_count": ROWS,
            "distinct_card": rows_on(3)["card"].nunique(),
            "average_amount": rows_on(3)["amount"].mean(),
        }
    )


def test_infinite_leaking_peeking_and_missing_features_are_named(clean, tmp_path):
    world = World(
        clean.copy(tmp_path).root, ModelSpec.model_validate({**GOOD, "features": [*GOOD["features"], FAULTY]})
    )
    result = world.run(DAILY, day(LAST))
    descriptions = {name: check(result, name).description for name in NAMES if not check(result, name).passed}
    assert descriptions == {
        "no_infinities": f"{day(LAST)}: infinite is infinite in 1 of {ROWS} rows",
        "missing_share": f"{day(LAST)}: gone is missing in 100.00% of the rows, more than 99.00%",
        "target_leakage": f"{day(LAST)}: label_again alone has ROC AUC 1.0000 and average precision 1.0000",
        "training_serving_skew": (
            f"{day(LAST)}: training-serving skew of peeking: "
            "built from the data known at the moment of a row, values differ"
        ),
    }


def test_a_constant_feature_drifts_and_is_named(world):
    world.land(day(LAST), rows_on(LAST).assign(amount=40.0))
    result = world.run(DAILY, day(LAST - 1), day(LAST))
    assert "amount is 40.0 in all 60 rows" in check(result, "not_constant").description
    drift = check(result, "feature_drift")
    assert drift.description.startswith(f"{day(LAST)}: amount")
    assert "plot" in drift.metadata
    assert {r.data["day"]: r.data["verdict"] for r in drift.metadata["by_day"].records} == {
        str(day(LAST)): "failed",
        str(day(LAST - 1)): "passed",
    }


def test_skew_is_evaluated_after_a_change_of_code_that_gives_the_same_features(world):
    stage = world.stages().features
    stage.code = "another version"
    [outcome] = make_days(stage, [day(LAST)], "run-2", single_partition=True)
    assert outcome.problem is None
    assert evaluate_serving_skew(world.spec, stage, day(LAST), "error").passed
    stage.code = "a version that computed nothing yet"
    assert evaluate_serving_skew(world.spec, stage, day(LAST), "error").passed is None


@pytest.mark.slow
def test_a_metric_outside_its_bounds_fails_until_the_bound_changes_and_no_day_is_made_again(world):
    stricter = ModelSpec.model_validate({**GOOD, "metrics": [{**AVERAGE, "at_most": 20}]})
    result = World(world.root, stricter).run(DAILY, day(1), day(LAST))
    assert computed(result, "features") == []
    evaluation = check(result, "feature_metrics")
    assert evaluation.metadata["days_failed"].value == LAST
    assert evaluation.metadata["details"].records[0].data["metric"] == "average_amount"
    other = ModelSpec.model_validate({**GOOD, "metrics": [AVERAGE, {"name": "rows", "aggregate": "rows"}]})
    result = World(world.root, other).run(DAILY, day(LAST))
    # The metrics are computed again; the features stay the same, so nothing else is made.
    assert (computed(result, "features"), again(result, "features")) == ([], [day(LAST)])
    assert world.stages().features.tables["feature_metrics"].row_counts()[day(LAST)] == 4


@pytest.mark.slow
def test_target_leakage_is_not_checked_when_labels_have_files_of_their_own(tmp_path):
    apart = ModelSpec.model_validate({**GOOD, "labels": {"files": "labels/{day}/*", "key": ["id"]}, "metrics": []})
    world = World(tmp_path, apart)
    world.land(day(1), rows_on(1).drop(columns="label"))
    checks = {evaluation.check_name for evaluation in world.run(DAILY, day(1)).get_asset_check_evaluations()}
    assert "target_leakage" not in checks
    assert "training_serving_skew" in checks
