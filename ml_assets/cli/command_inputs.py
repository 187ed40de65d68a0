"""Inputs that most commands start from: settings, a model's specification, its stages."""

import difflib
import sys
from contextlib import suppress

import click

from ml_assets.cli.faults import CONTINUED, SERVICES
from ml_assets.cli.home import create_home
from ml_assets.cli.project import current_project, list_model_files, load_spec
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.defs_yaml.document import SpecFileError
from ml_assets.core.operations.failures.damaged_state import GONE, MLFLOW, MOVED_AWAY
from ml_assets.defs.environment import answer_soon, build_environment, load_settings
from ml_assets.defs.settings import Settings
from ml_assets.pipeline.engine.model_project import ModelOfAnotherProject, check_project, name_project
from ml_assets.pipeline.graph.stages import Stages, open_stages
from ml_assets.resources.databases.sqlite_file import find_refusal
from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.mlflow.connection import explain_outdated, is_database, sqlite_path
from ml_assets.resources.mlflow.errors import MlflowUnavailable
from ml_assets.resources.observability.redaction import redact_streams
from ml_assets.resources.release.ledger import Ledger
from ml_assets.resources.release.releases import Releases
from ml_assets.resources.storage.open_store import SECONDS_TO_ANSWER, open_objects


def require_settings() -> Settings:
    """Read the settings of this process, and create DAGSTER_HOME with the settings of this package if it has none.

    Raises:
        SystemExit: with a message, when an environment variable is missing or not valid.
    """
    context = click.get_current_context(silent=True)
    if context is not None and context.info_name not in (*CONTINUED, *SERVICES):
        answer_soon()
    try:
        settings = load_settings()
    except ValueError as error:
        sys.exit(str(error))
    finally:
        redact_streams()
    if not settings.is_production:
        # The commands that need the folder report that it cannot be created.
        with suppress(OSError):
            create_home(settings)
    return settings


def require_spec(model: str | None = None) -> ModelSpec:
    """Read the specification of a model, and warn of other models that are broken.

    Args:
        model: name of the model, or of its folder; None for the only model of the project.

    Raises:
        SystemExit: with a message, when there is no such model or its specification is not valid.
        click.UsageError: when no name is given, and the project has no model or several.
    """
    files, folder = list_model_files(), current_project().defs
    names = ", ".join(sorted(file.name for file in files)) or "none"
    if model is None:
        if len(files) != 1:
            raise click.UsageError(f"name a model of {folder}; the models are {names}")
        model = files[0].name
    file = next((file for file in files if file.name == model), None)
    in_folder = [file for file in files if file.path.parent.name == model]
    if file is None and len(in_folder) > 1:
        sys.exit(
            f"the folder {model} has several models: {', '.join(file.name for file in in_folder)}; name one of them"
        )
    file = file or next(iter(in_folder), None)
    if file is None:
        close = difflib.get_close_matches(model, [file.name for file in files], 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        sys.exit(f"there is no model {model!r} in {folder}; the models are {names}{hint}")
    for other in files:
        if other.problem is not None and other is not file:
            print(f"warning: the model {other.name} is not loaded: {other.problem}", file=sys.stderr)
    try:
        spec = load_spec(file)
    except SpecFileError as error:
        sys.exit(str(error))
    if spec is None:
        sys.exit(file.problem or f"{file.place}: the model {file.name} does not load; `dg check defs` says why")
    _refuse_model_of_another_project(spec)
    return spec


def _refuse_model_of_another_project(spec: ModelSpec) -> None:
    settings = require_settings()
    try:
        files = open_objects(settings.lake, settings.s3, SECONDS_TO_ANSWER)
        check_project(files, settings.lake, spec.name, name_project(current_project().defs_module))
    except ModelOfAnotherProject as error:
        sys.exit(str(error))
    except Exception:
        # The commands report a lake that cannot be reached.
        return


def release_differences(spec: ModelSpec, settings: Settings) -> list[str]:
    """Return how MLflow and the deploy target differ from the release ledger, one sentence for each difference, or why
    they cannot be compared.
    """
    resources = build_environment(settings).resources or {}
    try:
        return Releases(resources["lake"], resources["registry"], resources["deploy_target"], spec.name).differences()
    except (LakeError, MlflowUnavailable) as error:
        return [f"MLflow and the deploy target could not be compared: {error}"]


def refuse_unusable_store(spec: ModelSpec, settings: Settings) -> None:
    """Check that this user may use MLflow's SQLite store, and that it exists if the model has releases: a new store
    would hold only the newest model.

    Raises:
        SystemExit: with a message, when the file is gone or empty, or belongs to another user.
    """
    path = sqlite_path(settings.mlflow)
    if path is not None and path.exists() and (refusal := find_refusal(path)):
        sys.exit(f"{spec.name}: {refusal}")
    if path is None or (path.exists() and path.stat().st_size) or path.with_name(path.name + MOVED_AWAY).exists():
        return
    lake = (build_environment(settings).resources or {})["lake"]
    if Ledger(lake, spec.name).number():
        sys.exit(MLFLOW.explain(path, "it is empty" if path.exists() else GONE, spec.name))


def refuse_outdated_store(settings: Settings) -> None:
    """Check that the tables in MLflow's database have the revision of the installed MLflow, before anything is computed
    for it. A database that cannot be read is reported by the step that needs it.

    Raises:
        SystemExit: with the command that upgrades them, when they have another.
    """
    from ml_assets.resources.probes.mlflow_probe import probe_mlflow

    if is_database(settings.mlflow):
        store = probe_mlflow(settings.mlflow)
        if store.revision and store.head and store.revision != store.head:
            sys.exit(explain_outdated(settings.mlflow, store.revision, store.head))


def open_model_stages(spec: ModelSpec, settings: Settings, lake: Lake | None = None, train: bool = False) -> Stages:
    """Open the stages of a model, read-only, on the landing, lake and registry of these settings.

    Args:
        spec: the model's specification.
        settings: the settings of this process.
        lake: replaces the lake of the settings, for a plan.
        train: whether to train a model also on days on which none is due.

    Raises:
        LakeError: when a table in the lake does not fit the specification.
    """
    resources = build_environment(settings).resources or {}
    return open_stages(spec, lake or resources["lake"], resources["landing"], resources["registry"], train)
