"""Model registry in MLflow: exactly one version per model digest."""

import json
import logging
import random
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import PrivateAttr

from ml_assets.resources.mlflow.connection import HTTP, connect, quiet_mlflow, shown, sqlite_path
from ml_assets.resources.mlflow.model_format import ModelRecord, log_model
from ml_assets.resources.mlflow.tracking import FINISHED, RUN_TAG, TrackedRun
from ml_assets.resources.registry.aliases import alias_holder
from ml_assets.resources.registry.version_description import COMMIT_TAG, NOTE_TAG, code_commit, description, title

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion

log = logging.getLogger("ml_assets.registry")
SAFE_IN_A_FILTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_:-]{0,127}")
ATTEMPTS, VERSIONS_PER_PAGE = 8, 1000


@dataclass(frozen=True)
class RegisteredVersion:
    """The one version of a model with a digest, the MLflow run that it came from, and whether this call made it."""

    version: int
    run_id: str
    created: bool


class ModelRegistry(dg.ConfigurableResource):
    """The registry of models."""

    tracking_uri: str
    """`http://...` of an MLflow server, or a database (`sqlite:////data/mlflow.db`, `postgresql://...`, hidden when it
    names a user).
    """

    dagster_ui: str = ""
    """Address of Dagster's webserver, for links to it; there are none without it."""

    _connected: "MlflowClient | None" = PrivateAttr(default=None)

    def registered(self, name: str) -> dict[str, int]:
        """The lowest version of each digest of model `name`: one question for all days. A sqlite store that does not
        exist is not made for it.

        Raises:
            ValueError: when the name has other characters than letters, digits, `_`, `:` and `-`.
            MlflowUnavailable: when the registry cannot be reached.
        """
        if not self.may_hold_models():
            return {}
        found: dict[str, int] = {}
        token = None
        while True:
            page = self._client().search_model_versions(
                f"name = '{_safe('name', name)}'", max_results=VERSIONS_PER_PAGE, page_token=token
            )
            for version in page:
                if digest := version.tags.get("model_digest"):
                    found[digest] = min(int(version.version), found.get(digest, int(version.version)))
            token = page.token
            if not token:
                return found

    def register(self, run: TrackedRun, record: ModelRecord) -> RegisteredVersion:
        """The version of the model with the record's digest; it is made, with a nested MLflow run, when there is none.

        However many processes register the same digest, at the same time or one after another, one version remains:
        each makes its version after all else is logged, with the digest in the same request, then looks at all versions
        with that digest. Numbers are given in the order in which versions become visible, so each sees all lower ones,
        and everybody keeps the lowest. A process that dies before it makes its version leaves an MLflow run without
        one; one that dies right after may leave a second version, which the next registration of the digest removes.

        Args:
            run: the MLflow run of the Dagster run; used only when there is no such version.
            record: the model.

        Raises:
            ValueError: when name or digest has other characters than letters, digits, `_`, `:` and `-`, or the example
                lacks a feature.
            MlflowUnavailable: when MLflow cannot be reached.
        """
        if kept := self._keep_the_lowest(record.name, record.digest):
            self._tell_again(kept, record)
            return RegisteredVersion(int(kept.version), kept.run_id or "", created=False)
        commit = code_commit()
        note = description(record, run.dagster_run_id, self.dagster_ui, commit)
        tags = {**record.all_tags(), NOTE_TAG: note, **({COMMIT_TAG: commit} if commit else {})}
        with quiet_mlflow(), run.nested(f"{record.name} {record.day}", tags) as run_id:
            logged = log_model(run.client, run.experiment_id, run_id, record)
            self._create_version(record, run_id, logged, run.dagster_run_id, note)
        kept = self._keep_the_lowest(record.name, record.digest)
        if kept is None:
            raise RuntimeError(
                f"the version of {record.name} of {record.day} was deleted by somebody right after it was made; register it again"
            )
        if kept.run_id != run_id:
            run.client.delete_logged_model(logged.model_id)
            run.client.delete_run(run_id)
            return RegisteredVersion(int(kept.version), kept.run_id or "", created=False)
        _link(run.client, logged.model_id, kept)
        return RegisteredVersion(int(kept.version), run_id, created=True)

    def _tell_again(self, version: "ModelVersion", record: ModelRecord) -> None:
        """What is known of a version may change while its bytes do not: other gates, a repaired label in the
        holdout.
        """
        client = self._client()
        for name, value in record.all_tags().items():
            if version.tags.get(name) != value:
                client.set_model_version_tag(record.name, version.version, name, value)
        if version.run_id:
            of_run = client.get_run(version.run_id)
            if of_run.info.status != FINISHED:
                log.warning(
                    "version %s of %s was made by a process that died right after; its MLflow run is ended",
                    version.version,
                    record.name,
                )
                for made in of_run.outputs.model_outputs if of_run.outputs else []:
                    _link(client, made.model_id, version)
                client.set_terminated(version.run_id, FINISHED)
            logged = of_run.data
            for name, value in record.finite_metrics().items():
                if logged.metrics.get(name) != value:
                    client.log_metric(version.run_id, name, value)
            note = description(record, version.tags.get(RUN_TAG, ""), self.dagster_ui, logged.tags.get(COMMIT_TAG))
            if (version.description or "").startswith(title(record)) and version.description != note:
                client.update_model_version(record.name, version.version, note)
                client.set_tag(version.run_id, NOTE_TAG, note)

    def alias_version(self, name: str, alias: str) -> int | None:
        """The number of the version that `alias` of model `name` points to; None when there is no such alias or
        model.
        """
        held = self.alias_holder(name, alias)
        return int(held.version) if held is not None else None

    def alias_holder(self, name: str, alias: str) -> "ModelVersion | None":
        """The version that `alias` of model `name` points to, with its tags; None when there is no such alias or model.

        Raises:
            MlflowUnavailable: when the registry cannot be reached.
        """
        return alias_holder(self._client(), name, alias) if self.may_hold_models() else None

    def version_url(self, name: str, number: int) -> str | None:
        """The page of a version, without user and password; None where the registry is a database and has no pages."""
        return (
            f"{shown(self.tracking_uri).rstrip('/')}/#/models/{name}/versions/{number}"
            if HTTP.match(self.tracking_uri)
            else None
        )

    @property
    def client(self) -> "MlflowClient":
        """MLflow's client of the registry, connected at first use."""
        return self._client()

    def may_hold_models(self) -> bool:
        """Whether there is a store to ask: a question does not make a sqlite file."""
        path = sqlite_path(self.tracking_uri)
        return path is None or path.exists()

    def _client(self) -> "MlflowClient":
        if self._connected is None:
            self._connected = connect(self.tracking_uri)
        return self._connected

    def _versions(self, name: str, digest: str) -> "list[ModelVersion]":
        found = self._client().search_model_versions(
            f"name = '{_safe('name', name)}' and tags.model_digest = '{_safe('digest', digest)}'"
        )
        return sorted(found, key=lambda each: int(each.version))

    def _keep_the_lowest(self, name: str, digest: str) -> "ModelVersion | None":
        """The lowest version with the digest, after all others are gone; an alias of one that goes stays, because it is
        the same model.
        """
        from mlflow.exceptions import MlflowException

        versions = self._versions(name, digest)
        for extra in versions[1:]:
            log.warning(
                "version %s of %s is the same model as version %s: removed", extra.version, name, versions[0].version
            )
            try:
                for alias in self._client().get_model_version(name, extra.version).aliases:
                    self._client().set_registered_model_alias(name, alias, versions[0].version)
                self._client().delete_model_version(name, extra.version)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
        return versions[0] if versions else None

    def _create_version(
        self, record: ModelRecord, run_id: str, logged: "LoggedModel", dagster_run_id: str, note: str
    ) -> None:
        """Make a version; returns without one when it was refused while another process made one with the same
        digest.
        """
        from mlflow.exceptions import MlflowException

        client, tags = self._client(), {**record.all_tags(), RUN_TAG: dagster_run_id}
        try:
            client.create_registered_model(record.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        for attempt in range(1, ATTEMPTS + 1):
            try:
                # Waiting for the version to be ready is for stores that copy files; it would add a request and a pause.
                client.create_model_version(
                    record.name,
                    logged.artifact_location,
                    run_id,
                    tags,
                    description=note,
                    await_creation_for=0,
                    model_id=logged.model_id,
                )
                return
            except MlflowException as error:
                # MLflow gives up (INTERNAL_ERROR) after three collisions of version numbers, without a pause between
                # them.
                if self._versions(record.name, record.digest):
                    return
                if attempt == ATTEMPTS or error.error_code not in ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE"):
                    raise
                time.sleep(random.uniform(0.05, 0.2) * attempt)


def _link(client: "MlflowClient", model_id: str, version: "ModelVersion") -> None:
    """Servers write this link from the logged model to its version themselves; a database used directly does not."""
    client.set_logged_model_tags(
        model_id, {"mlflow.modelVersions": json.dumps([{"name": version.name, "version": int(version.version)}])}
    )


def _safe(what: str, value: str) -> str:
    if not SAFE_IN_A_FILTER.fullmatch(value):
        raise ValueError(
            f"the {what} {value!r} of a model must be at most 128 letters, digits, _, : and -, the first a letter or digit"
        )
    return value
