"""The targets of a release: MLflow's aliases and tags, and the deploy target. Both are synchronized with the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ml_assets.core.release.deployment_manifest import champion_row, champions_to_keep, metadata
from ml_assets.core.release.registry_state import RegistryState, changes, registry_state_of
from ml_assets.core.release.release_differences import (
    deploy_target_differences,
    explain_lost_ledger,
    is_published,
    registry_differences,
)
from ml_assets.core.release.release_state import CHALLENGER, Release
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import ModelFilesUnusable, read_model_files
from ml_assets.resources.registry.aliases import mark_release_complete, set_registry_state
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.deploy_target import DeployTarget
from ml_assets.resources.release.version_numbers import VersionNumbers


class ReleaseTargets:
    """MLflow's registered model and the deploy target of one model."""

    def __init__(self, lake: Lake, registry: ModelRegistry, deploy_target: DeployTarget, name: str):
        self._lake = lake
        self._registry = registry
        self._target = deploy_target
        self._name = name
        self._current: RegistryState | None = None
        self._numbers = VersionNumbers(registry, name)

    def registry_state(self) -> RegistryState | None:
        """Read the state of MLflow's registered model; None if MLflow does not have the model."""
        self._current = self._registry.release_state(self._name)
        return self._current

    def has_version(self, digest: str, registry_state: RegistryState | None) -> bool:
        """Return whether MLflow has a version with a digest."""
        return digest in self._numbers.of_digests([digest], registry_state)

    def is_moved_by_hand(self, registry_state: RegistryState, release: Release) -> bool:
        """Return whether MLflow's state differs from the state after `release`, the latest, was carried out."""
        if registry_state.release != release.number:
            return False
        wanted = registry_state_of(release, self._numbers.of(release, registry_state))
        # With a version MLflow deletes its aliases, but not the share of a challenger.
        is_lost = release.challenger is not None and CHALLENGER not in wanted.aliases
        kept = replace(wanted, percent=release.percent) if is_lost else wanted
        return bool(changes(registry_state, wanted) and changes(registry_state, kept))

    def lost_ledger(self, latest: Release, registry_state: RegistryState | None) -> str | None:
        """Return why the ledger lacks releases that MLflow or the deploy target have; None if it has all of them."""
        return explain_lost_ledger(self._name, latest, registry_state, self._target.metadata(self._name))

    def differences(
        self,
        latest: Release,
        rows: Sequence[Mapping[str, Any]],
        registry_state: RegistryState | None,
        with_files: bool = False,
    ) -> list[str]:
        """Return how MLflow and the deploy target differ from the ledger, one sentence for each difference. Nothing is
        changed.

        Args:
            latest: the latest release.
            rows: rows of the ledger, in the order of their releases.
            registry_state: the state of MLflow's registered model.
            with_files: whether to check MLflow's files of the live versions, which takes further requests.
        """
        if problem := self.lost_ledger(latest, registry_state):
            return [problem]
        return [
            *_differences(
                self._registry,
                self._name,
                latest,
                registry_state,
                self._numbers.of(latest, registry_state),
                with_files,
            ),
            *deploy_target_differences(
                self._name, champion_row(rows), self._target.published(self._name), self._target.uri
            ),
        ]

    def synchronize(self, latest: Release, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Set the aliases and publish the champion of the latest release; return what could not be done, one sentence
        for each problem.

        The changes depend on the state that `registry_state` read last.

        Args:
            latest: the latest release.
            rows: rows of the ledger, in the order of their releases.

        Raises:
            Exception: whatever MLflow or the deploy target raises when it cannot be reached or written.
        """
        return [*self._synchronize_aliases(latest), *self._synchronize_deploy_target(rows)]

    def mark_complete(self, latest: Release, rows: Sequence[Mapping[str, Any]]) -> None:
        """Record in MLflow that the latest release is carried out, and remove models from the deploy target that no
        reader needs any more.
        """
        if self._current is not None and self._current.release != latest.number:
            self._target.remove_others(self._name, champions_to_keep(rows, datetime.now(UTC)))
            mark_release_complete(self._registry.client, self._name, latest.number)
            self._current = replace(self._current, release=latest.number)

    def _synchronize_aliases(self, latest: Release) -> list[str]:
        current = self._current
        numbers = self._numbers.of(latest, current)
        if current is not None:
            wanted = registry_state_of(latest, numbers)
            set_registry_state(self._registry.client, self._name, current, wanted)
            self._current = replace(wanted, release=current.release, versions_changed=current.versions_changed)
        return _differences(self._registry, self._name, latest, self._current, numbers)

    def _synchronize_deploy_target(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        row = champion_row(rows)
        if row is None or self._has_champion(rows):
            return []
        try:
            files = read_model_files(self._lake, self._name, row["to_digest"])
        except ModelFilesUnusable as error:
            return [f"the deploy target {self._target.uri} does not have the champion: {error}"]
        self._target.publish(
            metadata(self._name, row, files, self._registry.version_url(self._name, row["to_version"])), files
        )
        return []

    def _has_champion(self, rows: Sequence[Mapping[str, Any]]) -> bool:
        row = champion_row(rows)
        return row is None or is_published(row, self._target.published(self._name))


def read_registry_differences(registry: ModelRegistry, name: str, latest: Release) -> list[str]:
    """Return how MLflow's registered model differs from the latest release of the ledger, one sentence each."""
    registry_state = registry.release_state(name)
    return _differences(
        registry, name, latest, registry_state, VersionNumbers(registry, name).of(latest, registry_state)
    )


def _differences(
    registry: ModelRegistry,
    name: str,
    latest: Release,
    registry_state: RegistryState | None,
    numbers: Mapping[str, int],
    with_files: bool = False,
) -> list[str]:
    if registry_state is None:
        renamed_to = registry.holder_of(latest.champion.digest) if latest.champion else None
        return registry_differences(name, latest, None, {}, renamed_to)
    looked_up = numbers if with_files else {}
    without_files = {digest for digest, number in looked_up.items() if registry.lacks_files(name, number)}
    return registry_differences(name, latest, registry_state, numbers, without_files=without_files)
