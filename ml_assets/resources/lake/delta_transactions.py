"""The transactions that a Delta table's log holds: application to version, all of them at once."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deltalake import DeltaTable

# Reading more commits than this one by one takes longer than beginning again at the newest checkpoint.
MOST_COMMITS_TO_FOLLOW = 20


class Transactions:
    """The last version of each application's transaction, as of the version of a table that is open.

    delta-rs answers for one application at a time, and reads the log since the newest checkpoint for each answer:
    measured on S3, 60 applications cost 468 requests, where these cost a dozen.
    https://github.com/delta-io/delta/blob/master/PROTOCOL.md says how the log is laid out.

    Args:
        table: the table.
        read_file: the content of a file under the table, by its path there; FileNotFoundError where there is none.
    """

    def __init__(self, table: "DeltaTable", read_file: Callable[[str], bytes]):
        self._table, self._read_file = table, read_file
        self._found: dict[str, int] = {}
        self._version = -1

    def get(self, application: str) -> int | None:
        """The version of an application's last transaction; None when it has none."""
        if self._version != (version := self._table.version()):
            if not 0 <= self._version < version <= self._version + MOST_COMMITS_TO_FOLLOW:
                self._version, self._found = self._from_checkpoint(version)
            for commit in range(self._version + 1, version + 1):
                self._found |= self._of_commit(commit)
            self._version = version
        return self._found.get(application)

    def _from_checkpoint(self, version: int) -> tuple[int, dict[str, int]]:
        """(version of the newest usable checkpoint, its transactions); (-1, none) where the whole log has to be
        read.
        """
        import pyarrow.parquet as pq

        from ml_assets.core.tables.arrow_memory import open_content

        try:
            newest = json.loads(self._read("_last_checkpoint"))
        except FileNotFoundError:
            return -1, {}
        at = newest["version"]
        if at > version or newest.get("parts"):
            # Another process went on meanwhile; whoever refreshes will use it.
            return -1, {}
        checkpoint = pq.read_table(open_content(self._read(f"{at:020d}.checkpoint.parquet")), columns=["txn"])
        rows = checkpoint["txn"].to_pylist()
        return at, {row["appId"]: row["version"] for row in rows if row and row["appId"] is not None}

    def _of_commit(self, version: int) -> dict[str, int]:
        actions = [json.loads(line) for line in self._read(f"{version:020d}.json").splitlines() if line.strip()]
        return {action["txn"]["appId"]: action["txn"]["version"] for action in actions if "txn" in action}

    def _read(self, name: str) -> bytes:
        return self._read_file(f"_delta_log/{name}")
