"""Model registry in MLflow: exactly one version for each model digest."""

import logging
import random
import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import PrivateAttr

from ml_assets.core.release.registry_state import RegistryState
from ml_assets.resources.databases.uri_secrets import reveal, without_credentials
from ml_assets.resources.mlflow.connection import HTTP, connect, quiet_mlflow, sqlite_path
from ml_assets.resources.mlflow.manual_run import ManualRun
from ml_assets.resources.mlflow.model_format import log_model
from ml_assets.resources.mlflow.model_record import ModelRecord
from ml_assets.resources.mlflow.tracking import RUN_TAG, TrackedRun
from ml_assets.resources.observability.redaction import redact_text
from ml_assets.resources.registry.aliases import alias_holder
from ml_assets.resources.registry.registry_reader import RegistryReader, open_reader
from ml_assets.resources.registry.version_description import COMMIT_TAG, LONGEST, NOTE_TAG, code_commit, description
from ml_assets.resources.registry.version_files import lacks_files
from ml_assets.resources.registry.version_tags import safe_in_a_filter
from ml_assets.resources.registry.version_updates import link_model_to_version, update_version

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion

log = logging.getLogger("ml_assets.registry")
ATTEMPTS = 8


@dataclass(frozen=True)
class RegisteredVersion:
    """The version of a model with a digest, the MLflow run that it came from, and whether this call created it."""

    version: int
    run_id: str
    created: bool


