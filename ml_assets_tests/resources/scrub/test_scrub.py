"""The scrub names every damaged file with what is lost and the remedy, and is silent where nothing is damaged."""

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from ml_assets.core.release.release_state import Release, promote
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.monitoring.measurement_table import MeasurementTable
from ml_assets.resources.release import releases as module
from ml_assets.resources.release.ledger import LEDGER, Ledger
from ml_assets.resources.scrub.damage import Damage
from ml_assets.resources.scrub.models import scrub_deploy_target, scrub_lake_models
from ml_assets.resources.scrub.tables import list_tables, scrub_table
from ml_assets_tests.resources.release.release_cases import ReleaseWorld, move
from ml_assets_tests.support.bit_flips import flipped

SCHEMA = pa.schema([("n", pa.int64())])
MEASURED = pa.schema([("measured_at", pa.timestamp("us", "UTC")), ("n", pa.int64())])
DAYS = [date(2025, 1, number) for number in range(1, 13)]


def flip(file: Path, bit: int = 900) -> None:
    file.write_bytes(flipped(file.read_bytes(), bit))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with a table that has a checkpoint, and an expired day."""
    lake = Lake(uri=str(tmp_path / "lake"))
    table = lake.table("small", "numbers", SCHEMA)
    for number, day in enumerate(DAYS, 1):
        table.commit({day: pa.table({"n": [number]}, SCHEMA)}, {day: number})
    table.expire([DAYS[0]], {})
    return lake


def scrubbed(lake: Lake) -> list[Damage]:
    return [damage for table in list_tables(lake) for damage in scrub_table(lake, *table) if damage is not None]


def test_a_lake_without_damage_is_read_in_silence(lake):
    assert ("small", "numbers") in list_tables(lake)
    read = [damage for table in list_tables(lake) for damage in scrub_table(lake, *table)]
    assert len(read) > 20
    assert not any(read)


def test_every_damaged_file_of_a_table_is_named_with_what_is_lost_and_the_remedy(lake):
    folder = Path(lake.uri) / "small" / "numbers"
    days = {day: next((folder / f"day={day}").glob("*.parquet")) for day in DAYS[1:]}
    flip(days[DAYS[4]])
    days[DAYS[5]].unlink()
    by_day = {damage.day: damage for damage in scrubbed(lake)}
    assert set(by_day) == {DAYS[4], DAYS[5]}
    assert by_day[DAYS[4]].reason.startswith("damaged (")
    assert by_day[DAYS[5]].reason == "gone"
    assert by_day[DAYS[5]].lost == f"the rows of {DAYS[5]} in small/numbers"
    assert "`ml-assets repair small --damaged`" in by_day[DAYS[5]].remedy


def test_a_damaged_file_of_measurements_is_named_until_its_table_is_moved_away(lake):
    costs = MeasurementTable(lake, "small", "stage_costs", MEASURED, "measured_at")
    for hour in range(3):
        costs.append(pa.table({"measured_at": [datetime(2025, 1, 1, hour, tzinfo=UTC)], "n": [hour]}, MEASURED))
    assert scrubbed(lake) == []
    folder = Path(lake.uri) / "small" / "stage_costs"
    flip(sorted(folder.glob("*.parquet"))[0])
    (damage,) = scrubbed(lake)
    assert damage.lost == "measurements in small/stage_costs"
    assert costs.newest(10).num_rows == 2
    assert f"`mv {folder} {folder}.damaged`" in damage.remedy
    folder.rename(f"{folder}.damaged")
    assert scrubbed(lake) == []


def test_damage_of_the_log_is_named_by_file(lake):
    log = Path(lake.uri) / "small" / "numbers" / "_delta_log"
    (log / f"{12:020}.json").write_bytes(b"")
    (checkpoint,) = log.glob("*.checkpoint.parquet")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-9])
    by_file = {damage.file.rpartition("/")[2]: damage for damage in scrubbed(lake)}
    assert "restore it from the versions of the bucket or a backup" in by_file[f"{12:020}.json"].remedy
    assert by_file[checkpoint.name].lost == "nothing"
    assert "remove it together with _last_checkpoint" in by_file[checkpoint.name].remedy


def test_a_damaged_file_of_the_ledger_is_named_with_the_command_that_begins_a_new_one(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SETTLE_SECONDS", 0.0)
    world = ReleaseWorld(Lake(uri=str(tmp_path / "lake")), tmp_path, versions=1)
    Ledger(world.lake, "small").append(Release(), move("promote", promote(Release(), world.versions[0])))
    world.releases().state()
    assert scrubbed(world.lake) == []
    assert not any(scrub_lake_models(world.lake, "small"))
    assert not any(scrub_deploy_target(world.target, "small"))
    (file,) = (tmp_path / "lake" / "small" / LEDGER).glob("*.parquet")
    flip(file)
    (damage,) = scrubbed(world.lake)
    assert (damage.lost, damage.file.rpartition("/")[2]) == ("a release of small", file.name)
    assert "`ml-assets restore small` begins a new ledger" in damage.remedy
    flip(file)
    digest = world.versions[0].digest
    flip(tmp_path / "lake" / "small" / "models" / digest / "model.ubj")
    flip(tmp_path / "lake" / "production" / "small" / digest / "preprocessing.json", 20)
    (in_lake,) = filter(None, scrub_lake_models(world.lake, "small"))
    assert "its files have the digest" in in_lake.reason
    assert "`ml-assets restore small`" in in_lake.remedy
    in_target = list(filter(None, scrub_deploy_target(world.target, "small")))
    assert [damage.file.rpartition("/")[2] for damage in in_target] == [digest, "metadata.json"]
