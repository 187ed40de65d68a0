"""Committed upper bounds of counts, and what a comparison with them says."""

import json
from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).with_name("bounds.json")
COMMAND = "python -m ml_assets_tests.pipeline.counts"
SLACK = 0.2
"""The share by which a count may be below its bound before the bound is to be lowered."""
BYTE_MARGIN = 1.02
"""Sizes of compressed files differ a little between versions of Arrow and zlib."""

Counts = Mapping[str, Mapping[str, int]]


def read_bounds() -> dict[str, dict[str, int]]:
    """Read the committed bounds, by run and by what is counted."""
    return json.loads(FILE.read_text())


def bounds_of(counts: Counts) -> dict[str, dict[str, int]]:
    """Return the bounds for counts: the counts themselves, and bytes rounded up to whole thousands with a margin."""
    return {run: {name: _bound(name, number) for name, number in of_run.items()} for run, of_run in counts.items()}


def growth(counts: Counts, bounds: Counts) -> list[str]:
    """Name each count that is above its bound or has none, with both figures."""
    return [
        f"{run}: {name} grew from {bounds.get(run, {}).get(name, 0):,} to {number:,}"
        for run, of_run in counts.items()
        for name, number in of_run.items()
        if number > bounds.get(run, {}).get(name, 0)
    ]


def slack(counts: Counts, bounds: Counts) -> list[str]:
    """Name each count that is so far below its bound that the bound no longer protects it."""
    return [
        f"{run}: {name} shrank from {bound:,} to {counts.get(run, {}).get(name, 0):,}"
        for run, of_run in bounds.items()
        for name, bound in of_run.items()
        if counts.get(run, {}).get(name, 0) < bound * (1 - SLACK)
    ]


def _bound(name: str, number: int) -> int:
    return -(-int(number * BYTE_MARGIN) // 1000) * 1000 if "bytes" in name else number
