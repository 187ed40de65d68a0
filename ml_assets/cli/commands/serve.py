"""The scoring service of one model."""

import logging
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from ml_assets.cli.command_inputs import require_settings, require_spec
from ml_assets.cli.faults import check_interrupted
from ml_assets.core.extras import needs_extra
from ml_assets.defs.environment import api_key, capture_key, request_rate, trusted_proxies
from ml_assets.defs.settings import Settings
from ml_assets.resources.lake.read_only_lake import ReadOnlyLake
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.storage.landing import Landing

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from ml_assets.core.model_spec import ModelSpec
    from ml_assets.service.app import Limits
    from ml_assets.service.capture.request_capture import RequestCapture

log = logging.getLogger("ml_assets.service")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def build_app(spec: "ModelSpec", settings: Settings, limits: "Limits") -> "Starlette":
    """Build the application for a model: live versions come from the registry, model files and history from the lake.
    Served requests are captured to the lake if the specification asks for it.
    """
    from ml_assets.service.app import create_app
    from ml_assets.service.history import HistoryCache
    from ml_assets.service.model_loader import ModelLoader
    from ml_assets.service.scoring import Scoring

    lake = ReadOnlyLake(uri=settings.lake, s3=dict(settings.s3))
    loader = ModelLoader(spec, lake, ModelRegistry(tracking_uri=settings.mlflow))
    history = HistoryCache(
        spec, ReadOnlyLake(uri=settings.lake, s3=dict(settings.s3)), Landing(uri=settings.landing, s3=dict(settings.s3))
    )
    return create_app(Scoring(spec, loader, history, limits=limits, capture=build_capture(spec, settings)), limits)


def build_capture(spec: "ModelSpec", settings: Settings) -> "RequestCapture | None":
    """Build the capture of served requests, which writes segments to the lake; None unless the specification asks for
    it.

    Raises:
        ValueError: when columns are to be hashed and the environment has no key, or the spool cannot be used.
    """
    from ml_assets.core.serving.captured_requests import RequestColumns
    from ml_assets.resources.storage.open_store import open_objects
    from ml_assets.resources.storage.segments import Segments
    from ml_assets.service.capture.request_capture import RequestCapture
    from ml_assets.service.capture.spool import Spool, spool_folder

    if spec.deployment.capture is None:
        return None
    columns = RequestColumns(spec, capture_key())
    folder = spool_folder(settings.lake, spec.name)
    try:
        spool = Spool(folder)
    except OSError as error:
        raise ValueError(
            f"served requests cannot be kept in {folder}: {error}; set TMPDIR to another folder"
        ) from error
    segments = Segments(open_objects(settings.lake, settings.s3), spec.name)
    return RequestCapture(columns, spec.deployment.capture, spool, segments.write)


def serve_model(model: str | None, host: str, port: int, limits: "Limits") -> None:
    """Serve until the process gets a signal to end; requests in flight are answered first.

    Args:
        model: name of the model.
        host: the address to listen on.
        port: the port to listen on.
        limits: limits of requests and connections; the API key, the rate and the proxies come from the environment.

    Raises:
        SystemExit: with a message, when the model does not exist, the API key or the rate cannot be read, or the system
            allows too few open files.
        Interrupted: when a signal ended it.
    """
    with needs_extra("serve", "the scoring service"):
        import httptools  # noqa: F401
        import prometheus_client  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    from ml_assets.service.server.run import run_server

    spec, settings = require_spec(model), require_settings()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    logging.getLogger("ml_assets").setLevel(logging.INFO)
    # A refresh that fails is logged by the service; this would add a line for each attempt.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    try:
        limits = replace(limits, api_key=api_key(), per_second=request_rate(), trusted_proxies=trusted_proxies())
        app = build_app(spec, settings, limits)
    except ValueError as error:
        sys.exit(str(error))
    if limits.api_key is None and host not in LOOPBACK:
        log.warning(
            "the service listens on %s without a key: anyone who reaches this address can score rows; set "
            "ML_ASSETS_API_KEY, or leave out --host",
            host,
        )
    _shorten_mlflow_retries()
    try:
        run_server(app, host, port, limits)
        check_interrupted()
    except ValueError as error:
        sys.exit(str(error))


def _shorten_mlflow_retries() -> None:
    """Let MLflow's client give up early: by default it retries for minutes, and the next poll is a second away."""
    from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_MAX_RETRIES, MLFLOW_HTTP_REQUEST_TIMEOUT

    for setting, value in [(MLFLOW_HTTP_REQUEST_MAX_RETRIES, 1), (MLFLOW_HTTP_REQUEST_TIMEOUT, 10)]:
        if not setting.is_set():
            setting.set(value)
