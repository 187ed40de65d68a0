"""Deployment and predictions in Dagster: order, metadata, checks, daily report, MLflow aliases, and days whose model
fails.
"""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import FEATURES, MODEL_ASSETS, PREDICTIONS, RELEASE_ASSETS, asset_key
from ml_assets.pipeline.automation.failure_sensor import release_after_failure
from ml_assets.pipeline.automation.jobs import daily_job, release_job
from ml_assets.pipeline.release.predictions_stage import DailyPredictions
from ml_assets.pipeline.release.rollback_check import NOT_ROLLED_BACK
from ml_assets.pipeline.retention.apply import Retention
from ml_assets.pipeline.steps.partition_tags import range_tags
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.registry.aliases import alias_holder
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.live_cases import spec_with
from ml_assets_tests.pipeline.world import World, check, computed, day, failure
from ml_assets_tests.pipeline.worlds import world_with_features

pytestmark = [pytest.mark.clock, pytest.mark.plots]

LIVE, LAST = list(RELEASE_ASSETS), 18
EASY = {
    "steps": [50, 100],
    "minimum_days": 1,
    "minimum_rows": 10,
    "minimum_positives": 1,
    "margin": 1,
    "maximum_error_increase": 1,
}
SPEC = spec_with(EASY)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Make features of 18 days, then models, decisions and predictions of days 12 and 13 in runs of several days."""
    root = tmp_path_factory.mktemp("world")
    world = world_with_features(root, SPEC, LAST)
    world.run([*MODEL_ASSETS, *LIVE], day(12), day(13))
    return world


def metadata(result: dg.ExecuteInProcessResult, name: str, number: int) -> dict:
    collected: dict = {}
    for event in result.get_asset_materialization_events():
        materialization = event.step_materialization_data.materialization
        if materialization.asset_key.path[-1] == name and materialization.partition == str(day(number)):
            collected |= materialization.metadata
    return collected


def test_in_a_range_the_first_model_is_champion_and_the_second_its_challenger(world):
    stages = world.stages()
    assert [stages.deployment.row(day(number))["outcome"] for number in (12, 13)] == ["promote", "start"]
    assert stages.predictions.scored(day(12))["side"].unique().tolist() == ["champion"]
    assert sorted(stages.predictions.scored(day(13))["side"].unique()) == ["challenger", "champion"]
    holders = {alias: alias_holder(world.registry.client, "small", alias) for alias in ("champion", "challenger")}
    assert {alias: int(holder.version) for alias, holder in holders.items() if holder} == {
        "champion": 1,
        "challenger": 2,
    }
    actors = {move.actor for move in stages.deployment.moves}
    assert len(actors) == 1
    assert actors.pop().startswith("run ")


@pytest.mark.slow
def test_each_day_is_decided_then_scored_and_shows_both_in_its_metadata_and_report(world, tmp_path):
    copy = world.copy(tmp_path / "copy")
    result = copy.run(LIVE, day(14))
    decision = metadata(result, "deployment", 14)
    assert (decision["decision"].value, decision["champion_version"].value, decision["challenger_version"].value) == (
        "hold",
        1,
        2,
    )
    assert "labels are known through" in decision["reason"].value
    scores = metadata(result, PREDICTIONS, 14)
    assert (
        scores["champion_rows"].value + scores["challenger_rows"].value == scores["dagster/partition_row_count"].value
    )
    assert "data:image/svg+xml" in scores["plots"].value
    page = (copy.root / "lake" / "small" / "reports" / f"{day(14)}.html").read_text()
    assert "Deployment" in page
    assert "The highest scores" in page
    assert check(result, NOT_ROLLED_BACK).passed
    promoted = copy.run(LIVE, day(15), day(16))
    assert metadata(promoted, "deployment", 15)["decision"].value == "promote"
    assert computed(copy.run(LIVE, day(12), day(16)), PREDICTIONS) == []


def test_a_rollback_fails_a_check_as_a_warning_and_stops_nothing(world, tmp_path):
    strict = {**EASY, "maximum_days": "1d"}
    copy = World(world.copy(tmp_path / "copy").root, spec_with(strict))
    result = copy.run(LIVE, day(14))
    evaluation = check(result, NOT_ROLLED_BACK)
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "not decided within 1 day" in (evaluation.description or "")
    assert copy.stages().predictions.scored(day(14))["side"].unique().tolist() == ["champion"]
    assert alias_holder(copy.registry.client, "small", "challenger") is None


def request_after(world: World, run: dg.DagsterRun) -> object:
    """Return what the sensor requests after a failed run."""
    sensor = release_after_failure(world.spec, daily_job(world.spec), release_job(world.spec))
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor.name,
        dagster_instance=world.instance,
        dagster_run=run,
        dagster_event=dg.DagsterEvent("PIPELINE_FAILURE", "small_daily"),
        resources={"lake": world.lake},
    ).for_run_failure()
    return sensor(context)


def test_a_day_whose_model_fails_its_gates_is_decided_and_scored_by_the_run_that_follows(world, tmp_path):
    spec = ModelSpec.model_validate({**SPEC.model_dump(mode="json"), "gates": {"roc_auc": {"minimum": 1.0}}})
    copy = World(world.copy(tmp_path / "copy").root, spec)
    failed = copy.run([*MODEL_ASSETS, *LIVE], day(14), succeed=False)
    assert copy.stages().deployment.row(day(14)) is None
    request = request_after(copy, failed.dagster_run)
    assert isinstance(request, dg.RunRequest)
    assert copy.materialize(LIVE, dict(request.tags)).success
    assert len(copy.stages().predictions.scored(day(14))) > 0
    row = copy.stages().deployment.row(day(14))
    assert row is not None
    assert (row["outcome"], row["challenger_version"]) == ("hold", 2)


def test_no_run_is_requested_after_a_failed_run_that_is_retried_or_has_no_partition_or_features(world):
    run = world.materialize(["raw_data"], {"dagster/partition": str(day(1))}).dagster_run
    for tags, reason in [
        ({"dagster/partition": str(day(14)), "dagster/will_retry": "true"}, "will be retried"),
        ({}, "has no partition"),
        ({"dagster/partition": str(day(LAST + 1))}, "has no features"),
        (range_tags(day(LAST), day(LAST + 1)), "has no features"),
    ]:
        skipped = request_after(world, run.with_tags(tags))
        assert isinstance(skipped, dg.SkipReason)
        assert reason in (skipped.skip_message or "")


def test_of_a_range_the_days_after_the_last_one_without_features_are_requested(world):
    run = world.materialize(["raw_data"], {"dagster/partition": str(day(1))}).dagster_run
    # The features of day 1 would need earlier days.
    request = request_after(world, run.with_tags(range_tags(day(0), day(LAST))))
    assert isinstance(request, dg.RunRequest)
    first = date.fromisoformat(request.tags["dagster/asset_partition_range_start"])
    features = world.stages().features.tables[FEATURES]
    assert first > day(0)
    assert not features.is_committed(first - timedelta(days=1))
    assert all(features.is_committed(first + timedelta(days=number)) for number in range((day(LAST) - first).days))
    assert request.tags["dagster/asset_partition_range_end"] == str(day(LAST))


def test_no_run_is_requested_after_a_run_whose_predictions_failed_themselves(world, tmp_path, monkeypatch):
    copied = world.copy(tmp_path / "copy")
    monkeypatch.setattr(DailyPredictions, "make_day", raise_error)
    with dg.DagsterInstance.ephemeral() as instance:
        copy = World(copied.root, SPEC, instance=instance)
        failed = copy.run(LIVE, day(14), succeed=False)
        skipped = request_after(copy, failed.dagster_run)
    assert isinstance(skipped, dg.SkipReason)
    assert "predictions failed in run" in (skipped.skip_message or "")


def raise_error(*_: object) -> None:
    raise ValueError("no")


def test_deployment_depends_on_the_days_that_a_canary_can_read():
    from ml_assets.pipeline.graph.assets import build_assets

    by_key = {spec.key: spec for assets in build_assets(SPEC) for spec in assets.specs}
    deps = {dep.asset_key.path[-1]: dep.partition_mapping for dep in by_key[asset_key(SPEC, "deployment")].deps}
    assert set(deps) == {"model_registry_entry", "features"}
    assert deps["features"].start_offset == -40
    without = {spec.key: spec for assets in build_assets(ModelSpec.model_validate(SMALL)) for spec in assets.specs}
    assert [dep.asset_key.path[-1] for dep in without[asset_key(SPEC, "deployment")].deps] == ["model_registry_entry"]
    assert {dep.asset_key.path[-1] for dep in by_key[asset_key(SPEC, PREDICTIONS)].deps} == {"deployment", "features"}


@pytest.mark.slow
def test_retention_removes_old_predictions_and_keeps_the_files_of_live_versions(world, tmp_path):
    copy = world.copy(tmp_path / "copy")
    now = datetime.now(UTC) + timedelta(days=3)
    ages = {name: f"{(now.date() - day(number)).days}d" for name, number in [("days", 13), ("models", 15)]}
    spec = ModelSpec.model_validate({**SPEC.model_dump(mode="json"), "retention": {"replaced_files": "1d", **ages}})
    removal = Retention(spec, copy.stages(), Lake(uri=copy.lake.uri), copy.registry, now, "run-1", False).apply()
    assert removal.days[PREDICTIONS] == [day(12)]
    assert (removal.versions, removal.models) == ([], [])
    stages = copy.stages()
    assert stages.predictions.scored(day(12)).empty
    assert [stages.deployment.row(day(number))["outcome"] for number in (12, 13)] == ["promote", "start"]
    assert computed(copy.run(LIVE, day(13), day(14)), PREDICTIONS) == [day(14)]
    assert "which retention removed" in failure(copy.run(LIVE, day(12), day(13), succeed=False))
