"""The tables of the model registry in an SQLite store, read without MLflow.

Reason: a day with nothing to do only checks that its version and the aliases still exist, and importing MLflow and
connecting it to a store takes 1.5 seconds of CPU time, half of such a day.
Public API that would replace it: an MLflow client with few imports of its own.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_assets.resources.mlflow_internals.empty_store import is_template_of_installed_version, template_revision

# The stage that MLflow gives to a version instead of removing its row.
DELETED = "Deleted_Internal"


@dataclass(frozen=True)
class StoredModel:
    """A registered model with the attributes of MLflow's: versions by alias, tags, when it was created, and when it or
    one of its versions was changed, in milliseconds since 1970.
    """

    aliases: Mapping[str, int]
    tags: Mapping[str, str]
    creation_timestamp: int | None
    last_updated_timestamp: int | None


class RegistryTables:
    """The registry in the file of a store, read-only.

    Each method raises sqlite3.Error when the file cannot be read.
    """

    def __init__(self, path: Path):
        self._path = path

    def has_known_schema(self) -> bool:
        """Return whether the tables are those of the installed MLflow, without models in other workspaces."""
        workspaces = {workspace for (workspace,) in self._rows("SELECT DISTINCT workspace FROM registered_models")}
        if not workspaces <= {"default"}:
            return False
        revisions = [revision for (revision,) in self._rows("SELECT version_num FROM alembic_version")]
        return is_template_of_installed_version() and revisions == [template_revision()]

    def model(self, name: str) -> StoredModel | None:
        """Return the registered model `name`; None if there is none."""
        models = self._rows("SELECT creation_time, last_updated_time FROM registered_models WHERE name = ?", name)
        if not models:
            return None
        aliases = self._rows("SELECT alias, version FROM registered_model_aliases WHERE name = ?", name)
        tags = self._rows('SELECT "key", value FROM registered_model_tags WHERE name = ?', name)
        return StoredModel(dict(aliases), dict(tags), *models[0])

    def versions(self, name: str) -> list[tuple[int, str]]:
        """Return number and tag `model_digest` of each version of model `name` that has the tag."""
        return self._rows(
            "SELECT version, value FROM model_versions JOIN model_version_tags USING (workspace, name, version) "
            "WHERE name = ? AND \"key\" = 'model_digest' AND current_stage IS NOT ?",
            name,
            DELETED,
        )

    def versions_of(self, name: str, digest: str) -> list[int]:
        """Return the numbers of the versions of model `name` whose tag `model_digest` is a digest."""
        rows = self._rows(
            "SELECT version FROM model_versions JOIN model_version_tags USING (workspace, name, version) "
            "WHERE name = ? AND \"key\" = 'model_digest' AND value = ? AND current_stage IS NOT ?",
            name,
            digest,
            DELETED,
        )
        return [number for (number,) in rows]

    def source(self, name: str, number: int) -> str | None:
        """Return the location of the files of a version; None if there is no such version."""
        rows = self._rows(
            "SELECT source FROM model_versions WHERE name = ? AND version = ? AND current_stage IS NOT ?",
            name,
            number,
            DELETED,
        )
        return rows[0][0] if rows else None

    def _rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, timeout=60)) as store:
            return store.execute(statement, parameters).fetchall()
