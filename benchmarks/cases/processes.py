"""Processes from the prompt: the import of the code location, and `ml-assets run` with all and with nothing to do."""

from benchmarks.harness.context import Context
from benchmarks.harness.process import alternate, environment, measure, python
from benchmarks.harness.project import Project
from benchmarks.harness.results import FLOOR, OURS, Result, timed

IMPORT_DAGSTER = "import dagster"
LOAD_DEFINITIONS = "import ml_assets.definitions as location; location.defs()"
PAIRS = 7


def measure_start_up(context: Context) -> list[Result]:
    """Measure the import of the code location with its definitions against the import of Dagster alone."""
    contenders = {
        FLOOR: lambda: measure(python("-c", IMPORT_DAGSTER), environment()),
        OURS: lambda: measure(python("-c", LOAD_DEFINITIONS), environment()),
    }
    series = alternate(PAIRS, contenders)
    title = "definitions of the code location loaded (floor: import dagster)"
    return [timed("startup", title, series, FLOOR, 1.3, "s of processor")]


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
