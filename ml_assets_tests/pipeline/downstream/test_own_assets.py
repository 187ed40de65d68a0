"""Assets and checks of a project's own: what they read of a model, and when they run."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

import ml_assets
from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import FEATURES, asset_key
from ml_assets.pipeline.downstream.read import CannotRead, convert
from ml_assets.pipeline.graph.assets import build_assets
from ml_assets.pipeline.steps.asset_factory import partitions
from ml_assets.pipeline.steps.day_metadata import WITHOUT_ROWS
from ml_assets.resources.dagster_internals.partition_events import DATA_VERSION_TAG
from ml_assets.resources.lake.lake import Lake
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.world import World, day, rows_of, tags_of

SPEC = ModelSpec.model_validate(SMALL)
KEY = asset_key(SPEC, FEATURES)
NAMES = ["raw_data", "validated_data", "quarantined_data", "features"]
LAST = 3
MORE_ROWS = 70


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world with the features of three days, which no test changes."""
    world = landed(tmp_path_factory.mktemp("own_assets"))
    world.run(NAMES, day(1), day(LAST))
    return world


def landed(root: Path) -> World:
    world = World(root, SPEC, instance=dg.DagsterInstance.ephemeral())
    for number in range(1, LAST + 1):
        world.land(day(number), rows_of(day(number)))
    return world


def step(function: Callable[[dg.AssetExecutionContext], Any], **settings: Any) -> dg.AssetsDefinition:
    """Build an asset downstream of features that returns what a function reads."""
    settings = {
        "name": "own",
        "io_manager_key": "values",
        "deps": [KEY],
        "partitions_def": partitions(SPEC),
        "required_resource_keys": {"lake"},
    } | settings

    def own(context: dg.AssetExecutionContext) -> Any:
        return function(context)

    return dg.asset(**settings)(own)


def resources_of(world: World) -> dict[str, Any]:
    names = ("lake", "landing", "registry", "tracking", "deploy_target")
    return {name: getattr(world, name) for name in names}


def value_of(world: World, own: dg.AssetsDefinition, tags: dict[str, str], others: Sequence[Any] = ()) -> Any:
    """Return what the asset reads in a run with tags."""
    resources = resources_of(world) | {"values": dg.mem_io_manager}
    assets = [own, *others]
    result = dg.materialize(assets, selection=[own.key], tags=tags, instance=world.instance, resources=resources)
    return result.output_for_node("own")


def test_a_day_of_the_run_is_read_as_a_frame_in_one_line(world):
    frame = value_of(world, step(lambda context: ml_assets.read(context, "features")), tags_of(day(2)))
    assert set(frame["day"]) == {day(2)}
    assert len(frame) == world.stages().features.features.row_counts()[day(2)]


def test_a_range_is_read_in_its_order_with_the_columns_that_are_named(world):
    own = step(lambda context: ml_assets.read(context, "small/features", ["day", "amount"], as_="arrow"))
    table = value_of(world, own, tags_of(day(1), day(2)))
    assert table.column_names == ["day", "amount"]
    assert table["day"].unique().to_pylist() == [day(1), day(2)]


def test_a_partition_mapping_says_which_days_are_read(world):
    week = dg.TimeWindowPartitionMapping(start_offset=-6, allow_nonexistent_upstream_partitions=True)
    own = step(lambda context: ml_assets.read(context, "features"), deps=[dg.AssetDep(KEY, partition_mapping=week)])
    assert set(value_of(world, own, tags_of(day(3)), build_assets(SPEC))["day"]) == {day(1), day(2), day(3)}


def test_a_step_without_partitions_reads_all_days(world):
    own = step(lambda context: ml_assets.read(context, "features"), partitions_def=None)
    assert len(set(value_of(world, own, {})["day"])) == LAST


def test_an_asset_that_takes_resources_as_parameters_reads_too(world):
    class Desk(dg.ConfigurableResource):
        capacity: int

    @dg.asset(name="own", deps=[KEY], partitions_def=partitions(SPEC))
    def own(context: dg.AssetExecutionContext, lake: Lake, desk: Desk) -> pd.DataFrame:
        return ml_assets.read(context, "features").head(desk.capacity)

    resources = {"lake": world.lake, "desk": Desk(capacity=3), "io_manager": dg.mem_io_manager}
    result = dg.materialize([own], tags=tags_of(day(2)), instance=world.instance, resources=resources)
    assert len(result.output_for_node("own")) == 3


