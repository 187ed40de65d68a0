"""The command of the benchmarks.

    python -m benchmarks [--only days,newday] [--quick] [--days 60] [--rows 20000] [--json FILE] [--write-docs FILE]

Results are printed as they come, as a table at the end, and written into FILE, where those of other benchmarks stay.
"""

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness.results import read_results, text_table, write_results


def main() -> None:
    """Run the benchmarks that are asked for, or write the page from results."""
    options = read_options()
    if options.page:
        write_page(options.page)
        return
    # A process without byte code compiles it, which would be measured.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    from benchmarks.cases.index import DOCUMENTED, NAMES, measure_all
    from benchmarks.harness.context import Context, Sizes
    from benchmarks.harness.machine import describe_machine
    from benchmarks.harness.process import ProcessFailed
    from benchmarks.harness.project import compile_byte_code

    names = options.only or (DOCUMENTED if options.write_docs else NAMES)
    if unknown := set(names) - set(NAMES):
        sys.exit(f"there is no benchmark {', '.join(sorted(unknown))}; choose from {', '.join(NAMES)}")
    sizes = Sizes().quick() if options.quick else Sizes()
    given = {name: getattr(options, name) for name in ("days", "rows", "rounds") if getattr(options, name)}
    compile_byte_code()
    series = "small sizes, which show that everything works and little more" if options.quick else "full sizes"
    begun = time.perf_counter()
    machine, results = {**describe_machine(), "series": series}, []
    output, failed = options.write_docs or options.json, []
    with TemporaryDirectory(prefix="benchmarks-") as folder:
        for name, measured in measure_all(Context(replace(sizes, **given), Path(folder)), names):
            if isinstance(measured, ProcessFailed):
                failed.append(name)
                print(f"{name} failed: {measured}", file=sys.stderr, flush=True)
                continue
            results += measured
            if measured:
                print(text_table(measured), end="\n\n", flush=True)
            if output:
                write_results(output, machine, results)
    print(text_table(results))
    print(f"{time.perf_counter() - begun:,.0f} s in all")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")
    if options.write_docs:
        write_page(options.write_docs)


def write_page(file: Path) -> None:
    """Write docs/benchmarks.md and its picture from the results in a JSON file."""
    from benchmarks.page.page import write

    machine, results = read_results(file)
    if not results:
        sys.exit(f"{file} has no results; write them with `python -m benchmarks --json {file}`")
    for path in write(machine, results):
        print(f"wrote {path}")


def read_options() -> argparse.Namespace:
    """Read the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Run the benchmarks.")
    parser.add_argument("--only", type=lambda text: text.replace(",", " ").split(), help="names, separated by commas")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything works")
    parser.add_argument("--days", type=int, help="number of days with a model each")
    parser.add_argument("--rows", type=int, help="rows of each of these days")
    parser.add_argument("--rounds", type=int, help="how often the contenders of long benchmarks take turns")
    parser.add_argument("--json", type=Path, help="file of the results")
    parser.add_argument("--write-docs", type=Path, help="measure for docs/benchmarks.md into this file, and write it")
    parser.add_argument("--page", type=Path, help="only write docs/benchmarks.md, from this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
