"""A bit that flips in a file of a table gives the same rows, or an error that names the damage; never other rows."""

import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from ml_assets.resources.lake.day_files import named_digest
from ml_assets.resources.lake.errors import DamagedDay, LakeError
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.read_only_lake import ReadOnlyLake
from ml_assets_tests.support.bit_flips import damaged, draw_bits, flipped

SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("amount", pa.float64()),
        ("text", pa.string()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("flag", pa.bool_()),
        ("labels", pa.list_(pa.string())),
    ]
)
DAYS = [date(2025, 1, number) for number in range(1, 14)]
FLIPS = 80
REMEDY = "ml-assets repair m --damaged|Restore it from the versions of the bucket or a backup"


def rows_of(number: int) -> pa.Table:
    return pa.table(
        {
            "number": [number * 1000 + row for row in range(10)],
            "amount": [row / 7 if row % 4 else None for row in range(10)],
            "text": [f"customer {row % 3}" for row in range(10)],
            "at": [datetime(2025, 1, number, row, tzinfo=UTC) for row in range(10)],
            "flag": [row % 2 == 0 for row in range(10)],
            "labels": [["a", "b"][: row % 3] for row in range(10)],
        },
        SCHEMA,
    )


def table_of(root: Path, lake: type[Lake] = ReadOnlyLake):
    return lake(uri=str(root)).table("m", "numbers", SCHEMA)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A lake whose table has a checkpoint, commits after it, and days that were replaced."""
    root = tmp_path_factory.mktemp("lake")
    table = table_of(root, Lake)
    for number, day in enumerate(DAYS, 1):
        table.commit({day: rows_of(number)}, {day: number})
    table.commit({DAYS[2]: rows_of(3)}, {DAYS[2]: 33}, same={DAYS[3]: 44})
    return root


def outcome(root: Path, columns: list[str] | None = None) -> str:
    """Read all days as another process would; return what came of it."""
    try:
        table = table_of(root)
        counts, rows = table.row_counts(), table.read(DAYS, columns)
    except LakeError as error:
        is_named = re.search(r"/m/numbers/\S+ .*is (damaged|gone)", str(error))
        return "damaged" if is_named and re.search(REMEDY, str(error)) else str(error)
    expected = pa.concat_tables([rows_of(number) for number in range(1, len(DAYS) + 1)])
    assert rows.equals(expected if columns is None else expected.select(columns))
    assert counts == dict.fromkeys(DAYS, 10)
    return "the same rows"


def test_no_bit_of_a_data_file_gives_other_rows(root):
    (file,) = (root / "m" / "numbers" / f"day={DAYS[4]}").glob("*.parquet")
    content, columns = file.read_bytes(), [None, ["number"], ["text", "labels"]]
    assert named_digest(file.name)
    for bit in draw_bits(len(content), FLIPS, seed=17):
        with damaged(file, flipped(content, bit)), pytest.raises(DamagedDay) as raised:
            table_of(root).read([DAYS[4]], columns[bit % 3])
        assert (raised.value.asset, raised.value.day, raised.value.path.split("/")[-1]) == (
            "numbers",
            DAYS[4],
            file.name,
        )
    for size in (0, 1, len(content) // 2, len(content) - 1):
        with damaged(file, content[:size]), pytest.raises(DamagedDay):
            table_of(root).read([DAYS[4]])
    assert outcome(root) == "the same rows"


@pytest.mark.parametrize(
    "name", ["00000000000000000009.checkpoint.parquet", "*13.json", "*14.json", "_last_checkpoint"]
)
def test_no_bit_of_the_log_gives_other_rows(root, tmp_path, name):
    copy = tmp_path / "lake"
    shutil.copytree(root, copy)
    (file,) = (copy / "m" / "numbers" / "_delta_log").glob(name)
    content = file.read_bytes()
    outcomes = []
    for bit in draw_bits(len(content), FLIPS // 2, seed=17):
        with damaged(file, flipped(content, bit)):
            outcomes.append(outcome(copy))
    assert set(outcomes) == {"the same rows", "damaged"}


def test_a_damaged_checkpoint_can_be_removed(root, tmp_path):
    copy = tmp_path / "lake"
    shutil.copytree(root, copy)
    log = copy / "m" / "numbers" / "_delta_log"
    (checkpoint,) = log.glob("*.checkpoint.parquet")
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    with pytest.raises(LakeError, match="A checkpoint can be removed instead, together with _last_checkpoint"):
        table_of(copy).read(DAYS)
    checkpoint.unlink()
    (log / "_last_checkpoint").unlink()
    assert outcome(copy) == "the same rows"


def test_a_file_of_an_earlier_version_is_read_and_its_exceptions_are_the_damaged_day(tmp_path):
    """Without a digest in the name only what Arrow or the number of rows shows can be noticed."""
    rows = rows_of(1).append_column("day", pa.array([DAYS[0]] * 10, pa.date32()))
    write_deltalake(str(tmp_path / "m" / "numbers"), rows, partition_by=["day"])
    (file,) = (tmp_path / "m" / "numbers" / f"day={DAYS[0]}").glob("*.parquet")
    assert named_digest(file.name) is None
    assert table_of(tmp_path).read([DAYS[0]]).equals(rows_of(1))
    content, outcomes = file.read_bytes(), set()
    for bit in draw_bits(len(content), FLIPS, seed=17):
        with damaged(file, flipped(content, bit)):
            try:
                outcomes.add(table_of(tmp_path).read([DAYS[0]]).num_rows)
            except DamagedDay:
                outcomes.add("damaged")
    assert outcomes == {10, "damaged"}
    # It gets a digest when it is made again.
    table_of(tmp_path, Lake).commit({DAYS[0]: rows_of(1)}, {DAYS[0]: 1})
    (written,) = set(file.parent.glob("*.parquet")) - {file}
    assert named_digest(written.name)
    assert table_of(tmp_path).read([DAYS[0]]).equals(rows_of(1))
