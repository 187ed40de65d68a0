"""Every command that a page shows is run, in the place of a reader who follows the page."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import boto3
import pytest

from ml_assets.cli.demo.simulated_days import last_day_as_of
from ml_assets_tests.documentation.console_blocks import write_empty_project
from ml_assets_tests.documentation.page_commands import blocks_without_language, commands_of, run_commands
from ml_assets_tests.packaging.test_created_project import Project
from ml_assets_tests.support.http_server import QuietHandler, http_server
from ml_assets_tests.support.webhook import Webhook
from ml_assets_tests.test_repository import REPOSITORY, name_of

PAGES = sorted(
    [
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / "examples").rglob("*.md"),
        REPOSITORY / "CONTRIBUTING.md",
        REPOSITORY / "README.md",
        REPOSITORY / "helm" / "README.md",
    ]
)
# test_tutorial.py runs its commands, and compares what they print.
ELSEWHERE = "docs/tutorial.md"
# Commands that begin like this are not run.
CLUSTER = "needs a Kubernetes cluster"
INDEX = "installs packages; ml_assets_tests/packaging installs the wheel with its extras"
SUITE = "runs for many minutes, and is not for users"
NOT_RUN = {
    "kubectl ": CLUSTER,
    "ml-assets kserve fraud_detection | kubectl": CLUSTER,
    "curl localhost:8000/ready": CLUSTER,
    "helm ": CLUSTER,
    "kind ": CLUSTER,
    "docker ": "needs Docker and the network",
    "./docker/up.sh": "belongs to a clone of Marquez, and needs Docker",
    "DAGSTER_CHART=": "needs Dagster's chart, from its host",
    "pip install": INDEX,
    "python3 -m pip install": INDEX,
    "python3 -m venv": INDEX,
    ".venv/bin/pip": INDEX,
    "ml-assets audit": "asks an advisory database on the network",
    "sudo ": "changes the groups of this machine",
    "_ML_ASSETS_COMPLETE=fish_source": "needs fish",
    'eval "$(_ML_ASSETS_COMPLETE=zsh_source': "needs zsh",
    "make lint": SUITE,
    "make test": SUITE,
    "make chaos": SUITE,
    "make latest": SUITE,
    "make bench": SUITE,
    "ml-assets bench": SUITE,
    "KUBECONFIG=... make k8s-test": CLUSTER,
    ".venv/bin/python -m pytest": SUITE,
    "python -m ml_assets_tests.pipeline.counts": SUITE,
}
# In the reference each command stands by itself: something else comes before it, and one leaves nothing to the others.
REFERENCE = "docs/reference/cli.md"
LAST = "ml-assets clean"
OTHER_STATE = {
    "ml-assets canary": "ml-assets rollback",
    "ml-assets notifications test": "export ML_ASSETS_NOTIFY={webhook}",
    "ml-assets pause": "ml-assets resume",
    "ml-assets promote": "ml-assets promote --version 1",
    "ml-assets resume": "ml-assets pause",
    "ml-assets rollback": "ml-assets canary --version 2",
}
DAY = re.compile(r"\b20\d\d-\d\d-\d\d\b")
# MLflow's own server at Ctrl-C; a manifest for KServe, which fetches no artifacts from a folder, as the message says.
ENDS_WITH_1 = ("mlflow models serve", "ml-assets kserve")
# The newest day of the demonstration as pages have it; their days move with those of the demonstration.
NEWEST_DAY = date(2026, 11, 26)
CORRECT = """python -c "
import pandas as pd
rows = pd.read_csv('bad.csv', dtype=str, keep_default_na=False)
rows = rows[rows['_reasons'] == 'amount: less than minimum 0']
rows.assign(amount='1.00').to_csv('bad.csv', index=False)
\""""
# What stands in a page for what a reader has.
VALUES = {
    "version 7": "version 2",
    "create-dagster project shop --no-uv-sync && cd shop": "cd shop",
    "2026-10-01...2026-10-31": "{days}",
    "/srv/ml": "$PWD/data",
    "# correct bad.csv, and delete the lines that you cannot correct": CORRECT,
    "BUCKET": "{bucket}",
    "https://HOST": "{s3}",
    "slack://TokenA/TokenB/TokenC/#alerts": "{webhook}",
    "OPENLINEAGE_URL=http://localhost:5000": "OPENLINEAGE_URL={lineage}",
    "postgresql://ml_assets@db.internal:5432/": "postgresql://postgres@127.0.0.1:{port}/",
}
CANARY = "ml-assets canary --version 2"
# What the reader of a page has done before.
BEFORE = {
    "docs/how-to/backup.md": [
        "createdb backup",
        "export ML_ASSETS_DATABASE=postgresql://postgres@127.0.0.1:{port}/backup",
        "ml-assets restore",
    ],
    "docs/how-to/canary.md": [CANARY],
    "docs/reference/cli.md": ["ml-assets quarantine --out bad.csv", CORRECT, "mv bad.csv corrected.csv"],
    "docs/reference/serving.md": ["ml-assets serve"],
}


def test_every_block_names_its_language():
    assert {name_of(page): blocks for page in PAGES if (blocks := blocks_without_language(page.read_text()))} == {}


def commands_to_run(page: Path) -> list[str]:
    if name_of(page) == ELSEWHERE:
        return []
    return [command for command in commands_of(page.read_text()) if not command.startswith(tuple(NOT_RUN))]


def test_what_is_not_run_and_what_is_replaced_stand_in_a_page():
    commands = [command for page in PAGES for command in commands_of(page.read_text())]
    assert sum(len(commands_to_run(page)) for page in PAGES) > 80
    assert [start for start in NOT_RUN if not any(command.startswith(start) for command in commands)] == []
    assert [value for value in VALUES if not any(value in command for command in commands)] == []
    assert [page for page in BEFORE if not (REPOSITORY / page).exists()] == []


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone in which `make run` was run, and again after a change of the model: it has two versions.

    Beside it is a copy of it as it is before a page.
    """
    root = tmp_path_factory.mktemp("pages")
    clone, environment = root / "clone", root / "environment"
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=REPOSITORY, text=True).rstrip("\0").split("\0")
    for name in listed:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, clone / name)
    environment.mkdir()
    for part in ("bin", "lib", "pyvenv.cfg"):
        (environment / part).symlink_to(Path(sys.prefix) / part)
    for extras in ("", "-dev"):
        (environment / f".installed{extras}").touch()
    (clone / ".venv").symlink_to(environment)
    (root / "home").mkdir()
    specification = clone / "ml_assets" / "defs" / "fraud_detection" / "defs.yaml"
    first = run_commands(["make run"], clone, variables(clone), root / "log")
    text = specification.read_text()
    specification.write_text(text.replace("validation: 4d\n", "validation: 4d\n    parameters: {eta: 0.05}\n"))
    results = first + run_commands(["make run"], clone, variables(clone), root / "log")
    assert [result.code for result in results] == [0, 0], results[-1].output
    return clone


