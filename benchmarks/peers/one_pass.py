"""Mean and standard deviation over windows of all days at once: the floor of a backfill of window features.

    python -m benchmarks.peers.one_pass LANDING OUT WINDOW...

One sort by account and time, one set of prefix sums and one search for each bound of a window, in plain floating-point
sums; a file a day is written. Windows are numbers of days.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MICROSECONDS_A_DAY = 86_400_000_000
# Room for the times of an account in the sorted key: 50 days of microseconds.
SPAN = 1 << 42


def write_window_features(landing: Path, out: Path, windows: Sequence[int]) -> None:
    """Compute the features of all files of a folder, and write a file for each of them."""
    out.mkdir(parents=True)
    files = sorted(landing.glob("*.parquet"))
    days = [pq.read_table(file, columns=["account", "booked_at", "amount"]) for file in files]
    lengths = [day.num_rows for day in days]
    table = pa.concat_tables(days)
    del days
    times = table["booked_at"].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
    account = table["account"].to_numpy()
    order = np.lexsort((times, account))
    base, amount, account = times[order] - times.min(), table["amount"].to_numpy()[order], account[order] * SPAN
    key = account + base
    total, squares = (np.r_[0.0, np.cumsum(values)] for values in (amount, amount**2))
    end = np.searchsorted(key, key, side="right")
    columns = {}
    for window in windows:
        earliest = account + np.maximum(base - window * MICROSECONDS_A_DAY, -1)
        begin = np.searchsorted(key, earliest, side="right")
        number = end - begin
        mean = (total[end] - total[begin]) / number
        deviations = np.maximum(squares[end] - squares[begin] - number * mean**2, 0)
        for name, values in (("mean", mean), ("std", np.sqrt(deviations / np.maximum(number - 1, 1)))):
            columns[f"{name}_{window}d"] = np.empty(len(order))
            columns[f"{name}_{window}d"][order] = values
    begin = 0
    for file, length in zip(files, lengths, strict=True):
        rows = {name: values[begin : begin + length] for name, values in columns.items()}
        pq.write_table(pa.table(rows), out / file.name)
        begin += length


if __name__ == "__main__":
    write_window_features(Path(sys.argv[1]), Path(sys.argv[2]), [int(window) for window in sys.argv[3:]])
