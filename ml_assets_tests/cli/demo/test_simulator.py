"""Tests of the simulator of card transactions."""

import hashlib
import os
import subprocess
import sys
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.cli.demo.simulator import CATEGORIES, simulate_days

START = date(2025, 1, 1)
COLUMNS = ["transaction_id", "event_time", "customer_id", "terminal_id", "amount", "merchant_category", "is_fraud"]


def frames(days: int, start: date = START, **parameters) -> dict[date, pd.DataFrame]:
    return dict(simulate_days(start, days, **parameters))


def is_broken(rows: pd.DataFrame, day: date) -> pd.Series:
    other_day = rows["event_time"].dt.date != day
    return (
        (rows["amount"] < 0)
        | rows["customer_id"].isna()
        | (rows["merchant_category"] == "N/A")
        | other_day
        | rows.duplicated()
    )


@pytest.fixture(scope="module")
def month() -> dict[date, pd.DataFrame]:
    return frames(30)


@pytest.fixture(scope="module")
def good(month) -> pd.DataFrame:
    return pd.concat([rows[~is_broken(rows, day)] for day, rows in month.items()], ignore_index=True)


def test_days_follow_each_other_and_have_the_columns_of_the_spec(month):
    assert list(month) == [START + timedelta(days=n) for n in range(30)]
    for rows in month.values():
        assert list(rows.columns) == COLUMNS
        assert 3000 < len(rows) < 6000
    dtypes = {name: str(dtype) for name, dtype in month[START].dtypes.items() if name != "merchant_category"}
    assert dtypes == {
        "transaction_id": "int64",
        "event_time": "datetime64[us, UTC]",
        "customer_id": "Int64",
        "terminal_id": "int64",
        "amount": "float64",
        "is_fraud": "int64",
    }


def test_rows_that_are_not_broken_meet_the_contract(good):
    assert good["transaction_id"].is_unique
    assert good["transaction_id"].is_monotonic_increasing
    assert good["event_time"].is_monotonic_increasing
    assert good["amount"].between(0.01, 100_000).all()
    assert (good["amount"] == good["amount"].round(2)).all()
    assert set(good["merchant_category"]) == set(CATEGORIES)
    assert good["merchant_category"].str.fullmatch("[a-z_]+").all()
    assert set(good["is_fraud"]) == {0, 1}


def test_every_day_has_a_few_rows_broken_in_each_of_the_five_ways(month):
    for day, rows in month.items():
        assert 0.001 < is_broken(rows, day).mean() < 0.006
        assert (rows["amount"] < 0).any()
        assert rows["customer_id"].isna().any()
        assert (rows["merchant_category"] == "N/A").any()
        assert rows.duplicated().any()
        assert (rows["event_time"].dt.date == day - timedelta(days=1)).any()
        assert rows["event_time"].dt.date.isin([day, day - timedelta(days=1)]).all()


def test_frames_survive_parquet(month, tmp_path):
    rows = month[START]
    rows.to_parquet(tmp_path / "rows.parquet", index=False)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "rows.parquet"), rows)


@pytest.mark.slow
@given(
    skipped=st.integers(0, 40),
    days=st.integers(1, 3),
    seed=st.integers(0, 2**32),
    customers=st.integers(1, 60),
    terminals=st.integers(1, 60),
)
def test_a_day_is_the_same_whatever_days_are_simulated_with_it(skipped, days, seed, customers, terminals):
    parameters = {"seed": seed, "customers": customers, "terminals": terminals}
    later = START + timedelta(days=skipped)
    single_partition = frames(days, start=later, **parameters)
    among_others = frames(skipped + days + 1, **parameters)
    for day, rows in single_partition.items():
        pd.testing.assert_frame_equal(rows, among_others[day])


@pytest.mark.slow
def test_another_process_makes_the_same_rows():
    script = (
        "import hashlib; from datetime import date; from ml_assets.cli.demo.simulator import simulate_days\n"
        "print(hashlib.sha256(next(simulate_days(date(2025, 1, 1), 1))[1].to_csv().encode()).hexdigest())"
    )
    process = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": "99", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.strip() == hashlib.sha256(frames(1)[START].to_csv().encode()).hexdigest()


def test_another_seed_makes_other_rows(month):
    assert not frames(1, seed=8)[START].equals(month[START])


def test_about_one_in_a_hundred_rows_is_fraud_from_the_first_days_on(good):
    assert 0.005 < good["is_fraud"].mean() < 0.013
    first_week = good[good["event_time"] < pd.Timestamp("2025-01-08", tz="UTC")]
    assert 0.004 < first_week["is_fraud"].mean() < 0.015


def test_fraud_shows_in_unusual_amounts_but_amounts_alone_do_not_separate_it(good):
    from sklearn.metrics import roc_auc_score

    unusual = good["amount"] / good.groupby("customer_id")["amount"].transform("median")
    assert 0.65 < roc_auc_score(good["is_fraud"], unusual) < 0.9


def test_much_fraud_is_concentrated_on_a_few_terminals(good):
    by_terminal = good.groupby("terminal_id")["is_fraud"].agg(["sum", "mean"])
    compromised = by_terminal[by_terminal["sum"] >= 5]
    assert len(compromised) < 0.02 * len(by_terminal)
    assert compromised["sum"].sum() > 0.3 * good["is_fraud"].sum()


@pytest.mark.slow
def test_terminals_stop_being_fraudulent_after_their_28_days():
    rows = pd.concat(frames(75, terminals=300).values())
    week = rows["event_time"].dt.tz_localize(None).dt.to_period("W")
    by_week = rows.groupby(["terminal_id", week])["is_fraud"].agg(["sum", "size"])
    bad_weeks = (by_week["sum"] > 0.5 * by_week["size"]).groupby("terminal_id").sum()
    assert bad_weeks.max() >= 3
    assert bad_weeks[bad_weeks > 0].max() < 10


def test_prices_and_the_share_of_online_shops_drift_upwards(good):
    later = pd.concat(frames(7, start=date(2025, 12, 25)).values())
    later = later[later["amount"] > 0]
    for category in ("groceries", "fuel"):
        before, after = (
            rows.loc[(rows["merchant_category"] == category) & (rows["is_fraud"] == 0), "amount"].mean()
            for rows in (good, later)
        )
        assert 1.08 < after / before < 1.22
    before, after = ((rows["merchant_category"] == "online_retail").mean() for rows in (good, later))
    assert after > before + 0.05


def test_most_transactions_are_around_noon(good):
    hours = good["event_time"].dt.hour
    assert (hours.between(9, 14)).mean() > 2 * (hours.isin([21, 22, 23, 0, 1, 2])).mean()
    assert np.isin(range(24), hours).all()


def test_no_days_are_nothing_and_negative_numbers_are_refused():
    assert frames(0) == {}
    for wrong in ({"days": -1}, {"days": 1, "customers": 0}, {"days": 1, "terminals": 0}):
        with pytest.raises(ValueError, match="customers and terminals 1 or more"):
            frames(**wrong)