@pytest.mark.parametrize(
    ("asset", "settings", "number", "reason"),
    [
        ("features", {}, 4, "1 of 1 days of small/features have not been made: 2025-01-04; materialize small/features"),
        (
            "features",
            {},
            4,
            "of these days first: `ml-assets run small --day 2025-01-04` also makes what the day needs",
        ),
        ("predictions", {}, 1, 'depends on small/features; add deps=[dg.AssetKey(["<model>", "predictions"])]'),
        ("features", {"deps": [dg.AssetKey(["other", "features"])]}, 1, "other/features has no table in "),
        ("features", {"required_resource_keys": set()}, 1, 'add required_resource_keys={"lake"}'),
        (
            "features",
            {"deps": [KEY, dg.AssetKey(["b", "features"])]},
            1,
            "depends on b/features and small/features; name",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_remedy(world, asset, settings, number, reason):
    with pytest.raises(CannotRead) as refused:
        value_of(world, step(lambda context: ml_assets.read(context, asset), **settings), tags_of(day(number)))
    assert reason in str(refused.value)


def test_polars_is_read_where_it_is_installed(world):
    polars = pytest.importorskip("polars")
    rows = world.stages().features.features.read([day(1)])
    assert isinstance(convert(rows, "polars"), polars.DataFrame)


def test_a_check_of_ones_own_reads_the_days_of_its_run(world):
    lengths = []

    @dg.asset_check(asset=KEY, required_resource_keys={"lake"})
    def own_check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        lengths.append(len(ml_assets.read(context, "features")))
        return dg.AssetCheckResult(passed=True)

    for tags in (tags_of(day(1)), {}):
        job = dg.define_asset_job("checks", selection=dg.AssetSelection.checks(own_check))
        definitions = dg.Definitions(
            build_assets(SPEC), asset_checks=[own_check], jobs=[job], resources=resources_of(world)
        )
        definitions.resolve_job_def("checks").execute_in_process(instance=world.instance, tags=tags)
    counts = world.stages().features.features.row_counts()
    assert lengths == [counts[day(1)], sum(counts.values())]


def versions(result: dg.ExecuteInProcessResult, name: str = FEATURES) -> dict[str, str]:
    materializations = [
        event.step_materialization_data.materialization for event in result.get_asset_materialization_events()
    ]
    return {
        str(entry.partition): (entry.tags or {})[DATA_VERSION_TAG]
        for entry in materializations
        if entry.asset_key.path[-1] == name
    }


def automation(world: World, ours: dg.AssetsDefinition) -> Callable[[], list[str]]:
    """Return a function that evaluates automation conditions, and returns the days of an asset that are requested."""
    definitions = dg.Definitions(
        [*build_assets(SPEC), ours], resources=resources_of(world) | {"values": dg.mem_io_manager}
    )
    cursor = None

    def requested() -> list[str]:
        nonlocal cursor
        now = datetime.combine(day(LAST + 1), datetime.min.time(), UTC)
        result = dg.evaluate_automation_conditions(definitions, world.instance, evaluation_time=now, cursor=cursor)
        cursor = result.cursor
        return sorted(filter(None, result.get_requested_partitions(ours.key)))

    return requested


@pytest.mark.slow
def test_changes_of_earlier_days_are_followed_without_the_newest_time_window(tmp_path):
    world = landed(tmp_path)
    every_day = ml_assets.on_data_change().without(dg.AutomationCondition.in_latest_time_window())
    requested = automation(world, step(lambda context: None, automation_condition=every_day))
    assert requested() == []
    world.run(NAMES, day(1), day(LAST))
    assert requested() == [str(day(number)) for number in range(1, LAST + 1)]
    assert requested() == []
    world.land(day(1), rows_of(day(1), MORE_ROWS))
    world.run(NAMES[:3], day(1), day(LAST))
    world.run(NAMES[3:], day(1), day(1))
    assert requested() == [str(day(1))]


def test_an_unchanged_day_keeps_its_data_version_and_runs_nothing_downstream(tmp_path):
    world = landed(tmp_path)
    ours = step(lambda context: None, automation_condition=ml_assets.on_data_change())
    requested = automation(world, ours)
    newest = str(day(LAST))
    assert requested() == []
    world.run(NAMES, day(1), day(LAST))
    assert requested() == [newest]
    value_of(world, ours, tags_of(day(LAST)))
    assert requested() == []
    of_range = world.run(NAMES, day(1), day(LAST))
    assert requested() == []
    of_day = world.run(NAMES, day(LAST))
    assert requested() == []
    assert versions(of_range)[newest] == versions(of_day)[newest]
    assert len(set(versions(of_range).values())) == LAST
    assert versions(of_day, "quarantined_data") == {newest: WITHOUT_ROWS}
    world.land(date.fromisoformat(newest), rows_of(day(LAST), MORE_ROWS))
    changed = world.run(NAMES, day(LAST))
    assert versions(changed)[newest] != versions(of_day)[newest]
    assert requested() == [newest]


def test_functions_that_read_can_be_called_by_a_unit_test(world):
    own = step(lambda context: len(ml_assets.read(context, "features")), io_manager_key="io_manager")
    context = dg.build_asset_context(partition_key=str(day(2)), resources=resources_of(world))
    assert own(context) == world.stages().features.features.row_counts()[day(2)]

    @dg.asset_check(asset=KEY, required_resource_keys={"lake"})
    def has_rows(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=len(ml_assets.read(context, "features")) > 0)

    assert has_rows(dg.build_asset_check_context(resources=resources_of(world))).passed


def test_without_a_context_the_message_says_how_to_read():
    with pytest.raises(CannotRead, match="there is no context: outside of a run"):
        ml_assets.read(None, "features")  # type: ignore[arg-type]
