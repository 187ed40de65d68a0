"""Seeded simulator of tickets of a help desk and the teams that solved them, a CSV file for each day."""

import argparse
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

FIRST_DAY = date(2025, 3, 1)
DAYS = 40
CUSTOMERS = 400
TEAMS = np.array(["billing", "technical", "delivery", "returns and refunds"])
CHANNELS = np.array(["mail", "chat", "phone"])
PRODUCTS = np.array(["phone", "laptop", "accessory", "subscription"])
# Logits by team (columns) of each product, each channel, a ticket with an attachment, and an hour since the order.
BY_PRODUCT = np.array([[0, 1.2, 0.4, 0.3], [-0.5, 1.6, 0.2, 0.2], [-0.8, -1.0, 1.4, 1.0], [1.8, 0.6, -4, -1]])
BY_CHANNEL = np.array([[0.3, 0, 0, 0.4], [-0.2, 0.4, 0.3, -0.4], [0.2, -0.3, 0.4, 0]])
BY_ATTACHMENT = np.array([0.6, 0.2, -0.8, 1.0])
BAD_SHARE = 0.004
_CUSTOMERS, _DAY = range(2)


def simulate(start: date = FIRST_DAY, days: int = DAYS, seed: int = 3) -> Iterator[tuple[date, pd.DataFrame]]:
    """Yield day and rows for `days` days from `start` on, about 360 tickets a day, 240 at the weekend.

    The team depends on product, channel, attachment, age of the order, the words in the text and the habits of the
    customer. A day depends on its date and the seed only. About 0.4 % of the rows are broken: a team that does not
    exist.

    Raises:
        ValueError: when days is negative.
    """
    if days < 0:
        raise ValueError(f"days must be 0 or more; got {days}")
    habits = np.random.default_rng([seed, _CUSTOMERS]).normal(0, 0.8, (CUSTOMERS, len(TEAMS)))
    for day in (start + timedelta(days=number) for number in range(days)):
        yield day, _simulate_day(day, seed, habits)


def _simulate_day(day: date, seed: int, habits: np.ndarray) -> pd.DataFrame:
    rng = np.random.default_rng([seed, _DAY, day.toordinal()])
    count = rng.poisson(240 if day.weekday() >= 5 else 360)
    customer = rng.integers(0, CUSTOMERS, count)
    product = rng.choice(len(PRODUCTS), count, p=[0.3, 0.2, 0.3, 0.2])
    channel = rng.choice(len(CHANNELS), count, p=[0.5, 0.35, 0.15])
    attached = rng.random(count) < 0.3
    days_since_order = np.minimum(rng.exponential(12, count), 200).round(1)
    age = np.column_stack(
        [0.0 * days_since_order, 0.04 * days_since_order, -0.3 * days_since_order + 1.5, 0 * customer]
    )
    logits = BY_PRODUCT[product] + BY_CHANNEL[channel] + attached[:, None] * BY_ATTACHMENT + age + habits[customer]
    team = (logits + rng.gumbel(0, 0.8, logits.shape)).argmax(axis=1)
    words = rng.poisson(np.array([45, 70, 40, 55])[team] * rng.gamma(4.0, 1 / 4, count))
    errors_quoted = rng.poisson(np.array([0.1, 0.8, 0.05, 0.1])[team])
    names = TEAMS[team].astype(object)
    names[rng.choice(count, round(count * BAD_SHARE), replace=False)] = "archive"
    seconds = np.sort(rng.integers(6 * 3600, 22 * 3600, count))
    return pd.DataFrame(
        {
            "ticket_id": day.toordinal() * 1000 + np.arange(count),
            "opened_at": (pd.Timestamp(day) + pd.to_timedelta(seconds, unit="s")).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "customer": np.char.add("C", customer.astype(str)),
            "product": PRODUCTS[product],
            "channel": CHANNELS[channel],
            "attachment": np.where(attached, "true", "false"),
            "days_since_order": days_since_order,
            "words": words,
            "errors_quoted": errors_quoted,
            "team": names,
        }
    )


def write(root: Path, start: date, days: int, seed: int) -> int:
    """Write `<root>/support_tickets/2025-03-01.csv` and so on, each atomically; return the number of files."""
    folder = root / "support_tickets"
    folder.mkdir(parents=True, exist_ok=True)
    for day, rows in simulate(start, days, seed):
        unfinished = folder / f"_{day}.csv"
        rows.to_csv(unfinished, index=False)
        os.replace(unfinished, folder / f"{day}.csv")
    return days


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "landing", type=Path, help="the landing directory: support_tickets/<day>.csv is written below it"
    )
    parser.add_argument("--start", type=date.fromisoformat, default=FIRST_DAY, help="first day (default: %(default)s)")
    parser.add_argument("--days", type=int, default=DAYS, help="number of days (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=3, help="seed of all random numbers (default: %(default)s)")
    arguments = parser.parse_args()
    files = write(arguments.landing, arguments.start, arguments.days, arguments.seed)
    print(f"{files} files in {arguments.landing / 'support_tickets'}")


if __name__ == "__main__":
    main()
