"""Changes that a project's own component class makes to the specifications of assets and checks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from ml_assets.core.model_spec import ModelSpec
from ml_assets.pipeline.asset_names import model_and_asset

ChangeAsset = Callable[[dg.AssetSpec], dg.AssetSpec]
ChangeCheck = Callable[[dg.AssetCheckSpec], dg.AssetCheckSpec]


def same_check(spec: dg.AssetCheckSpec) -> dg.AssetCheckSpec:
    """Return the specification of a check unchanged."""
    return spec


@dataclass(frozen=True)
class Translation:
    """The changes of a component to the specifications of its assets and checks.

    assets: the changed specification of each asset, by the name of the asset. change_check: changes a check. project:
    the project of the component, see `claim_model`; None for a model that is built in Python.
    """

    assets: Mapping[str, tuple[dg.AssetSpec, dg.AssetSpec]] = field(default_factory=dict)
    change_check: ChangeCheck = same_check
    project: str | None = None

    def asset(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        """Return the specification of an asset with the changes; its key, partitions and own dependencies stay."""
        if spec.key.path[-1] not in self.assets:
            return spec
        base, changed = self.assets[spec.key.path[-1]]
        own = {dep.asset_key for dep in base.deps}
        added = [dep for dep in changed.deps if dep.asset_key not in own]
        return changed.replace_attributes(key=spec.key, deps=[*spec.deps, *added])

    def check(self, spec: dg.AssetCheckSpec) -> dg.AssetCheckSpec:
        """Return the specification of a check with the changes.

        Raises:
            ValueError: when its name or its asset changed.
        """
        changed = self.change_check(spec)
        if changed.key != spec.key:
            raise ValueError(
                f"get_asset_check_spec: {spec.key.to_user_string()} became {changed.key.to_user_string()}; a check "
                "keeps its name and its asset, by which runs report it"
            )
        return changed


def translate_assets(
    spec: ModelSpec, assets: Sequence[dg.AssetSpec], change: ChangeAsset
) -> tuple[ModelSpec, Mapping[str, tuple[dg.AssetSpec, dg.AssetSpec]]]:
    """Apply a function to the specifications of the assets of a model.

    Args:
        spec: the model's specification, without a prefix of keys.
        assets: the specifications of its assets.
        change: takes the specification of an asset, and returns the changed one.

    Returns:
        The model's specification with the prefix that the keys have now, and the specifications of each asset before
        and after the change, by the name of the asset.

    Raises:
        ValueError: when a key has lost the names of model and asset at its end, when keys have different prefixes, or
            when partitions or dependencies of the model itself are changed.
    """
    changed = {asset.key.path[-1]: (asset, change(asset)) for asset in assets}
    for base, now in changed.values():
        _check(base, now)
    prefixes = {tuple(now.key.path[:-2]) for _, now in changed.values()}
    if len(prefixes) > 1:
        listed = ", ".join(sorted("/".join(prefix) or "none" for prefix in prefixes))
        raise ValueError(
            f"get_asset_spec: the keys of {spec.name} have different prefixes: {listed}; give all of its assets the "
            "same"
        )
    return spec.with_key_prefix(prefixes.pop()), changed


def _check(base: dg.AssetSpec, now: dg.AssetSpec) -> None:
    name = base.key.to_user_string()
    if model_and_asset(now.key) != model_and_asset(base.key):
        raise ValueError(
            f"get_asset_spec: the key {name} became {now.key.to_user_string()}; add a prefix if you like, but end it "
            f"with {name}, by which tables, jobs and notifications name the asset"
        )
    if now.partitions_def != base.partitions_def:
        raise ValueError(f"get_asset_spec: {name} has other partitions; a model's assets have one partition a day")
    missing = {dep.asset_key for dep in base.deps} - {dep.asset_key for dep in now.deps}
    if missing:
        listed = ", ".join(sorted(key.to_user_string() for key in missing))
        raise ValueError(f"get_asset_spec: {name} lacks the dependencies {listed}; add some, but keep its own")
