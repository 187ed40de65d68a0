"""Deploy target: a directory or bucket that always holds the champion's model and metadata.json, replaced whole."""

import json
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

import dagster as dg

from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.open_store import open_objects

METADATA = "metadata.json"


class DeployTarget(dg.ConfigurableResource):
    """Where production takes the champion from: a directory, or s3://bucket/prefix.

    Under `<uri>/<model>/` lies a folder for each digest, whose files never change, and metadata.json, which names the
    files of the champion. It is the only file that is ever replaced, by one atomic write after the files that it names,
    so who begins with it finds one whole model.
    """

    uri: str
    s3: dict[str, str] = {}
    """Arguments of dagster-aws's S3Resource for s3:// (endpoint_url, region_name)."""

    def published(self, model: str) -> dict[str, Any] | None:
        """The metadata of the model that lies there; None where there is none, or it cannot be used."""
        try:
            found = json.loads(self._files.read(f"{model}/{METADATA}"))
            named = {f"{model}/{file['path']}" for file in found["files"].values()}
            return found if named <= set(self._files.keys(f"{model}/{found['model_digest']}/")) else None
        except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def publish(self, metadata: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        """Put a model there: its files first, then what names them.

        Args:
            metadata: what `core.deployed_model.metadata` gives for the files.
            files: content by name.
        """
        model = metadata["model"]
        for name, content in files.items():
            self._files.write(f"{model}/{metadata['files'][name]['path']}", content)
        self._files.write(f"{model}/{METADATA}", (json.dumps(metadata, indent=1) + "\n").encode())

    def remove_others(self, model: str, keep: Collection[str]) -> None:
        """Remove the folders of all digests but some."""
        root = f"{model}/"
        for key in list(self._files.keys(root)):
            digest, _, name = key.removeprefix(root).partition("/")
            if name and digest not in keep:
                self._files.delete(key)

    @cached_property
    def _files(self) -> Directory | Bucket:
        return open_objects(self.uri, self.s3)
