"""The lake: one Delta table for each model and asset, and plain files next to them, in a directory or on S3."""

import os
import re
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import PrivateAttr

from ml_assets.resources.lake.day_files import DAY
from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.table import Table
from ml_assets.resources.lake.table_files import bytes_by_day
from ml_assets.resources.lake.table_folder import TableFolder
from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.conditional_puts import StoreUnfit, check_conditional_puts
from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.open_store import open_objects

if TYPE_CHECKING:
    import pyarrow as pa

# (URI, endpoint) of the lakes on S3 whose store this process has checked to be safe for commits.
_CHECKED_STORES: set[tuple[str, str]] = set()
# delta-rs treats a path as a URL: it decodes %20, reads a backslash as a slash, and allows no line break.
_NOT_IN_PATHS = re.compile(r"%[0-9A-Fa-f]{2}|[\r\n]" + ("" if os.sep == "\\" else r"|\\"))


def check_lake_path(uri: str, name: str) -> None:
    """Check that Delta tables can be in a directory.

    Args:
        uri: the directory, or the URI of a bucket, for which nothing is checked.
        name: that of the environment variable with the URI, for the message.

    Raises:
        ValueError: when the path has characters that delta-rs does not take as they are; the message names them.
    """
    if not uri.startswith("s3://") and (match := _NOT_IN_PATHS.search(uri)):
        raise ValueError(
            f"{name} {uri!r}: Delta tables cannot be under a path with {match[0]!r}; rename the folder, or set {name} "
            "to another one"
        )


class Lake(dg.ConfigurableResource):
    """The lake: a directory, or s3://bucket/prefix."""

    uri: str
    s3: dict[str, str] = {}
    """Arguments of dagster-aws's S3Resource for s3:// (endpoint_url, region_name)."""

    def __reduce__(self) -> tuple[object, ...]:
        """Send the location to another process, which opens it with its own credentials."""
        return _open, (self.uri, dict(self.s3))

    _tables: dict[str, Table] = PrivateAttr(default_factory=dict)

    def table(self, model: str, asset: str, schema: "pa.Schema") -> Table:
        """Return the table of an asset, which is created if it does not exist; the same object each time.

        Args:
            model: name of the model.
            asset: name of the asset.
            schema: schema of the table without the day column.

        Raises:
            LakeError: when the lake is on an S3 store that cannot be reached, does not let this process write, or does
                not honour the conditional puts that keep commits apart (checked once in a process).
        """
        uri, _ = self.location(model, asset)
        table = self._tables.get(uri)
        if table is None or table.schema.remove(0) != schema:
            table = self._open_table(uri, schema, TableFolder(self.files, f"{model}/{asset}"))
            self._tables[uri] = table
        return table

    def existing_table(self, model: str, asset: str) -> Table:
        """Open an existing table with its current columns.

        Raises:
            LakeError: as `table`.
            deltalake.exceptions.TableNotFoundError: when it does not exist.
        """
        import pyarrow as pa
        from deltalake import DeltaTable

        uri, options = self.location(model, asset)
        schema = pa.schema(DeltaTable(uri, storage_options=options).schema().to_arrow())
        columns = schema.remove(schema.get_field_index(DAY))
        return self._open_table(uri, columns, TableFolder(self.files, f"{model}/{asset}"))

    def _open_table(self, uri: str, schema: "pa.Schema", folder: TableFolder) -> Table:
        return Table(uri, schema, self._storage_options, folder)

    def location(self, model: str, asset: str) -> tuple[str, dict[str, str]]:
        """Return URI and storage options of a Delta table, for delta-rs.

        Raises:
            LakeError: when the lake is on an S3 store that cannot be reached, does not let this process write, or does
                not honour conditional puts.
        """
        self._check_store()
        return self._uri(f"{model}/{asset}"), self._storage_options

    def exists(self, model: str, asset: str) -> bool:
        """Return whether the table exists."""
        # delta-rs's own is_deltatable blocks all other threads of the process while it waits for S3.
        return next(self.files.keys(f"{model}/{asset}/_delta_log/"), None) is not None

    def bytes_by_day(self, model: str, asset: str) -> dict[date, int]:
        """Return the bytes of the Parquet files of each day of a table; empty if it does not exist."""
        if not self.exists(model, asset):
            return {}
        from deltalake import DeltaTable

        return bytes_by_day(DeltaTable(self._uri(f"{model}/{asset}"), storage_options=self._storage_options))

    @cached_property
    def files(self) -> Directory | Bucket:
        """Plain files of the lake, such as model artifacts, by key."""
        return open_objects(self.uri, self.s3)

    def _check_store(self) -> None:
        store = (self.uri, self.s3.get("endpoint_url", ""))
        if isinstance(self.files, Bucket) and store not in _CHECKED_STORES:
            try:
                check_conditional_puts(self.files)
            except StoreUnfit as unfit:
                raise LakeError(f"the lake {self.uri} cannot be used: {unfit}") from unfit
            _CHECKED_STORES.add(store)

    @property
    def _storage_options(self) -> dict[str, str]:
        """Options of delta-rs except credentials, which it finds itself. Conditional puts make its commits safe
        on S3.
        """
        if not self.uri.startswith("s3://"):
            return {}
        endpoint = self.s3.get("endpoint_url", "")
        options = {"aws_conditional_put": "etag", "AWS_REGION": self.s3.get("region_name", "us-east-1")}
        if endpoint:
            options |= {"AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": str(endpoint.startswith("http://")).lower()}
        return options

    def _uri(self, key: str) -> str:
        return f"{self.uri.rstrip('/')}/{key}"


def _open(uri: str, s3: dict[str, str]) -> Lake:
    return Lake(uri=uri, s3=s3)
