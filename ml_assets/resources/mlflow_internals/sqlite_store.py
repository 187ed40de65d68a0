"""The file of an SQLite store: whether it is complete, and the absolute paths of artifacts in it.

Reason: MLflow stores the location of artifacts as an absolute path, so a store that is moved or copied together with
its artifacts reads and writes them at the old place. It also accepts a file without tables, or with only some of them,
as a store.
Public API that would replace it: locations relative to the store, or a method of `MlflowClient` that changes them.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

ARTIFACTS = "mlartifacts"
# Every column with the location of artifacts.
LOCATIONS = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}
BESIDE_A_STORE = re.compile(rf"(file://.*/{ARTIFACTS})/([^/]+)")


def is_empty(path: Path) -> bool:
    """Return whether a file has no tables, as after an interruption or if somebody created it."""
    with closing(sqlite3.connect(path)) as store:
        return store.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0


def relocate_artifacts(path: Path) -> list[str]:
    """Update the locations of artifacts that lie next to a moved or copied store; return the old locations.

    Artifacts count as moved if the folder next to the store has those of the experiment. Artifacts that the
    configuration put elsewhere keep their location.
    """
    artifacts = path.parent / ARTIFACTS
    with closing(sqlite3.connect(path, timeout=60)) as store:
        locations = [location or "" for (location,) in store.execute("SELECT artifact_location FROM experiments")]
        matches = [match for location in locations if (match := BESIDE_A_STORE.fullmatch(location))]
        roots = sorted({match[1] for match in matches if (artifacts / unquote(match[2])).is_dir()})
        old = [root for root in roots if Path(unquote(urlsplit(root).path)).resolve() != artifacts.resolve()]
        with store:
            for root in old:
                for table, columns in LOCATIONS.items():
                    for column in columns:
                        # The names are the constants above, never user input.
                        statement = (
                            f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608
                            f"WHERE substr({column}, 1, ?) = ?"
                        )
                        store.execute(
                            statement,
                            (artifacts.as_uri(), len(root) + 1, len(root) + 1, f"{root}/"),
                        )
    return old
