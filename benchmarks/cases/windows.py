"""Window features of many rows a day, against one pass over all days."""

from functools import partial

from benchmarks.harness.context import Context, day
from benchmarks.harness.process import alternate, measure, python
from benchmarks.harness.project import Project, read_model
from benchmarks.harness.results import FLOOR, OURS, Result, timed
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES

TARGETS = {(1, 7): 2.5, (1, 7, 30): 3.0}
MAX_PEAK_MB = 3_000
UNIT = "CPU s"


def measure_windows(context: Context) -> list[Result]:
    """Measure raw files to features with windows of 1 and 7 days, and with 30 days as well: time and peak memory."""
    days, rows = context.sizes.window_days, context.sizes.window_rows
    landing, results, peaks = context.transactions(days, rows), [], {}
    for windows, target in TARGETS.items():
        model = read_model("windows")
        model["features"][-1]["windows"] = [f"{window}d" for window in windows]
        project = Project(context.folder("project"), [model])
        assets = [f"windows/{name}" for name in LANDED_TO_FEATURES]
        floor_command = python("-m", "benchmarks.peers.one_pass", landing, context.folder("floor") / "out", *windows)
        instance = project.instance(context.folder("ours"), landing)
        contenders = {
            FLOOR: partial(measure, floor_command),
            OURS: partial(instance.materialize, assets, day(1), day(days)),
        }
        # One round: a second one would find its days made, and these are the longest runs.
        series = alternate(1, contenders)
        title = f"features of {days} days of {rows:,} rows, windows of {', '.join(map(str, windows))} days"
        results.append(timed("windows", title, series, FLOOR, target, UNIT))
        peaks[windows] = {name: measurements[0].peak_mb for name, measurements in series.items()}
    peak = {name: [max(of_run[name] for of_run in peaks.values())] for name in (OURS, FLOOR)}
    return [*results, Result("windows", "peak memory of these features", peak, None, MAX_PEAK_MB, "MB")]
