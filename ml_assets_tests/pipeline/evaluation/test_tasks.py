"""A regression with quantiles and weights, and a model of several classes, run from landed rows through evaluation,
gates, the comparison with the champion, and a canary.
"""

from datetime import date
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.release_state import Release, Version, promote
from ml_assets.core.tables.schemas import REGISTRY_ENTRY_SCHEMA
from ml_assets.pipeline.asset_names import (
    CANARY_COMPARISON,
    CHAMPION_COMPARISON,
    ENTRY,
    LANDED_TO_FEATURES,
)
from ml_assets.pipeline.engine.materialize_days import make_days
from ml_assets.pipeline.evaluation.plots import evaluation_plots, plot_names
from ml_assets.pipeline.evaluation.report import evaluation_parts
from ml_assets.pipeline.release.deployment_stage import ModelDeployment
from ml_assets.resources.release.ledger import Ledger
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, check, day, rows_of
from ml_assets_tests.resources.release.release_cases import move
from ml_assets_tests.support.changed_spec import with_task

LAST = 16
CLASSES = ["cheap", "middle", "very dear"]
CANARY = {"canary": {"steps": [0, 100], "minimum_days": 1, "minimum_rows": 20, "bootstrap_samples": 20}}
COLUMNS = {**SMALL["columns"], "weight": {"type": "integer", "minimum": 0}}
TASKS = {
    "regression": with_task(
        SMALL,
        "regression",
        columns={**COLUMNS, "label": {"type": "number"}},
        sample_weight="weight",
        training=SMALL["training"] | {"objective": "quantile", "quantiles": [0.1, 0.5, 0.9], "rounds": 20},
        gates={"rmse": {"maximum": 0.001}, "interval_coverage": {"minimum": 0.01}, "mean_bias": {"minimum": -1e6}},
        champion={"margin": 0.5},
        deployment=CANARY,
    ),
    "multiclass": with_task(
        SMALL,
        "multiclass",
        columns={**COLUMNS, "label": {"type": "string"}},
        classes=CLASSES,
        gates={"accuracy": {"minimum": 0.999}, "recall_very_dear": {"minimum": 0}},
        champion={"margin": 0.5},
        deployment=CANARY,
    ),
}
FAILED = {"regression": "rmse", "multiclass": "accuracy"}


def landed_rows(task: str, which: date) -> pd.DataFrame:
    rows = rows_of(which)
    noisy = rows["amount"] + np.random.default_rng(which.toordinal()).normal(0, 5, len(rows))
    label = noisy if task == "regression" else pd.cut(noisy, [-100, 20, 50, 1e9], labels=CLASSES).astype(str)
    return rows.assign(label=label, weight=np.arange(len(rows)) % 3)


@pytest.fixture(scope="module", params=["regression", pytest.param("multiclass", marks=pytest.mark.slow)])
def evaluated(request, tmp_path_factory) -> tuple[World, dg.ExecuteInProcessResult]:
    """Evaluate the models of days 11 and 12, the second against the first as the champion."""
    root: Path = tmp_path_factory.mktemp(request.param)
    world = World(root, ModelSpec.model_validate(TASKS[request.param]))
    for number in range(1, LAST + 1):
        world.land(day(number), landed_rows(request.param, day(number)))
    world.run([*LANDED_TO_FEATURES], day(1), day(LAST))
    world.run(["trained_model", "evaluation"], day(11), succeed=False)
    champion = Version(1, digest_of(world, 11), day(11))
    Ledger(world.lake, world.spec.name).append(Release(), move("promote", promote(Release(), champion), day(11)))
    return world, world.run(["trained_model", "evaluation"], day(12), succeed=False)


@pytest.fixture
def world(evaluated) -> World:
    return evaluated[0]


def digest_of(world: World, number: int) -> str:
    return world.stages().evaluation.model_row(day(number))["model_digest"]


