"""DAGSTER_HOME with the instance settings that this package ships."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ml_assets.defs.environment import use_home
from ml_assets.defs.settings import Settings
from ml_assets.resources import dagster_instance
from ml_assets.resources.dagster_instance.home import SETTINGS_FILE

SHIPPED = Path(dagster_instance.__file__).parent
NAMES = (SETTINGS_FILE, "dagster-postgres.yaml")
# Settings that depend on the deployment, not on the pipeline.
OF_THE_PLACE = (
    "storage",
    "run_storage",
    "schedule_storage",
    "event_log_storage",
    "local_artifact_storage",
    "telemetry",
)


def shipped_settings(settings: Settings) -> Path:
    """Return the shipped dagster.yaml for this process: with storage in PostgreSQL if ML_ASSETS_DATABASE is set."""
    return SHIPPED / NAMES[settings.database is not None]


def create_home(settings: Settings) -> Path:
    """Create DAGSTER_HOME and link the shipped settings into it as dagster.yaml.

    A link that is broken, or that leads to the settings of another copy of this package, is replaced; any other file
    stays as it is. DAGSTER_HOME is set for this process if it was not.

    Returns:
        The file or link dagster.yaml.
    """
    home = Path(settings.dagster_home).absolute()
    use_home(home)
    home.mkdir(parents=True, exist_ok=True)
    file, shipped = home / SETTINGS_FILE, shipped_settings(settings)
    is_ours = file.is_symlink() and (not file.exists() or _is_shipped(file.readlink()))
    if (is_ours and file.readlink() != shipped) or not os.path.lexists(file):
        _link(file, shipped)
    return file


def list_differences(stated_settings: Mapping[str, Any], settings: Settings) -> list[str]:
    """Return how a dagster.yaml differs from the shipped settings, one line for each setting. A section that has
    another class, or that the shipped settings lack, is one line. Storages are not compared, because they depend on the
    deployment.

    Args:
        stated_settings: content of the dagster.yaml.
        settings: the settings of this process.
    """
    shipped, stated = _read(shipped_settings(settings)), stated_settings
    replaced = {name for name in stated if _class(shipped, name) != _class(stated, name)}
    shipped, stated = _flatten(shipped, replaced), _flatten(stated, replaced)
    names = [name for name in sorted({*shipped, *stated}) if name.partition(".")[0] not in OF_THE_PLACE]
    return [
        f"{name}: {stated.get(name, 'not set')} (shipped: {shipped.get(name, 'not set')})"
        for name in names
        if stated.get(name) != shipped.get(name)
    ]


def _read(file: Path) -> Mapping[str, Any]:
    """Return the content of a shipped file of settings."""
    import yaml

    return yaml.safe_load(file.read_text(encoding="utf-8"))


def _is_shipped(target: Path) -> bool:
    """Return whether a link leads to the settings of a copy of this package, at its place or at the root of a clone."""
    folder = target.parent
    return target.name in NAMES and (
        (folder / "run_launcher.py").exists() or (folder / "ml_assets" / "definitions.py").exists()
    )


def _link(file: Path, target: Path) -> None:
    """Replace a file by a link in one step, because other commands may start at the same time."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.symlink_to(target)
    except (OSError, NotImplementedError):
        # On Windows, not every user may create links.
        shutil.copy(target, unfinished)
    unfinished.replace(file)


def _class(settings: Mapping[str, Any], section: str) -> str:
    """Return the class that a section configures; `set` or `not set` for a section without a class."""
    value = settings.get(section)
    return value.get("class", "set") if isinstance(value, dict) else "not set" if value is None else "set"


def _flatten(settings: Mapping[str, Any], replaced: set[str]) -> dict[str, Any]:
    """Return the settings by dotted name; a replaced section appears as its class alone."""
    whole = {name: _class(settings, name) for name in replaced & {*settings}}
    return {**dict(_leaves({name: value for name, value in settings.items() if name not in replaced}, "")), **whole}


def _leaves(settings: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
