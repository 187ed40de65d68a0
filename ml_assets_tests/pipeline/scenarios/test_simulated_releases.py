"""Two months of simulated card transactions through every stage: four models come up, one of them worse on live data
only.
"""

from pathlib import Path

import numpy as np
import pytest

from ml_assets.cli.demo.simulator import simulate_days
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES, MODEL_ASSETS, RELEASE_ASSETS
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.live_cases import summarize_release
from ml_assets_tests.pipeline.world import START, World, check, day
from ml_assets_tests.resources.mlflow.mlflow_cases import new_store

LAST = 80
# Days on which a column tells the label that tells nothing before and after.
TELLING = range(29, 46)
CANARY = {
    "steps": [50, 100],
    "minimum_rows": 1000,
    "minimum_positives": 20,
    "metric": "roc_auc",
    "margin": 0.03,
    "bootstrap_samples": 200,
}
ATTRIBUTES = {
    **SMALL,
    "columns": {
        "transaction_id": {"type": "integer"},
        "event_time": {"type": "timestamp"},
        "customer_id": {"type": "integer"},
        "terminal_id": {"type": "integer"},
        "amount": {"type": "number"},
        "device_risk": {"type": "number"},
        "is_fraud": {"type": "integer", "allowed": [0, 1]},
    },
    "row_key": ["transaction_id"],
    "target": "is_fraud",
    "entity": "customer_id",
    "features": [
        {"kind": "column", "columns": ["amount", "device_risk"]},
        {"kind": "window", "key": "customer_id", "value": "amount", "aggregates": ["ratio"], "windows": ["7d"]},
        {
            "kind": "window",
            "key": "terminal_id",
            "value": "is_fraud",
            "aggregates": ["mean"],
            "windows": ["7d"],
            "delay": "2d",
        },
    ],
    "evaluation": {"holdout": "3d", "top_k": 5, "bootstrap_samples": 20},
    "gates": {"roc_auc": {"minimum": 0.5}},
    "deployment": {"canary": CANARY, "explained_rows": 5},
}


def spec_with(rounds: int, depth: int) -> ModelSpec:
    """Build the specification with a number of rounds and a depth of trees."""
    training = {"window": "10d", "validation": "2d", "rounds": rounds, "parameters": {"max_depth": depth}}
    return ModelSpec.model_validate({**ATTRIBUTES, "training": training})


@pytest.mark.slow
def test_the_right_model_is_live_after_two_months_and_the_ledger_tells_why(tmp_path: Path):
    new_store(tmp_path)
    world = World(tmp_path, spec_with(8, 2))
    draw = np.random.default_rng(5)
    for number, (which, rows) in enumerate(simulate_days(START, LAST, customers=1000, terminals=500), start=1):
        rows = rows[rows["customer_id"].notna()].drop_duplicates("transaction_id").drop(columns="merchant_category")
        risk = draw.normal(size=len(rows)) + (4 * rows["is_fraud"] if number in TELLING else 0)
        assert which == day(number)
        world.land(which, rows.assign(device_risk=risk))
    world.run(list(LANDED_TO_FEATURES), day(1), day(LAST))
    models = {20: spec_with(8, 2), 24: spec_with(9, 2), 46: spec_with(40, 3), 70: spec_with(60, 4)}
    for number, until in zip(models, [*list(models)[1:], LAST + 1], strict=True):
        world = World(tmp_path, models[number])
        assert check(world.run(list(MODEL_ASSETS), day(number)), "gate_roc_auc").passed
        world.run(list(RELEASE_ASSETS), day(number), day(until - 1))
    stages = world.stages()
    moves = stages.deployment.moves
    assert [(action, champion, challenger) for _, action, champion, challenger, _ in map(summarize_release, moves)] == [
        ("promote", 1, None),
        ("start", 1, 2),
        ("promote", 2, None),
        ("start", 2, 3),
        ("rollback", 2, None),
        ("start", 2, 4),
        ("promote", 4, None),
    ]
    assert "of the champion on the same rows" in moves[4].reason
    assert moves[4].metrics["roc_auc_high"] < 0 or moves[4].metrics["wrong_decisions_low"] > 0.01
    assert moves[6].metrics["roc_auc_difference"] > 0
    assert stages.predictions.scored(day(LAST))["model_version"].unique().tolist() == [4]
    assert world.registry.alias_version("small", "champion") == 4
