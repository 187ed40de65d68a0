"""Seeded simulator of card transactions: customers and terminals on a plane, three kinds of fraud, slow drift, a few
invalid rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

REFERENCE = date(2025, 1, 1)  # drift is measured from here
CATEGORIES = ("groceries", "restaurants", "fuel", "clothing", "health", "travel", "electronics", "online_retail")
PRICE_LEVEL = np.array([0.7, 0.6, 1.0, 1.1, 0.9, 2.2, 2.0, 1.0])
TERMINAL_SHARE = np.array([0.22, 0.2, 0.12, 0.12, 0.1, 0.06, 0.06, 0.12])
FRAUD_WEIGHT = np.array([0.5, 0.6, 0.8, 0.9, 0.5, 1.6, 2.6, 2.0])  # attractiveness of a merchant to thieves
ONLINE = CATEGORIES.index("online_retail")
WEEKDAY_RATE = np.array([0.95, 0.95, 0.97, 1.0, 1.1, 1.18, 0.85])
NEAR_TERMINALS = 40
TERMINAL_DAYS = 28
CARD_DAYS = 14
BAD_SHARE = 0.003
IDS_PER_DAY = 10_000_000

# One stream of random numbers for each use, so that a change of one use does not shift the numbers of another.
_POPULATION, _TERMINAL_FRAUD, _CARD_FRAUD, _DAY, _BAD_ROWS = range(5)


@dataclass(frozen=True)
class Population:
    """Customers and terminals, which do not change from day to day; row i of an array is customer or terminal i."""

    rate: np.ndarray
    """Transactions a day of each customer."""
    amount_mean: np.ndarray
    """Euros of each customer's ordinary transaction, before the price level of the merchant."""
    amount_spread: np.ndarray
    """Standard deviation of a customer's amounts divided by their mean."""
    near: np.ndarray
    """(customers, n): the terminals nearest to each customer, nearest first."""
    category: np.ndarray
    """Position in CATEGORIES of each terminal."""


def simulate_days(
    start: date,
    days: int,
    seed: int = 7,
    customers: int = 2000,
    terminals: int = 2000,
    moved_by: timedelta = timedelta(0),
) -> Iterator[tuple[date, pd.DataFrame]]:
    """Simulate the card transactions of `days` days from `start` on, about 2 rows per customer and day.

    After the simulator of the Fraud Detection Handbook (Le Borgne, Siblini, Lebichot, Bontempi; chapter 3): customers
    use the terminals near them, and fraud is an unusual amount for the customer, a compromised terminal (28 days), or a
    compromised card (14 days). Here these overlap with honest behaviour, merchants have categories, prices rise, and
    the mix of merchants and of fraud shifts.

    A day depends only on its date minus `moved_by`, the seed and the population, not on `start` or `days`. About 0.9 %
    of the rows are fraud. About 0.3 % of the rows violate the contract: a negative amount, no customer, the category
    `N/A`, a copy of another row, or a time on the day before.

    Args:
        start: the first day.
        days: the number of days.
        seed: the seed of all random numbers.
        customers: the number of customers.
        terminals: the number of terminals.
        moved_by: whole weeks. The rows are those of the day this long before, with their times moved: numbers of
            transactions, amounts and weekdays stay the same.

    Yields:
        The day, and its rows: transaction_id (int64, increasing over rows and days), event_time (UTC, microseconds),
        customer_id (Int64, nullable), terminal_id (int64), amount (float64, euros rounded to cents), merchant_category
        (string), is_fraud (int64, 0 or 1).

    Raises:
        ValueError: when days is negative, there is no customer or no terminal, or moved_by is not whole weeks.
    """
    if days < 0 or customers < 1 or terminals < 1:
        raise ValueError(
            "days must be 0 or more, customers and terminals 1 or more; "
            f"got days={days}, customers={customers}, terminals={terminals}"
        )
    if moved_by % timedelta(days=7):
        raise ValueError(f"moved_by must be whole weeks, which keep the weekdays; got {moved_by}")
    population = _population(seed, customers, terminals)
    for day in (start + timedelta(days=n) for n in range(days)):
        original = day - moved_by
        rows = _with_bad_rows(_one_day(population, original, seed), original, seed)
        rows["event_time"] += pd.Timedelta(moved_by).as_unit("us")
        yield day, rows


def _generator(seed: int, stream: int, day: date | None = None) -> np.random.Generator:
    return np.random.default_rng([seed, stream, day.toordinal() if day else 0])


def _population(seed: int, customers: int, terminals: int) -> Population:
    from scipy.spatial import KDTree

    rng = _generator(seed, _POPULATION)
    places = rng.uniform(0, 100, (customers, 2))
    shops = rng.uniform(0, 100, (terminals, 2))
    _, near = KDTree(shops).query(places, k=np.arange(1, min(NEAR_TERMINALS, terminals) + 1))
    return Population(
        rate=rng.uniform(0.2, 3.8, customers),
        amount_mean=rng.uniform(8, 90, customers),
        amount_spread=rng.uniform(0.3, 0.7, customers),
        near=near,
        category=rng.choice(len(CATEGORIES), terminals, p=TERMINAL_SHARE),
    )


