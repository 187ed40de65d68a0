"""Late partitions: Dagster's evaluator calls an asset stale after the deadline, and a check notices that the newest day
is missing.
"""

import asyncio
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.definitions.freshness_evaluator import CronFreshnessPolicyEvaluator
from dagster._core.test_utils import freeze_time
from dagster._core.workspace.context import LoadingContext

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import asset_key
from ml_assets.pipeline.automation.freshness import check_newest_day
from ml_assets.pipeline.component import ModelPipeline
from ml_assets.pipeline.graph.asset_specs import FOLLOW_EACH_DAY
from ml_assets.pipeline.graph.assets import build_assets
from ml_assets.pipeline.graph.freshness_policy import freshness_policy
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day, rows_of

pytestmark = pytest.mark.clock

BRUSSELS = ModelSpec.model_validate({**SMALL, "source": {**SMALL["source"], "time_zone": "Europe/Brussels"}})


class InstanceLoadingContext(LoadingContext):
    """The loading context through which the freshness daemon reads the instance."""

    def __init__(self, instance: dg.DagsterInstance):
        self._instance, self._loaders = instance, {}

    @property
    def instance(self) -> dg.DagsterInstance:
        return self._instance

    @property
    def loaders(self) -> dict:
        return self._loaders


def evaluate_freshness(
    spec: ModelSpec, materialized: datetime | None, partition: date, now: datetime
) -> FreshnessState:
    """Return the freshness state of raw_data at `now`, after one partition was materialized."""
    node = (
        dg.Definitions(assets=build_assets(spec), resources=empty_resources())
        .resolve_asset_graph()
        .get(asset_key(spec, "raw_data"))
    )
    with dg.DagsterInstance.ephemeral() as instance:
        if materialized:
            with freeze_time(materialized):
                instance.report_runless_asset_event(dg.AssetMaterialization(node.key, partition=str(partition)))
        with freeze_time(now):
            return asyncio.run(
                CronFreshnessPolicyEvaluator().evaluate_freshness(InstanceLoadingContext(instance), node)
            )


def empty_resources() -> dict[str, dg.ResourceDefinition]:
    return {
        name: dg.ResourceDefinition.none_resource()
        for name in ("lake", "landing", "registry", "tracking", "deploy_target")
    }


def brussels(*when: int) -> datetime:
    return datetime(*when, tzinfo=ZoneInfo("Europe/Brussels")).astimezone(UTC)


NOON = brussels(2025, 3, 10, 12)


@pytest.mark.parametrize(
    ("materialized", "expected"),
    [
        (brussels(2025, 3, 10, 2, 5), FreshnessState.PASS),
        (brussels(2025, 3, 10, 0, 1), FreshnessState.PASS),
        (brussels(2025, 3, 10, 9), FreshnessState.PASS),
        (brussels(2025, 3, 9, 23, 59), FreshnessState.FAIL),
        (brussels(2025, 3, 9, 2, 5), FreshnessState.FAIL),
        (None, FreshnessState.UNKNOWN),
    ],
)
def test_an_asset_that_was_not_materialized_since_the_day_ended_is_stale_after_the_deadline(materialized, expected):
    assert evaluate_freshness(BRUSSELS, materialized, date(2025, 3, 9), NOON) == expected


def test_before_the_deadline_the_run_of_the_day_before_is_fresh_enough():
    assert (
        evaluate_freshness(BRUSSELS, brussels(2025, 3, 9, 2, 5), date(2025, 3, 8), brussels(2025, 3, 10, 5, 59))
        == FreshnessState.PASS
    )


def test_a_backfill_of_old_days_makes_an_asset_look_fresh_to_dagster():
    assert evaluate_freshness(BRUSSELS, brussels(2025, 3, 10, 8), date(2025, 1, 2), NOON) == FreshnessState.PASS


def test_the_first_and_the_last_assets_that_follow_each_day_have_the_policy():
    policies = {
        key.path[-1]
        for asset in build_assets(BRUSSELS)
        for key in asset.keys
        if asset.get_asset_spec(key).freshness_policy
    }
    assert policies == set(FOLLOW_EACH_DAY)


