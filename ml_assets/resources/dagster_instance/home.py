"""The instance in a directory, opened with errors that name damaged files."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_assets.core.operations.failures.damaged_state import INSTANCE_SETTINGS, DamagedState
from ml_assets.resources.dagster_internals.home_files import DamagedHome, damaged_files, home_lock

if TYPE_CHECKING:
    from dagster import DagsterInstance

SETTINGS_FILE = "dagster.yaml"


@contextmanager
def open_instance(home: str) -> "Iterator[DagsterInstance]":
    """Open the instance in a directory, and close it when the block ends.

    Raises:
        DamagedHome: when a file of the directory is damaged or missing.
    """
    import dagster as dg

    folder = Path(home)
    uses_sqlite = "storage" not in read_settings_file(folder)
    try:
        # Whatever storages dagster.yaml names, commands must not create a home at the same time.
        with home_lock(folder) if uses_sqlite else nullcontext():
            instance = dg.DagsterInstance.from_config(home)
    except DamagedState:
        raise
    except Exception as error:
        if isinstance(error, dg.DagsterInvalidConfigError) or type(error).__name__ == "CheckError":
            reason = " ".join(str(error).split())[:300]
            raise DamagedHome(INSTANCE_SETTINGS.explain(folder / SETTINGS_FILE, reason)) from error
        if uses_sqlite and (damages := damaged_files(folder, thorough=True)):
            raise DamagedHome("\n".join(damages)) from error
        raise
    with instance:
        yield instance


def read_settings_file(home: Path) -> Mapping[str, Any]:
    """Return the content of dagster.yaml; empty without the file.

    Raises:
        DamagedHome: when it is not YAML, or not a mapping.
    """
    import yaml

    file = home / SETTINGS_FILE
    try:
        content = yaml.safe_load(file.read_text()) or {}
    except FileNotFoundError:
        return {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DamagedHome(INSTANCE_SETTINGS.explain(file, " ".join(str(error).split()))) from error
    if not isinstance(content, dict):
        raise DamagedHome(INSTANCE_SETTINGS.explain(file, "it is not a mapping of settings"))
    return content
