"""Seeded simulator of the hourly demand of a bike rental with weather, a CSV file for each day."""

import argparse
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

FIRST_DAY = date(2025, 4, 1)
DAYS = 45
STATIONS = 24
DISTRICTS = ("centre", "harbour", "university", "suburbs")
HOURS = np.arange(6, 22)
COMMUTE = np.array([8, 20, 34, 24, 14, 12, 15, 16, 14, 14, 20, 32, 36, 26, 16, 10]) / 18
LEISURE = np.array([2, 3, 6, 10, 16, 20, 23, 26, 28, 28, 27, 24, 20, 15, 10, 6]) / 16
HOLIDAYS = {date(2025, 4, 18), date(2025, 4, 21), date(2025, 5, 1), date(2025, 5, 29), date(2025, 6, 9)}
BAD_SHARE = 0.004
_STATIONS, _WEATHER, _DAY = range(3)


def simulate(start: date = FIRST_DAY, days: int = DAYS, seed: int = 5) -> Iterator[tuple[date, pd.DataFrame]]:
    """Yield day and rows for `days` days from `start` on: 24 stations, each with an hour from 6 to 22, 384 rows a day.

    Demand is overdispersed Poisson. Its mean follows station, hour, commute or leisure, temperature and rain. A day
    depends on its date and the seed only. About 0.4 % of the rows are broken: a thermometer that reports -999.

    Raises:
        ValueError: when days is negative.
    """
    if days < 0:
        raise ValueError(f"days must be 0 or more; got {days}")
    fixed = np.random.default_rng([seed, _STATIONS])
    district = np.arange(STATIONS) % len(DISTRICTS)
    docks = fixed.integers(8, 50, STATIONS)
    level = docks / 2 * fixed.lognormal(0, 0.25, STATIONS)
    leisure = np.array([0.5, 0.8, 0.3, 0.4])[district]
    for day in (start + timedelta(days=number) for number in range(days)):
        yield day, _simulate_day(day, seed, district, docks, level, leisure)


def _simulate_day(
    day: date, seed: int, district: np.ndarray, docks: np.ndarray, level: np.ndarray, leisure: np.ndarray
) -> pd.DataFrame:
    weather = np.random.default_rng([seed, _WEATHER, day.toordinal()])
    rng = np.random.default_rng([seed, _DAY, day.toordinal()])
    midday = 10 - 9 * np.cos((day.timetuple().tm_yday - 20) / 365 * 2 * np.pi) + weather.normal(0, 3)
    temperature = midday - 4 * np.cos((HOURS - 3) / 24 * 2 * np.pi) + weather.normal(0, 0.5, len(HOURS))
    wet = np.where(weather.random() < 0.35, 0.5, 0.05)
    rain = np.where(weather.random(len(HOURS)) < wet, weather.gamma(1.0, 1.5, len(HOURS)), 0.0)
    free = day.weekday() >= 5 or day in HOLIDAYS

    station, hour = (grid.ravel() for grid in np.meshgrid(np.arange(STATIONS), np.arange(len(HOURS)), indexing="ij"))
    share = np.clip(leisure + 0.5 * free, 0, 1)[station]
    profile = share * LEISURE[hour] + (1 - share) * COMMUTE[hour] * (0.35 if free else 1)
    comfort = np.exp(-(((temperature - 23) / 14) ** 2)) * np.exp(-0.35 * np.minimum(rain, 4))
    mean = level[station] * profile * comfort[hour]
    rentals = rng.poisson(mean * rng.gamma(12.0, 1 / 12, len(mean)))
    reported = temperature[hour].round(1)
    reported[rng.choice(len(mean), round(len(mean) * BAD_SHARE), replace=False)] = -999.0
    return pd.DataFrame(
        {
            "Station": np.char.add("S", np.char.zfill((station + 1).astype(str), 2)),
            "District": np.array(DISTRICTS)[district[station]],
            "Docks": docks[station],
            "From": (pd.Timestamp(day) + pd.to_timedelta(HOURS[hour], unit="h")).strftime("%Y-%m-%d %H:%M"),
            "Hour": HOURS[hour],
            "Holiday": np.where(day in HOLIDAYS, "true", "false"),
            "Temperature [C]": reported,
            "Rain [mm]": rain[hour].round(1),
            "Rentals": rentals,
        }
    )


def write(root: Path, start: date, days: int, seed: int) -> int:
    """Write `<root>/bike_rentals/2025-04-01.csv` and so on, each atomically; return the number of files."""
    folder = root / "bike_rentals"
    folder.mkdir(parents=True, exist_ok=True)
    for day, rows in simulate(start, days, seed):
        unfinished = folder / f"_{day}.csv"
        rows.to_csv(unfinished, index=False)
        os.replace(unfinished, folder / f"{day}.csv")
    return days


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("landing", type=Path, help="the landing directory: bike_rentals/<day>.csv is written below it")
    parser.add_argument("--start", type=date.fromisoformat, default=FIRST_DAY, help="first day (default: %(default)s)")
    parser.add_argument("--days", type=int, default=DAYS, help="number of days (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=5, help="seed of all random numbers (default: %(default)s)")
    arguments = parser.parse_args()
    files = write(arguments.landing, arguments.start, arguments.days, arguments.seed)
    print(f"{files} files in {arguments.landing / 'bike_rentals'}")


if __name__ == "__main__":
    main()
