"""The quarantined rows as CSV, to be corrected: each with the row that it is, the rules it breaks, and its values as
they landed.

python -m ml_assets.cli.commands.quarantine model [--days FIRST...LAST] [--out FILE.csv]
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import IO

from ml_assets.cli.model_lookup import spec_of
from ml_assets.core.tables.day_ranges import parse_days
from ml_assets.defs.environment import SETTINGS, build_environment
from ml_assets.pipeline.graph.stages import Stages, open_stages
from ml_assets.resources.lake.errors import LakeError


def main(arguments: Sequence[str]) -> None:
    """Write the rows to a file, or to standard output, and say on standard error how many there are.

    Raises:
        SystemExit: with a message, for an unknown model, days that are none, a lake that does not fit the spec.
    """
    asked = _arguments(arguments)
    spec = spec_of(asked.model)
    try:
        first, last = parse_days(asked.days) if asked.days else (date.min, date.max)
        resources = build_environment(SETTINGS).resources or {}
        stages = open_stages(spec, resources["lake"], resources["landing"], resources["registry"])
    except (ValueError, LakeError) as error:
        sys.exit(str(error))
    days = [day for day in sorted(stages.validation.quarantined.row_counts()) if first <= day <= last]
    if asked.out is None:
        rows = write_quarantine(stages, days, sys.stdout.buffer)
    else:
        with asked.out.open("wb") as out:
            rows = write_quarantine(stages, days, out)
    print(
        f"{rows:,} rows to correct{f' in {asked.out}' if asked.out else ''}; then: make repair FILE=...",
        file=sys.stderr,
    )


def write_quarantine(stages: Stages, days: Sequence[date], out: IO[bytes]) -> int:
    """Write the rows of some days as CSV, one day in memory at a time; returns how many.

    Every value is in quotes, and a missing one is not, so text comes back as it is.
    """
    import pyarrow.csv as pa_csv

    from ml_assets.core.validation.quarantine_export import export_schema, rows_to_correct

    validation, rows = stages.validation, 0
    schema = export_schema(validation.feed)
    with pa_csv.CSVWriter(out, schema, write_options=pa_csv.WriteOptions(quoting_style="all_valid")) as writer:
        for day in days:
            entries = validation.quarantined.read([day], ["scope", "reasons", "source_file", "source_row"])
            found = rows_to_correct(validation.feed, day, validation.corrected(day).rows, entries)
            writer.write_table(found)
            rows += found.num_rows
    return rows


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m ml_assets.cli.commands.quarantine",
        description="Write the quarantined rows as CSV, to be corrected.",
    )
    parser.add_argument("model")
    parser.add_argument(
        "--days",
        metavar="FIRST...LAST",
        help="a range such as 2026-08-15...2026-09-01, or one day; all days when left out",
    )
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help="standard output when left out")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
