"""Rows of a day are read once while its fingerprint stays, and damage is never kept."""

from datetime import date

import pytest

from ml_assets.pipeline.training import committed_rows
from ml_assets.pipeline.training.committed_rows import CommittedRows

DAYS = [date(2025, 1, number) for number in range(1, 5)]


class Table:
    """A table whose rows are the number of times that they were read."""

    def __init__(self):
        self.fingerprints = dict.fromkeys(DAYS[:3], 1)
        self.reads = []

    def fingerprint(self, day):
        return self.fingerprints.get(day)

    def read(self, days):
        self.reads += days
        if self.fingerprints.get(days[0]) == -1:
            raise OSError("damaged")
        return len(self.reads)


@pytest.fixture
def table():
    return Table()


@pytest.fixture
def rows(table):
    return CommittedRows(table, lambda number: [number])


def test_rows_are_read_once_and_again_after_a_commit(table, rows):
    assert rows.read(DAYS[0]) is rows.read(DAYS[0])
    table.fingerprints[DAYS[0]] = 2
    assert rows.read(DAYS[0]) == [2]


def test_a_day_that_was_never_committed_is_read_each_time(table, rows):
    rows.read(DAYS[3])
    rows.read(DAYS[3])
    assert table.reads == [DAYS[3]] * 2


def test_damage_is_reported_each_time(table, rows):
    table.fingerprints[DAYS[0]] = -1
    for _ in range(2):
        with pytest.raises(OSError, match="damaged"):
            rows.read(DAYS[0])


def test_the_days_that_were_read_last_are_kept(monkeypatch, table, rows):
    monkeypatch.setattr(committed_rows, "MAX_DAYS", 2)
    for day in (DAYS[0], DAYS[1], DAYS[2], DAYS[2], DAYS[1], DAYS[0]):
        rows.read(day)
    assert table.reads == [DAYS[0], DAYS[1], DAYS[2], DAYS[0]]
