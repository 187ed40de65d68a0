"""A project of somebody else, as `create-dagster` makes it: models are scaffolded, load, and are seen by the verbs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ml_assets.defs.project import read_project
from ml_assets.defs.settings import REPOSITORY

PYPROJECT = """\
[project]
name = "shop"
version = "0.1.0"

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "shop"
registry_modules = ["shop.components.*"]
"""
DEFINITIONS = """\
from pathlib import Path

from dagster import definitions, load_from_defs_folder


@definitions
def defs():
    return load_from_defs_folder(path_within_project=Path(__file__).parent)
"""
SCAFFOLD = """
from pathlib import Path
from dagster.components.scaffold.scaffold import ScaffoldRequest
from ml_assets.pipeline.component import ModelScaffolder
folder = Path("src/shop/defs")
for name in ("churn", "returns"):
    request = ScaffoldRequest("ml_assets.ModelPipeline", folder / name, "yaml", Path.cwd(), None)
    ModelScaffolder().scaffold(request)
"""
LOAD = """
import json
from ml_assets.cli.project import load_definitions
repository = load_definitions().get_repository_def()
print(json.dumps({
    "jobs": sorted(job.name for job in repository.get_all_jobs() if job.name.endswith("_daily")),
    "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
}))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two models."""
    root = tmp_path_factory.mktemp("projects") / "shop"
    (root / "src" / "shop" / "defs").mkdir(parents=True)
    for folder in ("shop", "shop/defs"):
        (root / "src" / folder / "__init__.py").touch()
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "src" / "shop" / "definitions.py").write_text(DEFINITIONS)
    (root / ".env").write_text("FEED=feeds\n")
    run(root, "-c", SCAFFOLD)
    file = root / "src" / "shop" / "defs" / "churn" / "defs.yaml"
    file.write_text(file.read_text().replace("files: churn/{day}/*", 'files: "{{ env.FEED }}/{day}/*"'))
    (root / "data" / "landing").mkdir(parents=True)
    return root


def run(root: Path, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        capture_output=True,
        text=True,
        cwd=folder or root,
        env={**kept, "PYTHONPATH": str(REPOSITORY)},
    )


def test_the_scaffold_binds_the_resources_once(project):
    folder = read_project(project).defs
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith("__")) == [
        "churn",
        "ml_assets_environment.py",
        "returns",
    ]


def test_the_definitions_of_all_models_load_with_resources_and_sensors(project):
    ended = run(project, "-c", "from ml_assets.defs.environment import read_dotenv; read_dotenv()" + LOAD)
    assert ended.returncode == 0, ended.stderr
    loaded = json.loads(ended.stdout)
    assert loaded["jobs"] == ["churn_daily", "returns_daily"]
    assert {"notifications", "rollback_notifications"} <= {*loaded["sensors"]}


def test_the_verbs_see_the_models_and_the_templates_of_the_project(project):
    ended = run(project, "-m", "ml_assets.cli", "run", "churn", "--json")
    assert ended.returncode == 1
    assert f"looked for feeds/{{day}}/* under {project}/data/landing" in json.loads(ended.stdout)["error"]
    assert (project / "data" / "dagster" / "dagster.yaml").is_symlink()
    assert "name a model of" in run(project, "-m", "ml_assets.cli", "plan").stderr
    elsewhere = run(project, "-m", "ml_assets.cli", "releases", "returns", "--project", str(project), folder=REPOSITORY)
    assert elsewhere.stdout == "returns: nothing has been released yet\n"
