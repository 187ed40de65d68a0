"""A project of somebody else, as `create-dagster` makes it: models are scaffolded, load, and are seen by the verbs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dagster.components.scaffold.scaffold import ScaffoldRequest

from ml_assets.defs.project import read_project
from ml_assets.defs.settings import REPOSITORY
from ml_assets.pipeline.component import ModelScaffolder

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
PIPELINE = """
import dagster as dg
from ml_assets import ModelPipeline

class RiskPipeline(ModelPipeline):
    def get_asset_spec(self, base_spec: dg.AssetSpec) -> dg.AssetSpec:
        return base_spec.replace_attributes(key=base_spec.key.with_prefix("risk"), group_name="risk")
"""
LOAD = """
import json
from ml_assets.cli.project import load_definitions
repository = load_definitions().get_repository_def()
print(json.dumps({
    "jobs": sorted(job.name for job in repository.get_all_jobs() if job.name.endswith("_daily")),
    "prefixes": sorted({"/".join(key.path[:-1]) for key in repository.asset_graph.get_all_asset_keys()}),
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
    (root / ".env").write_text("FEED=feeds\nROUNDS=7\n")
    for name in ("churn", "returns"):
        target = root / "src" / "shop" / "defs" / name
        ModelScaffolder().scaffold(ScaffoldRequest("ml_assets.ModelPipeline", target, "yaml", root, None))
    file = root / "src" / "shop" / "defs" / "churn" / "defs.yaml"
    file.write_text(file.read_text().replace("files: churn/{day}/*", 'files: "{{ env.FEED }}/{day}/*"'))
    # A number from a template, and a second document, whose model has a class of the project.
    rounds = file.read_text().replace("validation: 4d", 'validation: 4d\n    rounds: "{{ env.ROUNDS }}"')
    of_risk = rounds.replace("ml_assets.ModelPipeline", "shop.risk.RiskPipeline").replace("name: churn", "name: risk")
    file.write_text(f"{rounds}---\n{of_risk}")
    (root / "src" / "shop" / "risk.py").write_text(PIPELINE)
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
    assert loaded["jobs"] == ["churn_daily", "returns_daily", "risk_daily"]
    assert loaded["prefixes"] == ["churn", "returns", "risk/risk"]
    assert {"notifications", "rollback_notifications"} <= {*loaded["sensors"]}


@pytest.mark.slow
def test_the_verbs_see_the_models_and_the_templates_of_the_project(project):
    ended = run(project, "-m", "ml_assets.cli", "run", "churn", "--json")
    assert ended.returncode == 1
    assert f"looked for feeds/{{day}}/* under {project}/data/landing" in json.loads(ended.stdout)["error"]
    assert (project / "data" / "dagster" / "dagster.yaml").is_symlink()
    elsewhere = run(project, "-m", "ml_assets.cli", "releases", "returns", "--project", str(project), folder=REPOSITORY)
    assert elsewhere.stdout == "returns: nothing has been released yet\n"


@pytest.mark.slow
def test_the_verbs_see_a_model_of_a_second_document_and_ask_which_of_several_is_meant(project):
    of_risk = run(project, "-m", "ml_assets.cli", "run", "risk", "--json")
    assert "looked for feeds/{day}/*" in json.loads(of_risk.stdout)["error"]
    assert "name a model of" in run(project, "-m", "ml_assets.cli", "plan").stderr


@pytest.mark.slow
def test_a_project_without_the_file_of_the_resources_is_told_what_to_write(project, tmp_path):
    copy = tmp_path / "shop"
    shutil.copytree(project / "src", copy / "src")
    for name in ("pyproject.toml", ".env"):
        shutil.copy(project / name, copy)
    file = copy / "src" / "shop" / "defs" / "ml_assets_environment.py"
    file.unlink()
    code = "from ml_assets.defs.environment import read_dotenv; read_dotenv()\n"
    code += "from ml_assets.cli.project import load_definitions; load_definitions()"
    ended = run(copy, "-c", code)
    for text in (
        f"nothing binds the resources of ml_assets (lake, landing and others). Write the file {file}:",
        "    return ml_assets.environment(Path(__file__))",
    ):
        # Once by the component, for `dg check defs`, and once by the command.
        assert ended.stderr.count(text) >= 2
