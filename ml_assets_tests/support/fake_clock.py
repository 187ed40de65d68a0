"""Run the tests that know about time under other clocks, time zones and locales, in a random order.

python -m ml_assets_tests.support.fake_clock [SETTING ...] [--seed NUMBER] [--tests PATH ...]

Every process of a run loads libfaketime, so that servers and databases agree with the tests on the time. Times of files
stay those of the file system, and monotonic clocks are not touched.
"""

import argparse
import os
import random
import subprocess
import sys
from calendar import isleap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

# In one process: a second one would spend as much on imports as it saves.
PYTEST = ("-m", "pytest", "-m", "clock and not slow")
# Before a moment that is to pass while the tests run: they have begun by then.
LEAD = timedelta(seconds=40)


@dataclass(frozen=True)
class Setting:
    """A clock and an environment: the time at which the run begins, and variables of all its processes."""

    begins: datetime
    environment: Mapping[str, str] = field(default_factory=dict)


def clock_settings(now: datetime) -> dict[str, Setting]:
    """Build the settings by name.

    Args:
        now: the real time, with a zone.
    """
    leap_year = next(year for year in range(now.year + 1, now.year + 9) if isleap(year))
    settings = {
        "year-ahead": Setting(now + timedelta(days=365)),
        "four-years-ahead": Setting(now + timedelta(days=4 * 365 + 1), {"TZ": "Pacific/Auckland"}),
        "midnight": Setting(datetime.combine(now.date() + timedelta(days=1), time(), UTC) - LEAD),
        "leap-day": Setting(datetime(leap_year, 2, 29, 12, tzinfo=UTC)),
        "c-locale": Setting(now, {"LC_ALL": "C"}),
        "german-locale": Setting(now, {"LC_ALL": "de_DE.UTF-8"}),
    }
    for name, zone in (("berlin", "Europe/Berlin"), ("new-york", "America/New_York")):
        forward, back = clock_changes(zone, now.year + 1)
        settings[f"{name}-spring"] = Setting(forward - LEAD, {"TZ": zone})
        settings[f"{name}-autumn"] = Setting(back - LEAD, {"TZ": zone})
    return settings


def clock_changes(zone: str, year: int) -> list[datetime]:
    """Find the hours of a year, in UTC, at which the clocks of a zone are changed."""
    hours = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=number) for number in range(365 * 24)]
    offsets = [hour.astimezone(ZoneInfo(zone)).utcoffset() for hour in hours]
    return [hours[number] for number in range(1, len(hours)) if offsets[number] != offsets[number - 1]]


def fake_clock_environment(ahead: timedelta) -> dict[str, str] | None:
    """Build the variables that let a process and its children read another time; None where libfaketime cannot do it.

    Args:
        ahead: how far the clock is ahead.
    """
    package = find_spec("libfaketime")
    if package is None or package.origin is None:
        return None
    library = Path(package.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    environment = {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{ahead.total_seconds():+.0f}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    now = datetime.now(UTC)
    command = [sys.executable, "-c", "import time; print(time.time())"]
    shown = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True).stdout
    is_faked = bool(shown) and abs(float(shown) - (now + ahead).timestamp()) < 600
    return environment if is_faked else None


def files_with_marker(paths: Sequence[str]) -> list[str]:
    """List the test files that mark a test `clock`, in these files and folders: the others need not be imported."""
    files = (file for path in paths for file in ([Path(path)] if path.endswith(".py") else Path(path).rglob("*.py")))
    return sorted(str(file) for file in files if "pytest.mark.clock" in file.read_text())


def run_tests(name: str, setting: Setting, seed: int, files: Sequence[str]) -> int:
    """Run the tests that are marked `clock` in one setting, in these files; return pytest's exit status."""
    environment = fake_clock_environment(setting.begins - datetime.now(UTC))
    if environment is None:
        print(f"LEFT OUT: {name}, because libfaketime does not work on this machine", flush=True)
        return 0
    variables = " ".join(f"{key}={value}" for key, value in setting.environment.items())
    print(f"{name}: {setting.begins:%Y-%m-%d %H:%M:%S} UTC {variables} --seed {seed}", flush=True)
    order = ("--random-order-bucket", "module", "--random-order-seed", str(seed))
    return subprocess.run(
        [sys.executable, *PYTEST, *order, *files], env={**os.environ, **environment, **setting.environment}
    ).returncode


def main(arguments: Sequence[str]) -> int:
    """Run the tests in the settings that are named, or in all of them; return 1 if any of these runs failed."""
    settings = clock_settings(datetime.now(UTC))
    parser = argparse.ArgumentParser(prog="python -m ml_assets_tests.support.fake_clock", description=__doc__)
    parser.add_argument("settings", nargs="*", metavar="SETTING", help=f"{', '.join(settings)}; all when left out")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the order of the tests")
    parser.add_argument(
        "--tests", nargs="+", default=["ml_assets_tests"], metavar="PATH", help="files and folders; all when left out"
    )
    options = parser.parse_args(arguments)
    unknown = set(options.settings) - set(settings)
    if unknown:
        parser.error(f"there is no setting {', '.join(sorted(unknown))}; the settings are {', '.join(settings)}")
    files = files_with_marker(options.tests)
    failed = [name for name in options.settings or settings if run_tests(name, settings[name], options.seed, files)]
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
