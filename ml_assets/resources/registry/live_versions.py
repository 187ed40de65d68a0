"""The versions that are live according to the registry, and the share of the challenger."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_assets.core.release.registry_state import PERCENT_TAG
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION

if TYPE_CHECKING:
    from ml_assets.resources.registry.model_registry import ModelRegistry


@dataclass(frozen=True)
class Released:
    """The versions that the aliases of a registered model point to.

    Attributes:
        champion: number of the version with the alias champion; None without the alias.
        challenger: number of the version with the alias challenger; None without the alias.
        percent: share of the challenger in percent of the entities.
        created: creation time of the registered model in milliseconds since 1970; a model that was deleted and created
            again counts its versions from 1.
    """

    champion: int | None
    challenger: int | None
    percent: int
    created: int


def read_released(registry: "ModelRegistry", name: str) -> Released | None:
    """Return the live versions of model `name`, in one request; None if there is no such model.

    Raises:
        ValueError: when the share of the canary is not a whole number from 0 to 100.
        MlflowUnavailable, mlflow.exceptions.MlflowException, sqlite3.Error: when the registry cannot be read.
    """
    model = registry.reader.model(name) if registry.may_hold_models() else None
    if model is None:
        return None
    aliases = {alias: int(version) for alias, version in model.aliases.items()}
    return Released(
        aliases.get(CHAMPION),
        aliases.get(CHALLENGER),
        _percent(name, model.tags.get(PERCENT_TAG, "0")),
        model.creation_timestamp or 0,
    )


def _percent(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) > 100:
        raise ValueError(
            f"the tag {PERCENT_TAG} of {name} in the registry is {text!r}; it must be a whole number from 0 to 100"
        )
    return int(text)
