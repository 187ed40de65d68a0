"""The days and fingerprints that registered versions need, read from their provenance."""

from collections.abc import Iterable, Mapping
from datetime import date

from ml_assets.core.model.files import PROVENANCE
from ml_assets.core.operations.retention import ModelVersion
from ml_assets.pipeline.retention.result import ProvenanceUnreadable
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import artifacts_key

NeededDays = Mapping[str, Mapping[date, int]]
"""Fingerprints by table and day."""


class ProvenanceNeeds:
    """Reads the provenance of versions, each digest once."""

    def __init__(self, lake: Lake, model: str):
        self._lake = lake
        self._model = model
        self._by_digest: dict[str, NeededDays] = {}

    def read(self, versions: Iterable[ModelVersion]) -> list[tuple[ModelVersion, NeededDays]]:
        """Return each version with the days that its provenance names, by table, and their fingerprints.

        Raises:
            ProvenanceUnreadable: when the provenance of a version cannot be read.
        """
        return [(version, self._read(version)) for version in versions]

    def _read(self, version: ModelVersion) -> NeededDays:
        from ml_assets.core.training.provenance import days_named

        if version.digest not in self._by_digest:
            key = f"{artifacts_key(self._model, version.digest)}/{PROVENANCE}"
            try:
                self._by_digest[version.digest] = days_named(self._lake.files.read(key))
            except Exception as error:
                raise ProvenanceUnreadable(
                    f"{self._model}: the provenance of {version}, {key} in the lake, cannot be read ({error}), so what "
                    "that version needs is not known, and nothing was removed. Put the file back (the version's "
                    "artifacts in MLflow hold a copy), or delete the version."
                ) from error
        return self._by_digest[version.digest]
