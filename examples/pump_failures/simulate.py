"""Seeded simulator of sensor readings of a fleet of pumps that wear out and fail, a CSV file for each site and day."""

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

FIRST_DAY = date(2025, 2, 1)
FLEET_BUILT = date(2024, 11, 1)
TIME_ZONE = "Europe/Brussels"
PUMPS = 130
SITES = ("antwerp", "ghent", "liege")
MODELS = ("A40", "B65", "C90")
READING_HOURS = np.array(
    [0, 4, 8, 12, 16, 20]
)  # with 10 to 50 minutes on top: never in the hours that change with summer time
HORIZON = 2.0
REPAIR_DAYS = 1.0
SHORTEST_LIFE = 6.0
BAD_SHARE = 0.004
# Effect of the last days before a failure on the readings, by cause: bearing, seal, motor, and a sudden failure without
# symptoms.
CAUSE_SHARE = (0.4, 0.25, 0.25, 0.1)
VIBRATION, TEMPERATURE, PRESSURE, FLOW, CURRENT = range(5)
NORMAL = np.array([2.5, 52.0, 6.0, 80.0, 30.0])
SYMPTOMS = np.array(
    [[1.3, 0.28, 0.0, -0.03, 0.05], [0.2, 0.0, -0.22, -0.18, 0.0], [0.1, 0.2, 0.0, -0.05, 0.3], [0.0] * 5]
)
NOISE = np.array([0.15, 0.035, 0.03, 0.05, 0.035])
_FLEET, _DAY = range(2)


@dataclass(frozen=True)
class Fleet:
    """Properties of the pumps that do not change from day to day.

    Times are days since FLEET_BUILT; row i of an array is pump i.
    """

    site: np.ndarray
    model: np.ndarray
    level: np.ndarray
    """(pumps, 5): each pump's own healthy readings."""
    failures: np.ndarray
    """(pumps, n): times of failure, ascending."""
    causes: np.ndarray
    """(pumps, n): cause of each failure."""
    severity: np.ndarray
    """(pumps, n): strength of the symptoms of each failure."""


def simulate(start: date = FIRST_DAY, days: int = 45, seed: int = 11) -> Iterator[tuple[date, str, pd.DataFrame]]:
    """Yield day, site and the frame of its file for `days` days from `start` on, about 740 rows a day in three files.

    A pump lives some 40 days between failures (Weibull, shape 2.5), shows symptoms in the last days, and is back in
    service one day later. A day depends on its date and the seed only. About 0.4 % of the rows are broken: a sensor
    that reports -999, no pump, or a time in words.

    Columns are named as a control system would: Pump, Type, Timestamp (local time in Brussels, without a zone),
    Vibration [mm/s], Bearing temperature [C], Outlet pressure [bar], Flow [m3/h], Motor current [A], Days since
    service, and Failed within 2 days (true or false).

    Raises:
        ValueError: when days is negative, or start lies before the fleet was built.
    """
    if days < 0 or start < FLEET_BUILT:
        raise ValueError(f"days must be 0 or more and start {FLEET_BUILT} or later; got days={days}, start={start}")
    fleet = _fleet(seed, (start - FLEET_BUILT).days + days)
    for day in (start + timedelta(days=n) for n in range(days)):
        readings = _simulate_day(fleet, day, seed)
        for site in SITES:
            yield day, site, readings.loc[readings["Site"] == site].reset_index(drop=True)


