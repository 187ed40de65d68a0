"""Restoration of deleted experiments, runs, registered models, live versions and model files."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.model.digest import model_digest
from ml_assets.core.model.files import MODEL, PREPROCESSING
from ml_assets.core.release.deployment_manifest import champion_row, metadata
from ml_assets.core.release.registry_state import PERCENT_TAG
from ml_assets.core.release.release_differences import explain_lost_ledger
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION, Version
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import ModelFilesUnusable, artifacts_key, read_model_files
from ml_assets.resources.mlflow.experiments import find_experiment
from ml_assets.resources.mlflow.manual_run import ManualRun
from ml_assets.resources.mlflow.model_record import ModelRecord
from ml_assets.resources.mlflow.restored_record import record_of_files
from ml_assets.resources.registry.aliases import mark_release_complete
from ml_assets.resources.registry.model_artifacts import read_artifacts
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.registry.version_files import store_files_again
from ml_assets.resources.registry.version_numbering import skip_numbers
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.release.ledger import Ledger
from ml_assets.resources.release.manual_moves import ReleaseRefused, version_of

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

FindRecord = Callable[[date, str], ModelRecord | None]


class CannotRestore(Exception):
    """No copy is left; the message says what to do."""


class Restoration:
    """Restores everything that the release ledger of one model needs, from any copy that is left. Aliases and the
    deploy target are left to `Releases.state`.

    Args:
        lake: the lake.
        registry: the registry.
        target: the deploy target.
        name: name of the model.
        artifact_root: URI under which a new experiment keeps its artifacts.
        find_record: returns the record of the model of a day with a digest; None when the lake does not have it.
    """

    def __init__(
        self,
        lake: Lake,
        registry: ModelRegistry,
        target: DeployTarget,
        name: str,
        artifact_root: str | None,
        find_record: FindRecord,
    ):
        self._lake = lake
        self._registry = registry
        self._target = target
        self._name = name
        self._artifact_root = artifact_root
        self._find_record = find_record
        # The last number of the registered model if it was created here, None if it was there before.
        self._last_number: int | None = None

    def apply(self) -> list[str]:
        """Restore everything that can be restored; return one sentence for each change.

        Raises:
            CannotRestore: when there is no copy of the files of a live model; raised after everything else is restored.
            MlflowUnavailable, LakeError: when MLflow or the lake cannot be used.
        """
        done, problems = [*self._restore_experiment(), *self._rename_model(), *self._begin_ledger()], []
        for version in sorted(self._live_versions(), key=lambda version: version.number):
            try:
                done += [*self._restore_files(version), *self._restore_version(version)]
            except CannotRestore as error:
                problems.append(str(error))
        self._skip_numbers_before(1 + self._highest_released_number())
        try:
            done += self._restore_target()
        except CannotRestore as error:
            problems.append(str(error))
        if problems:
            raise CannotRestore("; ".join([*done, *problems]))
        return done

    def _restore_experiment(self) -> list[str]:
        experiment = find_experiment(self._registry.client, self._name)
        if experiment is None or experiment.lifecycle_stage != "deleted":
            return []
        self._registry.client.restore_experiment(experiment.experiment_id)
        return [f"restored the MLflow experiment {experiment.name} (ID {experiment.experiment_id})"]

    def _rename_model(self) -> list[str]:
        champion = Ledger(self._lake, self._name).latest().champion
        if champion is None or self._registry.release_state(self._name) is not None:
            return []
        holder = self._registry.holder_of(champion.digest)
        if holder is None:
            return []
        self._registry.client.rename_registered_model(holder, self._name)
        return [f"renamed the registered model {holder} to {self._name}"]

    def _begin_ledger(self) -> list[str]:
        """If the ledger lost releases, let `Releases.state` adopt the live versions in MLflow, or else the model of the
        deploy target.
        """
        latest, registry_state = Ledger(self._lake, self._name).latest(), self._registry.release_state(self._name)
        done, after = [], f"the release ledger continues after release {latest.number} with"
        if registry_state and explain_lost_ledger(self._name, latest, registry_state):
            mark_release_complete(self._registry.client, self._name, latest.number)
            done.append(f"{after} the live versions in MLflow")
        metadata = self._target.metadata(self._name)
        if metadata is None or explain_lost_ledger(self._name, latest, None, metadata) is None:
            return done
        version = Version(metadata["version"], metadata["model_digest"], date.fromisoformat(metadata["day"]))
        if not (registry_state and CHAMPION in registry_state.aliases):
            done += [*self._restore_files(version), *self._restore_version(version)]
            if (registered := self._registered_version(version)) is not None:
                self._registry.client.set_registered_model_alias(self._name, CHAMPION, registered.version)
            done.append(f"{after} the model of the deploy target, {version}")
        files = self._read_target(version) or {}
        self._target.publish({**metadata, "release": latest.number}, files)
        return done

    def _live_versions(self) -> list[Version]:
        """Return the versions of the ledger, and those with an alias in MLflow, which may be adopted."""
        versions = {
            version.digest: version for version in Ledger(self._lake, self._name).latest().aliases.values() if version
        }
        registry_state = self._registry.release_state(self._name)
        for number in registry_state.aliases.values() if registry_state else ():
            try:
                version = version_of(self._registry.client.get_model_version(self._name, str(number)))
            except ReleaseRefused:
                continue
            versions.setdefault(version.digest, version)
        return list(versions.values())

    def _restore_files(self, version: Version) -> list[str]:
        """Copy the files of a model to the lake, unless it has them."""
        try:
            read_model_files(self._lake, self._name, version.digest)
            return []
        except ModelFilesUnusable as error:
            missing = error
        for source, read in (("the deploy target", self._read_target), ("MLflow", self._read_artifacts)):
            files = read(version)
            if files and model_digest(files[MODEL], files[PREPROCESSING]) == version.digest:
                for name, content in files.items():
                    self._lake.files.write(f"{artifacts_key(self._name, version.digest)}/{name}", content)
                return [f"copied the files of {version} from {source} to the lake"]
        raise CannotRestore(
            f"{missing} Neither the deploy target nor MLflow has a copy: materialize {self._name}/trained_model of "
            f"{version.day} again, which gives the same model from the same data"
        )

    def _read_target(self, version: Version) -> Mapping[str, bytes] | None:
        try:
            return self._target.read_files(self._name, version.digest)
        except FileNotFoundError:
            return None

    def _read_artifacts(self, version: Version) -> Mapping[str, bytes] | None:
        """Return the files of a version from its artifacts in MLflow; None if they are not all there."""
        registered = self._registered_version(version)
        return None if registered is None else read_artifacts(self._registry.client, registered)

    def _has_damaged_artifacts(self, version: Version, registered: "ModelVersion") -> bool:
        files = read_artifacts(self._registry.client, registered)
        return files is not None and model_digest(files[MODEL], files[PREPROCESSING]) != version.digest

    def _restore_target(self) -> list[str]:
        """Publish the champion again if one of its files in the deploy target, or its metadata, is damaged.

        A champion that is not published at all is left to `Releases.state`.
        """
        row = champion_row(Ledger(self._lake, self._name).rows())
        problem = self._target.problem(self._name)
        if row is None or problem is None or self._target.published(self._name) is None:
            return []
        try:
            files = read_model_files(self._lake, self._name, row["to_digest"])
        except ModelFilesUnusable as error:
            raise CannotRestore(str(error)) from error
        url = self._registry.version_url(self._name, row["to_version"])
        self._target.publish(metadata(self._name, row, files, url), files)
        return [f"published version {row['to_version']} again: the deploy target was damaged ({problem})"]

    def _restore_version(self, version: Version) -> list[str]:
        """Register a version again unless MLflow has it, and restore its run."""
        registered, client = self._registered_version(version), self._registry.client
        if registered is not None:
            done, number = self._restore_run(registered), int(registered.version)
            if not (self._registry.lacks_files(self._name, number) or self._has_damaged_artifacts(version, registered)):
                return done
            if store_files_again(client, self._name, number, self._record(version)):
                return [*done, f"stored the files of {version} in MLflow again"]
            client.delete_model_version(self._name, registered.version)
        record = self._record(version)
        if self._registry.release_state(self._name) is None:
            self._registry.create_model(record)
            self._last_number = 0
        self._skip_numbers_before(version.number)
        run = ManualRun(client, client.tracking_uri, self._artifact_root, self._name)
        number = self._registry.register(run, record).version
        if self._last_number is not None:
            self._last_number = number
        latest = Ledger(self._lake, self._name).latest()
        for alias, live in latest.aliases.items():
            # Without them, alias and share would look as if somebody had changed them.
            if live == version and alias == CHALLENGER:
                client.set_registered_model_tag(self._name, PERCENT_TAG, str(latest.percent))
            if live == version:
                client.set_registered_model_alias(self._name, alias, str(number))
        return [f"registered {version} again, as version {number}"]

    def _skip_numbers_before(self, number: int) -> None:
        """Let the next version have at least this number if the registered model is new, so that each number names the
        model that the ledger and the predictions name by it.
        """
        if self._last_number is not None and self._last_number < number - 1:
            skip_numbers(self._registry.client, self._name, number - 1)
            self._last_number = number - 1

    def _highest_released_number(self) -> int:
        releases = [release for _, release in Ledger(self._lake, self._name).releases()]
        return max(
            (version.number for release in releases for version in release.aliases.values() if version), default=0
        )

    def _record(self, version: Version) -> ModelRecord:
        """Return the record of a version from the lake's tables, or if they lack it, from its files."""
        files = read_model_files(self._lake, self._name, version.digest)
        return self._find_record(version.day, version.digest) or record_of_files(
            self._name, version.day, version.digest, files, self._lake.uri, artifacts_key(self._name, version.digest)
        )

    def _restore_run(self, registered: "ModelVersion") -> list[str]:
        from mlflow.exceptions import MlflowException

        client = self._registry.client
        try:
            run = client.get_run(registered.run_id) if registered.run_id else None
        except MlflowException:
            # The run was deleted permanently; the version does not need it.
            return []
        if run is None or run.info.lifecycle_stage != "deleted":
            return []
        client.restore_run(run.info.run_id)
        return [f"restored the MLflow run {run.info.run_id} of version {registered.version}"]

    def _registered_version(self, version: Version) -> "ModelVersion | None":
        number = self._registry.numbers(self._name, [version.digest]).get(version.digest)
        return None if number is None else self._registry.client.get_model_version(self._name, str(number))
