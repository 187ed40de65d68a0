"""The KServe manifest of the live version."""

import sys

from ml_assets.cli.command_inputs import require_settings, require_spec
from ml_assets.cli.verb import print_json, wants_json
from ml_assets.core.kubernetes.inference_service import ServedVersion, inference_service, stored_uri
from ml_assets.resources.mlflow.connection import MlflowUnavailable
from ml_assets.resources.registry.live_versions import read_released
from ml_assets.resources.registry.model_registry import ModelRegistry


def build_manifest(
    registry: ModelRegistry,
    model: str,
    only_champion: bool,
    service_account: str | None,
    artifacts: str | None = None,
) -> str:
    """Build the manifest as YAML: for the challenger with its traffic share while a canary is live, else for the
    champion.

    Args:
        registry: the model registry.
        model: name of the model.
        only_champion: use the champion even while a canary is live.
        service_account: the account whose secret gives access to the bucket of the artifacts.
        artifacts: where MLflow's server stores the artifacts that it proxies.

    Raises:
        ValueError: when there is no champion, or KServe cannot fetch artifacts from where they are stored.
        MlflowUnavailable: when the registry cannot be reached.
    """
    import yaml

    released = read_released(registry, model)
    if released is None or released.champion is None:
        raise ValueError(
            f"{model} has no version with the alias champion in the registry; `ml-assets releases {model}` says why"
        )
    is_canary = bool(released.challenger and released.percent) and not only_champion
    number = released.challenger if is_canary else released.champion
    registered = registry.client.get_model_version(model, str(number))
    version = ServedVersion(
        int(registered.version),
        registered.tags["model_digest"],
        stored_uri(registry.client.get_model_version_download_uri(model, registered.version), artifacts),
    )
    manifest = inference_service(model, version, released.percent if is_canary else None, service_account)
    return yaml.safe_dump(manifest, sort_keys=False)


def print_manifest(
    model: str | None = None,
    only_champion: bool = False,
    service_account: str | None = None,
    artifacts: str | None = None,
) -> None:
    """Print the manifest, see `build_manifest`.

    Raises:
        SystemExit: with a message, when there is no manifest to print.
    """
    spec, settings = require_spec(model), require_settings()
    registry = ModelRegistry(tracking_uri=settings.mlflow)
    try:
        manifest = build_manifest(registry, spec.name, only_champion, service_account, artifacts)
    except (ValueError, MlflowUnavailable) as error:
        sys.exit(str(error))
    print(manifest, end="")
    if wants_json():
        import yaml

        print_json(yaml.safe_load(manifest))
