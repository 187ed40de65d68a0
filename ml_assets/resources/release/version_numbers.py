"""The numbers of live versions in MLflow, looked up again when versions have changed."""

from collections.abc import Collection

from ml_assets.core.release.registry_state import RegistryState
from ml_assets.core.release.release_state import Release
from ml_assets.resources.registry.model_registry import ModelRegistry


class VersionNumbers:
    """Version numbers in MLflow by digest, because a version that was registered again has a new number.

    MLflow updates the timestamp of a registered model whenever one of its versions is created, changed or deleted, and
    never reuses a number. So a looked-up number stays valid while that timestamp is the same.
    """

    def __init__(self, registry: ModelRegistry, name: str):
        self._registry = registry
        self._name = name
        self._numbers: dict[str, int] = {}
        self._versions_changed = 0

    def of(self, release: Release, registry_state: RegistryState | None) -> dict[str, int]:
        """Return the number of each live version of a release that MLflow has, by digest.

        Args:
            release: the release.
            registry_state: the current state of the registered model; None if MLflow does not have the model.
        """
        return self.of_digests({version.digest for version in release.aliases.values() if version}, registry_state)

    def of_digests(self, digests: Collection[str], registry_state: RegistryState | None) -> dict[str, int]:
        """Return the number of each of these versions that MLflow has, as `of` does."""
        versions_changed = registry_state.versions_changed if registry_state else 0
        if not versions_changed or versions_changed != self._versions_changed:
            self._numbers = {}
            self._versions_changed = versions_changed
        self._numbers |= self._registry.numbers(self._name, set(digests) - self._numbers.keys())
        return {digest: self._numbers[digest] for digest in digests if digest in self._numbers}
