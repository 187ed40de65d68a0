"""Duration and cost of a backfill, as lines of a plan."""

from collections.abc import Iterator

from rich.filesize import decimal

from ml_assets.core.counts import count
from ml_assets.core.model_spec.compute import Prices
from ml_assets.core.operations.backfill_estimate import BackfillEstimate

MINUTE, HOUR = 60, 3600
LONGEST_STAGES = 3
LEAST_IN_CENTS, LEAST_COST, LEAST_HOURS = 0.1, 0.0001, 0.01
UNKNOWN = "unknown, no day was measured"


def estimate_lines(estimate: BackfillEstimate, prices: Prices | None) -> Iterator[str]:
    """Yield the duration and cost of a backfill in rich's markup; nothing if the plan has no days to compute.

    Args:
        estimate: the estimate for the plan.
        prices: the prices in the specification.
    """
    if not estimate.stages:
        if estimate.unmeasured:
            yield f"[bold]Takes[/]    {UNKNOWN}"
        return
    at_least = "at least" if estimate.unmeasured else "about"
    longest = sorted(estimate.stages.items(), key=lambda item: -item[1].seconds)[:LONGEST_STAGES]
    stages = ", ".join(f"{name} {format_seconds(stage.seconds)}" for name, stage in longest)
    gpus = f", {_hours(estimate.gpu_hours)} GPU-hours" if estimate.gpu_hours else ""
    memory = f", memory up to {decimal(estimate.memory_peak)}" if estimate.memory_peak else ""
    yield (
        f"[bold]Takes[/]    {at_least} {format_seconds(estimate.seconds)} ({stages}), "
        f"{_hours(estimate.cpu_hours)} CPU-hours{gpus}{memory}"
    )
    yield f"[bold]Costs[/]    {_cost(estimate, prices, at_least)}"
    days = min(stage.measured_days for stage in estimate.stages.values())
    yield f"[dim]         measured on {count(days, 'day')} or more of each stage[/]"
    if others := [name for name, stage in estimate.stages.items() if not stage.is_comparable]:
        yield f"[yellow]         {', '.join(others)}: measured in runs of other lengths, so inexact[/]"
    if estimate.unmeasured:
        yield f"[yellow]         {', '.join(estimate.unmeasured)}: {UNKNOWN}[/]"


def _cost(estimate: BackfillEstimate, prices: Prices | None, at_least: str) -> str:
    if prices is None:
        return "unknown, the specification has no prices (compute.prices)"
    cost = estimate.cost(prices)
    if cost is None:
        return "unknown, the specification has no price of a GPU-hour (compute.prices.gpu_hour)"
    amount = f"{cost:,.2f}" if cost >= LEAST_IN_CENTS else f"{max(cost, LEAST_COST):.2g}"
    return f"{at_least} {amount} {prices.currency}"


def format_seconds(seconds: float) -> str:
    """Return a duration in the unit that a person would use: 12 s, 4 min, 2.5 h."""
    if seconds < 2 * MINUTE:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / MINUTE:.0f} min" if seconds < 2 * HOUR else f"{seconds / HOUR:.1f} h"


def _hours(hours: float) -> str:
    if hours < LEAST_HOURS:
        return f"less than {LEAST_HOURS}"
    return f"{hours:.2g}" if hours < 10 else f"{hours:,.0f}"
