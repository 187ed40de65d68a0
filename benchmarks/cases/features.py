"""Raw files to features of the shipped model, peak memory by number of days, and the event logs of an instance."""

from pathlib import Path

import yaml

from benchmarks.harness.context import START, Context, day
from benchmarks.harness.process import Measurement, alternate, measure, python
from benchmarks.harness.project import Project, read_shipped_model
from benchmarks.harness.results import FLOOR, OURS, Result, timed
from ml_assets.cli.demo.landing import write_landing
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES

MODEL = "fraud_detection"
ASSETS = tuple(f"{MODEL}/{name}" for name in LANDED_TO_FEATURES)
EVENT_LOGS = {
    "Dagster's": None,
    "Dagster's consolidated": {
        "module": "dagster._core.storage.event_log",
        "class": "ConsolidatedSqliteEventLogStorage",
        "config": {"base_dir": {"env": "DAGSTER_HOME"}},
    },
}


class ShippedFeatures:
    """The shipped model with a start long ago, and simulated files."""

    def __init__(self, context: Context, days: int):
        self.context, self.days = context, days
        self.project = Project(context.folder("project"), [read_shipped_model(START)])
        self.landing = context.folder("landing")
        write_landing(self.landing, START, days)

    def ours(self, days: int | None = None, settings: Path | None = None) -> Measurement:
        """Make the first `days` days, all by default, in one run on an empty instance."""
        instance = self.project.instance(self.context.folder("ours"), self.landing, settings)
        return instance.materialize(ASSETS, day(1), day(days or self.days))

    def floor(self) -> Measurement:
        """Run the bare loop over all days."""
        return measure(python("-m", "benchmarks.peers.bare_loop", self.landing, START, self.days))


def measure_features(context: Context) -> list[Result]:
    """Measure a range of days from raw files to features against the bare loop."""
    shipped = ShippedFeatures(context, context.sizes.feature_days)
    series = alternate(context.sizes.rounds, {FLOOR: shipped.floor, OURS: shipped.ours})
    title = f"raw files to features of {MODEL}, {shipped.days} days"
    return [timed("features", title, series, FLOOR, 1.5)]


def measure_memory(context: Context) -> list[Result]:
    """Measure the peak memory of a range of few and of many days."""
    few, many = context.sizes.memory_days
    shipped = ShippedFeatures(context, many)
    peaks = {days: shipped.ours(days).peak_mb for days in (few, many)}
    # With `against`, the floor stands for the range of few days: flat memory has the ratio 1.
    title = f"peak memory of raw files to features, {many} days (floor: {few} days of the same)"
    return [Result("memory", title, {OURS: [peaks[many]], FLOOR: [peaks[few]]}, FLOOR, 1.2, "MB")]


def measure_event_logs(context: Context) -> list[Result]:
    """Measure the same range on the shipped event log and on each of Dagster's own."""
    shipped = ShippedFeatures(context, context.sizes.feature_days)
    shipped_settings = yaml.safe_load((shipped.project.root / "dagster.yaml").read_text())
    results = []
    for name, storage in EVENT_LOGS.items():
        settings = {key: value for key, value in shipped_settings.items() if key != "event_log_storage"}
        file = context.folder("settings") / "dagster.yaml"
        file.write_text(yaml.safe_dump(settings if storage is None else settings | {"event_log_storage": storage}))
        series = alternate(
            context.sizes.rounds, {FLOOR: lambda file=file: shipped.ours(settings=file), OURS: shipped.ours}
        )
        title = f"the same with the shipped event log (floor: with {name})"
        results.append(timed("event_log", title, series, FLOOR, None))
    return results
