"""Deploy target: a directory or bucket with the champion's model and a metadata.json, which is replaced atomically."""

import hashlib
import json
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

import dagster as dg

from ml_assets.core.model.files import ARTIFACTS, PREPROCESSING
from ml_assets.core.operations.failures.damaged_state import DEPLOY_MANIFEST
from ml_assets.resources.storage.bucket import Bucket
from ml_assets.resources.storage.directory import Directory
from ml_assets.resources.storage.open_store import open_objects

METADATA = "metadata.json"


class DeployTarget(dg.ConfigurableResource):
    """The directory, or s3://bucket/prefix, from which production loads the champion.

    Under `<uri>/<model>/` there is a folder for each digest, whose files never change, and metadata.json, which names
    the files of the champion. Only metadata.json is ever replaced, by one atomic write after the files that it names,
    so a reader that begins with it finds one complete model.
    """

    uri: str
    s3: dict[str, str] = {}
    """Arguments of dagster-aws's S3Resource for s3:// (endpoint_url, region_name)."""

    def metadata(self, model: str) -> dict[str, Any] | None:
        """Return the metadata of the published model, whatever the state of its files; None if the metadata are missing
        or unreadable.
        """
        try:
            metadata = json.loads(self._files.read(f"{model}/{METADATA}"))
        except (FileNotFoundError, ValueError):
            return None
        return metadata if isinstance(metadata, dict) else None

    def published(self, model: str) -> dict[str, Any] | None:
        """Return the metadata of the published model; None if there is none, or it is incomplete or damaged."""
        metadata = self.metadata(model)
        try:
            named = {f"{model}/{file['path']}" for file in (metadata or {})["files"].values()}
            return metadata if named <= set(self._files.keys(f"{model}/{(metadata or {})['model_digest']}/")) else None
        except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def damage(self, model: str) -> str | None:
        """Return a message if metadata.json does not identify the published model; None if it does, or there is
        none.
        """
        try:
            metadata = json.loads(self._files.read(f"{model}/{METADATA}"))
            _ = [file["path"] for file in metadata["files"].values()], metadata["model_digest"]
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, AttributeError):
            path = f"{self.uri.rstrip('/')}/{model}/{METADATA}"
            return DEPLOY_MANIFEST.explain(path, "it is not JSON with the files of a model", model)
        return None

    def read_files(self, model: str, digest: str) -> dict[str, bytes]:
        """Return the files of a published model.

        Raises:
            FileNotFoundError: when one is missing.
        """
        return {name: self.read_file(model, digest, name) for name in ARTIFACTS}

    def read_file(self, model: str, digest: str, name: str) -> bytes:
        """Return a file of a published model.

        Raises:
            FileNotFoundError: when it is missing.
        """
        return self._files.read(f"{model}/{digest}/{name}")

    def digests(self, model: str) -> list[str]:
        """Return the digests of the models that have files here, sorted."""
        keys = (key.removeprefix(f"{model}/").partition("/") for key in self._files.keys(f"{model}/"))
        return sorted({digest for digest, _, name in keys if name})

    def problem(self, model: str) -> str | None:
        """Return how the files named in metadata.json differ from it; None if they do not, or nothing is published.

        Readers compare each of these files with its SHA-256 in metadata.json before they load it.
        """
        try:
            metadata = json.loads(self._files.read(f"{model}/{METADATA}"))
            for name, file in metadata["files"].items():
                content = self._files.read(f"{model}/{file['path']}")
                if hashlib.sha256(content).hexdigest() != file["sha256"]:
                    return f"{name} does not have the SHA-256 that it states"
                if name == PREPROCESSING and json.loads(content).get("threshold") != metadata["threshold"]:
                    return f"the threshold {metadata['threshold']} is not that of {name}"
        except FileNotFoundError as error:
            return f"a file is missing ({error})" if self._files_of(model) else None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return f"it cannot be read ({type(error).__name__}: {error})"
        return None

    def _files_of(self, model: str) -> bool:
        return next(iter(self._files.keys(f"{model}/")), None) is not None

    def publish(self, metadata: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        """Publish a model: its files first, then the metadata that names them.

        Args:
            metadata: the result of `core.release.deployment_manifest.metadata` for the files.
            files: content by name.
        """
        model = metadata["model"]
        for name, content in files.items():
            self._files.write(f"{model}/{metadata['files'][name]['path']}", content)
        self._files.write(f"{model}/{METADATA}", (json.dumps(metadata, indent=1) + "\n").encode())

    def remove_others(self, model: str, keep: Collection[str]) -> None:
        """Remove the folders of all digests that are not in `keep`."""
        root = f"{model}/"
        for key in list(self._files.keys(root)):
            digest, _, name = key.removeprefix(root).partition("/")
            if name and digest not in keep:
                self._files.delete(key)

    @cached_property
    def _files(self) -> Directory | Bucket:
        return open_objects(self.uri, self.s3)
