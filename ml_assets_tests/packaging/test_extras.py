"""Without any extra everything can be imported, and the laptop's pipeline runs; what needs one names it."""

import json
import os
import subprocess
import sys

from ml_assets.core.extras import EXTRAS
from ml_assets_tests.test_repository import MODULES, REPOSITORY

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
IMPORT_ALL = (
    BLOCK
    + """
import importlib, json
failed = {}
for name in json.loads(sys.argv[1]):
    try:
        importlib.import_module(name)
    except ImportError as error:
        failed[name] = str(error)
print(json.dumps(failed))
"""
)
RUN_EACH = (
    BLOCK
    + """
import json
from ml_assets.core.extras import MissingExtra
messages = {}
for extra, code in json.loads(sys.argv[1]).items():
    try:
        exec(code, {})
    except MissingExtra as error:
        messages[extra] = str(error)
print(json.dumps(messages))
"""
)
CASES = {
    "aws": "from ml_assets.resources.storage.open_store import open_objects; open_objects('s3://bucket/lake', {})",
    "postgres": "from ml_assets.resources.databases.postgresql_uri import with_driver; with_driver('postgresql://db/x')",
    "k8s": "from ml_assets.resources.kubernetes.step_executor import step_executor; step_executor(lambda _: 0)",
    "polars": "from ml_assets.pipeline.downstream.read import convert; convert(None, 'polars')",
    "notify": "from ml_assets.resources.notifications.notifier import Notifier; Notifier('json://x', ()).targets",
    "metrics": "from ml_assets.resources.observability.telemetry import push; push([])",
    "search": "from ml_assets.core.training.hyperparameter_search import _Study; _Study(None)",
    "serve": "from ml_assets.cli.commands.serve import serve_model; serve_model('x', '', 0, None)",
}


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "LANG") if name in os.environ}
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env=environment)


def test_every_module_can_be_imported_without_any_extra_and_without_fcntl():
    names = [
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
        if path.name not in ("pyfunc.py", "__main__.py") and "/service/" not in str(path)
    ]
    ended = run(IMPORT_ALL, json.dumps(names))
    assert ended.returncode == 0, ended.stderr
    assert {*json.loads(ended.stdout.splitlines()[-1])} <= OF_A_PLACE


def test_what_needs_an_extra_names_it():
    ended = run(RUN_EACH, json.dumps(CASES))
    assert ended.returncode == 0, ended.stderr
    messages = json.loads(ended.stdout.splitlines()[-1])
    wrong = {extra: text for extra, text in messages.items() if f"pip install 'ml_assets[{extra}]'" not in text}
    assert (set(messages), wrong) == (set(CASES), {})
