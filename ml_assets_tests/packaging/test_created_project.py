"""A project that `create-dagster` makes, with an environment of its own and the built wheel, as
docs/how-to/projects.md says.
"""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster
import numpy as np
import pandas as pd
import pytest

from ml_assets.defs.settings import REPOSITORY
from ml_assets_tests.packaging.wheel import build_wheel
from ml_assets_tests.support.http_server import free_port

pytestmark = pytest.mark.slow

START = date(2025, 1, 1)
DAYS = 45
LOCATIONS = "{workspaceOrError {... on Workspace {locationEntries {name locationOrLoadError {__typename}}}}}"


class Project:
    """The project `shop`, with the model `churn`."""

    def __init__(self, root: Path) -> None:
        self.root, self.bin = root / "shop", root / "shop" / ".venv" / "bin"

    def run(self, program: str, *arguments: str) -> str:
        """Run a program of the project's environment, and return what it printed."""
        ended = subprocess.run(
            [self.bin / program, *arguments], cwd=self.root, env=self.environment(), capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def environment(self) -> dict[str, str]:
        """Return the variables of a shell in which the project's environment is active."""
        return {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.root.parent), "LANG": "C.UTF-8"}

    def land(self) -> None:
        """Land CSV files that fit the scaffold's specification; the label depends on amount and customer."""
        for number in range(DAYS):
            random, day = np.random.default_rng(number), START + timedelta(days=number)
            customers, amounts = random.integers(0, 80, 200), np.round(random.gamma(2.0, 20.0, 200), 2)
            seconds = pd.to_timedelta(np.sort(random.integers(0, 86_400, 200)), unit="s")
            rows = {
                "row_id": number * 1_000 + np.arange(200),
                "event_time": pd.Timestamp(day) + seconds,
                "customer_id": customers,
                "amount": amounts,
                "label": (amounts + 0.4 * customers + random.normal(0, 10, 200) > 70).astype(int),
            }
            folder = self.root / "data" / "landing" / "churn" / str(day)
            folder.mkdir(parents=True)
            pd.DataFrame(rows).to_csv(folder / "rows.csv", index=False)

    @contextmanager
    def ui(self) -> Iterator[str]:
        """Run `dg dev` until the block ends, and yield the URL of its GraphQL endpoint."""
        port = free_port()
        command = [self.bin / "dg", "dev", "--use-active-venv", "--port", str(port)]
        environment = {**self.environment(), "VIRTUAL_ENV": str(self.bin.parent)}
        process = subprocess.Popen(
            command, cwd=self.root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield f"http://127.0.0.1:{port}/graphql"
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A new project with a scaffolded model and its files; packages come from the index that pip is configured for."""
    root = tmp_path_factory.mktemp("created")
    creator = install(root / "creator", f"create-dagster=={dagster.__version__}")
    subprocess.run([creator / "create-dagster", "project", "shop", "--no-uv-sync"], cwd=root, check=True)
    project = Project(root)
    wheel = build_wheel(root / "wheel")
    install(project.root / ".venv", f"{wheel}[notify]", "dagster-dg-cli", "dagster-webserver")
    project.run("python", "-m", "pip", "install", "--quiet", "--no-deps", "--editable", ".")
    project.run("dg", "scaffold", "defs", "ml_assets.ModelPipeline", "churn")
    project.land()
    return project


def install(environment: Path, *packages: str) -> Path:
    """Install packages into a new environment, at the pinned versions, and return its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    ended = subprocess.run(
        [*pip, "--constraint", REPOSITORY / "constraints.txt", *packages], capture_output=True, text=True
    )
    if ended.returncode and "No matching distribution found" in ended.stderr:
        pytest.skip(f"pip finds no package index: {ended.stderr.splitlines()[-1]}")
    assert ended.returncode == 0, ended.stderr
    return environment / "bin"


def graphql(url: str, query: str) -> Any:
    """Return the data of the answer to a query, once the server answers."""
    request = urllib.request.Request(url, json.dumps({"query": query}).encode(), {"Content-Type": "application/json"})
    end = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)["data"]
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def test_the_scaffolded_model_loads_and_is_listed(project):
    assert "All definitions loaded successfully" in project.run("dg", "check", "defs")
    listed = json.loads(project.run("dg", "list", "defs", "--json"))
    assert {job["name"] for job in listed["jobs"]} >= {"churn_daily", "churn_features"}
    assert {"lake", "landing", "registry"} <= {resource["name"] for resource in listed["resources"]}


def test_a_range_of_days_is_launched_and_the_model_of_the_newest_day_is_live(project):
    days = f"{START}...{START + timedelta(days=5)}"
    project.run("dg", "launch", "--job", "churn_features", "--partition-range", days)
    report = json.loads(project.run("ml-assets", "run", "churn", "--json"))
    assert (report["problem"], report["registered_version"]) == (None, 1)
    assert report["champion"].startswith("version 1 of ")


def test_dg_dev_serves_the_project(project):
    with project.ui() as url:
        (location,) = graphql(url, LOCATIONS)["workspaceOrError"]["locationEntries"]
    assert location == {"name": "shop", "locationOrLoadError": {"__typename": "RepositoryLocation"}}
