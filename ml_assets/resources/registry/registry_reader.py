"""Reading of the registry: the registered model and its versions.

An SQLite store is read from its tables, so that a day with nothing to do does not load MLflow and the scoring service
can poll it every second at little cost. Every other store is read through MLflow's client.
"""

import sqlite3
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from ml_assets.resources.databases.uri_secrets import reveal
from ml_assets.resources.mlflow.connection import sqlite_path, use_sqlite_store
from ml_assets.resources.mlflow_internals.registry_tables import RegistryTables, StoredModel
from ml_assets.resources.registry.aliases import registered_model

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import RegisteredModel

VERSIONS_PER_PAGE = 1000


class RegistryReader(Protocol):
    """Interface for reading the registry; names and digests must consist of safe characters."""

    def versions(self, name: str) -> Iterable[tuple[int, str]]:
        """Return number and digest of each version of a model."""
        ...

    def versions_of(self, name: str, digest: str) -> Iterable[int]:
        """Return the numbers of the versions with a digest."""
        ...

    def model(self, name: str) -> "StoredModel | RegisteredModel | None":
        """Return a registered model with aliases and tags; None if there is none."""
        ...

    def source(self, name: str, number: int) -> str:
        """Return the location of the files of a version; empty if it has none."""
        ...


class ClientReader:
    """Reads the registry through MLflow's client."""

    def __init__(self, client: "MlflowClient"):
        self._client = client

    def versions(self, name: str) -> Iterable[tuple[int, str]]:
        """Return number and digest of each version of a model, in as many requests as there are pages."""
        token = None
        while True:
            page = self._client.search_model_versions(
                f"name = '{name}'", max_results=VERSIONS_PER_PAGE, page_token=token
            )
            for version in page:
                if digest := version.tags.get("model_digest"):
                    yield int(version.version), digest
            token = page.token
            if not token:
                return

    def versions_of(self, name: str, digest: str) -> Iterable[int]:
        """Return the numbers of the versions with a digest, in one request."""
        versions = self._client.search_model_versions(f"name = '{name}' and tags.model_digest = '{digest}'")
        return [int(version.version) for version in versions]

    def model(self, name: str) -> "RegisteredModel | None":
        """Return a registered model with aliases and tags, in one request; None if there is none."""
        return registered_model(self._client, name)

    def source(self, name: str, number: int) -> str:
        """Return the location of the files of a version, in one request."""
        return self._client.get_model_version(name, str(number)).source or ""


class TableReader:
    """Reads the registry from the tables of an SQLite store."""

    def __init__(self, tables: RegistryTables):
        self._tables = tables

    def versions(self, name: str) -> Iterable[tuple[int, str]]:
        """Return number and digest of each version of a model."""
        return self._tables.versions(name)

    def versions_of(self, name: str, digest: str) -> Iterable[int]:
        """Return the numbers of the versions with a digest."""
        return self._tables.versions_of(name, digest)

    def model(self, name: str) -> StoredModel | None:
        """Return a registered model with aliases and tags; None if there is none."""
        return self._tables.model(name)

    def source(self, name: str, number: int) -> str:
        """Return the location of the files of a version."""
        return self._tables.source(name, number) or ""


def open_reader(uri: str, connect_client: "Callable[[], MlflowClient]") -> RegistryReader:
    """Open a reader of the registry at a URI, which may be hidden.

    Raises:
        MlflowUnavailable: when it cannot be reached or is damaged.
    """
    path = sqlite_path(reveal(uri))
    if path is None:
        return ClientReader(connect_client())
    use_sqlite_store(reveal(uri), path)
    tables = RegistryTables(path)
    try:
        is_known = tables.has_known_schema()
    except sqlite3.Error:
        # MLflow reports why.
        is_known = False
    return TableReader(tables) if is_known else ClientReader(connect_client())
