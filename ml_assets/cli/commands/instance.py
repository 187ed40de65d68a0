"""The instance in DAGSTER_HOME: its creation with the shipped settings, and its differences from them."""

from pathlib import Path

from ml_assets.cli.command_inputs import require_settings
from ml_assets.cli.home import SETTINGS_FILE, list_differences
from ml_assets.cli.json_output.reports import InstanceReport
from ml_assets.cli.verb import publish
from ml_assets.resources.dagster_instance.home import read_settings_file


def show_instance() -> None:
    """Create DAGSTER_HOME if it has no settings yet, and print each setting that differs from the shipped ones.

    Raises:
        SystemExit: with a message, when an environment variable is not valid.
    """
    settings = require_settings()
    home = Path(settings.dagster_home).absolute()
    file = home / SETTINGS_FILE
    differences = list_differences(read_settings_file(home), settings)
    print(f"DAGSTER_HOME  {home}")
    print(f"Settings      {file.resolve()}")
    for difference in differences or ["none"]:
        print(f"Differences   {difference}")
    publish(InstanceReport(dagster_home=str(home), settings=str(file.resolve()), differences=differences))
