"""Comparison of model files in the lake, the deploy target and MLflow with their digests. Nothing is changed."""

import json
from collections.abc import Callable, Iterator

from ml_assets.core.model.digest import model_digest
from ml_assets.core.model.files import ARTIFACTS, MODEL, PREPROCESSING
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.lake.model_files import artifacts_key
from ml_assets.resources.registry.model_artifacts import read_artifacts
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.release.deploy_target import METADATA, DeployTarget
from ml_assets.resources.scrub.damage import Damage


def scrub_lake_models(lake: Lake, model: str) -> Iterator[Damage | None]:
    """Compare the files of every model in the lake with the digest that names their folder; yield the damage of each
    model, None if it is intact.
    """
    root = artifacts_key(model, "")
    digests = {key.removeprefix(root).partition("/")[0] for key in lake.files.keys(root)}
    remedy = (
        f"`ml-assets restore {model}` copies the files of a live version from the deploy target or MLflow; the model "
        f"of another day is made again when its partition of {model}/trained_model is materialized by itself"
    )
    for digest in sorted(digests):
        folder = artifacts_key(model, digest)
        problem = _difference(lambda name, folder=folder: lake.files.read(f"{folder}/{name}"), digest)
        yield _damage(f"{lake.uri}/{folder}", problem, f"a copy of model {digest[:12]}", remedy)


def scrub_deploy_target(target: DeployTarget, model: str) -> Iterator[Damage | None]:
    """Compare the files of every published model with their digest, and with those in metadata.json."""
    remedy = f"`ml-assets restore {model}` publishes the champion again from the lake"
    for digest in target.digests(model):
        problem = _difference(lambda name, digest=digest: target.read_file(model, digest, name), digest)
        yield _damage(f"{target.uri}/{model}/{digest}", problem, "a copy of a published model", remedy)
    if (problem := target.problem(model)) is not None:
        yield Damage(f"{target.uri}/{model}/{METADATA}", problem, "what production loads", remedy)


def scrub_registered_models(registry: ModelRegistry, model: str) -> Iterator[Damage | None]:
    """Compare the artifacts of every version in MLflow with the digest of the version, if it has one."""
    for digest, number in sorted(registry.registered(model).items(), key=lambda item: item[1]):
        version = registry.client.get_model_version(model, str(number))
        files = read_artifacts(registry.client, version)
        problem = _difference((files or {}).__getitem__, digest)
        remedy = f"`ml-assets restore {model}` copies the files of a live version from the lake"
        yield _damage(f"models:/{model}/{number}", problem, "a copy of a registered model", remedy)


def _damage(file: str, problem: str | None, lost: str, remedy: str) -> Damage | None:
    return None if problem is None else Damage(file, problem, lost, remedy)


def _difference(read: Callable[[str], bytes], digest: str) -> str | None:
    """Return how the files of a model differ from its digest; None if they do not."""
    try:
        files = {name: read(name) for name in ARTIFACTS}
        json.loads(files[ARTIFACTS[-1]])
    except (FileNotFoundError, KeyError) as error:
        return f"a file is missing ({error})"
    except ValueError as error:
        return f"{ARTIFACTS[-1]} is not JSON ({error})"
    actual = model_digest(files[MODEL], files[PREPROCESSING])
    return None if actual == digest else f"its files have the digest {actual}"
