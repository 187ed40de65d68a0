"""Which files belong to which day."""

from datetime import date

import pytest

from ml_assets.core.file_pattern import day_of_key, fixed_prefix, keys_pattern

DAY = date(2025, 3, 9)


@pytest.mark.parametrize(
    ("files", "key"),
    [
        ("{day}.*", "2025-03-09.parquet"),
        ("sales/{day}/*", "sales/2025-03-09/part-1.csv"),
        ("{day:%Y/%m/%d}/*.jsonl", "2025/03/09/x.jsonl"),
        ("x/dt={day}/site=?/*.csv", "x/dt=2025-03-09/site=A/y.csv"),
        ("{day:%Y%m%d}_sales.csv", "20250309_sales.csv"),
        ("{day}/{day}.csv", "2025-03-09/2025-03-09.csv"),
    ],
)
def test_a_key_and_its_day_find_each_other(files, key):
    assert keys_pattern(files, DAY).fullmatch(key)
    assert day_of_key(files, key) == DAY
    assert key.startswith(fixed_prefix(files, DAY))
    assert key.startswith(fixed_prefix(files))


@pytest.mark.parametrize(
    ("files", "key"),
    [
        ("{day}/*", "2025-03-09/deeper/x.csv"),
        ("{day}/*", "2025-03-09/_SUCCESS"),
        ("{day}/*", "2025-03-09/.x.csv.123"),
        ("{day}/*", "2025-13-09/x.csv"),
        ("{day}/*.csv", "2025-03-09/x.parquet"),
        ("{day}/{day}.csv", "2025-03-09/2025-03-10.csv"),
        ("{day}.csv", "2025-03-09xcsv"),
    ],
)
def test_other_keys_belong_to_no_day(files, key):
    assert day_of_key(files, key) is None


def test_the_listing_of_a_day_begins_with_the_day():
    assert fixed_prefix("sales/{day}/*", DAY) == "sales/2025-03-09/"
    assert fixed_prefix("sales/{day}/*") == "sales/"
