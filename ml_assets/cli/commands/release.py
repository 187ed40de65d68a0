"""Releases by hand: print the ledger and the live versions, roll back, pause, resume, start a canary, promote."""

import getpass
import socket
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.console import Console

from ml_assets.cli.command_inputs import open_model_stages, require_settings, require_spec
from ml_assets.cli.console.release_report import print_releases
from ml_assets.cli.json_output.builders import build_releases_report
from ml_assets.cli.verb import publish
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.manual_release import CannotRelease, Command, manual_move
from ml_assets.defs.environment import build_environment
from ml_assets.defs.settings import Settings
from ml_assets.pipeline.engine.stage import CannotMake
from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.lake.model_files import ModelFilesUnusable
from ml_assets.resources.mlflow.connection import MlflowUnavailable
from ml_assets.resources.registry.cleanup import UnknownVersion
from ml_assets.resources.release.errors import LedgerLost, NotCarriedOut
from ml_assets.resources.release.ledger import LedgerConflict
from ml_assets.resources.release.releases import ReleaseRefused, Releases

if TYPE_CHECKING:
    from ml_assets.resources.mlflow.model_record import ModelRecord


EXPECTED = (CannotRelease, ReleaseRefused, NotCarriedOut, LedgerLost, UnknownVersion, LakeError, MlflowUnavailable)


def show_releases(model: str | None = None) -> None:
    """Complete an interrupted release, then print the ledger and the live versions.

    Raises:
        SystemExit: with a message, when lake, registry or deploy target cannot be used.
    """
    release_by_hand(model, None)


def restore_model(model: str | None = None) -> None:
    """Restore models that were removed from MLflow, the lake or the deploy target, then print the live versions.

    Raises:
        SystemExit: with a message, when no copy is left to restore from, or lake, registry or deploy target cannot be
            used.
    """
    from ml_assets.resources.release.restoration import CannotRestore, Restoration

    spec, settings = require_spec(model), require_settings()
    resources = build_environment(settings).resources or {}
    lake, registry, target = resources["lake"], resources["registry"], resources["deploy_target"]
    restoration = Restoration(lake, registry, target, spec.name, settings.artifacts, _record_finder(spec, settings))
    try:
        done = restoration.apply()
    except (CannotRestore, LakeError, MlflowUnavailable) as error:
        sys.exit(str(error))
    for sentence in done or ["nothing was missing in MLflow or the lake"]:
        print(sentence)
    show_releases(spec.name)


def _record_finder(spec: ModelSpec, settings: Settings) -> "Callable[[date, str], ModelRecord | None]":
    """Return a function that reads the record of a model from the lake, or None if the lake does not have it."""

    def find(day: date, digest: str) -> "ModelRecord | None":
        try:
            registration = open_model_stages(spec, settings).registration
            if registration.evaluation.model_row(day)["model_digest"] != digest:
                return None
            return registration.record(day)
        except (CannotMake, LakeError, ModelFilesUnusable, FileNotFoundError):
            return None

    return find


def release_by_hand(
    model: str | None,
    command: Command | None,
    version_number: int | None = None,
    reason: str | None = None,
    actor: str | None = None,
) -> None:
    """Release a version, then print the ledger and the live versions.

    Args:
        model: name of the model.
        command: the release to make; None to print only.
        version_number: the version of `canary` and `promote`.
        reason: written into the ledger.
        actor: written into the ledger; user and host when None.

    Raises:
        SystemExit: with a message, when the command is not possible now, the version cannot be released, somebody else
            released at the same time, or lake, registry or deploy target cannot be used.
    """
    spec, settings = require_spec(model), require_settings()
    resources = build_environment(settings).resources or {}
    target = resources["deploy_target"]
    releases = Releases(resources["lake"], resources["registry"], target, spec.name)
    try:
        state = releases.state()
        if command is not None:
            version = releases.version(version_number) if version_number is not None else None
            day = first_day(spec, releases.newest_decided_day(), datetime.now(ZoneInfo(spec.source.time_zone)))
            move = manual_move(spec.deployment.canary, state, command, version, day, actor or _current_user(), reason)
            releases.release(state, move)
        rows, deployed = releases.ledger.rows(), target.published(spec.name)
        print_releases(Console(), spec.name, rows, deployed, target.uri, releases.problems)
        publish(build_releases_report(spec.name, rows, deployed, target.uri, releases.problems))
    except LedgerConflict as conflict:
        sys.exit(f"{conflict}. Somebody released in the meantime: look at `ml-assets releases` and try again")
    except EXPECTED as error:
        sys.exit(str(error))


def first_day(spec: ModelSpec, decided: date | None, now: datetime) -> date:
    """Return the first day of predictions that a release by hand affects: the day after the newest day with a release
    decision, or yesterday if there is none.

    Args:
        spec: the model's specification.
        decided: the newest day with a decision of the stage deployment.
        now: the time, with a zone.
    """
    if decided:
        return decided + timedelta(days=1)
    return now.astimezone(ZoneInfo(spec.source.time_zone)).date() - timedelta(days=1)


def _current_user() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        sys.exit("this user has no name, which the ledger needs: give one with --actor")
