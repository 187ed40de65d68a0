"""prediction_quality: estimated on the day of the predictions, realised when the labels are known, and checked."""

import dagster as dg
import pytest

from ml_assets.core.metrics.classification import point_metrics
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.types.metric_names import ESTIMATED
from ml_assets.pipeline.asset_names import (
    FEATURES,
    MODEL_ASSETS,
    PREDICTION_QUALITY,
    PREDICTIONS,
    all_assets,
    release_assets,
)
from ml_assets.pipeline.graph import monitoring_steps, release_steps
from ml_assets.pipeline.graph.assets import list_asset_specs
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.planning.plan_cases import of_stage, plan_of
from ml_assets_tests.pipeline.world import World, check, computed, day
from ml_assets_tests.pipeline.worlds import world_with_features

pytestmark = pytest.mark.plots
CHECK = {"metric": "roc_auc", "max_drop": 0.2}


def spec_with(**quality) -> ModelSpec:
    quality = {"minimum_positives": 5, "samples": 20, **quality}
    checks = {**SMALL["checks"], PREDICTION_QUALITY: CHECK}
    return ModelSpec.model_validate({**SMALL, "deployment": {"quality": quality}, "checks": checks})


SPEC = spec_with()
ALL_ASSETS = all_assets(SPEC)
NAMES = [*MODEL_ASSETS, *release_assets(SPEC)]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, dg.ExecuteInProcessResult]:
    """Models, predictions and their quality of days 12 to 14 in one run."""
    world = world_with_features(tmp_path_factory.mktemp("world"), SPEC, 18)
    return world, world.run(NAMES, day(12), day(14))


def rows_of(world: World, number: int, kind: str) -> dict[str, dict]:
    quality = world.stages().quality
    assert quality is not None
    return {row["metric"]: row for row in quality.rows([day(number)]) if row["kind"] == kind}


@pytest.mark.slow
def test_quality_is_estimated_on_the_day_and_realised_once_labels_are_known(ran):
    world, _ = ran
    for number in (12, 13, 14):
        estimated = rows_of(world, number, "estimated")
        assert list(estimated) == list(ESTIMATED)
        assert {row["predicted_on"] for row in estimated.values()} == {day(number)}
        for row in estimated.values():
            assert row["low"] <= row["value"] <= row["high"] or row["metric"] != "roc_auc"
            assert 0 < row["positives"] < row["rows"]
            assert row["holdout_value"] is not None
    assert rows_of(world, 13, "realised") == {}
    realised = rows_of(world, 14, "realised")
    assert {row["predicted_on"] for row in realised.values()} == {day(12)}


def test_realised_metrics_are_those_of_the_labels(ran):
    world, _ = ran
    stages = world.stages()
    scored = stages.predictions.tables[PREDICTIONS].read([day(12)], ["id", "score", "decision"]).to_pandas()
    labels = stages.features.tables[FEATURES].read([day(12)], ["id", "label"]).to_pandas()
    both = scored.merge(labels, on="id")
    expected = point_metrics(both["label"], both["score"], both.loc[both["decision"], "score"].min())
    realised = rows_of(world, 14, "realised")
    assert {name: row["value"] for name, row in realised.items()} == pytest.approx(
        {name: expected[name] for name in ESTIMATED}
    )


def test_the_run_shows_metrics_a_picture_a_table_and_a_check(ran):
    world, result = ran
    assert check(result, PREDICTION_QUALITY).passed
    described = check(result, PREDICTION_QUALITY).description or ""
    assert f"{day(14)}: " in described
    assert "estimated roc_auc of version" in described
    assert f"realised roc_auc of version 1 on {day(12)}" in described
    page = (world.root / "lake" / "small" / "reports" / f"{day(14)}.html").read_text()
    assert "Quality of predictions" in page
    assert "roc_auc by day of the predictions" in page
    assert "realised" in (world.root / "lake" / "small" / "reports" / "index.html").read_text()
    (newest,) = [
        event.step_materialization_data.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key and event.asset_key.path[-1] == PREDICTION_QUALITY and event.partition == str(day(14))
    ]
    assert {"estimated_roc_auc", "realised_roc_auc", "plots", "by_day"} <= newest.metadata.keys()


def test_the_dashboard_is_written_once_a_run(ran, monkeypatch):
    world, _ = ran
    written = []
    for steps in (release_steps, monitoring_steps):
        monkeypatch.setattr(steps, "update_dashboard", lambda *_, name=steps.__name__: written.append(name))
    world.run([PREDICTIONS, PREDICTION_QUALITY], day(12))
    assert written == [monitoring_steps.__name__]
    world.run([PREDICTIONS], day(12))
    assert written == [monitoring_steps.__name__, release_steps.__name__], "nobody else would write it"


def test_an_unchanged_day_is_not_made_again(ran, tmp_path):
    world, _ = ran
    again = world.copy(tmp_path / "copy").run([PREDICTION_QUALITY], day(12), day(14))
    assert computed(again, PREDICTION_QUALITY) == []


def test_a_plan_knows_which_days_are_to_be_made(ran):
    world, _ = ran
    quality = of_stage(plan_of(world, day(14), day(15), ALL_ASSETS), PREDICTION_QUALITY)
    assert [planned.day for planned in quality.to_make] == [day(15)]
    assert [planned.note for planned in quality.to_make] == [None]
    assert quality.unchanged == [day(14)]


def test_too_few_positives_are_a_reason_instead_of_an_estimate(ran, tmp_path):
    world, _ = ran
    copy = World(world.copy(tmp_path / "copy").root, spec_with(minimum_positives=1000))
    result = copy.run([PREDICTION_QUALITY], day(13))
    assert {row["value"] for row in rows_of(copy, 13, "estimated").values()} == {None}
    assert "a calibration needs 1000 of each" in (check(result, PREDICTION_QUALITY).description or "")


def test_only_a_specification_that_asks_for_it_has_the_asset():
    names = {spec.key.path[-1] for spec in list_asset_specs(ModelSpec.model_validate(SMALL))}
    assert PREDICTION_QUALITY not in names
