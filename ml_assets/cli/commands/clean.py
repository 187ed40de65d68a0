"""Removal of a project's local state, with a confirmation if landed files cannot be recreated."""

import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click

from ml_assets.defs.environment import local_data_folder
from ml_assets.resources.dagster_instance.dead_runs import has_live_run

MOST_NAMES = 5


def remove_data(without_asking: bool = False) -> None:
    """Remove the folder `data` of the project.

    Args:
        without_asking: also remove landed files that were not simulated, without a confirmation.

    Raises:
        SystemExit: with a message, when a run is in progress, nobody can be asked, or the answer is no; nothing is
            removed then. Also when a file cannot be removed; the message names it.
    """
    data = local_data_folder()
    if not data.is_dir():
        print(f"{data} does not exist: there is nothing to remove")
        return
    if has_live_run(data / "dagster"):
        sys.exit("nothing was removed: a run of `ml-assets` is in progress; wait for its end, or interrupt it")
    landed = list(list_files_to_keep(data / "landing"))
    if landed and not without_asking:
        names = ", ".join(str(path.relative_to(data)) for path in landed[:MOST_NAMES])
        more = f" and {len(landed) - MOST_NAMES} more" if len(landed) > MOST_NAMES else ""
        files = "1 landed file that was" if len(landed) == 1 else f"{len(landed)} landed files that were"
        print(f"{data} has {files} not simulated, and cannot be made again: {names}{more}", flush=True)
        if not sys.stdin.isatty():
            sys.exit("nothing was removed: copy these files elsewhere, or remove them with `ml-assets clean --yes`")
        if not click.confirm("Remove everything?"):
            sys.exit("nothing was removed")
    try:
        shutil.rmtree(data)
    except OSError as error:
        sys.exit(
            f"{data} is removed in part: {error.filename}: {error.strerror}. End what uses it, and repeat the command"
        )
    print(f"{data} is removed")


def list_files_to_keep(landing: Path) -> Iterator[Path]:
    """Yield the landed files whose content differs from what the simulation of this repository writes."""
    files = [path for path in sorted(landing.rglob("*")) if path.is_file()] if landing.is_dir() else []
    if files and find_spec("ml_assets.cli.demo") is not None:
        from ml_assets.cli.demo.landing import is_simulated

        files = [path for path in files if not is_simulated(landing, path)]
    yield from files
