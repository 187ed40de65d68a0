"""Growth of a model each day by rows a day and by number of days."""

from benchmarks.cases.daily import DailyModels
from benchmarks.harness.context import Context
from benchmarks.harness.results import DAGSTER, Result, timed


def measure_growth(context: Context) -> list[Result]:
    """Measure the fewest days with more and more rows, then the fewest rows on more and more days."""
    days, rows = context.sizes.growth_days, context.sizes.growth_rows
    sizes = [*((days[0], number) for number in rows), *((number, rows[0]) for number in days[1:])]
    results = []
    for number, rows_a_day in sizes:
        series = DailyModels(context, number, rows_a_day).compare(1)
        title = f"{number} days of {rows_a_day:,} rows, a model each day"
        results.append(timed("growth", title, series, DAGSTER, None))
    return results
