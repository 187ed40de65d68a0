"""Releases by hand: what is live and how it came about, roll back, pause and resume, put a version up as canary or
champion.

python -m ml_assets.cli.commands.release model show|rollback|pause|resume|canary|promote [--version NUMBER] [--reason
TEXT] [--actor NAME]
"""

import argparse
import getpass
import socket
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

from rich.console import Console

from ml_assets.cli.console.release_report import print_releases
from ml_assets.cli.model_lookup import spec_of
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.release.manual_release import CannotRelease, Command, manual_move
from ml_assets.defs.environment import SETTINGS, build_environment
from ml_assets.resources.lake.errors import LakeError
from ml_assets.resources.mlflow.connection import MlflowUnavailable
from ml_assets.resources.registry.cleanup import UnknownVersion
from ml_assets.resources.release.ledger import LedgerConflict
from ml_assets.resources.release.releases import NotCarriedOut, ReleaseRefused, Releases


def main(arguments: Sequence[str]) -> None:
    """Release what is asked for, if anything, and print the ledger and what is live.

    Raises:
        SystemExit: with a message, when the command makes no sense, the version cannot be released, somebody released
            meanwhile, or lake, registry or deploy target cannot be used.
    """
    asked = _arguments(arguments)
    spec = spec_of(asked.model)
    resources = build_environment(SETTINGS).resources or {}
    target = resources["deploy_target"]
    releases = Releases(resources["lake"], resources["registry"], target, spec.name)
    try:
        state = releases.state()
        if asked.command != "show":
            version = releases.version(asked.version) if asked.version is not None else None
            day = first_day(spec, releases.newest_decided_day(), datetime.now(ZoneInfo(spec.source.time_zone)))
            actor = asked.actor or _who()
            releases.release(
                state, manual_move(spec.deployment.canary, state, asked.command, version, day, actor, asked.reason)
            )
        print_releases(
            Console(), spec.name, releases.ledger.rows(), target.published(spec.name), target.uri, releases.problems
        )
    except LedgerConflict as conflict:
        sys.exit(f"{conflict}. Somebody released meanwhile: look at `make releases` and try again")
    except (CannotRelease, ReleaseRefused, NotCarriedOut, UnknownVersion, LakeError, MlflowUnavailable) as error:
        sys.exit(str(error))


def first_day(spec: ModelSpec, decided: date | None, now: datetime) -> date:
    """The first day of predictions that sees a release by hand: the one after the newest day that was decided upon;
    yesterday when there is none.

    Args:
        spec: the model's specification.
        decided: the newest day that the stage deployment decided upon.
        now: the time, with a zone.
    """
    return (
        decided + timedelta(days=1)
        if decided
        else now.astimezone(ZoneInfo(spec.source.time_zone)).date() - timedelta(days=1)
    )


def _who() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        sys.exit("this user has no name, which the ledger needs: give one with --actor (ACTOR=)")


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m ml_assets.cli.commands.release",
        description="Releases by hand; each is recorded in the release ledger.",
    )
    parser.add_argument("model")
    parser.add_argument("command", choices=("show", *get_args(Command)))
    parser.add_argument("--version", type=int, metavar="NUMBER", help="what canary and promote put up")
    parser.add_argument("--reason", metavar="TEXT", help="why, for those who read the ledger")
    parser.add_argument("--actor", metavar="NAME", help="who; user and host when left out")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
