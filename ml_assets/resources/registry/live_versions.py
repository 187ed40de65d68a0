"""What the registry says is live: the versions behind the aliases, and the share of the challenger."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_assets.core.release.registry_state import PERCENT_TAG
from ml_assets.core.release.release_state import CHALLENGER, CHAMPION
from ml_assets.resources.registry.aliases import registered_model

if TYPE_CHECKING:
    from ml_assets.resources.registry.model_registry import ModelRegistry


@dataclass(frozen=True)
class Released:
    """Numbers of the versions that the aliases point to, None without the alias, and the challenger's share in percent
    of the entities.

    created: when the model was made in the registry, in milliseconds since 1970: a model that was deleted and made
    again counts its versions anew.
    """

    champion: int | None
    challenger: int | None
    percent: int
    created: int


def read_released(registry: "ModelRegistry", name: str) -> Released | None:
    """What is live of model `name`, in one request; None when there is no such model.

    Raises:
        ValueError: when the share of the canary is no whole number from 0 to 100.
        MlflowUnavailable, mlflow.exceptions.MlflowException: when the registry cannot be reached.
    """
    held = registered_model(registry.client, name) if registry.may_hold_models() else None
    if held is None:
        return None
    aliases = {alias: int(version) for alias, version in held.aliases.items()}
    return Released(
        aliases.get(CHAMPION),
        aliases.get(CHALLENGER),
        _percent(name, held.tags.get(PERCENT_TAG, "0")),
        held.creation_timestamp or 0,
    )


def _percent(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) > 100:
        raise ValueError(
            f"the tag {PERCENT_TAG} of {name} in the registry is {text!r}; it must be a whole number from 0 to 100"
        )
    return int(text)
