"""Runs of a command work in a project with loggers, resources and checks of its own."""

import logging
from datetime import date
from typing import Any

import dagster as dg
import pytest

from ml_assets.cli.run_in_process import own_failed_checks, run_days
from ml_assets.core.model_spec import ModelSpec
from ml_assets_tests.conftest import SMALL

SPEC, DAY = ModelSpec.model_validate(SMALL), date(2025, 1, 2)


@dg.asset(key=["small", "features"], partitions_def=dg.DailyPartitionsDefinition("2025-01-01"))
def features() -> None: ...


def run(**definitions: Any) -> dg.ExecuteInProcessResult:
    job = dg.define_asset_job("small_daily", [features])
    built = dg.Definitions([features], jobs=[job], **definitions).resolve_job_def("small_daily")
    with dg.DagsterInstance.ephemeral() as instance:
        return run_days(built, instance, SPEC, ["features"], [DAY])


@dg.logger(config_schema={"file": dg.Field(str, is_required=False)})
def own_logger(_: dg.InitLoggerContext) -> logging.Logger:
    return logging.getLogger("own")


@pytest.mark.parametrize("name", ["own", "console"])
def test_a_project_may_have_loggers_of_its_own(name):
    assert run(loggers={name: own_logger}).success


def test_a_variable_of_a_resource_that_is_not_set_is_named_in_a_sentence(monkeypatch):
    monkeypatch.delenv("SHOP_PASSWORD", raising=False)

    class Shop(dg.ConfigurableResource):
        password: str

    @dg.asset_check(asset=features)
    def is_known(shop: Shop) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=bool(shop.password))

    with pytest.raises(SystemExit) as ended:
        run(asset_checks=[is_known], resources={"shop": Shop(password=dg.EnvVar("SHOP_PASSWORD"))})
    (sentence,) = str(ended.value).splitlines()
    assert sentence.startswith("small: the run cannot start, because its config is not valid: ")
    assert '"SHOP_PASSWORD"' in sentence


def test_failed_checks_of_the_project_are_listed_with_their_severity():
    @dg.asset_check(asset=features)
    def few_customers() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)

    @dg.asset_check(asset=features)
    def has_customers() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    result = run(asset_checks=[few_customers, has_customers])
    assert own_failed_checks(result, SPEC, ["features"]) == {"features: few_customers": "warning"}
