"""All benchmarks by the names that `--only` takes."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from benchmarks.cases.daemon import measure_daemon
from benchmarks.cases.daily import DailyModels, measure_days, measure_single_days
from benchmarks.cases.features import measure_event_logs, measure_features, measure_memory
from benchmarks.cases.growth import measure_growth
from benchmarks.cases.processes import measure_run, measure_start_up
from benchmarks.cases.sensor import measure_sensor
from benchmarks.cases.service import measure_service, measure_soak
from benchmarks.cases.training import measure_training
from benchmarks.cases.validation import measure_validation
from benchmarks.cases.windows import measure_windows
from benchmarks.cases.workers import measure_workers
from benchmarks.harness.context import Context
from benchmarks.harness.process import ProcessFailed
from benchmarks.harness.results import Result

# Those of docs/benchmarks.md; a full series takes less than ten minutes.
DOCUMENTED = ("days", "newday", "sameday", "features", "windows", "workers", "startup", "run", "growth", "memory")
OTHERS = ("validation", "training", "sensor", "service", "soak", "daemon", "event_log")
NAMES = (*DOCUMENTED, *OTHERS)


def measure_all(context: Context, names: Iterable[str]) -> Iterator[tuple[str, list[Result] | ProcessFailed]]:
    """Run benchmarks in the order of NAMES; yield the name of each with its results or its error."""
    wanted = set(names)

    @cache
    def daily() -> DailyModels:
        return DailyModels(context, context.sizes.days, context.sizes.rows)

    def single_days() -> list[Result]:
        # Both come from the same processes.
        return [result for result in measure_single_days(context, daily()) if result.benchmark in wanted]

    benchmarks: dict[str, Callable[[], list[Result]]] = {
        "days": lambda: measure_days(context, daily()),
        "newday": single_days,
        "sameday": lambda: [] if "newday" in wanted else single_days(),
        "features": lambda: measure_features(context),
        "windows": lambda: measure_windows(context),
        "workers": lambda: measure_workers(context),
        "startup": lambda: measure_start_up(context),
        "run": lambda: measure_run(context),
        "growth": lambda: measure_growth(context),
        "memory": lambda: measure_memory(context),
        "validation": lambda: measure_validation(context),
        "training": lambda: measure_training(context),
        "sensor": lambda: measure_sensor(context),
        "service": lambda: measure_service(context),
        "soak": lambda: measure_soak(context),
        "daemon": lambda: measure_daemon(context),
        "event_log": lambda: measure_event_logs(context),
    }
    for name in NAMES:
        if name in wanted:
            try:
                yield name, benchmarks[name]()
            except ProcessFailed as failure:
                yield name, failure
