"""Without any extra everything can be imported, and the laptop's pipeline runs; what needs one names it."""

import json
import os
import subprocess
import sys

import pytest

from ml_assets.core.extras import EXTRAS
from ml_assets_tests.test_repository import IMPORTED, REPOSITORY

# starlette and uvicorn come with Dagster's webserver and MLflow as well, and opentelemetry with MLflow.
MISSING = sorted({module for modules in EXTRAS.values() for module in modules} - {"starlette", "uvicorn"})
BLOCK = f"""
import importlib.abc, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {[*MISSING, "fcntl"]!r} and name != "opentelemetry":
            if name.partition(".")[0] != "opentelemetry" or name.startswith("opentelemetry.exporter"):
                raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
for name in ("fcntl",):
    sys.modules.pop(name, None)
"""
# The classes of storages and executors for places that need the extra.
OF_A_PLACE = {"ml_assets.resources.dagster_instance.postgresql_storage", "ml_assets.resources.kubernetes.step_pods"}
IMPORT_ALL_AND_RUN_EACH = (
    BLOCK
    + """
import importlib, json
failed = {}
for name in json.loads(sys.argv[1]):
    try:
        importlib.import_module(name)
    except ImportError as error:
        failed[name] = str(error)
from ml_assets.core.extras import MissingExtra
messages = {}
for extra, code in json.loads(sys.argv[2]).items():
    try:
        exec(code, {})
    except MissingExtra as error:
        messages[extra] = str(error)
print(json.dumps([failed, messages]))
"""
)
CASES = {
    "aws": "from ml_assets.resources.storage.open_store import open_objects; open_objects('s3://bucket/lake', {})",
    "postgres": "from ml_assets.resources.databases.postgresql_uri import with_driver; with_driver('postgresql://d/x')",
    "k8s": "from ml_assets.resources.kubernetes.step_executor import step_executor; step_executor(lambda _: 0)",
    "polars": "from ml_assets.pipeline.downstream.read import convert; convert(None, 'polars')",
    "notify": "from ml_assets.resources.notifications.notifier import Notifier; Notifier('json://x', ()).targets",
    "metrics": "from ml_assets.resources.observability.telemetry import push; push([])",
    "search": "from ml_assets.core.training.hyperparameter_search import _Study; _Study(None)",
    "serve": "from ml_assets.cli.commands.serve import serve_model; serve_model('x', '', 0, None)",
}


@pytest.fixture(scope="module")
def printed() -> tuple[dict[str, str], dict[str, str]]:
    """Import every module in a process without extras, and run the cases; return what failed and the messages."""
    names = [name for name in IMPORTED if not name.startswith("ml_assets.service")]
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "LANG") if name in os.environ}
    command = [sys.executable, "-W", "ignore", "-c", IMPORT_ALL_AND_RUN_EACH, json.dumps(names), json.dumps(CASES)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env=environment)
    assert ended.returncode == 0, ended.stderr
    failed, messages = json.loads(ended.stdout.splitlines()[-1])
    return failed, messages


def test_every_module_can_be_imported_without_any_extra_and_without_fcntl(printed):
    assert {*printed[0]} <= OF_A_PLACE


def test_what_needs_an_extra_names_it(printed):
    messages = printed[1]
    wrong = {extra: text for extra, text in messages.items() if f"pip install 'ml_assets[{extra}]'" not in text}
    assert (set(messages), wrong) == (set(CASES), {})
