"""The targets of a release: MLflow's aliases and tags, and the deploy target. Both are synchronized with the ledger."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ml_assets.core.release.deployment_manifest import champion_row, digests_to_keep, metadata
from ml_assets.core.release.registry_state import RegistryState, changes, registry_state_of
from ml_assets.core.release.release_state import Release
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import ModelFilesUnusable, read_model_files
from ml_assets.resources.registry.aliases import mark_release_complete, read_registry_state, set_registry_state
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.deploy_target import DeployTarget


class ReleaseTargets:
    """MLflow's registered model and the deploy target of one model."""

    def __init__(self, lake: Lake, registry: ModelRegistry, deploy_target: DeployTarget, name: str):
        self._lake = lake
        self._registry = registry
        self._target = deploy_target
        self._name = name

    def registry_state(self) -> RegistryState | None:
        """Return the state of MLflow's registered model; None if MLflow does not have the model."""
        return read_registry_state(self._registry.client, self._name) if self._registry.may_hold_models() else None

    def is_moved_by_hand(self, registry_state: RegistryState, release: Release) -> bool:
        """Return whether MLflow's state differs from the one that carrying out `release`, the latest, left there."""
        return registry_state.release == release.number and bool(
            changes(registry_state, self._wanted_state(release, registry_state))
        )

    def is_synchronized(
        self, latest: Release, rows: Sequence[Mapping[str, Any]], registry_state: RegistryState | None
    ) -> bool:
        """Return whether MLflow, whose state is given, and the deploy target agree with the ledger."""
        if not rows:
            return True
        return (
            registry_state is not None
            and registry_state == self._wanted_state(latest, registry_state)
            and self._has_champion(rows)
        )

    def synchronize(self, latest: Release, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Set the aliases and publish the champion of the latest release; return what could not be done, one sentence
        each.

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
        registry_state = self.registry_state()
        if registry_state is not None and registry_state.release != latest.number:
            self._target.remove_others(self._name, digests_to_keep(rows, datetime.now(UTC)))
            mark_release_complete(self._registry.client, self._name, latest.number)

    def _wanted_state(self, release: Release, current: RegistryState) -> RegistryState:
        """Return the state that MLflow should have. Versions are searched only if MLflow has other numbers than the
        ledger.
        """
        wanted = registry_state_of(
            release, {version.digest: version.number for version in release.aliases.values() if version}
        )
        return wanted if current == wanted else registry_state_of(release, self._registry.registered(self._name))

    def _synchronize_aliases(self, latest: Release) -> list[str]:
        current = self.registry_state()
        if current is None:
            return [
                f"there is no registered model {self._name} in MLflow; register its models again "
                "(materialise model_registry_entry)"
            ]
        wanted = self._wanted_state(latest, current)
        set_registry_state(self._registry.client, self._name, current, wanted)
        lost = {alias: version for alias, version in latest.aliases.items() if version and alias not in wanted.aliases}
        remedy = "register it again (materialise model_registry_entry of"
        return [
            f"{alias} is {version}, which is no longer in MLflow; {remedy} {version.day})"
            for alias, version in lost.items()
        ]

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
        published = self._target.published(self._name) or {}
        return row is None or (published.get("release"), published.get("model_digest")) == (
            row["release"],
            row["to_digest"],
        )
