"""docs/benchmarks.md: the tables of a run, with machine, versions and sizes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.harness.process import REPOSITORY
from benchmarks.harness.results import CONTENDERS, HEADER, OURS, Result, format_figure, row_of
from benchmarks.page.chart import bar_chart, growth_chart

PAGE = REPOSITORY / "docs" / "benchmarks.md"
BARS = PAGE.parent / "images" / "benchmarks.png"
GROWTH = PAGE.parent / "images" / "benchmarks_growth.png"
APART = ("growth", "memory")
"""Benchmarks with a section of their own."""

TEMPLATE = Path(__file__).with_name("page.md")


def write(machine: Mapping[str, str], results: Sequence[Result]) -> list[Path]:
    """Write the page and its pictures; return their paths.

    Args:
        machine: see `describe_machine`.
        results: those of the documented benchmarks, and possibly others.
    """
    from benchmarks.cases.index import OTHERS

    growth = [result for result in results if result.benchmark == "growth"]
    BARS.write_bytes(bar_chart([result for result in results if _is_in_chart(result)]))
    paths = [PAGE, BARS]
    if growth:
        GROWTH.write_bytes(growth_chart(growth))
        paths.append(GROWTH)
    PAGE.write_text(page_text(machine, results, OTHERS))
    return paths


def page_text(machine: Mapping[str, str], results: Sequence[Result], others: Sequence[str]) -> str:
    """Return the text of the page.

    Args:
        machine, results: as in `write`.
        others: names of the benchmarks that the page does not show by default.
    """
    memory = [result for result in results if result.benchmark == "memory"]
    return TEMPLATE.read_text().format(
        ours=OURS,
        bars=BARS.name,
        machine=markdown_table(("machine", ""), list(machine.items())),
        table=markdown_table(HEADER, [row_of(result) for result in results if result.benchmark not in APART]),
        growth=_growth_section([result for result in results if result.benchmark == "growth"]),
        memory=_memory_section(memory, [result for result in results if result.peak_mb]),
        others=", ".join(others),
    )


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _growth_section(results: Sequence[Result]) -> str:
    if not results:
        return ""
    table = markdown_table(HEADER[:5], [row_of(result)[:5] for result in results])
    return f"\n## Growth\n\n{table}\n\n![Seconds by rows a day and by number of days](images/{GROWTH.name})\n"


def _memory_section(memory: Sequence[Result], measured: Sequence[Result]) -> str:
    rows = [(result.title, *(_megabytes(result.peak_mb.get(name)) for name in CONTENDERS)) for result in measured]
    lines = [
        f"The {result.title}: {_megabytes(result.figure(OURS))} against {_megabytes(result.figure('floor'))}."
        for result in memory
    ]
    if not rows and not lines:
        return ""
    table = markdown_table(("", *CONTENDERS), rows)
    return "\n".join(["\n## Peak memory", "", table, "", *lines, ""])


def _megabytes(value: float | None) -> str:
    return "-" if value is None else f"{format_figure(value)} MB"


def _is_in_chart(result: Result) -> bool:
    return result.benchmark not in APART and result.unit.startswith("s")