def test_gates_and_the_champion_are_compared_by_the_metrics_of_the_task(evaluated):
    world, result = evaluated
    failed = FAILED[world.spec.task]
    assert not check(result, f"gate_{failed}").passed
    others = [name for name in world.spec.gates if name != failed]
    assert all(check(result, f"gate_{name}").passed for name in others)
    against_champion = check(result, "gate_champion")
    assert against_champion.passed
    metric = world.spec.champion.metric
    assert f"{metric} " in (against_champion.description or "")
    compared = world.stages().evaluation.tables[CHAMPION_COMPARISON].read([day(12)]).to_pandas().set_index("metric")
    assert compared.loc[metric, "low"] <= compared.loc[metric, "difference"] <= compared.loc[metric, "high"]


def test_the_report_has_the_plots_of_the_task_and_no_threshold(world):
    evaluation = world.stages().evaluation
    plots = evaluation_plots(evaluation, day(12))
    assert tuple(plots) == plot_names(world.spec.outputs)
    assert all(plot.startswith(b"<svg") for plot in plots.values())
    (part,) = evaluation_parts(evaluation, [day(12)])
    assert not {"threshold", "training_positives"} & part.facts.keys()
    assert part.facts.keys() >= {FAILED[world.spec.task], "rounds", "training_rows"}


def decide_canary(world: World, root: Path, rounds: int, **changes: float) -> tuple[ModelDeployment, list[dict]]:
    """Decide on a model of day 12 of some rounds in a copy of the world, with changes of the canary; return its stage
    and rows.
    """
    world = world.copy(root)
    training = world.spec.training.model_copy(update={"rounds": rounds})
    world.spec = world.spec.model_copy(update={"training": training})
    world.run(["trained_model"], day(12))
    entries = world.lake.table(world.spec.name, ENTRY, REGISTRY_ENTRY_SCHEMA)
    entry = {"model_digest": digest_of(world, 12), "version": "2", "gates_passed": True}
    entries.commit({day(12): pa.Table.from_pylist([entry], schema=REGISTRY_ENTRY_SCHEMA)}, {day(12): 2})
    deployment = world.spec.deployment
    canary = deployment.canary.model_copy(update=changes)
    spec = world.spec.model_copy(update={"deployment": deployment.model_copy(update={"canary": canary})})
    ledger = Ledger(world.lake, world.spec.name)
    stage = ModelDeployment(spec, world.lake, world.landing, ledger.append, "run 1")
    list(make_days(stage, [day(number) for number in range(12, LAST + 1)], "run-1", single_partition=False))
    return stage, [row for number in range(12, LAST + 1) if (row := stage.row(day(number)))]


def test_a_canary_in_shadow_compares_both_models_and_promotes_one_that_is_as_good(world, tmp_path):
    stage, rows = decide_canary(world, tmp_path, world.spec.training.rounds, margin=0.9, maximum_error_increase=1.0)
    outcomes = [row["outcome"] for row in rows]
    assert outcomes[:2] == ["start", "hold"]
    assert "promote" in outcomes
    compared = stage.tables[CANARY_COMPARISON].read([day(12 + outcomes.index("promote"))]).to_pandas()
    metrics = {world.spec.deployment.canary.metric, "prediction_distance"}
    assert metrics <= set(compared.loc[compared["scope"] == "paired", "metric"])
    assert rows[-1]["champion_version"] == 2


def test_a_canary_in_shadow_that_is_worse_is_rolled_back(world, tmp_path):
    _, rows = decide_canary(world, tmp_path, rounds=1)
    (rollback,) = [row for row in rows if row["outcome"] == "rollback"]
    assert "is rolled back in shadow" in rollback["reason"]
    assert (rows[-1]["champion_version"], rows[-1]["challenger_version"]) == (1, None)


def test_a_model_of_another_task_cannot_be_the_champion(world):
    other = "multiclass" if world.spec.task == "regression" else "regression"
    stages = replace_spec(world, ModelSpec.model_validate(TASKS[other]))
    scorer = stages.evaluation._champions.open_scorer("another", day(LAST))
    assert scorer.scorer is None
    assert scorer.cannot_compare
    assert ", but the specification " in (scorer.note or "")


def replace_spec(world: World, spec: ModelSpec):
    return World(world.root, spec).stages()
