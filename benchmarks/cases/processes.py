"""Processes from the prompt: the import of the code location, and `ml-assets run` with all and with nothing to do."""

from benchmarks.harness.context import Context
from benchmarks.harness.process import report_of
from benchmarks.harness.project import Project
from benchmarks.harness.results import FLOOR, OURS, Result, timed

IMPORT_DAGSTER = "import dagster"
LOAD_DEFINITIONS = "import ml_assets.definitions as location; location.defs()"
PAIRS = 7


def measure_start_up(context: Context) -> list[Result]:
    """Measure the import of the code location with its definitions against the import of Dagster alone.

    The end of the process does not count: Dagster's takes longer there, because nothing is kept from the collector.
    """
    samples: dict[str, list[float]] = {FLOOR: [], OURS: []}
    for _ in range(PAIRS):
        for name, statement in ((FLOOR, IMPORT_DAGSTER), (OURS, LOAD_DEFINITIONS)):
            samples[name].append(report_of("-c", f"{statement}\nimport time; print(time.process_time())"))
    title = "definitions of the code location loaded (floor: import dagster)"
    return [Result("startup", title, samples, FLOOR, 1.3, "CPU s")]


def measure_run(context: Context) -> list[Result]:
    """Measure `ml-assets run` of the shipped model on an empty instance, and again with nothing to do."""
    landing = context.folder("landing")
    instance = Project(context.folder("project")).instance(context.folder("run"), landing)
    first = instance.command("run", "fraud_detection")
    again = [instance.command("run", "fraud_detection") for _ in range(context.sizes.short_rounds)]
    return [
        timed("run", "`ml-assets run` after installation: 90 simulated days, one model", {OURS: [first]}, None, 20.0),
        timed("run", "`ml-assets run` with nothing to do", {OURS: again}, None, 4.0),
    ]
