"""Automation trains a model only on the days on which one is due."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import FEATURES, MODEL_ASSETS, asset_key
from ml_assets.pipeline.automation.conditions import due_sensors, with_due_conditions
from ml_assets.pipeline.component import ModelPipeline
from ml_assets.pipeline.graph.assets import build_assets
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import day

RESOURCES = ("lake", "landing", "registry", "tracking", "deploy_target")


def spec_with(**training) -> ModelSpec:
    return ModelSpec.model_validate({**SMALL, "training": {**SMALL["training"], **training}})


def requested_days(spec: ModelSpec, numbers: tuple[int, ...]) -> dict[int, set[str]]:
    """Return the assets that automation requests while each of some days is the newest; the days up to it have
    features."""
    instance, cursor, requested, made = dg.DagsterInstance.ephemeral(), None, {}, 0
    resources = dict.fromkeys(RESOURCES, dg.ResourceDefinition.none_resource())
    definitions = dg.Definitions(assets=with_due_conditions(spec, build_assets(spec)), resources=resources)
    keys = [asset_key(spec, name) for name in MODEL_ASSETS]
    for number in numbers:
        for other in range(made + 1, number + 1):
            features = dg.AssetMaterialization(asset_key(spec, FEATURES), partition=str(day(other)))
            instance.report_runless_asset_event(features)
        made = number
        result = dg.evaluate_automation_conditions(
            definitions,
            instance,
            asset_selection=dg.AssetSelection.assets(*keys),
            evaluation_time=datetime.combine(day(number), datetime.min.time(), UTC) + timedelta(days=1, hours=1),
            cursor=cursor,
        )
        cursor = result.cursor
        days = {key.path[-1]: result.get_requested_partitions(key) for key in keys}
        assert all(partitions in (set(), {str(day(number))}) for partitions in days.values())
        requested[number] = {name for name, partitions in days.items() if partitions}
    return requested


@pytest.mark.parametrize(
    ("training", "due"),
    [({"every": "3d"}, (13, 16)), ({"every": "3d", "when": ["stale_inputs"]}, (13, 15, 16))],
    ids=["by the interval from day 10 on", "or by a trigger on any day"],
)
def test_only_days_on_which_a_model_may_be_due_are_requested(training, due):
    requested = requested_days(spec_with(**training), (12, 13, 15, 16))
    # The first tick of a sensor requests nothing.
    assert requested == {
        12: set(),
        **{number: set(MODEL_ASSETS) if number in due else set() for number in (13, 15, 16)},
    }


def test_the_condition_says_why_and_its_sensor_is_off():
    pipeline = ModelPipeline(spec_with(every="0 2 * * 1", when=["stale_inputs"]))
    sensors = {sensor.name: sensor for sensor in pipeline.build_defs(None).sensors or ()}
    assert sensors["small_models_due"].default_status == dg.DefaultSensorStatus.STOPPED
    assets = with_due_conditions(pipeline.spec, build_assets(pipeline.spec))
    (spec,) = (spec for definition in assets for spec in definition.specs if spec.key.path[-1] == "trained_model")
    assert spec.automation_condition is not None
    text = str(spec.automation_condition.get_snapshot())
    assert "a model is due by training.every '0 2 * * 1', or stale_inputs on the days between" in text


def test_a_condition_of_the_project_stays():
    spec, eager = spec_with(every="3d"), dg.AutomationCondition.eager()
    assets = [
        assets.map_asset_specs(lambda asset: asset.replace_attributes(automation_condition=eager))
        for assets in build_assets(spec)
    ]
    assert due_sensors(spec, with_due_conditions(spec, assets)) == []


def test_a_model_that_is_due_every_day_has_no_condition():
    assert due_sensors(spec_with(), build_assets(spec_with())) == []
    definitions = ModelPipeline(spec_with()).build_defs(None)
    assert "small_models_due" not in {sensor.name for sensor in definitions.sensors or ()}