def _progress(day: date) -> float:
    """Return the progress of drift: 0 up to the reference day, 1 from a year later on."""
    return min(max((day - REFERENCE).days / 365, 0.0), 1.0)


def _compromised(day: date, seed: int, stream: int, length: int, chance: np.ndarray) -> np.ndarray:
    """Return whether each card or terminal was compromised on `day` or one of the `length` - 1 days before; `chance`
    is the probability on one day.
    """
    compromised = np.zeros(len(chance), dtype=bool)
    for back in range(length):
        compromised |= _generator(seed, stream, day - timedelta(days=back)).random(len(chance)) < chance
    return compromised


def _one_day(population: Population, day: date, seed: int) -> pd.DataFrame:
    rng = _generator(seed, _DAY, day)
    progress = _progress(day)
    counts = rng.poisson(population.rate * WEEKDAY_RATE[day.weekday()])
    customer = np.repeat(np.arange(len(counts)), counts)
    rows = len(customer)
    terminal = _terminals_used(rng, population, customer, online_share=0.05 + 0.10 * progress)
    category = population.category[terminal]

    shape = population.amount_spread[customer] ** -2
    usual = population.amount_mean[customer] * PRICE_LEVEL[category] * (1 + 0.15 * progress)
    amount = usual * rng.gamma(shape) / shape
    treat = rng.random(rows) < 0.004
    amount = np.where(treat, amount * rng.uniform(2, 5, rows), amount)

    by_amount = rng.random(rows) < 0.0014 * FRAUD_WEIGHT[category]
    amount = np.where(by_amount, usual * rng.uniform(5, 14, rows), amount)
    terminal_chance = (0.00013 - 0.00004 * progress) * FRAUD_WEIGHT[population.category]
    by_terminal = _compromised(day, seed, _TERMINAL_FRAUD, TERMINAL_DAYS, terminal_chance)[terminal] & (
        rng.random(rows) < 0.95
    )
    card_chance = np.full(len(counts), 0.0004 + 0.0002 * progress)
    by_card = _compromised(day, seed, _CARD_FRAUD, CARD_DAYS, card_chance)[customer] & (rng.random(rows) < 0.6)
    amount = np.where(by_card, amount * rng.uniform(4, 9, rows), amount)

    # Card thieves ignore opening hours.
    seconds = np.where(by_card | by_amount, rng.uniform(0, 86400, rows), rng.normal(43200, 20000, rows) % 86400)
    order = np.argsort(seconds, kind="stable")
    frame = pd.DataFrame(
        {
            "event_time": pd.Timestamp(day, tz="UTC").as_unit("us")
            + pd.to_timedelta((seconds * 1e6).astype("int64"), unit="us").as_unit("us"),
            "customer_id": pd.array(customer, dtype="Int64"),
            "terminal_id": terminal,
            "amount": np.maximum(np.round(amount, 2), 0.01),
            "merchant_category": np.array(CATEGORIES, dtype=object)[category],
            "is_fraud": (by_amount | by_terminal | by_card).astype("int64"),
        }
    )
    frame = frame.iloc[order].reset_index(drop=True)
    frame.insert(0, "transaction_id", int(f"{day:%Y%m%d}") * IDS_PER_DAY + np.arange(rows))
    return frame


def _terminals_used(
    rng: np.random.Generator, population: Population, customer: np.ndarray, online_share: float
) -> np.ndarray:
    """Choose the terminal of each transaction: one near the customer, a nearer one with a higher probability, or an
    online shop at any distance.
    """
    rows = len(customer)
    rank = (population.near.shape[1] * rng.random(rows) ** 1.5).astype("int64")
    near = population.near[customer, rank]
    shops = np.flatnonzero(population.category == ONLINE)
    choice, online = rng.random(rows), rng.random(rows) < online_share
    if not len(shops):
        return near
    return np.where(online, shops[(choice * len(shops)).astype("int64")], near)


def _with_bad_rows(frame: pd.DataFrame, day: date, seed: int) -> pd.DataFrame:
    """Make a few rows invalid, in five ways in turn; copies come last."""
    rng = _generator(seed, _BAD_ROWS, day)
    chosen = rng.choice(len(frame), round(len(frame) * BAD_SHARE), replace=False)
    negative, nobody, unknown, twice, yesterday = (chosen[kind::5] for kind in range(5))
    frame.loc[negative, "amount"] *= -1
    frame.loc[nobody, "customer_id"] = pd.NA
    frame.loc[unknown, "merchant_category"] = "N/A"
    frame.loc[yesterday, "event_time"] -= pd.Timedelta(days=1)
    return pd.concat([frame, frame.loc[np.sort(twice)]], ignore_index=True)
