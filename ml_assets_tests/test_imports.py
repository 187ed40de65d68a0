"""Every module of the project can be imported, which changes nothing in the process that imports it."""

import json
import os
import subprocess
import sys

from ml_assets_tests.test_repository import IMPORTED, REPOSITORY

# Dependencies are imported first: what they change is not ours, and depends on their versions.
COMPARE = """
import importlib, json, logging, os, sys, warnings
warnings.simplefilter("ignore")
modules = json.loads(sys.argv[1])

def state():
    named = {"ml_assets": None, **logging.root.manager.loggerDict}
    loggers = {name: logging.getLogger(name) for name in named if name.startswith("ml_assets")}
    return {
        "environment": dict(os.environ),
        "root handlers": [repr(handler) for handler in logging.root.handlers],
        "root level": logging.root.level,
        "handlers": {name: repr(logger.handlers) for name, logger in loggers.items() if logger.handlers},
        "levels": {name: logger.level for name, logger in loggers.items() if logger.level},
    }

for name in ("dagster", "dagster_postgres", "dagster_k8s", "dagster_mlflow", "mlflow.models", "mlflow.pyfunc.model"):
    importlib.import_module(name)
before = state()
for name in modules:
    importlib.import_module(name)
telemetry = [name for name in sys.modules if name.startswith("opentelemetry.exporter.otlp.proto.http")]
print(json.dumps({"changed": [key for key, value in state().items() if value != before[key]], "telemetry": telemetry}))
"""


def test_every_module_can_be_imported_and_changes_neither_environment_nor_logging_and_starts_no_telemetry():
    command = [sys.executable, "-c", COMPARE, json.dumps(IMPORTED)]
    # Variables that this process has set already would hide that the modules set them.
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "LANG") if name in os.environ}
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=REPOSITORY, env=environment).stdout
    assert json.loads(output.splitlines()[-1]) == {"changed": [], "telemetry": []}
