"""Which files belong to which day."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_assets.core.ingestion.file_pattern import day_of_key, fixed_prefix, just_before, keys_pattern, listings

pytestmark = pytest.mark.clock

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
        ("{day}/*", "2025-03-09/"),
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


@pytest.mark.parametrize(
    ("files", "prefix", "after", "before"),
    [
        ("sales/{day}/*", "sales/2025-0", "sales/2025-02-27.\U0010ffff", "sales/2025-03-090"),
        ("{day}*.csv", "2025-0", "2025-02-26\U0010ffff", "2025-03-0:"),
        ("{day}.csv", "2025-0", "2025-02-27.csu\U0010ffff", "2025-03-09.csw"),
        ("données/{day:%Y/%m/%d}/*/x.csv", "données/2025/0", "données/2025/02/27.\U0010ffff", "données/2025/03/090"),
        ("x/dt={day:year=%Y month=%m day=%d}/*", "x/dt=year=2025 month=0", None, None),
    ],
)
def test_days_share_a_listing_where_keys_sort_as_days_do(files, prefix, after, before):
    (found,) = listings(files, date(2025, 2, 27), DAY)
    assert [day for day, _ in found.days] == [date(2025, 2, 27) + timedelta(days=n) for n in range(11)]
    assert found.prefix == prefix
    assert (found.after, found.before) == (after or found.after, before or found.before)


@pytest.mark.parametrize(
    "files",
    [
        "*/{day}/*",
        "{day:%d-%m-%Y}/*",
        "{day:%Y/%d/%m}/*",
        "{day}/orders/*",
        "{day}/{day}.csv",
        "{day}_{day:%Y%m%d}*",
        "{day:%Y*%m-%d}.csv",
        "{day}é*",
    ],
)
def test_each_day_has_a_listing_of_its_own_where_keys_do_not_sort_so_or_much_else_lies_between(files):
    found = list(listings(files, DAY, DAY + timedelta(days=2)))
    assert [one.days[0][0] for one in found] == [DAY + timedelta(days=n) for n in range(3)]
    assert all((one.prefix, one.after, one.before) == (fixed_prefix(files, one.days[0][0]), "", None) for one in found)


def test_a_single_day_is_listed_by_its_prefix():
    (found,) = listings("sales/{day}/*", DAY, DAY)
    assert (found.prefix, found.after, found.before) == ("sales/2025-03-09/", "", None)


PATTERNS = st.sampled_from(["{day}/*", "a/{day}*.csv", "é/{day:%Y/%m/%d}/*/x", "{day:%Y%m%d}_*", "{day:%Y.%m.%d}.csv"])


@settings(deadline=None)
@given(
    PATTERNS,
    st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    st.integers(1, 400),
    st.integers(-500, 500),
    st.text(max_size=5),
)
def test_a_key_that_begins_as_those_of_a_day_lies_in_a_shared_listing_exactly_when_the_day_is_one_of_it(
    files, first, more, offset, rest
):
    last, day = first + timedelta(days=more), first + timedelta(days=offset)
    key = fixed_prefix(files, day) + rest
    (found,) = listings(files, first, last)
    assert found.before is not None
    assert (key.startswith(found.prefix) and found.after < key < found.before) == (first <= day <= last)
    assert just_before(fixed_prefix(files, day)) < key
    assert [prefix for _, prefix in found.days] == sorted(prefix for _, prefix in found.days)
