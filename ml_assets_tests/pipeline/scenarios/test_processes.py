"""Runs that are killed, and runs at the same time: the tables equal those of one undisturbed run, each day once."""

import json
import random
import signal
from pathlib import Path

import pytest
from deltalake import DeltaTable

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.storage.landing import Landing
from ml_assets_tests.conftest import SMALL
from ml_assets_tests.pipeline.processes import range_tags, start
from ml_assets_tests.pipeline.world import World, computed, day, rows_of
from ml_assets_tests.support.forkserver import CONTEXT
from ml_assets_tests.support.lake_content import digests

SPEC = ModelSpec.model_validate(SMALL)
DAYS = 15


def land(world: World) -> None:
    """Land days 1 to 15: one has many bad rows, one a truncated file, and one no files."""
    for number in range(1, DAYS + 1):
        rows = rows_of(day(number))
        if number == 4:
            rows["amount"] = -1.0
        if number != 9:
            world.land(day(number), b"torn" if number == 6 else rows)


@pytest.mark.slow
def test_a_run_that_is_killed_three_times_ends_with_the_tables_of_an_undisturbed_one(tmp_path: Path):
    undisturbed, killed = World(tmp_path / "undisturbed", SPEC), World(tmp_path / "killed", SPEC)
    land(undisturbed), land(killed)
    undisturbed.run(LANDED_TO_FEATURES, day(1), day(DAYS))
    wanted = digests(tmp_path / "undisturbed" / "lake", "small")
    moments = random.Random(str(tmp_path))
    for _ in range(3):
        dying = start(
            killed.root,
            SPEC,
            LANDED_TO_FEATURES,
            range_tags(day(1), day(DAYS)),
            days_per_commit=2,
            die_at=moments.randrange(16),
        )
        dying.join(120)
        assert dying.exitcode == -signal.SIGKILL
        published = digests(tmp_path / "killed" / "lake", "small")
        # What a reader sees is a part of the end state, down to the byte.
        assert published.items() <= wanted.items()
    before = {
        (table, when) for table, when in digests(tmp_path / "killed" / "lake", "small") if table in LANDED_TO_FEATURES
    }
    last = killed.run(LANDED_TO_FEATURES, day(1), day(DAYS))
    assert digests(tmp_path / "killed" / "lake", "small") == wanted
    for name in ("raw_data", "validated_data", "features"):
        assert not {(name, when) for when in computed(last, name)} & before
    again = killed.run(LANDED_TO_FEATURES, day(1), day(DAYS))
    assert [computed(again, name) for name in LANDED_TO_FEATURES] == [[], [], [], []]


@pytest.mark.slow
@pytest.mark.parametrize("where", ["directory", "s3"])
def test_a_backfill_a_schedule_and_a_person_at_the_same_time_publish_a_day_once(
    where: str, tmp_path: Path, request: pytest.FixtureRequest
):
    uri, s3 = request.getfixturevalue("bucket") if where == "s3" else (None, None)
    places = (Lake(uri=f"{uri}/lake", s3=s3), Landing(uri=f"{uri}/landing", s3=s3)) if uri else (None, None)
    world = World(tmp_path, SPEC, *places)
    for number in (1, 2):
        world.land(day(number), rows_of(day(number)))
    world.run(LANDED_TO_FEATURES, day(1))
    single_partition = {"dagster/partition": str(day(2))}
    launched = [
        {**range_tags(day(2), day(2)), "dagster/backfill": "b"},
        {**single_partition, "dagster/schedule_name": "small_daily"},
        single_partition,
    ]
    start_together = CONTEXT.Barrier(len(launched))
    runs = [
        start(tmp_path, SPEC, LANDED_TO_FEATURES, tags, s3=s3, uri=uri, start_together=start_together)
        for tags in launched
    ]
    for run in runs:
        run.join(120)
    assert [run.exitcode for run in runs] == [0, 0, 0]
    for name in ("landed_objects", *LANDED_TO_FEATURES, "column_profiles", "feature_profiles", "feature_metrics"):
        table = DeltaTable(f"{world.lake.uri}/small/{name}", storage_options=world.lake._storage_options)
        published = [commit for commit in commits(table, world.lake) if str(day(2)) in commit]
        assert len(published) == (0 if name == "quarantined_data" else 1), name
    assert world.stages().features.tables["features"].row_counts()[day(2)] == len(rows_of(day(2)))


def commits(table: DeltaTable, lake: Lake) -> list[dict]:
    """List the fingerprints by day of each commit of a table."""
    folder = table.table_uri.removeprefix(lake.uri).removeprefix(f"file://{lake.uri}").strip("/")
    logs = [lake.files.read(key).decode() for key in lake.files.keys(f"{folder}/_delta_log/") if key.endswith(".json")]
    fingerprints = [
        json.loads(line).get("commitInfo", {}).get("fingerprints") for log in logs for line in log.splitlines()
    ]
    return [json.loads(commit) for commit in fingerprints if commit]
