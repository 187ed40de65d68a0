"""Write the bounds anew from a run now, and print what changed."""

import json
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

from ml_assets_tests.pipeline.counts.bounds import FILE, bounds_of, read_bounds
from ml_assets_tests.pipeline.counts.measure import measure

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    before = read_bounds() if FILE.exists() else {}
    with TemporaryDirectory() as folder:
        bounds = bounds_of(measure(Path(folder)))
    FILE.write_text(json.dumps(bounds, indent=2) + "\n")
    for run, of_run in bounds.items():
        for name, number in of_run.items():
            if number != (earlier := before.get(run, {}).get(name)):
                print(f"{run}: {name} {earlier} -> {number}")
    print(f"wrote {FILE}")
