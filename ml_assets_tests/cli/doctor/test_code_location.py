"""The doctor loads definitions as the webserver and the daemon do."""

import dagster as dg

from ml_assets.cli.doctor import code_location
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.automation.conditions import due_sensors, with_due_conditions
from ml_assets.pipeline.graph.assets import build_assets
from ml_assets_tests.conftest import SMALL


def test_definitions_that_only_the_webserver_and_the_daemon_refuse_do_not_load(monkeypatch):
    @dg.op(name="same")
    def work() -> None:
        """Do nothing."""

    @dg.job(name="same")
    def job() -> None:
        work()

    monkeypatch.setattr(code_location, "load_definitions", lambda: dg.Definitions(jobs=[job]))
    problem = code_location.load_code_location().problem
    assert problem is not None
    assert "Conflicting definitions" in problem


def test_an_asset_in_another_time_zone_than_the_one_it_depends_on_does_not_load(monkeypatch):
    def days(zone: str) -> dg.DailyPartitionsDefinition:
        return dg.DailyPartitionsDefinition(start_date="2026-01-01", timezone=zone)

    @dg.asset(partitions_def=days("Europe/Berlin"))
    def predictions() -> None: ...

    @dg.asset(deps=[predictions], partitions_def=days("UTC"))
    def alerts() -> None: ...

    monkeypatch.setattr(code_location, "load_definitions", lambda: dg.Definitions(assets=[predictions, alerts]))
    assert code_location.load_code_location().problem == (
        "the definitions do not load: DagsterInvalidDefinitionError: Invalid partition mapping from alerts to "
        "predictions: Timezones Europe/Berlin and UTC don't match"
    )


def test_a_sensor_that_is_off_by_default_is_not_among_those_that_should_be_on(monkeypatch):
    spec = ModelSpec.model_validate({**SMALL, "training": {**SMALL["training"], "every": "7d"}})
    assets = with_due_conditions(spec, build_assets(spec))
    [sensor] = due_sensors(spec, assets)
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED
    names = {name for asset in assets for name in asset.required_resource_keys} - {"io_manager"}
    resources = {name: object() for name in names}
    definitions = dg.Definitions(assets=assets, sensors=[sensor], resources=resources)
    monkeypatch.setattr(code_location, "load_definitions", lambda: definitions)
    monkeypatch.setattr(code_location, "list_model_files", lambda: [None])
    monkeypatch.setattr(code_location, "load_spec", lambda file: spec)
    location = code_location.load_code_location()
    assert location.problem is None
    assert location.automation == {}
