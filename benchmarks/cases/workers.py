"""Raw files to features in the process of the step, in two processes, and on two Dask workers."""

from benchmarks.harness.context import Context, day
from benchmarks.harness.project import Project, read_model
from benchmarks.harness.results import OURS, Result, timed
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES

COMPUTE = {
    "the process of the step": {},
    "2 processes": {"parallel": {"processes": 2}},
    "2 Dask workers": {"dask": {"workers": 2}},
}


def measure_workers(context: Context) -> list[Result]:
    """Measure the same days made by the step itself and by workers."""
    days, rows = context.sizes.window_days, context.sizes.worker_rows
    landing, results = context.transactions(days, rows), []
    for workers, compute in COMPUTE.items():
        model = read_model("windows")
        project = Project(context.folder("project"), [model | {"compute": model.get("compute", {}) | compute}])
        instance = project.instance(context.folder("ours"), landing)
        measured = instance.materialize([f"windows/{name}" for name in LANDED_TO_FEATURES], day(1), day(days))
        title = f"features of {days} days of {rows:,} rows by {workers}"
        results.append(timed("workers", title, {OURS: [measured]}, None, None))
    return results
