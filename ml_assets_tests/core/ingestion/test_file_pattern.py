"""A file pattern maps each key to its day, and each day to its keys."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.ingestion.file_pattern import (
    compile_key_pattern,
    day_of_key,
    fixed_prefix,
    plan_listings,
    sort_key_before,
)

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
def test_the_pattern_of_a_day_matches_its_keys(files, key):
    assert compile_key_pattern(files, DAY).fullmatch(key)
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
def test_days_share_a_listing_if_keys_sort_by_day(files, prefix, after, before):
    (listing,) = plan_listings(files, date(2025, 2, 27), DAY)
    assert [day for day, _ in listing.days] == [date(2025, 2, 27) + timedelta(days=n) for n in range(11)]
    assert listing.prefix == prefix
    assert (listing.after, listing.before) == (after or listing.after, before or listing.before)


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
def test_each_day_has_its_own_listing_if_keys_do_not_sort_by_day_or_other_folders_lie_between(files):
    day_listings = list(plan_listings(files, DAY, DAY + timedelta(days=2)))
    assert [listing.days[0][0] for listing in day_listings] == [DAY + timedelta(days=n) for n in range(3)]
    assert all(
        (listing.prefix, listing.after, listing.before) == (fixed_prefix(files, listing.days[0][0]), "", None)
        for listing in day_listings
    )


def test_a_single_day_is_listed_by_its_prefix():
    (listing,) = plan_listings("sales/{day}/*", DAY, DAY)
    assert (listing.prefix, listing.after, listing.before) == ("sales/2025-03-09/", "", None)


PATTERNS = st.sampled_from(["{day}/*", "a/{day}*.csv", "é/{day:%Y/%m/%d}/*/x", "{day:%Y%m%d}_*", "{day:%Y.%m.%d}.csv"])


@given(
    PATTERNS,
    st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    st.integers(1, 400),
    st.integers(-500, 500),
    st.text(max_size=5),
)
def test_a_shared_listing_holds_exactly_the_keys_of_its_days(files, first, more, offset, rest):
    last, day = first + timedelta(days=more), first + timedelta(days=offset)
    key = fixed_prefix(files, day) + rest
    (listing,) = plan_listings(files, first, last)
    assert listing.before is not None
    assert (key.startswith(listing.prefix) and listing.after < key < listing.before) == (first <= day <= last)
    assert sort_key_before(fixed_prefix(files, day)) < key
    assert [prefix for _, prefix in listing.days] == sorted(prefix for _, prefix in listing.days)
