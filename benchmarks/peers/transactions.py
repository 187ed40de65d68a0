"""Simulated transfers between accounts, the same ones for the same day and number of rows."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

SEED = 20250101


def day_of_transfers(day: date, position: int, rows: int) -> pd.DataFrame:
    """Simulate the transfers of a day: three in a hundred are fraudulent, and larger than usual for their account.

    Args:
        day: the day.
        position: number of the day from 0, for the keys and the random numbers.
        rows: number of rows.
    """
    accounts = max(2_000, rows // 10)
    usual = np.random.default_rng(SEED).lognormal(3.5, 0.6, accounts)
    random = np.random.default_rng((SEED, position))
    account = random.integers(0, accounts, rows)
    is_fraud = random.random(rows) < 0.03
    amount = usual[account] * random.lognormal(0.0, 0.5, rows)
    amount[is_fraud] *= random.lognormal(2.0, 0.5, int(is_fraud.sum()))
    return pd.DataFrame(
        {
            "transfer_id": np.arange(rows) + position * rows,
            "account": account,
            "amount": amount.clip(0, 100_000).round(2),
            "booked_at": pd.Timestamp(day) + pd.to_timedelta(np.sort(random.integers(0, 86_400, rows)), unit="s"),
            "is_fraud": is_fraud.astype("int8"),
        }
    )


def write_days(folder: Path, start: date, days: int, rows: int) -> None:
    """Write a Parquet file a day, named after it."""
    folder.mkdir(parents=True)
    for position in range(days):
        day = start + timedelta(days=position)
        day_of_transfers(day, position, rows).to_parquet(folder / f"{day}.parquet", index=False)
