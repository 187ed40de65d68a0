"""Print the KServe manifest of what is live in the registry.

python -m ml_assets.cli.commands.kserve [model] [--champion] [--service-account NAME]
"""

import argparse
import sys

from ml_assets.cli.model_lookup import spec_of
from ml_assets.core.kubernetes.inference_service import ServedVersion, inference_service
from ml_assets.defs.environment import SETTINGS
from ml_assets.resources.mlflow.connection import MlflowUnavailable
from ml_assets.resources.registry.live_versions import read_released
from ml_assets.resources.registry.model_registry import ModelRegistry


def manifest(registry: ModelRegistry, model: str, only_champion: bool, service_account: str | None) -> str:
    """The manifest in YAML: of the challenger with its share where a canary is live, else of the champion.

    Raises:
        ValueError: when there is no champion, or the artifacts lie where KServe cannot fetch them.
        MlflowUnavailable: when the registry cannot be reached.
    """
    import yaml

    released = read_released(registry, model)
    if released is None or released.champion is None:
        raise ValueError(f"{model} has no version with the alias champion in the registry")
    is_canary = bool(released.challenger and released.percent) and not only_champion
    number = released.challenger if is_canary else released.champion
    held = registry.client.get_model_version(model, str(number))
    version = ServedVersion(
        int(held.version),
        held.tags["model_digest"],
        registry.client.get_model_version_download_uri(model, held.version),
    )
    made = inference_service(model, version, released.percent if is_canary else None, service_account)
    return yaml.safe_dump(made, sort_keys=False)


def main() -> None:
    """Print it.

    Raises:
        SystemExit: with a message, when there is nothing to print.
    """
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("model", nargs="?", default="fraud_detection")
    arguments.add_argument("--champion", action="store_true", help="the champion, also while a canary is live")
    arguments.add_argument("--service-account", help="the account whose secret opens the bucket of the artifacts")
    asked = arguments.parse_args()
    registry = ModelRegistry(tracking_uri=SETTINGS.mlflow)
    try:
        print(manifest(registry, spec_of(asked.model).name, asked.champion, asked.service_account), end="")
    except (ValueError, MlflowUnavailable) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
