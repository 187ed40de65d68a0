"""The transactions in the log of a Delta table, read together: version by application."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.tables.fingerprint import EXPIRED
from ml_assets.resources.lake.errors import readable_log

if TYPE_CHECKING:
    from deltalake import DeltaTable

# Reading more commits than this takes longer than starting again at the newest checkpoint.
MAX_COMMITS_TO_FOLLOW = 20
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def input_fingerprint_application(day: date, fingerprint: int) -> str:
    """Return the name of the transaction that records the inputs from which the rows of a day were last computed.

    Args:
        day: the day.
        fingerprint: the fingerprint of the rows.
    """
    # The prefix is part of the format of tables that exist.
    return f"recipe:{day.isoformat()}:{fingerprint:016x}"


class Transactions:
    """The version of the last transaction of each application, as of the open version of a table.

    delta-rs returns one application at a time, and reads the log since the newest checkpoint for each: on S3, 60
    applications cost 468 requests that way, compared with a dozen here. The layout of the log is defined in
    https://github.com/delta-io/delta/blob/master/PROTOCOL.md.

    Args:
        table: the table.
        read_file: returns the content of a file by its path under the table; raises FileNotFoundError without the file.
        uri: URI of the table, for messages.
    """

    def __init__(self, table: "DeltaTable", read_file: Callable[[str], bytes], uri: str):
        self._table = table
        self._uri = uri
        self._read_file = read_file
        self._versions: dict[str, int] = {}
        self._version = -1

    def get(self, application: str) -> int | None:
        """Return the version of the last transaction of an application; None if it has none."""
        self._update()
        return self._versions.get(application)

    def fingerprints(self, day: date) -> tuple[int | None, int | None]:
        """Return the fingerprint of the rows of a day, and that of the inputs from which they were last computed.

        Both are None if the day was never committed, and EXPIRED if its rows were removed.
        """
        fingerprint = self.get(day.isoformat())
        if fingerprint is None or fingerprint == EXPIRED:
            return fingerprint, fingerprint
        return fingerprint, self.get(input_fingerprint_application(day, fingerprint)) or fingerprint

    def record_inputs(self, input_fingerprints: Mapping[date, int]) -> dict[str, int]:
        """Return the transactions that record new inputs of recomputed days that keep their rows.

        The fingerprint of a day is among them, so that their commit conflicts with others of the day.
        """
        recorded = {}
        for day, input_fingerprint in input_fingerprints.items():
            if (fingerprint := self.get(day.isoformat())) is not None:
                recorded[day.isoformat()] = fingerprint
                recorded[input_fingerprint_application(day, fingerprint)] = input_fingerprint
        return recorded

    def days(self) -> dict[date, int]:
        """Return the version of the last transaction of each application that is named after a day."""
        self._update()
        return {date.fromisoformat(name): version for name, version in self._versions.items() if _DAY.fullmatch(name)}

    def _update(self) -> None:
        if self._version == (version := self._table.version()):
            return
        with readable_log(self._uri):
            if not 0 <= self._version < version <= self._version + MAX_COMMITS_TO_FOLLOW:
                self._version, self._versions = self._read_checkpoint(version)
            for commit in range(self._version + 1, version + 1):
                self._versions |= self._read_commit(commit)
            self._version = version

    def _read_checkpoint(self, version: int) -> tuple[int, dict[str, int]]:
        """Return the version of the newest usable checkpoint and its transactions; -1 and none if the complete log must
        be read.
        """
        import pyarrow.parquet as pq

        from ml_assets.core.tables.arrow_memory import open_content

        try:
            newest = json.loads(self._read("_last_checkpoint"))
        except FileNotFoundError:
            return -1, {}
        checkpoint = newest["version"]
        # Another process may have committed in the meantime; a refreshed table will use its checkpoint.
        if checkpoint > version or newest.get("parts"):
            return -1, {}
        try:
            content = self._read(f"{checkpoint:020d}.checkpoint.parquet")
        except FileNotFoundError:
            return -1, {}
        # `read_table` imports Arrow's datasets, and with them pandas.
        parquet = pq.ParquetFile(open_content(content), pre_buffer=False)
        rows = parquet.read(["txn"], use_threads=False)["txn"].to_pylist()
        return checkpoint, {row["appId"]: row["version"] for row in rows if row and row["appId"] is not None}

    def _read_commit(self, version: int) -> dict[str, int]:
        name = f"{version:020d}.json"
        try:
            actions = [json.loads(line) for line in self._read(name).splitlines() if line.strip()]
        except FileNotFoundError:
            raise ValueError(f"{name} is gone") from None
        _check_complete(name, actions)
        return {action["txn"]["appId"]: action["txn"]["version"] for action in actions if "txn" in action}

    def _read(self, name: str) -> bytes:
        return self._read_file(f"_delta_log/{name}")


def _check_complete(name: str, actions: list[dict]) -> None:
    """Check that a commit was not cut off at the end of a line, which delta-rs would accept as a smaller commit.

    Raises:
        ValueError: when it has no commit info, which is its first line, or fewer files than its commit info counts.
    """
    info = next((action["commitInfo"] for action in actions if "commitInfo" in action), None)
    if info is None:
        raise ValueError(f"{name} is empty" if not actions else f"{name} is cut off: it has no commit info")
    metrics = info.get("operationMetrics") or {}
    for action, metric in (("add", "num_added_files"), ("remove", "num_removed_files")):
        number = sum(action in entry for entry in actions)
        if number < int(metrics.get(metric) or 0):
            raise ValueError(f"{name} is cut off: it has {number} of {metrics[metric]} files ({action})")
