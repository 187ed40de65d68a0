"""Results of benchmarks: samples of each contender, their ratio, and the table."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.harness.process import Measurement

OURS, FLOOR, DAGSTER = "ml_assets", "floor", "Dagster"
CONTENDERS = (OURS, FLOOR, DAGSTER)
HEADER = ("", *CONTENDERS, "ratio", "target", "", "ratio of CPU time")


@dataclass(frozen=True)
class Result:
    """One row of the table.

    Args:
        benchmark: name of the benchmark, as `--only` takes it.
        title: what was done, with sizes.
        samples: the figures of each contender, in `unit`.
        against: the contender that the ratio compares with; None when the target is a figure of our own.
        target: bound of the ratio, or of our figure; None for a figure without a target.
        unit: of the samples.
        at_least: the target is a lower bound.
        peak_mb: peak memory of each contender, where it was measured.
        processor: processor seconds of each contender, where the samples are wall seconds.
    """

    benchmark: str
    title: str
    samples: Mapping[str, Sequence[float]]
    against: str | None = None
    target: float | None = None
    unit: str = "s"
    at_least: bool = False
    peak_mb: Mapping[str, float] = field(default_factory=dict)
    processor: Mapping[str, float] = field(default_factory=dict)

    def figure(self, contender: str) -> float | None:
        """Return the median of a contender; None if it takes no part."""
        return median(self.samples[contender]) if self.samples.get(contender) else None

    @property
    def ratio(self) -> float | None:
        """Our median divided by that of the contender that counts; None without one."""
        ours, other = self.figure(OURS), self.figure(self.against) if self.against else None
        return None if ours is None or not other else ours / other

    @property
    def processor_ratio(self) -> float | None:
        """The ratio of processor seconds, which other work on the machine changes less; None where it is the ratio."""
        ours, other = (self.processor.get(name or "") for name in (OURS, self.against))
        return ours / other if ours and other and self.unit == "s" else None

    @property
    def is_met(self) -> bool | None:
        """Return whether the target is met; None without a target."""
        figure = self.ratio if self.against else self.figure(OURS)
        if self.target is None or figure is None:
            return None
        return figure >= self.target if self.at_least else figure <= self.target


def timed(
    benchmark: str,
    title: str,
    series: Mapping[str, Sequence[Measurement]],
    against: str | None,
    target: float | None,
    unit: str = "s",
) -> Result:
    """Build the result of measured processes; with the unit `CPU s` their processor seconds count."""
    by_processor = unit != "s"
    return Result(
        benchmark,
        title,
        {
            name: [measurement.processor if by_processor else measurement.wall for measurement in many]
            for name, many in series.items()
        },
        against,
        target,
        unit,
        peak_mb={name: max(measurement.peak_mb for measurement in many) for name, many in series.items()},
        processor={name: median(measurement.processor for measurement in many) for name, many in series.items()},
    )


def format_figure(value: float | None) -> str:
    """Format a figure with two digits below ten, one below a hundred, and separators above a thousand."""
    if value is None:
        return "-"
    return f"{value:,.{2 if value < 10 else 1 if value < 100 else 0}f}"


def row_of(result: Result) -> tuple[str, ...]:
    """Return the cells of a result, in the order of HEADER."""
    verdict = {None: "", True: "met", False: "missed"}[result.is_met]
    ratio = f"{result.ratio:.2f} x {result.against}" if result.ratio is not None else "-"
    bound = "at least" if result.at_least else "at most"
    target = (
        "-" if result.target is None else f"{bound} {result.target:g}" + ("" if result.against else f" {result.unit}")
    )
    figures = (_with_unit(format_figure(result.figure(name)), result.unit) for name in CONTENDERS)
    return (result.title, *figures, ratio, target, verdict, format_figure(result.processor_ratio))


def text_table(results: Iterable[Result]) -> str:
    """Return the results as a table of text with aligned columns."""
    rows = [HEADER, *map(row_of, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)


def _with_unit(figure: str, unit: str) -> str:
    return figure if figure == "-" else f"{figure} {unit}"


def read_results(path: Path) -> tuple[dict[str, str], list[Result]]:
    """Read the machine and the results of a JSON file; nothing if there is none."""
    if not path.exists():
        return {}, []
    content = json.loads(path.read_text(encoding="utf-8"))
    return content["machine"], [Result(**result) for result in content["results"]]


def write_results(path: Path, machine: Mapping[str, str], results: Sequence[Result]) -> None:
    """Write results into a JSON file; those of other benchmarks that it has already stay."""
    measured = {result.benchmark for result in results}
    earlier = [result for result in read_results(path)[1] if result.benchmark not in measured]
    content = {"machine": dict(machine), "results": [asdict(result) for result in (*earlier, *results)]}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
