"""Tests of landing simulated files."""

from datetime import date

import pandas as pd
import pytest

from ml_assets.cli.simulate import write_landing
from ml_assets.core.simulator import simulate_days

START = date(2025, 1, 1)


def contents(root) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_one_file_a_day_holds_the_simulated_rows(tmp_path):
    reported = []
    rows = write_landing(tmp_path / "landing", START, 2, report=reported.append)
    assert reported == [date(2025, 1, 1), date(2025, 1, 2)]
    assert sorted(contents(tmp_path / "landing")) == [f"fraud_detection/{day}/transactions.parquet" for day in reported]
    landed = [pd.read_parquet(tmp_path / "landing" / "fraud_detection" / str(day) / "transactions.parquet") for day in reported]
    for (_, expected), found in zip(simulate_days(START, 2), landed, strict=True):
        pd.testing.assert_frame_equal(found, expected)
    assert rows == sum(map(len, landed))


def test_writing_again_leaves_the_same_bytes(tmp_path):
    write_landing(tmp_path, START, 1)
    before = contents(tmp_path)
    write_landing(tmp_path, START, 1)
    assert contents(tmp_path) == before


def test_a_write_that_fails_leaves_the_old_file_and_nothing_unfinished(tmp_path, monkeypatch):
    write_landing(tmp_path, START, 1)
    before = contents(tmp_path)

    def half_written(self, path, **_):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", half_written)
    with pytest.raises(OSError, match="disk full"):
        write_landing(tmp_path, START, 1)
    assert contents(tmp_path) == before


def test_the_unfinished_file_has_a_name_that_is_never_read(tmp_path, monkeypatch):
    names = []
    to_parquet = pd.DataFrame.to_parquet

    def noted(self, path, **options):
        names.append((path.parent, path.name))
        return to_parquet(self, path, **options)

    monkeypatch.setattr(pd.DataFrame, "to_parquet", noted)
    write_landing(tmp_path, START, 1)
    [(folder, name)] = names
    assert folder == tmp_path / "fraud_detection" / "2025-01-01"
    assert name.startswith("_")


def test_no_days_write_nothing_and_negative_days_are_refused(tmp_path):
    assert write_landing(tmp_path, START, 0) == 0
    assert contents(tmp_path) == {}
    with pytest.raises(ValueError, match="days must be 0 or more"):
        write_landing(tmp_path, START, -1)