class ModelRegistry(dg.ConfigurableResource):
    """The registry of models."""

    tracking_uri: str
    """`http://...` of an MLflow server, or a database (`sqlite:////data/mlflow.db`, `postgresql://...`, hidden if it
    contains a user).
    """

    dagster_ui: str = ""
    """URL of Dagster's webserver, for links to it; without it there are no links."""

    _connected: "MlflowClient | None" = PrivateAttr(default=None)
    _reader: RegistryReader | None = PrivateAttr(default=None)

    def registered(self, name: str) -> dict[str, int]:
        """Return the lowest version of each digest of model `name`, in one search. A sqlite store that does not exist
        is not created for it.

        Raises:
            ValueError: when the name has other characters than letters, digits, `_`, `:` and `-`.
            MlflowUnavailable: when the registry cannot be reached.
        """
        if not self.may_hold_models():
            return {}
        versions: dict[str, int] = {}
        for number, digest in self.reader.versions(safe_in_a_filter("name", name)):
            versions[digest] = min(number, versions.get(digest, number))
        return versions

    def numbers(self, name: str, digests: Collection[str]) -> dict[str, int]:
        """Return the lowest version of each of the given digests of model `name` that is registered; only these
        versions are read.

        Raises:
            ValueError, MlflowUnavailable: as `registered`.
        """
        if not self.may_hold_models():
            return {}
        safe_in_a_filter("name", name)
        versions = {digest: [*self.reader.versions_of(name, safe_in_a_filter("digest", digest))] for digest in digests}
        return {digest: min(same) for digest, same in versions.items() if same}

    def register(self, run: TrackedRun | ManualRun, record: ModelRecord) -> RegisteredVersion:
        """Return the version with the record's digest; create it, with a nested MLflow run, if there is none.

        However many processes register the same digest, at the same time or one after another, one version remains:
        each process creates its version after everything else is logged, with the digest in the same request, then
        searches all versions with that digest. Numbers are assigned in the order in which versions become visible, so
        each process sees all lower numbers, and all keep the lowest. A process that dies first leaves an MLflow run
        without a version; one that dies right after may leave a second version, which the next registration removes.

        Args:
            run: the MLflow run of the Dagster run; used only if there is no such version.
            record: the model.

        Raises:
            ValueError: when name or digest has other characters than letters, digits, `_`, `:` and `-`, or the example
                lacks a feature.
            MlflowUnavailable: when MLflow cannot be reached.
        """
        if self._numbers(record) and (version := self._keep_lowest_version(record.name, record.digest)):
            update_version(self.client, version, record, self.dagster_ui)
            return RegisteredVersion(int(version.version), version.run_id or "", created=False)
        commit = code_commit()
        describe = partial(description, record, run.dagster_run_id, self.dagster_ui, commit)
        tags = {**record.all_tags(), NOTE_TAG: describe(), **({COMMIT_TAG: commit} if commit else {})}
        with quiet_mlflow(), run.nested(f"{record.name} {record.day}", tags) as run_log:
            logged = log_model(run_log, run.experiment_id, record)
            version = self._create_version(record, run_log.run_id, logged, run.dagster_run_id, describe(run_log.run_id))
        if version is None or self._numbers(record) != [int(version.version)]:
            version = self._keep_lowest_version(record.name, record.digest)
        if version is None:
            raise RuntimeError(
                f"the version of {record.name} of {record.day} was deleted by somebody right after it was created; "
                "register it again"
            )
        if version.run_id != run_log.run_id:
            run.client.delete_logged_model(logged.model_id)
            run.client.delete_run(run_log.run_id)
            return RegisteredVersion(int(version.version), version.run_id or "", created=False)
        link_model_to_version(run.client, logged.model_id, version)
        return RegisteredVersion(int(version.version), run_log.run_id, created=True)

    def create_model(self, record: ModelRecord) -> None:
        """Create the registered model, unless it exists or another process creates it."""
        from mlflow.exceptions import MlflowException

        try:
            self.client.create_registered_model(record.name, description=redact_text(record.about)[:LONGEST] or None)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def alias_version(self, name: str, alias: str) -> int | None:
        """Return the number of the version that `alias` of model `name` points to; None if there is none."""
        holder = self.alias_holder(name, alias)
        return int(holder.version) if holder is not None else None

    def alias_holder(self, name: str, alias: str) -> "ModelVersion | None":
        """Return the version that `alias` of model `name` points to, with its tags; None if there is none.

        Raises:
            MlflowUnavailable: when the registry cannot be reached.
        """
        return alias_holder(self.client, name, alias) if self.may_hold_models() else None

    def release_state(self, name: str) -> RegistryState | None:
        """Return the release state of the registered model `name`; None if there is no such model."""
        model = self.reader.model(name) if self.may_hold_models() else None
        return None if model is None else RegistryState.of(model.aliases, model.tags, model.last_updated_timestamp)

    def lacks_files(self, name: str, number: int) -> bool:
        """Return whether files of a version are gone from MLflow's artifact store, see `version_files.lacks_files`."""
        return lacks_files(self.reader.source(name, number), reveal(self.tracking_uri))

    def holder_of(self, digest: str) -> str | None:
        """Return the name of any registered model that has a version with a digest; None if there is none."""
        if not self.may_hold_models():
            return None
        versions = self.client.search_model_versions(
            f"tags.model_digest = '{safe_in_a_filter('digest', digest)}'", max_results=1
        )
        return versions[0].name if versions else None

    def version_url(self, name: str, number: int) -> str | None:
        """Return the URL of the page of a version, without user and password; None if the registry is a database, which
        has no pages.
        """
        if not HTTP.match(self.tracking_uri):
            return None
        return f"{without_credentials(self.tracking_uri).rstrip('/')}/#/models/{name}/versions/{number}"

    @property
    def reader(self) -> RegistryReader:
        """The reader of the registry, opened on first use."""
        if self._reader is None:
            self._reader = open_reader(self.tracking_uri, lambda: self.client)
        return self._reader

    @property
    def client(self) -> "MlflowClient":
        """MLflow's client of the registry, connected on first use."""
        if self._connected is None:
            self._connected = connect(self.tracking_uri)
        return self._connected

    def may_hold_models(self) -> bool:
        """Return whether there is a store to search, so that a search does not create a sqlite file."""
        path = sqlite_path(self.tracking_uri)
        return path is None or path.exists()

    def _numbers(self, record: ModelRecord) -> list[int]:
        """Return the numbers of the versions with the digest of a record."""
        name, digest = safe_in_a_filter("name", record.name), safe_in_a_filter("digest", record.digest)
        return list(self.reader.versions_of(name, digest)) if self.may_hold_models() else []

    def _versions(self, name: str, digest: str) -> "list[ModelVersion]":
        versions = self.client.search_model_versions(
            f"name = '{safe_in_a_filter('name', name)}' and tags.model_digest = '{safe_in_a_filter('digest', digest)}'"
        )
        return sorted(versions, key=lambda version: int(version.version))

    def _keep_lowest_version(self, name: str, digest: str) -> "ModelVersion | None":
        """Return the lowest version with the digest, after the others are removed. Their aliases move to it, because it
        is the same model.
        """
        from mlflow.exceptions import MlflowException

        versions = self._versions(name, digest)
        for extra in versions[1:]:
            log.warning(
                "version %s of %s is the same model as version %s: removed", extra.version, name, versions[0].version
            )
            try:
                for alias in self.client.get_model_version(name, extra.version).aliases:
                    self.client.set_registered_model_alias(name, alias, versions[0].version)
                self.client.delete_model_version(name, extra.version)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
        return versions[0] if versions else None

    def _create_version(
        self, record: ModelRecord, run_id: str, logged: "LoggedModel", dagster_run_id: str, note: str
    ) -> "ModelVersion | None":
        """Create and return a version; None if the request is refused while another process created one with the same
        digest.
        """
        from mlflow.exceptions import MlflowException

        tags = {**record.version_tags(), RUN_TAG: dagster_run_id}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                # await_creation_for is meant for stores that copy files; here it would add a request and a pause.
                return self.client.create_model_version(
                    record.name,
                    logged.artifact_location,
                    run_id,
                    tags,
                    description=note,
                    await_creation_for=0,
                    model_id=logged.model_id,
                )
            except MlflowException as error:
                if error.error_code == "RESOURCE_DOES_NOT_EXIST" and attempt == 1:
                    self.create_model(record)
                    continue
                # MLflow gives up (INTERNAL_ERROR) after three collisions of version numbers without a pause.
                if self._versions(record.name, record.digest):
                    return None
                if attempt == ATTEMPTS or error.error_code not in ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE"):
                    raise
                time.sleep(random.uniform(0.05, 0.2) * attempt)
        return None
