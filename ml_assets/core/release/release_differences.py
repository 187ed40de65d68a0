"""Differences between the release ledger and MLflow or the deploy target, as sentences with the remedy."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ml_assets.core.release.registry_state import RegistryState, registry_state_of
from ml_assets.core.release.release_state import Release

ALIAS_REMEDY = "`ml-assets releases {model}` adopts the move, or sets the alias again"


def restore_command(model: str) -> str:
    """Return the command that restores what somebody removed from MLflow, the lake or the deploy target."""
    return f"`ml-assets restore {model}`"


def registry_differences(
    model: str,
    latest: Release,
    registry_state: RegistryState | None,
    numbers: Mapping[str, int],
    renamed_to: str | None = None,
    without_files: Collection[str] = (),
) -> list[str]:
    """Return the differences of MLflow's registered model from the release ledger, one sentence each.

    Args:
        model: name of the model.
        latest: the latest release of the ledger.
        registry_state: the state of the registered model; None if MLflow does not have it.
        numbers: version number by digest in MLflow.
        renamed_to: the registered model that has the live versions, if the model was renamed.
        without_files: digests of the live versions whose files are gone from MLflow.
    """
    live = {alias: version for alias, version in latest.aliases.items() if version}
    if registry_state is None:
        versions = ", ".join(f"{alias} {version}" for alias, version in live.items())
        reason = f"it was renamed to {renamed_to}" if renamed_to else "it was deleted"
        remedy = f"{restore_command(model)} restores it"
        return (
            [f"MLflow has no registered model {model} ({reason}), the ledger has {versions}: {remedy}"] if live else []
        )
    if problem := explain_lost_ledger(model, latest, registry_state):
        return [problem]
    lost = [
        f"{alias} is {version}, which is no longer in MLflow: {restore_command(model)} registers it again"
        for alias, version in live.items()
        if version.digest not in numbers
    ]
    lost += [
        f"{alias} is {version}, whose files are no longer in MLflow (`mlflow gc`, or somebody deleted them), so it "
        f"cannot be loaded from there: {restore_command(model)} stores them again"
        for alias, version in live.items()
        if version.digest in without_files
    ]
    wanted = registry_state_of(latest, numbers)
    # The share of a version that is no longer in MLflow is not a difference of its own.
    is_lost = latest.challenger is not None and latest.challenger.digest not in numbers
    percent = wanted.percent if is_lost else registry_state.percent
    moved = [
        f"the alias {alias} in MLflow {_describe_holder(registry_state.aliases.get(alias))}, the ledger has "
        f"{live.get(alias) or 'none'}: {ALIAS_REMEDY.format(model=model)}"
        for alias in latest.aliases
        if registry_state.aliases.get(alias) != wanted.aliases.get(alias)
    ]
    tags = [
        f"{name} is {current} in MLflow and {ledger} in the ledger: {ALIAS_REMEDY.format(model=model)}"
        for name, current, ledger in (
            ("the share of the challenger", percent, wanted.percent),
            ("the pause of decisions", registry_state.paused, wanted.paused),
        )
        if current != ledger
    ]
    return [*lost, *moved, *tags]


def explain_lost_ledger(
    model: str, latest: Release, registry_state: RegistryState | None, published: Mapping[str, Any] | None = None
) -> str | None:
    """Explain why the ledger must be incomplete or wrong, with the remedy; None if it may be right.

    MLflow has the number of the last completed release, and the deploy target that of its champion. A ledger without
    these releases has lost some, or is in another lake: it must not start from the beginning.

    Args:
        model: name of the model.
        latest: the latest release of the ledger.
        registry_state: the state of MLflow's registered model; None if MLflow does not have it.
        published: the metadata of the deploy target; None if it has none.
    """
    begins = f"the release ledger of {model} ends with release {latest.number}, but"
    remedy = f"or restore the table {model}/release_ledger; if it is lost, {restore_command(model)} begins a new one"
    if registry_state and registry_state.release > latest.number:
        return (
            f"{begins} MLflow carried out release {registry_state.release}: check ML_ASSETS_LAKE, {remedy} with what "
            "is live in MLflow"
        )
    number = (published or {}).get("release")
    if isinstance(number, int) and number > latest.number:
        return (
            f"{begins} the deploy target has the champion of release {number}: check ML_ASSETS_LAKE and "
            f"ML_ASSETS_DEPLOY, {remedy} with the model of the deploy target"
        )
    return None


def deploy_target_differences(
    model: str, champion: Mapping[str, Any] | None, published: Mapping[str, Any] | None, uri: str
) -> list[str]:
    """Return the differences of the deploy target from the release ledger, one sentence each.

    Args:
        model: name of the model.
        champion: the ledger row that made the current champion the champion; None without a champion.
        published: the metadata of the published model; None if there is none, or it is incomplete.
        uri: location of the deploy target.
    """
    if champion is None or is_published(champion, published):
        return []
    content = f"version {published.get('version')} of {published.get('day')}" if published else "no complete model"
    ledger = f"version {champion['to_version']} of {champion['to_day']}"
    return [
        f"the deploy target {uri} has {content}, the ledger has {ledger}: `ml-assets releases {model}` publishes it"
    ]


def is_published(champion: Mapping[str, Any], published: Mapping[str, Any] | None) -> bool:
    """Return whether a deploy target has the metadata of the champion and its release."""
    content = published or {}
    return (content.get("release"), content.get("model_digest")) == (champion["release"], champion["to_digest"])


def summarize(differences: Sequence[str]) -> str:
    """Return the differences as the end of a message; empty without differences."""
    return f"; differences from the release ledger: {'; '.join(differences)}" if differences else ""


def _describe_holder(number: int | None) -> str:
    return f"points to version {number}" if number is not None else "is missing"
