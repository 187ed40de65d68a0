"""A copy of the package with models of its own, and an instance to run them on, as a user has them."""

import compileall
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import yaml

from benchmarks.harness.process import REPOSITORY, Measurement, environment, measure, python

MODELS = REPOSITORY / "benchmarks" / "models"
SHIPPED = REPOSITORY / "ml_assets" / "defs" / "fraud_detection" / "defs.yaml"


class Project:
    """The shipped code location and further models beside the shipped one.

    Args:
        root: an empty folder.
        models: attributes of models; one with the name of the shipped model replaces it.
    """

    def __init__(self, root: Path, models: Sequence[dict] = ()):
        self.root = root
        # Copied with their times, so that the byte code fits its sources.
        shutil.copytree(REPOSITORY / "ml_assets", root / "ml_assets")
        for name in ("ml_assets/resources/dagster_instance/dagster.yaml", "pyproject.toml"):
            shutil.copy(REPOSITORY / name, root)
        for model in models:
            folder = root / "ml_assets" / "defs" / model["name"]
            folder.mkdir(exist_ok=True)
            content = {"type": "ml_assets.ModelPipeline", "attributes": model}
            (folder / "defs.yaml").write_text(yaml.safe_dump(content, sort_keys=False))

    def instance(self, folder: Path, landing: Path, settings: Path | None = None) -> "Instance":
        """Create an empty instance whose lake, store and home are in a folder."""
        return Instance(self, folder, landing, settings or self.root / "dagster.yaml")


class Instance:
    """Lake, MLflow store, deploy target and DAGSTER_HOME in one folder."""

    def __init__(self, project: Project, folder: Path, landing: Path, settings: Path):
        home = folder / "dagster"
        home.mkdir(parents=True)
        shutil.copy(settings, home / "dagster.yaml")
        self.folder, self.root = folder, project.root
        self.variables = environment(
            project.root,
            DAGSTER_HOME=str(home),
            DAGSTER_EVENT_BATCH_SIZE="400",
            ML_ASSETS_LANDING=str(landing),
            ML_ASSETS_LAKE=str(folder / "lake"),
            ML_ASSETS_DEPLOY=str(folder / "production"),
            MLFLOW_TRACKING_URI=f"sqlite:///{folder / 'mlflow.db'}",
        )

    def materialize(self, assets: Sequence[str], first: date, last: date | None = None) -> Measurement:
        """Materialize assets, such as `model/*`, in one run in a new process, for a day or for a range of days."""
        days = ["--partition", str(first)] if last is None else ["--partition-range", f"{first}...{last}"]
        selection = " or ".join(f'key:"{asset}"' for asset in assets)
        command = python("-m", "dagster", "asset", "materialize", "-m", "ml_assets.definitions", "--select", selection)
        return measure([*command, *days], self.variables, self.root)

    def command(self, *arguments: str) -> Measurement:
        """Run a verb of `ml-assets` in a new process."""
        return measure(python("-m", "ml_assets.cli", *arguments), self.variables, self.root)


def read_model(name: str) -> dict:
    """Return the attributes of a model in `benchmarks/models`."""
    return yaml.safe_load((MODELS / f"{name}.yaml").read_text())


def read_shipped_model(start: date) -> dict:
    """Return the attributes of the shipped model, with another first day."""
    attributes = yaml.safe_load(SHIPPED.read_text())["attributes"]
    attributes["source"]["start"] = start
    return attributes


def compile_byte_code() -> None:
    """Compile the package, so that no measured process does."""
    compileall.compile_dir(REPOSITORY / "ml_assets", quiet=1)
    compileall.compile_dir(REPOSITORY / "benchmarks", quiet=1)