@pytest.mark.parametrize(
    "changes", [{"freshness": {"deadline": None}}, {"source": {**SMALL["source"], "end": "2025-03-01"}}]
)
def test_there_is_neither_policy_nor_check_without_a_deadline_or_after_the_end_of_the_source(changes):
    spec = ModelSpec.model_validate({**SMALL, **changes})
    assert freshness_policy(spec) is None
    defs = definitions(spec)
    assert {schedule.name for schedule in defs.schedules or []} == {"small_daily"}
    assert not list(defs.asset_checks or [])


def definitions(spec: ModelSpec) -> dg.Definitions:
    component = ModelPipeline.load(spec, dg.ComponentTree.for_test().load_context)
    return component.build_defs(dg.ComponentTree.for_test().load_context)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    """Days 1 and 2 accepted, day 4 rejected."""
    world = World(tmp_path_factory.mktemp("fresh"), BRUSSELS)
    for number in (1, 2):
        world.land(day(number), rows_of(day(number)))
    world.land(day(4), b"nothing to read")
    names = ["raw_data", "validated_data", "quarantined_data"]
    world.run(names, day(1), day(2))
    world.run(names, day(4))
    return world


@pytest.mark.parametrize(
    ("now", "passed", "description"),
    [
        (brussels(2025, 1, 3, 6), True, "2025-01-02: "),
        (
            brussels(2025, 1, 4, 6),
            False,
            "2025-01-03: not made, at 2025-01-04 06:00 CET; the newest day with rows is 2025-01-02",
        ),
        (brussels(2025, 1, 5, 6), False, "2025-01-04: made, without rows: rejected or missing"),
        (brussels(2025, 1, 1, 6), True, "2024-12-31: not made"),
    ],
)
def test_the_check_passes_only_if_the_newest_day_itself_has_rows(world, now, passed, description):
    result = check_newest_day(BRUSSELS, world.lake, now.astimezone(ZoneInfo("Europe/Brussels")))
    assert result.passed is passed
    assert (result.description or "").startswith(description)


def test_the_check_has_its_own_job_and_fails_for_a_lake_that_ends_long_ago(world):
    defs = dg.Definitions.merge(
        definitions(BRUSSELS), dg.Definitions(resources={**empty_resources(), "lake": world.lake})
    )
    (evaluation,) = defs.resolve_job_def("small_freshness").execute_in_process().get_asset_check_evaluations()
    assert (evaluation.check_name, evaluation.passed) == ("newest_day_on_time", False)


def test_a_missed_deadline_is_checked_for_its_own_day(world):
    defs = dg.Definitions.merge(
        definitions(BRUSSELS), dg.Definitions(resources={**empty_resources(), "lake": world.lake})
    )
    # The daemon was off from the deadline of day 2 on; the catch-up run must not report a day that is not late yet.
    context = dg.build_schedule_context(scheduled_execution_time=brussels(2025, 1, 3, 6))
    (request,) = defs.resolve_schedule_def("small_freshness").evaluate_tick(context).run_requests or ()
    result = defs.resolve_job_def("small_freshness").execute_in_process(tags=request.tags)
    (evaluation,) = result.get_asset_check_evaluations()
    assert evaluation.passed
    assert evaluation.metadata["day"].value == "2025-01-02"


def test_jobs_of_partitions_do_not_run_the_freshness_check():
    defs = dg.Definitions.merge(definitions(BRUSSELS), dg.Definitions(resources=empty_resources()))
    ops = {
        name: {node.name for node in defs.resolve_job_def(name).nodes}
        for name in ("small_daily", "small_features", "small_freshness")
    }
    assert "small__validated_data" in ops["small_daily"] & ops["small_features"]
    assert not ops["small_freshness"] & (ops["small_daily"] | ops["small_features"])
    schedule = defs.resolve_schedule_def("small_freshness")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 * * *", "Europe/Brussels")