def _fleet(seed: int, last_day: int) -> Fleet:
    rng = np.random.default_rng([seed, _FLEET])
    site, model = rng.integers(0, len(SITES), PUMPS), rng.choice(len(MODELS), PUMPS, p=[0.5, 0.3, 0.2])
    level = (
        NORMAL
        * rng.normal(1, [0.2, 0.05, 0.08, 0.1, 0.08], (PUMPS, len(NORMAL)))
        * np.array([0.8, 1.0, 1.3])[model][:, None] ** 0.5
    )
    # One generator for each cycle of life and repair, so that drawing more cycles does not change the first ones.
    cycles = [
        np.random.default_rng([seed, _FLEET, n + 1]) for n in range(int((last_day + HORIZON + 10) // SHORTEST_LIFE) + 1)
    ]
    lives = np.column_stack([SHORTEST_LIFE + 38 * cycle.weibull(2.5, PUMPS) for cycle in cycles])
    lives[:, 0] *= rng.uniform(0.2, 1, PUMPS)
    causes = np.column_stack([cycle.choice(len(CAUSE_SHARE), PUMPS, p=CAUSE_SHARE) for cycle in cycles])
    severity = np.column_stack([cycle.uniform(0.3, 1.4, PUMPS) for cycle in cycles])
    return Fleet(site, model, level, np.cumsum(lives + REPAIR_DAYS, axis=1) - REPAIR_DAYS, causes, severity)


def _simulate_day(fleet: Fleet, day: date, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng([seed, _DAY, day.toordinal()])
    pump, hour = (grid.ravel() for grid in np.meshgrid(np.arange(PUMPS), READING_HOURS, indexing="ij"))
    seconds = hour * 3600 + rng.integers(600, 3000, len(pump))
    time = (day - FLEET_BUILT).days + seconds / 86400

    following = (fleet.failures[pump] < time[:, None]).sum(axis=1)
    remaining = fleet.failures[pump, following] - time
    back_in_service = np.where(following > 0, fleet.failures[pump, following - 1] + REPAIR_DAYS, 0.0)
    visible = fleet.severity[pump, following] * np.exp(-remaining / 1.8)
    worn = visible[:, None] * SYMPTOMS[fleet.causes[pump, following]]
    # For one reading, a blocked inlet looks like a failing bearing or seal.
    blocked = np.where(rng.random(len(pump)) < 0.01, rng.uniform(0.2, 1.2, len(pump)), 0.0)[:, None] * np.array(
        [0.8, 0.02, -0.1, -0.15, 0.04]
    )
    load = 1 + 0.06 * np.sin((hour - 9) / 24 * 2 * np.pi) + rng.normal(0, 0.03, len(pump)) - 0.08 * (day.weekday() >= 5)
    effect_of_load = (load[:, None] - 1) * np.array([0.5, 0.2, 0.4, 0.9, 0.8])
    values = fleet.level[pump] * (1 + worn + blocked + effect_of_load) * rng.normal(1, NOISE, (len(pump), len(NOISE)))

    frame = pd.DataFrame(
        {
            "Site": np.array(SITES)[fleet.site[pump]],
            "Pump": np.char.add("P-", np.char.zfill(pump.astype(str), 3)),
            "Type": np.array(MODELS)[fleet.model[pump]],
            "Timestamp": (pd.Timestamp(day) + pd.to_timedelta(seconds, unit="s")).strftime("%Y-%m-%d %H:%M:%S"),
            "Vibration [mm/s]": np.maximum(values[:, VIBRATION], 0.1).round(2),
            "Bearing temperature [C]": np.where(rng.random(len(pump)) < 0.02, np.nan, values[:, TEMPERATURE].round(1)),
            "Outlet pressure [bar]": values[:, PRESSURE].round(2),
            "Flow [m3/h]": np.where(rng.random(len(pump)) < 0.01, np.nan, values[:, FLOW].round(1)),
            "Motor current [A]": values[:, CURRENT].round(1),
            "Days since service": np.floor(time - back_in_service).astype("int64"),
            "Failed within 2 days": np.where(remaining <= HORIZON, "true", "false"),
        }
    )
    frame = _add_bad_rows(rng, frame)
    in_service = time >= back_in_service
    return frame.loc[in_service & (rng.random(len(pump)) < 0.97)]


def _add_bad_rows(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    sensor, nobody, clock = np.array_split(rng.choice(len(frame), round(len(frame) * BAD_SHARE), replace=False), 3)
    frame.loc[sensor, "Vibration [mm/s]"] = -999.0
    frame.loc[nobody, "Pump"] = None
    frame.loc[clock, "Timestamp"] = "clock not set"
    return frame


def write(root: Path, start: date, days: int, seed: int) -> int:
    """Write `<root>/pump_failures/2025/02/01/<site>.csv` and so on, each atomically; return the number of files."""
    files = 0
    for day, site, frame in simulate(start, days, seed):
        folder = root / "pump_failures" / f"{day:%Y/%m/%d}"
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"_{site}.csv"
        frame.to_csv(unfinished, index=False)
        os.replace(unfinished, folder / f"{site}.csv")
        files += 1
    return files


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "landing",
        type=Path,
        help="the landing directory: pump_failures/<year>/<month>/<day>/<site>.csv is written below it",
    )
    parser.add_argument("--start", type=date.fromisoformat, default=FIRST_DAY, help="first day (default: %(default)s)")
    parser.add_argument("--days", type=int, default=45, help="number of days (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=11, help="seed of all random numbers (default: %(default)s)")
    arguments = parser.parse_args()
    files = write(arguments.landing, arguments.start, arguments.days, arguments.seed)
    print(f"{files} files in {arguments.landing / 'pump_failures'}")


if __name__ == "__main__":
    main()
