"""Serve the scores of one model over HTTP.

python -m ml_assets.cli.commands.serve [model] [--host HOST] [--port PORT]
"""

import argparse
import gc
import logging
import sys
from typing import TYPE_CHECKING

from ml_assets.cli.model_lookup import spec_of
from ml_assets.defs.environment import SETTINGS, Settings, api_key, request_rate
from ml_assets.resources.lake.read_only_lake import ReadOnlyLake
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ml_assets.core.model_spec import ModelSpec
    from ml_assets.service.app import Limits


def build_app(spec: "ModelSpec", settings: Settings, limits: "Limits") -> "FastAPI":
    """The application for a model: what is live comes from the registry, model files and history from the lake, which
    is only read.
    """
    from ml_assets.service.app import create_app
    from ml_assets.service.history import HeldHistory
    from ml_assets.service.live import LiveModels
    from ml_assets.service.scoring import Scoring

    lake = ReadOnlyLake(uri=settings.lake, s3=dict(settings.s3))
    models = LiveModels(spec, lake, ModelRegistry(tracking_uri=settings.mlflow))
    history = HeldHistory(
        spec, ReadOnlyLake(uri=settings.lake, s3=dict(settings.s3)), Landing(uri=settings.landing, s3=dict(settings.s3))
    )
    return create_app(Scoring(spec, models, history), limits)


def main() -> None:
    """Serve until the process is told to end; requests in flight are answered first.

    Raises:
        SystemExit: with a message, when the model does not exist or the API key or the rate cannot be read.
    """
    from ml_assets.service.app import Limits

    standard = Limits()
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("model", nargs="?", default="fraud_detection")
    arguments.add_argument("--host", default="127.0.0.1", help="address to listen at; 0.0.0.0 for all")
    arguments.add_argument("--port", type=int, default=8000)
    arguments.add_argument("--max-body-bytes", type=int, default=standard.body_bytes)
    arguments.add_argument(
        "--registry-seconds", type=float, default=standard.registry_seconds, help="between two looks at the registry"
    )
    arguments.add_argument(
        "--history-seconds", type=float, default=standard.history_seconds, help="between two looks at the lake"
    )
    asked = arguments.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    logging.getLogger("ml_assets").setLevel(logging.INFO)
    try:
        limits = Limits(api_key(), asked.max_body_bytes, asked.registry_seconds, asked.history_seconds, request_rate())
        app = build_app(spec_of(asked.model), SETTINGS, limits)
    except ValueError as error:
        sys.exit(str(error))
    _ask_mlflow_briefly()
    serve(app, asked.host, asked.port)


def _ask_mlflow_briefly() -> None:
    """MLflow's client tries for minutes before it says that a server is not there; here the next look is a second
    away.
    """
    from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_MAX_RETRIES, MLFLOW_HTTP_REQUEST_TIMEOUT

    for setting, value in [(MLFLOW_HTTP_REQUEST_MAX_RETRIES, 1), (MLFLOW_HTTP_REQUEST_TIMEOUT, 10)]:
        if not setting.is_set():
            setting.set(value)


def serve(app: "FastAPI", host: str, port: int) -> None:
    """Run an application with uvicorn, one process, without a line in the log for each request."""
    import uvicorn

    # Modules are there to stay: without them a collection is shorter, and so are the longest answers.
    gc.freeze()
    uvicorn.run(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=30,
    )


if __name__ == "__main__":
    main()