@pytest.fixture
def fresh_clone(clone: Path) -> Path:
    """Return the clone as it is before a page."""
    copy = clone.with_name("copy")
    if copy.exists():
        shutil.rmtree(clone)
        shutil.copytree(copy, clone, symlinks=True)
    else:
        shutil.copytree(clone, copy, symlinks=True)
    return clone


def variables(clone: Path) -> dict[str, str]:
    """Return the variables of a shell in the clone, whose environment is active."""
    path = f"{clone}/.venv/bin{os.pathsep}{os.environ['PATH']}"
    paths = f"{clone}{os.pathsep}{clone}/shop/src"
    home = clone.with_name("home")
    # The environment is that of the tests: pip says what it would install into it, and installs nothing.
    pip = {"PIP_DRY_RUN": "1"}
    return {"PATH": path, "HOME": str(home), "PYTHONPATH": paths, "LANG": "C.UTF-8", "NO_COLOR": "1", **pip}


@pytest.fixture
def values(s3_server, postgresql) -> Iterator[dict[str, str]]:
    """Start what pages name; yield the addresses."""

    class Lineage(QuietHandler):
        def do_POST(self) -> None:
            json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

    with Webhook() as webhook, http_server(Lineage) as lineage:
        yield {
            "bucket": "a-bucket",
            "s3": s3_server,
            "webhook": webhook.url,
            "lineage": lineage,
            "port": str(postgresql.port),
            "days": "2025-01-01...2025-01-06",
        }


@pytest.fixture
def environment(fresh_clone, values, s3_server, postgresql) -> dict[str, str]:
    """Return the variables of a reader's shell, with credentials where clients look for them."""
    password = fresh_clone.with_name("home") / ".pgpass"
    password.write_text(f"*:*:*:*:{postgresql.uri('').split(':')[2].split('@')[0]}\n")
    password.chmod(0o600)
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    s3 = boto3.client(
        "s3", endpoint_url=s3_server, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    s3.create_bucket(Bucket=values["bucket"])
    of_reader = variables(fresh_clone)
    path = f"{postgresql.programs}{os.pathsep}{of_reader['PATH']}"
    server = {"PGHOST": "127.0.0.1", "PGPORT": values["port"], "PGUSER": "postgres"}
    return {**of_reader, **keys, **server, "PATH": path}


def as_typed(command: str, values: dict[str, str]) -> str:
    """Return a command with what the reader has in place of what stands for it."""
    for shown, value in VALUES.items():
        command = command.replace(shown, value)
    moved = last_day_as_of(datetime.now(UTC).date()) - NEWEST_DAY
    return fill(DAY.sub(lambda day: str(date.fromisoformat(day.group()) + moved), command), values)


def fill(text: str, values: dict[str, str]) -> str:
    """Put the addresses of what is started for the page into a text."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def with_other_state(commands: list[str]) -> list[str]:
    """Return the commands of the reference in their order, each after what gives it something to do."""
    ordered = []
    for command in sorted(commands, key=lambda command: command.startswith(LAST)):
        before = [other for verb, other in OTHER_STATE.items() if command.startswith(verb)]
        ordered += [*(f"{other} || true" for other in before), command]
    return ordered


@pytest.mark.slow
@pytest.mark.parametrize("page", [name_of(page) for page in PAGES if commands_to_run(page)])
def test_the_commands_of_a_page_succeed(page, fresh_clone, environment, values, tmp_path):
    commands = commands_to_run(REPOSITORY / page)
    if page == REFERENCE:
        commands = with_other_state(commands)
    if page == "docs/how-to/projects.md":
        write_empty_project(fresh_clone / "shop")
        Project(fresh_clone).land()
    typed = [as_typed(command, values) for command in commands]
    before = [fill(command, values) for command in BEFORE.get(page, [])]
    results = run_commands([*before, *typed], fresh_clone, environment, tmp_path / "log")
    failed = [
        f"$ {result.command}\n{result.output}\n{result.code}"
        for result in results
        if result.code and not result.command.startswith(ENDS_WITH_1)
    ]
    assert failed == [], "\n\n".join(failed)
