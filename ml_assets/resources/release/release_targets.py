"""Where a release shows: MLflow's aliases and tags, and the deploy target; both are brought in line with the ledger."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ml_assets.core.release.deployment_manifest import champion_row, digests_to_keep, metadata
from ml_assets.core.release.registry_state import RegistryState, changes, registry_state_of
from ml_assets.core.release.release_state import Release
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import ModelFilesUnusable, read_model_files
from ml_assets.resources.registry.aliases import mark_as_carried_out, read_shown, show
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.deploy_target import DeployTarget


class ReleaseTargets:
    """MLflow's registered model and the deploy target of one model."""

    def __init__(self, lake: Lake, registry: ModelRegistry, deploy_target: DeployTarget, name: str):
        self._lake, self._registry, self._target, self._name = lake, registry, deploy_target, name

    def shown(self) -> RegistryState | None:
        """What MLflow shows; None where it does not have the model."""
        return read_shown(self._registry.client, self._name) if self._registry.may_hold_models() else None

    def moved_by_hand(self, shown: RegistryState, state: Release) -> bool:
        """Whether MLflow shows something else than it showed when the last release, which `state` is, was carried
        out.
        """
        return shown.release == state.number and bool(changes(shown, self._wanted(state, shown)))

    def are_in_line(self, latest: Release, rows: Sequence[Mapping[str, Any]], shown: RegistryState | None) -> bool:
        """Whether MLflow, which shows `shown`, and the deploy target are as the ledger says."""
        return not rows or (shown is not None and shown == self._wanted(latest, shown) and self._has_champion(rows))

    def bring_in_line(self, latest: Release, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Point the aliases, and publish the champion, as a state says; returns what could not be done, one sentence
        each.

        Args:
            latest: what is live.
            rows: of the ledger, in the order of their releases.

        Raises:
            Exception: whatever MLflow or the deploy target raise when they cannot be reached or written.
        """
        return [*self._bring_aliases_in_line(latest), *self._bring_target_in_line(rows)]

    def mark_as_carried_out(self, latest: Release, rows: Sequence[Mapping[str, Any]]) -> None:
        """Note in MLflow that the last release is carried out, and remove models from the deploy target that nobody
        reads any more.
        """
        shown = self.shown()
        if shown is not None and shown.release != latest.number:
            self._target.remove_others(self._name, digests_to_keep(rows, datetime.now(UTC)))
            mark_as_carried_out(self._registry.client, self._name, latest.number)

    def _wanted(self, state: Release, shown: RegistryState) -> RegistryState:
        """What MLflow is to show; versions are looked up only when it does not show the numbers of the ledger."""
        wanted = registry_state_of(
            state, {version.digest: version.number for version in state.aliases.values() if version}
        )
        return wanted if shown == wanted else registry_state_of(state, self._registry.registered(self._name))

    def _bring_aliases_in_line(self, latest: Release) -> list[str]:
        shown = self.shown()
        if shown is None:
            return [
                f"there is no registered model {self._name} in MLflow; register its models again (materialise model_registry_entry)"
            ]
        wanted = self._wanted(latest, shown)
        show(self._registry.client, self._name, shown, wanted)
        lost = {alias: version for alias, version in latest.aliases.items() if version and alias not in wanted.aliases}
        again = "register it again (materialise model_registry_entry of"
        return [
            f"{alias} is {version}, which is no longer in MLflow; {again} {version.day})"
            for alias, version in lost.items()
        ]

    def _bring_target_in_line(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
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
        row, held = champion_row(rows), self._target.published(self._name) or {}
        return row is None or (held.get("release"), held.get("model_digest")) == (row["release"], row["to_digest"])
